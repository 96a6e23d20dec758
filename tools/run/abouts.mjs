// What `--help` says of each command, and what it takes.
import { basename } from 'node:path'
import { benchFiles } from './bench-files.mjs'

const PARTS = ['types', 'lint', 'unit', 'build', 'smoke', 'integration']
const ONLY = ['--only <part>', `one part alone: ${PARTS.join(', ')}`]

function checks(usage, does) {
  return { usage, does, options: [ONLY], values: { '--only': PARTS } }
}

/** By the name of the command. */
export const ABOUTS = {
  start: {
    usage: 'npm start [-- option…]',
    does: 'Installs, builds what is stale and runs Skydive on this host. The options go to `skydive allinone`,\nwhich tells them: node apps/skydive/bin/skydive.js allinone --help',
    options: [],
    passesOn: true,
  },
  test: checks('npm test [-- option…]', 'Runs every check of the repository, with a line each and the sum at the end.'),
  nightly: checks(
    'npm run nightly [-- option…]',
    'Runs every check of the repository with long fuzzing, then the unit and integration suites under the other Node that is promised.',
  ),
  bench: {
    usage: 'npm run bench [-- name… | option…]',
    get does() {
      const names = benchFiles().map((file) => basename(file, '.bench.ts'))
      return `Runs the benches whose path has one of the names, without names all of them, which takes an hour.\nThere are: ${names.join(', ')}`
    },
    options: [
      ['--json', 'prints an object for each figure instead of a line for people'],
      ['--row <text>', 'measures only rows whose name has the text, in benches of many minutes: pcap-to-flows'],
    ],
    takesNames: true,
  },
}
