// Runs one bench file, bundled, and prints a line per figure: a table row for people, an object with --json. `--row <text>` is the bench's
// to heed: it measures only rows whose name has the text.
import { importBundled } from './bundle.mjs'

const [file, ...flags] = process.argv.slice(2)
const { bench } = await importBundled(file)
const json = flags.includes('--json')
const row = flags.includes('--row') ? flags[flags.indexOf('--row') + 1] : ''
const short = (value) =>
  value === undefined
    ? ''
    : Math.abs(value) >= 100
      ? Math.round(value).toLocaleString('en')
      : Number(value.toPrecision(3)).toString()

// A bench that takes minutes hands its figures over one by one.
for await (const figure of await bench.run(row)) {
  if (json) {
    console.log(JSON.stringify(figure))
    continue
  }
  const own = `${short(figure.value)} ${figure.unit}`
  const peer =
    figure.peer === undefined ? '' : `${figure.peer}: ${short(figure.peerValue)} ${figure.unit}, ratio ${short(figure.ratio)}`
  console.log(`${bench.name.padEnd(20)} ${figure.name.padEnd(56)} ${own.padStart(20)}  ${peer}`)
}
