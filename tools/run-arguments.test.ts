import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')

/** What would install, build or run anything takes longer than this. */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'tools', 'run.mjs'), ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

const CHECKS = `
  --only <part>  one part alone: types, lint, unit, build, smoke, integration
  -h, --help     prints this
`

describe('--help', () => {
  test('start', () => {
    expect(run('start', '--help')).toEqual({
      status: 0,
      stdout: `usage: npm start [-- option…]

Installs, builds what is stale and runs Skydive on this host. The options go to \`skydive allinone\`,
which tells them: node apps/skydive/bin/skydive.js allinone --help

  -h, --help  prints this
`,
      stderr: '',
    })
  })

  test('test', () => {
    expect(run('test', '-h')).toEqual({
      status: 0,
      stdout: `usage: npm test [-- option…]

Runs every check of the repository, with a line each and the sum at the end.
${CHECKS}`,
      stderr: '',
    })
  })

  test('nightly', () => {
    expect(run('nightly', '--only', 'unit', '--help')).toEqual({
      status: 0,
      stdout: `usage: npm run nightly [-- option…]

Runs every check of the repository with long fuzzing, then the unit and integration suites under the other Node that is promised.
${CHECKS}`,
      stderr: '',
    })
  })

  test('bench tells its names', () => {
    const { status, stdout, stderr } = run('bench', '--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^usage: npm run bench \[-- name… \| option…\]\n/)
    expect(stdout).toMatch(/\nThere are: one-host, .*\bflows-live\b/)
    expect(stdout).toMatch(/\n {2}--json {8}prints an object/)
    expect(stdout).toMatch(/\n {2}--row <text> {2}measures only rows/)
  })
})

test.each([
  [['bench', '--jsn'], 'bench: there is no option --jsn; --help tells what there is\n'],
  [['bench', 'pcap-to-flows', '--row'], 'bench: --row <text> is to be told; --help tells what there is\n'],
  [['test', '--fast'], 'test: there is no option --fast; --help tells what there is\n'],
  [['test', 'unit'], 'test: takes no "unit"; --help tells what there is\n'],
  [['test', '--only'], 'test: --only takes one of types, lint, unit, build, smoke, integration; --help tells what there is\n'],
  [
    ['nightly', '--only', 'units'],
    'nightly: --only takes one of types, lint, unit, build, smoke, integration; --help tells what there is\n',
  ],
])('%j is refused with one line', (args, stderr) => {
  expect(run(...args)).toEqual({ status: 2, stdout: '', stderr })
})

test('start hands its arguments on', async () => {
  // By an address that changes, so that the compiler asks for no types of a script.
  const path = join(ROOT, 'tools', 'run', 'arguments.mjs')
  const { readArguments } = (await import(path)) as {
    readArguments(command: string, about: object, args: string[]): object
  }
  const args = ['--set', 'a=b', '--unknown', '--', '--help']
  expect(readArguments('start', { passesOn: true }, args)).toEqual({ names: args, options: {} })
})
