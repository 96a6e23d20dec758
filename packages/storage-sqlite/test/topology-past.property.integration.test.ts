import { rmSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { type GraphDiff, type GraphView, NOISY_KEYS } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import fc from 'fast-check'
import {
  HISTORY_STARTS_MS,
  type History,
  histories,
  playHistory,
  type Window,
  windows,
} from '../../graph-core/test/random-history.ts'
import { StorageEngine } from '../src/storage-engine.ts'
import { changeOf } from '../src/topology-store.ts'
import { memoryFolder } from './memory-folder.ts'

/** How the store is used: how long its files are, how far behind it writes, after how many batches it is closed and opened again. */
interface Use {
  readonly fileMs: number
  readonly lagMs: number
  readonly reopenEvery: number
}

const uses: fc.Arbitrary<Use> = fc.record({
  fileMs: fc.constantFrom(15, 40, 1_000_000),
  lagMs: fc.constantFrom(0, 0, 5),
  reopenEvery: fc.constantFrom(1_000, 8),
})

const peerNode = (id: number, skewMs = 0) => ({ op: 'peer-node', id, value: 0, skewMs, ageMs: 0, whole: false }) as const
/** A peer tells of a time to come, then sets its clock back; a file begins before that time, and something late is said of the node. */
const CLOCK_SET_BACK: [History, Use, readonly Window[]] = [
  [
    [peerNode(0)],
    [peerNode(1)],
    [{ op: 'tick', ms: 1 }, peerNode(1, 13), peerNode(1)],
    [{ op: 'tick', ms: 6 }, peerNode(1)],
    [{ op: 'tick', ms: 4 }, peerNode(1, -1)],
  ],
  { fileMs: 15, lagMs: 0, reopenEvery: 1_000 },
  [[1_000, 1_003]],
]

/** Plays a history into memory and into a store that follows it. */
function withBoth(history: History, use: Use, body: (graph: Graph, store: StorageEngine) => void): void {
  const dataDir = memoryFolder()
  const settings = { dataDir, retentionAgeMs: 1e12, retentionBytes: 1e12, topologyPartitionMs: use.fileMs, flowPartitionMs: 1e6 }
  let store = new StorageEngine(settings)
  try {
    const clock = { ms: HISTORY_STARTS_MS }
    const graph = createGraph({ epoch: 'test', clock: { now: () => clock.ms } })
    graph.subscribe(({ version, timeMs, events }) => {
      store.appendTopology(events.map(changeOf), timeMs + use.lagMs)
      if (version % use.reopenEvery !== 0) return
      store.close()
      store = new StorageEngine(settings)
    })
    playHistory(graph, clock, history)
    body(graph, store)
  } finally {
    store.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function contents(view: GraphView): string[] {
  const found: string[] = []
  view.forEachNode((row) => void found.push(text(view.node(row))))
  view.forEachEdge((row) => void found.push(text(view.edge(row))))
  return found.sort()
}

const text = ({ kind, id, revision, metadata }: { kind: string; id: string; revision: number; metadata: object }): string =>
  `${kind} ${id} ${revision} ${JSON.stringify(Object.entries(metadata).sort())}`

function expectDiff(graph: Graph, store: StorageEngine, fromMs: number, toMs: number, ignoreKeys: readonly string[]): void {
  const knownFromMs = store.topologyCoverage() ?? Number.POSITIVE_INFINITY
  const found = store.diffTopology(fromMs, toMs, ignoreKeys)
  expect(found.coverage).toEqual(fromMs >= knownFromMs ? { complete: true } : { complete: false, knownFromMs })
  const startMs = Math.max(fromMs, knownFromMs)
  const nothing = { nodes: [], edges: [], transient: [] }
  const { nodes, edges, transient }: Pick<GraphDiff, 'nodes' | 'edges' | 'transient'> =
    startMs > toMs ? nothing : graph.diff(startMs, toMs, { ignoreKeys })
  expect({ nodes: found.nodes, edges: found.edges, transient: found.transient }).toEqual({ nodes, edges, transient })
}

describe('the store looks back as memory does, over files, late words, wrong clocks and restarts', () => {
  test('at an instant', () => {
    fc.assert(
      fc.property(histories(25), uses, windows, (history, use, times) => {
        withBoth(history, use, (graph, store) => {
          for (const timeMs of times.flat()) {
            if (timeMs < (store.topologyCoverage() ?? Number.POSITIVE_INFINITY)) continue
            const read = store.readTopology({ startMs: timeMs, lastMs: timeMs })
            expect(read.map((stored) => text({ ...stored, metadata: JSON.parse(stored.metadata) })).sort()).toEqual(
              contents(graph.at(timeMs)),
            )
          }
        })
      }),
      { numRuns: 30 },
    )
  }, 120_000)

  test.each([
    ['noisy keys left out', NOISY_KEYS],
    ['everything', []],
  ])(
    'the difference of two: %s',
    (_title, ignoreKeys) => {
      fc.assert(
        fc.property(histories(25), uses, windows, (history, use, times) => {
          withBoth(history, use, (graph, store) => {
            for (const [fromMs, toMs] of times) expectDiff(graph, store, fromMs, toMs, ignoreKeys)
          })
        }),
        { numRuns: 30, examples: [CLOCK_SET_BACK] },
      )
    },
    240_000,
  )

  test('the history of an id, whole and of a slice', () => {
    fc.assert(
      fc.property(histories(25), uses, windows, (history, use, [[startMs, lastMs] = [0, 0]]) => {
        withBoth(history, use, (graph, store) => {
          for (const id of ['n', 'e', 'p', 'q'].flatMap((letter) => [0, 1, 2, 3, 4].map((i) => `${letter}${i}`))) {
            expect(store.topologyHistory(id, undefined)).toEqual(graph.history(id))
            if (startMs < (store.topologyCoverage() ?? Number.POSITIVE_INFINITY)) continue
            expect(store.topologyHistory(id, { startMs, lastMs })).toEqual(graph.history(id, { startMs, lastMs }))
          }
        })
      }),
      { numRuns: 30 },
    )
  }, 120_000)
})
