// Installing and building, each skipped when nothing that it reads has changed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')
const CACHE = join(ROOT, '.cache')
const PNPM = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).packageManager

/** Runs a program to its end; answers its exit code. `quiet` keeps the output back and prints it only on failure. */
export function run(program, args, { quiet = false, env = {}, cwd = ROOT } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    })
    const output = []
    child.stdout?.on('data', (chunk) => output.push(chunk))
    child.stderr?.on('data', (chunk) => output.push(chunk))
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`)
      resolve(127)
    })
    child.on('close', (code, signal) => {
      if (quiet && code !== 0) process.stderr.write(Buffer.concat(output))
      resolve(code ?? (signal ? 1 : 0))
    })
  })
}

/** Calls the pinned pnpm through npx: no global tool, and no network when it was fetched before. */
export function pnpm(args, options) {
  return run('npx', ['--yes', '--prefer-offline', PNPM, ...args], {
    ...options,
    env: { npm_config_update_notifier: 'false', ...options?.env },
  })
}

function* files(folder, accept) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* files(path, accept)
    else if (accept(path)) yield path
  }
}

/** A fingerprint of files by path, size and time of change: reading them would cost more than building a small package. */
function fingerprint(paths) {
  const hash = createHash('sha256').update(process.version)
  for (const path of [...paths].sort()) {
    const { size, mtimeMs } = statSync(path)
    hash.update(`${relative(ROOT, path)} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function contentFingerprint(paths) {
  const hash = createHash('sha256').update(process.version)
  for (const path of [...paths].sort()) hash.update(relative(ROOT, path)).update(readFileSync(path))
  return hash.digest('hex')
}

/** Runs `work` unless it succeeded before with the same fingerprint and its `result` is still there. */
async function unlessDone(name, mark, result, work) {
  const stamp = join(CACHE, `${name}.stamp`)
  if (existsSync(result) && existsSync(stamp) && readFileSync(stamp, 'utf8') === mark) return 0
  const code = await work()
  if (code === 0) {
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, mark)
  }
  return code
}

/** Installs what the lock file says, when a manifest or the lock changed or `node_modules` is gone. */
export function install() {
  const manifests = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'].map((file) => join(ROOT, file))
  for (const parent of ['packages', 'apps'])
    manifests.push(...[...files(join(ROOT, parent), (path) => path.endsWith('/package.json'))])
  return unlessDone('install', contentFingerprint(manifests), join(ROOT, 'node_modules', '.modules.yaml'), async () => {
    console.log('installing the dependencies…')
    const code = await pnpm(['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'], { quiet: true })
    if (code !== 0) console.error('the installation failed; the output is above. Is a package registry within reach?')
    return code
  })
}

/** Bundles the apps and the page from the sources, when one of them changed. */
export function buildApps() {
  const sources = ['packages', 'apps', 'tools'].flatMap((parent) => [
    ...files(join(ROOT, parent), (path) => /\.(tsx?|mjs|json|css|html|svg)$/.test(path) && !/\.test\.tsx?$/.test(path)),
  ])
  return unlessDone('apps', fingerprint(sources), join(ROOT, 'apps', 'skydive', 'dist', 'skydive.cjs'), async () => {
    console.log('building…')
    return run(process.execPath, [join(ROOT, 'tools', 'build-apps.mjs')])
  })
}
