import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')
const MINUTE_MS = 60_000

type Bounds = Readonly<Record<string, number>>

/**
 * How often ours has to go into the peer's time, by how the figure's name begins: half of what is wanted, or of what was reached where that is
 * less (docs/70-figures.md). Ours and the peer take turns, so this fails when a figure collapses and not when a machine is busy.
 */
const LEAST: Readonly<Record<string, Bounds>> = {
  'packages/gremlin-dsl/bench/parse.bench.ts': { 'parse 202 characters': 2, 'parse four queries, long and short': 2 },
  'packages/gremlin-dsl/bench/pipeline.bench.ts': { 'pipeline of 5 steps, 100,000 nodes': 0.8 },
  'packages/graph-core/bench/shortest-path.bench.ts': { 'shortest path of a random pair': 5 },
  'packages/graph-core/bench/graph.bench.ts': {
    'insert 100000 nodes, taken over': 0.5,
    'insert 100000 nodes, handed over': 0.5,
    'insert 292000 edges, handed over': 1.1,
    'neighbours by id': 1.25,
    'neighbours by ordinal': 30,
  },
  'packages/graph-core/bench/history.bench.ts': {
    'update of one key': 0.35,
    'whole graph 500000 revisions ago, a key of each': 1 / 8,
    'whole graph 500000 revisions ago, each as an object': 1 / 16,
  },
  // CPU beside node:http alone, of which ours is a part.
  'packages/api-server/bench/rest.bench.ts': {
    'CPU of REST Count(), 2016 nodes': 0.3,
    "CPU of REST Has('Name',x), 2016 nodes": 0.2,
  },
  'packages/graph-core/bench/diff.bench.ts': { 'diff of 0.1 %': 100, 'diff of 1 %': 10, 'diff of 10 %': 1.5 },
}

/** How many times the peer's time ours may take: twice what is wanted. */
const MOST: Readonly<Record<string, Bounds>> = {
  'packages/gremlin-dsl/bench/continuous-queries.bench.ts': {
    'an event with 1,000 different queries': 5,
    'an event with 1,000 equal queries': 3,
  },
}

/** Of these one size is judged, and only that is measured. */
const ROWS: Readonly<Record<string, string>> = { 'packages/api-server/bench/rest.bench.ts': '2016 nodes' }

interface Figure {
  readonly name: string
  readonly ratio?: number
}

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, ['--expose-gc', ...args], { encoding: 'utf8', cwd: ROOT }).trim()
}

/** As `npm run bench` runs it, in a process of its own. */
function figuresOf(file: string): readonly Figure[] {
  return run(join('bench', 'run-one.mjs'), file, '--json', ...(ROWS[file] === undefined ? [] : ['--row', ROWS[file]]))
    .split('\n')
    .map((line) => JSON.parse(line) as Figure)
}

/** Each bound, `kept` or with the ratio that is beyond it. */
function judge(file: string, bounds: Bounds, isKept: (ratio: number, bound: number) => boolean): Record<string, unknown> {
  const figures = figuresOf(file)
  const judged = Object.entries(bounds).map(([beginning, bound]) => {
    const ratio = figures.find(({ name }) => name.startsWith(beginning))?.ratio
    return [beginning, ratio !== undefined && isKept(ratio, bound) ? 'kept' : ratio]
  })
  return Object.fromEntries(judged)
}

const allKept = (bounds: Bounds) => Object.fromEntries(Object.keys(bounds).map((name) => [name, 'kept']))

test.each(Object.entries(LEAST))(
  '%s is at least so many times as fast as its peers: %j',
  (file, bounds) => {
    expect(judge(file, bounds, (ratio, bound) => ratio >= bound)).toEqual(allKept(bounds))
  },
  10 * MINUTE_MS,
)

test.each(Object.entries(MOST))(
  '%s takes at most so many times the time of its peers: %j',
  (file, bounds) => {
    expect(judge(file, bounds, (ratio, bound) => ratio <= bound)).toEqual(allKept(bounds))
  },
  10 * MINUTE_MS,
)

describe('memory with 100,000 nodes of 25 keys and 292,000 edges', () => {
  const residentBytes = (kind: string) =>
    Number(run(join('bench', 'run-bundled.mjs'), join('packages', 'graph-core', 'bench', 'memory-of-one.ts'), kind, '100000'))

  test(
    'is not more than that of graphology with the same objects',
    () => {
      expect(residentBytes('own')).toBeLessThanOrEqual(residentBytes('peer'))
    },
    5 * MINUTE_MS,
  )
})
