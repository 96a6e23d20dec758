import { library } from '../../tools/tsup.mjs'

export default library({
  entry: ['src/index.ts', 'src/builder.ts', 'src/completion.ts', 'src/elements.ts', 'src/explain-text.ts', 'src/watch.ts'],
})
