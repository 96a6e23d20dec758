import { library } from '../../tools/tsup.mjs'

export default library({ entry: { index: 'src/index.ts', 'capture-worker': 'src/agent/capture-worker.ts' } })
