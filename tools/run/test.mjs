// `npm test`: every check of the repository, one after the other, with one line each and the sum at the end.
// With SKYDIVE_CI=1 the system packages that the integration suites need are installed, and a skip that is not listed is a failure.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { neutralPackages } from '../layers.mjs'
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
  const code = await work()
  report(title, code === 0 ? 'ok' : 'FAILED', startedAt)
  if (code === 0) totals.passed += 1
  else {
    totals.failed += 1
    failures.push(title)
  }
  return code === 0
}

function report(title, outcome, startedAt) {
  console.log(`${title.padEnd(28)} ${outcome} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`)
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

async function jest(project, args = []) {
  const startedAt = performance.now()
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  const outputFile = join(ROOT, '.cache', `jest-${project}.json`)
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
  const code = await run(process.execPath, jestArgs, { quiet: true, env: { NODE_OPTIONS } })
  if (!existsSync(outputFile)) {
    totals.failed += 1
    failures.push(`${project}: jest did not run`)
    return
  }
  const result = JSON.parse(readFileSync(outputFile, 'utf8'))
  const allowed = allowedSkips()
  for (const suite of result.testResults) {
    if (suite.status === 'failed' && suite.assertionResults.length === 0) {
      totals.failed += 1
      failures.push(`${suite.name}: the suite did not run`)
    }
    for (const { fullName, status } of suite.assertionResults) {
      if (status === 'passed') totals.passed += 1
      else if (status === 'failed') {
        totals.failed += 1
        failures.push(fullName)
      } else {
        totals.skipped += 1
        skips.push(fullName)
        if (CI && !allowed.has(fullName)) failures.push(`skipped: ${fullName}`)
      }
    }
  }
  report(`${project} suites`, code === 0 ? `ok, ${result.numPassedTests} tests` : 'FAILED', startedAt)
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

async function tsc() {
  for (const project of ['tsconfig.json', ...neutralPackages().map((folder) => `packages/${folder}`)]) {
    const code = await node('node_modules/typescript/bin/tsc', '--noEmit', '-p', project)
    if (code !== 0) return code
  }
  return 0
}

/** Runs everything; answers the exit code. `--only <name>` picks one of: types, lint, unit, build, smoke, integration. */
export async function test(args) {
  const only = args[0] === '--only' ? args[1] : undefined
  const wanted = (name) => only === undefined || only === name
  if (CI && !(await check('system packages', installSystemPackages))) return finish()
  if ((await install()) !== 0) {
    console.log('0 passed, 1 failed, 0 skipped')
    return 1
  }
  if (wanted('types')) await check('types', tsc)
  if (wanted('lint')) {
    await check('format and lint', () => node('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'))
    await check('promises and imports', () => node('node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'))
  }
  if (wanted('unit')) await jest('unit')
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
  return finish()
}

/** What takes too long for every change: the fuzzers with many more cases, then everything of `npm test`. */
export async function nightly(args) {
  process.env.SKYDIVE_FUZZ_RUNS ??= '2000000'
  return test(args)
}
