// Runs a TypeScript program with its arguments, bundled: what a bench starts as a process of its own. `run-bundled.mjs <file> [argument…]`.
import { importBundled } from './bundle.mjs'

const [file] = process.argv.splice(2, 1)
await importBundled(file)
