// The other Node that is promised: the suites run under both. It comes as an npm package that holds the program and no script, into a
// folder that git ignores.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run } from './workspace.mjs'

/** The oldest that is supported, and the newest. */
const OLDEST = '20.19.0'
const NEWEST = '24.21.0'

/** Under an old Node the newest, under a new one the oldest. `path` is absent when npm can't fetch it. */
export async function otherNode() {
  const major = Number(process.versions.node.split('.')[0])
  const version = major < 24 ? NEWEST : OLDEST
  const system = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${system}-${process.arch}`
  const folder = join(ROOT, '.cache', `node-${version}`)
  const path = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  const about = { version, package: `${name}@${version}` }
  if (existsSync(path)) return { ...about, path }
  mkdirSync(folder, { recursive: true })
  const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  const code = await run('npm', ['install', ...options, about.package], { quiet: true })
  return code === 0 && existsSync(path) ? { ...about, path } : about
}
