#!/usr/bin/env node
// The command line as it is installed: the bundle that the build makes of src/main.ts.
import { existsSync } from 'node:fs'
import { loadBundle } from './load-bundle.js'

const dist = new URL('../dist/', import.meta.url)
// Flows of files need little of the whole, and reading that is half of the work on a small file.
const flows = new URL('flows.cjs', dist)
const bundle = process.argv[2] === 'flows' && existsSync(flows) ? flows : new URL('skydive.cjs', dist)
if (existsSync(bundle)) {
  await loadBundle(bundle).main(bundle.href)
} else {
  process.stderr.write('skydive is not built yet: run "npm start" or "npm test" once in the root of the project\n')
  process.exitCode = 1
}
