import { library } from '../../tools/tsup.mjs'

export default library({
  entry: { index: 'src/index.ts', 'flow-file': 'src/flow-file/index.ts', 'capture-worker': 'src/agent/capture-worker.ts' },
})
