import { library } from '../../tools/tsup.mjs'

export default library({ entry: ['src/capture-source.ts', 'src/graph.ts', 'src/index.ts', 'src/probe.ts'] })
