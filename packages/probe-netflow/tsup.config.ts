import { library } from '../../tools/tsup.mjs'

export default library({ entry: ['src/index.ts'] })
