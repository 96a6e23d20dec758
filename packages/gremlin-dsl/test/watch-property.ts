import { isDeepStrictEqual } from 'node:util'
import { describe, test } from '@jest/globals'
import type { GraphView } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import fc from 'fast-check'
import { expectEqual } from '../../graph-core/test/expect-equal.ts'
import { compileGraphQuery, type GremlinResult } from '../src/index.ts'
import {
  type ContinuousQueries,
  createContinuousQueries,
  createWatchedResult,
  type Watch,
  type WatchDelta,
} from '../src/watch.ts'
import { type Change, history, others, supported } from './watch-arbitraries.ts'
import { differenceIn, differenceOf } from './watch-difference.ts'

/** Queries whose order is told. */
const SORTED = /Sort\(.*(Limit|Range)/

/** Multisets in one order; lists that have one keep it. */
function comparable(result: GremlinResult | undefined, text: string): unknown {
  const isOrdered = SORTED.test(text)
  const sorted = (items: readonly unknown[]) => items.map((item) => JSON.stringify(item)).sort()
  switch (result?.kind) {
    case 'nodes':
      return isOrdered ? result.nodes : sorted(result.nodes)
    case 'edges':
      return sorted(result.edges)
    case 'graph':
      return [sorted(result.nodes), sorted(result.edges)]
    case 'values':
      return sorted(result.values)
    case 'elementgroups':
      return [...result.groups].map(([group, members]) => [group, sorted(members)]).sort()
    default:
      return result
  }
}

/** One query that is followed. */
interface Followed {
  readonly text: string
  readonly query: Awaited<ReturnType<typeof compileGraphQuery>>
  readonly iterator: AsyncIterator<WatchDelta>
  readonly result: ReturnType<typeof createWatchedResult>
  readonly watch: Watch
  readonly mode: 'delta' | 'rerun'
  answer: GremlinResult
}

async function begin(queries: ContinuousQueries, view: GraphView, text: string): Promise<Followed> {
  const query = await compileGraphQuery(text)
  const watch = queries.watch(text)
  const iterator = watch[Symbol.asyncIterator]()
  const result = createWatchedResult()
  const { mode } = await watch.ready
  const whole: WatchDelta = (await iterator.next()).value
  expectEqual([text, whole.reset, whole.version], [text, true, view.version])
  result.apply(whole)
  const answer = query.run(view)
  expectEqual(comparable(result.current(), text), comparable(answer, text))
  return { text, query, watch, iterator, result, mode, answer }
}

/** The next delta; `undefined` when there is none by the end of this turn of the event loop. */
function told(iterator: AsyncIterator<WatchDelta>): Promise<WatchDelta | undefined> {
  return Promise.race([
    iterator.next().then(({ value }) => value as WatchDelta),
    new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
  ])
}

/** Takes in what was told of one version: the result is what asking again answers, and nothing but the difference was told. */
async function proceed(followed: Followed, view: GraphView): Promise<void> {
  const { text, query, iterator, result } = followed
  const answer = query.run(view)
  const expected = differenceOf(followed.answer, answer)
  const isOrdered = SORTED.test(text)
  // Paths are told whole, and an order may be told alone.
  if (expected !== undefined || (isOrdered && !isDeepStrictEqual(followed.answer, answer)) || answer.kind === 'paths') {
    if (answer.kind === 'paths' && isDeepStrictEqual(followed.answer, answer)) return
    const delta = await told(iterator)
    if (!delta) throw new Error(`${text} told nothing of ${JSON.stringify(expected)}`)
    result.apply(delta)
    expectEqual([text, delta.reset, delta.version], [text, false, view.version])
    if (expected !== undefined) expectEqual([text, differenceIn(delta)], [text, expected])
  }
  expectEqual(comparable(result.current(), text), comparable(answer, text))
  followed.answer = answer
}

async function follow(
  texts: readonly string[],
  steps: readonly (readonly Change[])[],
  expectedMode?: 'delta' | 'rerun',
): Promise<void> {
  let now = 1000
  const graph = createGraph({ clock: { now: () => now } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const apply = (changes: readonly Change[]) =>
    writer.transaction((tx) => {
      for (const one of changes) one(tx)
    })
  const [first = [], ...rest] = steps
  apply(first)
  const queries = createContinuousQueries({ graph })
  const all: Followed[] = []
  for (const text of texts) all.push(await begin(queries, graph.view, text))
  if (expectedMode)
    expectEqual(
      all.map(({ mode }) => mode),
      texts.map(() => expectedMode),
    )
  let toldBefore = queries.stats().deltas
  for (const changes of rest) {
    now += 1
    const before = all.map(({ answer }) => answer)
    apply(changes)
    await undefined
    for (const one of all) await proceed(one, graph.view)
    const toldNow = queries.stats().deltas
    const different = new Set(all.flatMap(({ text, answer }, i) => (isDeepStrictEqual(before[i], answer) ? [] : [text])))
    if (toldNow - toldBefore > different.size)
      throw new Error(`${toldNow - toldBefore} deltas told ${different.size} differences`)
    toldBefore = toldNow
  }
  for (const { watch } of all) watch.close()
  const { queries: held, readers, members } = queries.stats()
  expectEqual([held, readers, members, graph.stats().listeners], [0, 0, 0, 0])
}

/** Random graphs, queries and histories: what deltas add up to is what asking again answers, after every step. */
export function describeContinuousQueries(cases: number): void {
  describe('continuous queries', () => {
    test('accumulated deltas equal the answer after every step', async () => {
      await fc.assert(
        fc.asyncProperty(supported, history, (text, steps) => follow([text], steps, 'delta')),
        { numRuns: cases },
      )
    }, 1_800_000)

    test('many at once, on the same elements, disturb each other in nothing', async () => {
      const some = fc.array(fc.oneof({ weight: 6, arbitrary: supported }, { weight: 1, arbitrary: others }), {
        minLength: 3,
        maxLength: 6,
      })
      await fc.assert(
        fc.asyncProperty(some, history, (texts, steps) => follow(texts, steps)),
        { numRuns: Math.ceil(cases / 10) },
      )
    }, 1_800_000)

    test('queries that are run again tell what is different', async () => {
      await fc.assert(
        fc.asyncProperty(others, history, (text, steps) => follow([text], steps, text.includes('Sort') ? undefined : 'rerun')),
        { numRuns: Math.ceil(cases / 8) },
      )
    }, 1_800_000)
  })
}
