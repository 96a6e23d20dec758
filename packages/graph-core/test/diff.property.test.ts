import { describe, test } from '@jest/globals'
import {
  type GraphDiff,
  type GraphEdge,
  type GraphEvent,
  type GraphNode,
  type GraphView,
  type MetadataValue,
  NOISY_KEYS,
} from '@skydive/contracts'
import fc from 'fast-check'
import { createGraph, type Graph } from '../src/index.ts'
import { expectEqual, expectIdentical } from './expect-equal.ts'
import { HISTORY_STARTS_MS, type History, histories, playHistory, windows } from './random-history.ts'

type Element = GraphNode | GraphEdge

/** Everything that ever happened to one id, by the events alone. */
interface Life {
  readonly revisions: Element[]
  deletedAtMs: number | undefined
}

/** The simplest thing that could answer: all lives of all ids. */
class Chronicle {
  readonly lives = new Map<string, Life[]>()

  take(event: GraphEvent): void {
    const element = 'node' in event ? event.node : event.edge
    const key = `${element.kind}/${element.id}`
    if (event.kind.endsWith('added'))
      this.lives.set(key, [...(this.lives.get(key) ?? []), { revisions: [], deletedAtMs: undefined }])
    const life = this.lives.get(key)!.at(-1)!
    if (event.kind.endsWith('deleted')) life.deletedAtMs = element.deletedAtMs!
    else life.revisions.push(element)
  }

  /** By key, the revision that held: in the youngest life that reaches there, the last one made of those that are not younger. */
  at(timeMs: number): Map<string, { readonly element: Element; readonly life: Life }> {
    const found = new Map<string, { element: Element; life: Life }>()
    for (const [key, lives] of this.lives) {
      for (const life of lives) {
        if (life.deletedAtMs !== undefined && life.deletedAtMs < timeMs) continue
        const element = life.revisions.findLast((revision) => revision.updatedAtMs <= timeMs && revision.createdAtMs <= timeMs)
        if (element) found.set(key, { element, life })
      }
    }
    return found
  }
}

function record(history: History, options: Parameters<typeof createGraph>[0] = {}): { graph: Graph; chronicle: Chronicle } {
  const clock = { ms: HISTORY_STARTS_MS }
  const graph = createGraph({ epoch: 'test', ...options, clock: { now: () => clock.ms } })
  const chronicle = new Chronicle()
  graph.subscribe(({ events }) => {
    for (const event of events) chronicle.take(event)
  })
  playHistory(graph, clock, history)
  return { graph, chronicle }
}

function contents(view: GraphView): Map<string, Element> {
  const found = new Map<string, Element>()
  const add = (element: Element): void => {
    const key = `${element.kind}/${element.id}`
    expectIdentical(found.has(key), false)
    found.set(key, element)
  }
  view.forEachNode((row) => void add(view.node(row)))
  view.forEachEdge((row) => void add(view.edge(row)))
  return found
}

/** Leaves by path; those that don't count are left out. */
function leaves(element: Element, ignored: readonly string[]): Map<string, MetadataValue> {
  const found = new Map<string, MetadataValue>()
  const prune = (value: MetadataValue, path: string): MetadataValue =>
    Array.isArray(value)
      ? value.map((item) => prune(item, path))
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .filter(([key]) => !ignored.includes(`${path}.${key}`))
              .map(([key, member]) => [key, prune(member, `${path}.${key}`)]),
          )
        : value
  const walk = (value: MetadataValue, path: string): void => {
    if (ignored.includes(path)) return
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isObject && Object.keys(value).length > 0) {
      for (const [key, member] of Object.entries(value)) walk(member, `${path}.${key.replaceAll('.', '\\.')}`)
    } else found.set(path, value)
  }
  for (const [key, member] of Object.entries(element.metadata)) walk(member, key.replaceAll('.', '\\.'))
  for (const [path, value] of found) found.set(path, prune(value, path))
  if (element.kind === 'edge') found.set('Parent', element.parent).set('Child', element.child)
  return found
}

function differingKeys(before: Element, after: Element, ignored: readonly string[]): string[] {
  const [old, own] = [leaves(before, ignored), leaves(after, ignored)]
  const differing = [...new Set([...old.keys(), ...own.keys()])].filter(
    (key) => JSON.stringify(old.get(key)) !== JSON.stringify(own.get(key)),
  )
  // Where a value gives way to an object the value is told; where an empty object does, its members are.
  const isEmpty = (key: string): boolean => JSON.stringify(old.get(key) ?? own.get(key)) === '{}'
  const isAbove = (key: string, other: string): boolean => other.startsWith(`${key}.`)
  return differing
    .filter((key) => !differing.some((other) => isAbove(other, key) && !isEmpty(other)))
    .filter((key) => !(isEmpty(key) && differing.some((other) => isAbove(key, other))))
    .sort()
}

/** What a diff says, without the objects. */
function brief(diff: GraphDiff): object[] {
  return [...diff.nodes, ...diff.edges].map(({ change, id, before, after, keys, revisions }) => ({
    key: `${(after ?? before)!.kind}/${id}`,
    change,
    before: before?.revision,
    after: after?.revision,
    keys: keys.map(({ key }) => key).sort(),
    revisions,
  }))
}

function naiveDiff(chronicle: Chronicle, fromMs: number, toMs: number, ignored: readonly string[]): object[] {
  const [from, to] = [chronicle.at(fromMs), chronicle.at(toMs)]
  const found: object[] = []
  for (const [key, lives] of chronicle.lives) {
    const [a, b] = [from.get(key), to.get(key)]
    const keys = a && b ? differingKeys(a.element, b.element, ignored) : []
    if ((!a && !b) || (a && b && keys.length === 0)) continue
    found.push({
      key,
      change: !a ? 'added' : !b ? 'removed' : 'changed',
      before: (b ? a?.element : a?.life.revisions.at(-1))?.revision,
      after: b?.element.revision,
      keys,
      revisions: lives
        .flatMap((life) => life.revisions.filter(({ updatedAtMs }) => updatedAtMs <= (life.deletedAtMs ?? updatedAtMs)))
        .filter(({ updatedAtMs }) => updatedAtMs > fromMs && updatedAtMs <= toMs)
        .map(({ revision }) => revision),
    })
  }
  return found
}

const byKey = (entries: object[]): string[] => entries.map((entry) => JSON.stringify(entry)).sort()

/** So short a memory that it reaches back some ten changes. */
const FORGETFUL = { retention: { ageMs: 25, bytes: 20_000 } }

function expectDiff(graph: Graph, chronicle: Chronicle, fromMs: number, toMs: number, ignoreKeys?: readonly string[]): void {
  const diff = graph.diff(fromMs, toMs, ignoreKeys ? { ignoreKeys } : {})
  const { knownFromMs } = graph.stats()
  expectEqual(diff.coverage, fromMs >= knownFromMs ? { complete: true } : { complete: false, knownFromMs })
  const startMs = Math.max(fromMs, knownFromMs)
  const expected = startMs > toMs ? [] : naiveDiff(chronicle, startMs, toMs, ignoreKeys ?? NOISY_KEYS)
  expectEqual(byKey(brief(diff)), byKey(expected))
  for (const { before, after } of [...diff.nodes, ...diff.edges]) {
    const ends = [before, after].map((element) => element?.deletedAtMs ?? 0)
    expectEqual(
      ends.filter((deletedAtMs) => !(deletedAtMs <= toMs)),
      [],
    )
    if (!after) expectIdentical(before?.deletedAtMs === null, false)
  }
  const ends = startMs > toMs ? [] : [chronicle.at(startMs), chronicle.at(toMs)]
  for (const element of diff.transient) {
    for (const end of ends) expectIdentical(end.has(`${element.kind}/${element.id}`), false)
    const { deletedAtMs } = element
    expectIdentical(deletedAtMs !== null && deletedAtMs < toMs, true)
  }
}

describe('looking back over random histories with a peer whose clock is wrong', () => {
  test('at(t) is what a chronicle of all events says, wherever the log reaches', () => {
    fc.assert(
      fc.property(histories(), windows, fc.boolean(), (history, times, isForgetful) => {
        const { graph, chronicle } = record(history, isForgetful ? FORGETFUL : {})
        for (const timeMs of times.flat()) {
          const askedMs = Math.max(timeMs, graph.stats().knownFromMs)
          const expected = [...chronicle.at(askedMs)].map(([key, { element }]) => [key, element.revision, element.metadata])
          const found = [...contents(graph.at(askedMs))].map(([key, element]) => [key, element.revision, element.metadata])
          expectEqual(found.sort(), expected.sort())
        }
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['noisy keys left out', undefined],
    ['everything', []],
  ])('diff(t1, t2) is a comparison of at(t1) with at(t2): %s', (_title, ignoreKeys) => {
    fc.assert(
      fc.property(histories(), windows, fc.boolean(), (history, times, isForgetful) => {
        const { graph, chronicle } = record(history, isForgetful ? FORGETFUL : {})
        for (const [fromMs, toMs] of times) expectDiff(graph, chronicle, fromMs, toMs, ignoreKeys)
      }),
      { numRuns: 500 },
    )
  })

  test('history(id) is every revision of it, and in a slice those that held there', () => {
    fc.assert(
      fc.property(histories(), windows, (history, [[startMs, lastMs] = [0, 0]]) => {
        const { graph, chronicle } = record(history)
        for (const [key, lives] of chronicle.lives) {
          const id = key.slice(5)
          expectEqual(
            graph.history(id).map(({ revision }) => revision),
            lives.flatMap((life) => life.revisions.map(({ revision }) => revision)),
          )
          const within = lives.flatMap((life) => {
            if (life.deletedAtMs !== undefined && life.deletedAtMs < startMs) return []
            const known = life.revisions.filter(({ createdAtMs }) => createdAtMs <= lastMs)
            const atStart = known.findLast(({ updatedAtMs, createdAtMs }) => updatedAtMs <= startMs && createdAtMs <= startMs)
            return known.filter(
              (item) =>
                item === atStart ||
                (item.updatedAtMs > startMs && item.updatedAtMs <= Math.min(lastMs, life.deletedAtMs ?? lastMs)),
            )
          })
          expectEqual(
            graph.history(id, { startMs, lastMs }).map(({ revision }) => revision),
            within.map(({ revision }) => revision),
          )
        }
      }),
      { numRuns: 300 },
    )
  })
})
