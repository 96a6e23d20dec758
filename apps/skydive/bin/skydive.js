#!/usr/bin/env node
// The command line as it is installed: the bundle that the build makes of src/main.ts. It is CommonJS, see package.json beside it: Node needs
// 5 ms to begin with an ES module, as much as for 150,000 packets.
'use strict'

const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { loadBundle } = require('./load-bundle.js')

const dist = join(__dirname, '..', 'dist')
// Flows of files need little of the whole, and reading that is half of the work on a small file.
const flows = join(dist, 'flows.cjs')
const bundle = process.argv[2] === 'flows' && existsSync(flows) ? flows : join(dist, 'skydive.cjs')
if (existsSync(bundle)) {
  const { main, url } = loadBundle(bundle)
  void main(url)
} else {
  process.stderr.write('skydive is not built yet: run "npm start" or "npm test" once in the root of the project\n')
  process.exitCode = 1
}
