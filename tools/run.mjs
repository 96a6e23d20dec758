// What `npm start`, `npm test`, `npm run bench` and `npm run nightly` call, and the only caller of pnpm: nothing but Node and npm is needed.
import { ABOUTS } from './run/abouts.mjs'
import { readArguments } from './run/arguments.mjs'
import { bench } from './run/bench.mjs'
import { start } from './run/start.mjs'
import { nightly, test } from './run/test.mjs'

const commands = { start, test, bench, nightly }
const [name, ...args] = process.argv.slice(2)
const command = commands[name]
if (!command) {
  console.error(`usage: node tools/run.mjs ${Object.keys(commands).join('|')} [argument…]`)
  process.exit(2)
}
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old: Skydive needs Node 20.19 or later`)
  process.exit(1)
}
const given = readArguments(name, ABOUTS[name], args)
if (given.answer !== undefined) {
  const print = given.code === 0 ? console.log : console.error
  print(given.answer)
  process.exit(given.code)
}
process.exitCode = await command(given)
