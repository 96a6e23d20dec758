import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

const BIN = join(import.meta.dirname, '..', 'bin')

/** A bundle that tells what it was given. */
const BUNDLE = `
const { basename } = require('node:path')
exports.main = async (entry) => {
  const { sep } = await importModule('node:path')
  console.log(JSON.stringify({ entry: basename(entry), bundleUrl: bundleUrl === entry, sep, args: process.argv.slice(2) }))
}
`

let app: string

beforeEach(() => {
  app = mkdtempSync(join(tmpdir(), 'skydive-bundle-'))
  cpSync(BIN, join(app, 'bin'), { recursive: true })
  writeFileSync(join(app, 'package.json'), '{"type":"module"}')
  mkdirSync(join(app, 'dist'))
  writeFileSync(join(app, 'dist', 'skydive.cjs'), BUNDLE)
})

afterEach(() => rmSync(app, { recursive: true, force: true }))

function start(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(app, 'bin', 'skydive.js'), ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const answer = (args: string[]) => ({
  status: 0,
  stdout: `${JSON.stringify({ entry: 'skydive.cjs', bundleUrl: true, sep: '/', args })}\n`,
  stderr: '',
})
const caches = () => readdirSync(join(app, 'dist', 'code-cache')).sort()
const cacheOf = (command: string, bundle = BUNDLE) =>
  `${process.version}-${process.arch}-${command}-${createHash('sha1').update(bundle).digest('hex').slice(0, 16)}.bin`

describe('the command line as it is installed', () => {
  test('leaves the compiled code of each command beside the bundle, and runs from it', () => {
    expect(start('agent', '--verbose')).toEqual(answer(['agent', '--verbose']))
    expect(start('-c', 'x.yml', 'client', 'query')).toEqual(answer(['-c', 'x.yml', 'client', 'query']))
    expect(start('version')).toEqual(answer(['version']))
    expect(caches()).toEqual(['agent', 'client', 'other'].map((command) => cacheOf(command)).sort())
    const cache = join(app, 'dist', 'code-cache', cacheOf('agent'))
    const { ino, mtimeMs } = statSync(cache)
    expect(start('agent')).toEqual(answer(['agent']))
    expect(statSync(cache)).toMatchObject({ ino, mtimeMs })
  })

  test.each([
    ['longer', `${BUNDLE}// one comment more\n`],
    ['of the same length, which V8 would not notice', BUNDLE.replace('args: process', 'argz: process')],
  ])('compiled code is not run for another bundle, %s', (_title, other) => {
    expect(start('agent')).toEqual(answer(['agent']))
    writeFileSync(join(app, 'dist', 'skydive.cjs'), other)
    const { stdout } = answer(['agent'])
    for (let i = 0; i < 2; i++) {
      expect(start('agent').stdout).toBe(other.includes('argz') ? stdout.replace('"args"', '"argz"') : stdout)
    }
    expect(caches()).toEqual([cacheOf('agent'), cacheOf('agent', other)].sort())
  })

  test('the build may tell the contents in the last line', () => {
    writeFileSync(join(app, 'dist', 'skydive.cjs'), `${BUNDLE}// contents: 0123456789abcdef\n`)
    expect(start('agent')).toEqual(answer(['agent']))
    expect(caches()).toEqual([`${process.version}-${process.arch}-agent-0123456789abcdef.bin`])
  })

  test.each([
    ['of zeros', Buffer.alloc(1000)],
    ['empty', Buffer.alloc(0)],
  ])('compiled code that is %s is replaced', (_title, bytes) => {
    mkdirSync(join(app, 'dist', 'code-cache'))
    const cache = join(app, 'dist', 'code-cache', cacheOf('agent'))
    writeFileSync(cache, bytes)
    expect(start('agent')).toEqual(answer(['agent']))
    expect(statSync(cache).size).toBeGreaterThan(1000)
    expect(caches()).toEqual([cacheOf('agent')])
  })

  test('a folder that can not be written is no error', () => {
    writeFileSync(join(app, 'dist', 'code-cache'), 'a file where the folder should be')
    expect(start('agent')).toEqual(answer(['agent']))
    chmodSync(join(app, 'dist'), 0o500)
    rmSync(join(app, 'dist', 'code-cache'), { force: true })
    expect(start('agent')).toEqual(answer(['agent']))
    chmodSync(join(app, 'dist'), 0o700)
  })

  test('`flows` has a bundle of its own, where there is one', () => {
    expect(start('flows', 'a.pcap')).toEqual(answer(['flows', 'a.pcap']))
    writeFileSync(join(app, 'dist', 'flows.cjs'), BUNDLE)
    const { stdout } = answer(['flows', 'a.pcap'])
    expect(start('flows', 'a.pcap').stdout).toBe(stdout.replace('skydive.cjs', 'flows.cjs'))
    expect(start('-c', 'x.yml', 'flows')).toEqual(answer(['-c', 'x.yml', 'flows']))
  })

  test('without a bundle it says how to build it', () => {
    rmSync(join(app, 'dist', 'skydive.cjs'))
    expect(start('version')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'skydive is not built yet: run "npm start" or "npm test" once in the root of the project\n',
    })
  })
})
