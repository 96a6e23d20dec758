import { library } from '../../tools/tsup.mjs'

export default library({ entry: { index: 'src/index.ts', 'flow/index': 'src/flow/index.ts' } })
