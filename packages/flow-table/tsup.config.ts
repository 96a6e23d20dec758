import { library } from '../../tools/tsup.mjs'

// Syntax is minified so that the constants of layout.ts stand in the packet loop as numbers.
export default { ...library({ entry: ['src/index.ts'] }), minifySyntax: true }
