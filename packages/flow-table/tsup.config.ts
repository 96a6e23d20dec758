import { library } from '../../tools/tsup.mjs'

// Syntax is minified so that the constants of layout.ts stand in the packet loop as numbers.
export default { ...library({ entry: { index: 'src/index.ts', records: 'src/records/index.ts' } }), minifySyntax: true }
