#!/usr/bin/env node
// The command line as it is installed: the bundle that the build makes of src/main.ts.
import { existsSync } from 'node:fs'

const bundle = new URL('../dist/skydive.js', import.meta.url)
if (existsSync(bundle)) {
  await import(bundle.href)
} else {
  process.stderr.write('skydive is not built yet: run "npm start" or "npm test" once in the root of the project\n')
  process.exitCode = 1
}
