import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')

/** Half of what is wanted: ours and the peer take turns, so this fails when a figure collapses and not when a machine is busy. */
const LEAST: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'packages/gremlin-dsl/bench/parse.bench.ts': { 'parse 202 characters': 2, 'parse four queries, long and short': 2 },
  'packages/gremlin-dsl/bench/pipeline.bench.ts': { 'pipeline of 5 steps, 100,000 nodes': 0.8 },
  'packages/graph-core/bench/shortest-path.bench.ts': { 'shortest path of a random pair': 5 },
}

interface Figure {
  readonly name: string
  readonly ratio?: number
}

/** As `npm run bench` runs it, in a process of its own. */
function figuresOf(file: string): readonly Figure[] {
  const output = execFileSync(process.execPath, ['--expose-gc', join(ROOT, 'bench', 'run-one.mjs'), join(ROOT, file), '--json'], {
    encoding: 'utf8',
  })
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Figure)
}

describe.each(Object.entries(LEAST))('%s', (file, least) => {
  test(`keeps ${JSON.stringify(least)} times the speed of its peer`, () => {
    const figures = figuresOf(file)
    const kept = Object.entries(least).map(([name, wanted]) => {
      const { ratio = 0 } = figures.find((figure) => figure.name === name) ?? {}
      return [name, ratio >= wanted ? 'kept' : ratio]
    })
    expect(kept).toEqual(Object.keys(least).map((name) => [name, 'kept']))
  })
})
