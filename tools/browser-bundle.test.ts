import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')

/** Folders of the packages of layers 0 and 1. */
const NEUTRAL = readdirSync(join(ROOT, 'packages')).filter((folder) => {
  const { skydive } = JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8'))
  return /^[01]/.test(skydive.layer) && !skydive.node
})

const ESBUILD = join(ROOT, 'node_modules/.bin/esbuild')
const OPTIONS = [
  '--bundle',
  '--minify',
  '--format=esm',
  '--platform=browser',
  '--target=es2022',
  '--conditions=@skydive/source',
  '--external:re2js',
  '--log-level=error',
]

/** Bundles a module for a browser as a page would, minified; esbuild runs in a process of its own. Fails on any Node built-in. */
function bundle(source: string, folder: string): string {
  return execFileSync(ESBUILD, OPTIONS, {
    input: source,
    cwd: join(ROOT, 'packages', folder),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
}

const GRAPH = `export * from '@skydive/graph'`
const TOGETHER = `
  export * from '@skydive/graph'
  export * from '@skydive/gremlin-dsl'
  export * from '@skydive/filter'`

/** What a page that imports a module loads at once: its code and all that this imports, but nothing that waits until it is needed. */
function loadedAtOnce(source: string, folder: string): readonly string[] {
  const target = mkdtempSync(join(tmpdir(), 'bundle-'))
  try {
    execFileSync(ESBUILD, [...OPTIONS, '--splitting', `--outdir=${target}`], {
      input: source,
      cwd: join(ROOT, 'packages', folder),
    })
    const codes = new Map<string, string>()
    const load = (name: string): void => {
      if (codes.has(name)) return
      const code = readFileSync(join(target, name), 'utf8')
      codes.set(name, code)
      for (const [, other] of code.matchAll(/\b(?:import|from)\s*"\.\/([^"]+)"/g)) load(other!)
    }
    load('stdin.js')
    return [...codes.values()]
  } finally {
    rmSync(target, { recursive: true })
  }
}

const gzipBytes = (code: string): number => gzipSync(code, { level: 9 }).length

describe('in a browser', () => {
  test.each(NEUTRAL)('packages/%s bundles without a built-in of Node', (folder) => {
    const source = `export * from './src/index.ts'`
    expect(bundle(source, folder).length).toBeGreaterThan(0)
  })

  test('the graph alone is less than half of graph, Gremlin and filter', () => {
    const sizeOf = (source: string): number => gzipSync(bundle(source, 'gremlin-dsl'), { level: 9 }).length
    expect(sizeOf(GRAPH) * 2).toBeLessThan(sizeOf(TOGETHER))
  })

  test.each(['contracts', 'filter', 'graph-core', 'gremlin-dsl'])(
    'packages/%s depends on its own layers and re2js alone',
    (folder) => {
      const { dependencies = {} } = JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8'))
      const foreign = Object.keys(dependencies).filter((name) => !/^@skydive\/(contracts|filter)$/.test(name))
      expect(foreign).toEqual(folder === 'filter' ? ['re2js'] : [])
    },
  )

  test('graph, Gremlin and filter together are at most 45 kB, without what is loaded when it is first needed', () => {
    const codes = loadedAtOnce(TOGETHER, 'gremlin-dsl')
    expect(codes.reduce((sum, code) => sum + gzipBytes(code), 0)).toBeLessThanOrEqual(45_000)
    const code = codes.join('\n')
    // Regular expressions, what explains queries, and steps that few ask for.
    expect([...code.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, name]) => name!.replace(/-\w+\.js$/, ''))).toEqual(
      expect.arrayContaining(['re2js', './explain', './next-hop', './sockets', './workflow']),
    )
    // Neither a schema library nor the vocabulary comes along.
    expect(code).not.toMatch(/zod|PeerIntfMAC.{0,200}schema/i)
  })
})
