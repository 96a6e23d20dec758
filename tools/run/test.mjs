// `npm test`: every check of the repository, with one line each in a fixed order and the sum at the end. What is single-threaded runs side by side.
// With SKYDIVE_CI=1 the system packages that the integration suites need are installed, and a skip that is not listed is a failure.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { neutralPackages } from '../layers.mjs'
import { otherNode } from './other-node.mjs'
import { sideBySide } from './side-by-side.mjs'
import { installSystemPackages } from './system-packages.mjs'
import { buildApps, install, pnpm, ROOT, run } from './workspace.mjs'

const CI = process.env.SKYDIVE_CI === '1'
const NODE_OPTIONS = '--experimental-vm-modules --no-warnings=ExperimentalWarning'
const totals = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const skips = []

/** Runs one check and counts it as one test. */
async function check(title, work) {
  const startedAt = performance.now()
  return conclude(title, await work(), startedAt)
}

function conclude(title, code, startedAt, endedAt) {
  report(title, code === 0 ? 'ok' : 'FAILED', startedAt, endedAt)
  if (code === 0) totals.passed += 1
  else {
    totals.failed += 1
    failures.push(title)
  }
  return code === 0
}

function report(title, outcome, startedAt, endedAt = performance.now()) {
  console.log(`${title.padEnd(28)} ${outcome} (${((endedAt - startedAt) / 1000).toFixed(1)} s)`)
}

/** Tests that may be skipped because the kernel lacks the feature; each line of the file: `<full test name> — <missing feature>`. */
function allowedSkips() {
  const text = readFileSync(join(ROOT, 'tools', 'allowed-skips.txt'), 'utf8')
  return new Set(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(' — ')[0].trim()),
  )
}

/** Runs the suites of a project under this Node, or under the one of `otherwise`, and counts their tests. */
async function jest(project, args = [], otherwise = undefined) {
  const startedAt = performance.now()
  const suffix = otherwise === undefined ? '' : ` under Node ${otherwise.version}`
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  const outputFile = join(ROOT, '.cache', `jest-${project}${suffix.replaceAll(' ', '-')}.json`)
  rmSync(outputFile, { force: true })
  const jestArgs = [
    join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--selectProjects',
    project,
    '--json',
    `--outputFile=${outputFile}`,
    '--silent=false',
    '--forceExit',
    ...args,
  ]
  const env = otherwise && { PATH: `${dirname(otherwise.path)}${delimiter}${process.env.PATH}`, ...otherwise.env }
  const code = await run(otherwise?.path ?? process.execPath, jestArgs, { quiet: true, env: { NODE_OPTIONS, ...env } })
  if (!existsSync(outputFile)) {
    totals.failed += 1
    failures.push(`${project}${suffix}: jest did not run`)
    return
  }
  const result = JSON.parse(readFileSync(outputFile, 'utf8'))
  const allowed = allowedSkips()
  for (const suite of result.testResults) {
    if (suite.status === 'failed' && suite.assertionResults.length === 0) {
      totals.failed += 1
      failures.push(`${suite.name}${suffix}: the suite did not run`)
    }
    for (const { fullName, status } of suite.assertionResults) {
      if (status === 'passed') totals.passed += 1
      else if (status === 'failed') {
        totals.failed += 1
        failures.push(fullName + suffix)
      } else {
        totals.skipped += 1
        skips.push(fullName + suffix)
        if (CI && !allowed.has(fullName)) failures.push(`skipped: ${fullName}`)
      }
    }
  }
  report(`${project} suites${suffix}`, code === 0 ? `ok, ${result.numPassedTests} tests` : 'FAILED', startedAt)
}

function finish() {
  for (const name of skips) console.log(`skipped: ${name}`)
  for (const name of failures) console.log(`failed: ${name}`)
  const forbiddenSkips = failures.filter((name) => name.startsWith('skipped: ')).length
  const failed = totals.failed + forbiddenSkips
  console.log(`${totals.passed} passed, ${failed} failed, ${totals.skipped - forbiddenSkips} skipped`)
  return failed === 0 ? 0 : 1
}

const node = (script, ...args) => run(process.execPath, [join(ROOT, script), ...args], { quiet: true })

/**
 * Runs checks side by side, each made of scripts with their arguments, and counts each as one test, in the order given. A check begins with its
 * first script; all scripts run, whatever becomes of the others.
 */
async function checkSideBySide(checks) {
  const inTurn = sideBySide()
  const started = checks.map(([title, scripts]) => {
    let startedAt
    const runs = scripts.map((script) =>
      inTurn(() => {
        startedAt ??= performance.now()
        return node(...script)
      }),
    )
    return {
      title,
      done: Promise.all(runs).then((codes) => ({
        code: codes.find((code) => code !== 0) ?? 0,
        startedAt,
        endedAt: performance.now(),
      })),
    }
  })
  for (const { title, done } of started) {
    const { code, startedAt, endedAt } = await done
    conclude(title, code, startedAt, endedAt)
  }
}

const TYPES = [
  'types',
  ['tsconfig.json', ...neutralPackages().map((folder) => `packages/${folder}`)].map((project) => [
    'node_modules/typescript/bin/tsc',
    '--noEmit',
    '-p',
    project,
  ]),
]

const LINT = [
  ['format and lint', [['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']]],
  ['reference', [['tools/api-reference.mjs', '--check']]],
]
const LONG_LINT = ['promises and imports', [['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.']]]

/** `--only <part>` picks one. */
function selection(options) {
  const only = options['--only']
  return (name) => only === undefined || only === name
}

/** Runs everything that is wanted; answers the exit code. */
export async function test({ options }) {
  await checkAll(selection(options))
  return finish()
}

async function checkAll(wanted) {
  if (CI && !(await check('system packages', installSystemPackages))) return
  if ((await install()) !== 0) {
    totals.failed += 1
    failures.push('installation')
    return
  }
  // What takes long comes first: the last one shall not run alone.
  const [isLinted, isTyped] = [wanted('lint'), wanted('types')]
  await checkSideBySide([...(isLinted ? [LONG_LINT] : []), ...(isTyped ? [TYPES] : []), ...(isLinted ? LINT : [])])
  // By default jest leaves one core to others.
  if (wanted('unit')) await jest('unit', ['--maxWorkers=100%'])
  if (wanted('build') || wanted('smoke')) {
    await check('build of the libraries', () =>
      pnpm(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only'], {
        quiet: true,
        env: { TURBO_TELEMETRY_DISABLED: '1' },
      }),
    )
    if (wanted('smoke'))
      await check('packed tarballs', () => run(process.execPath, [join(ROOT, 'smoke', 'run.mjs')], { quiet: true }))
  }
  if (wanted('build') || wanted('integration')) {
    await check('build of the apps', buildApps)
    if (wanted('integration')) await jest('integration', ['--runInBand'])
  }
}

/** The suites once more, under the other Node that is promised: without long fuzzing, which has no more to find there. */
async function testOtherNode(wanted) {
  if (!wanted('unit') && !wanted('integration')) return
  const other = await otherNode()
  if (other.path === undefined) {
    const name = `every suite under Node ${other.version}: npm could not fetch ${other.package}`
    totals.skipped += 1
    skips.push(name)
    if (CI) failures.push(`skipped: ${name}`)
    return
  }
  const otherwise = { ...other, env: { SKYDIVE_FUZZ_RUNS: undefined } }
  if (wanted('unit')) await jest('unit', [], otherwise)
  if (wanted('integration')) await jest('integration', ['--runInBand'], otherwise)
}

/**
 * What takes too long for every change: everything of `npm test` with many more cases in the fuzzers, then the unit and integration
 * suites under the other Node.
 */
export async function nightly({ options }) {
  process.env.SKYDIVE_FUZZ_RUNS ??= '2000000'
  const wanted = selection(options)
  await checkAll(wanted)
  await testOtherNode(wanted)
  return finish()
}
