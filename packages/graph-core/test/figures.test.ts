import { describe, expect, test } from '@jest/globals'
import type { GraphView, Metadata, ReplicaChange } from '@skydive/contracts'
import graphology from 'graphology'
import { createGraph, type Graph } from '../src/index.ts'

// Loose gates for what the benches measure: peers in turn in one process, the least CPU time of seven rounds, so that neither waiting for a busy
// machine nor a collection counts. Half of what is reached or less: they catch what becomes many times as slow, and say nothing of speed.

const NODES = 20_000
const EVENTS = 60_000
const STARTS_MS = 1_700_000_000_000

function metadata(i: number): Metadata {
  const counters = { RxBytes: i, TxBytes: i, RxPackets: i, TxPackets: i }
  return {
    Type: i % 2 ? 'veth' : 'bridge',
    Name: `n${i}`,
    MTU: 1500,
    State: 'UP',
    Metric: counters,
    IPV4: [`10.0.${i}`],
    Vlan: 0,
  }
}

const ids = Array.from({ length: NODES }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`)
const nothing = (): void => {}

interface Contender<T> {
  readonly prepare: () => T
  readonly run: (prepared: T) => unknown
}

/** How many times as much CPU time as ours the peer takes. */
function ratio<T, U>(own: Contender<T>, peer: Contender<U>): number {
  const least = { own: Number.POSITIVE_INFINITY, peer: Number.POSITIVE_INFINITY }
  for (let round = 0; round < 7; round++) {
    least.own = Math.min(least.own, cpuUs(own))
    least.peer = Math.min(least.peer, cpuUs(peer))
  }
  return least.peer / least.own
}

function cpuUs<T>({ prepare, run }: Contender<T>): number {
  const prepared = prepare()
  const before = process.cpuUsage()
  run(prepared)
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** A change each ms, of one key; the nodes take turns. */
function withHistory(): Graph {
  const clock = { ms: STARTS_MS }
  const retention = { ageMs: Number.MAX_SAFE_INTEGER, bytes: 2 ** 40 }
  const graph = createGraph({ clock: { now: () => clock.ms }, retention })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => ids.forEach((id, i) => void tx.addNode({ id, metadata: metadata(i) })))
  for (let i = 0; i < EVENTS; i++) {
    clock.ms++
    writer.transaction((tx) => tx.patchNode(ids[(i * 7919) % NODES]!, { Vlan: i + 1 }))
  }
  return graph
}

function countUp(view: GraphView): number {
  let up = 0
  view.forEachNode((row) => {
    if (view.nodeValue(row, 'State') === 'UP') up++
    return true
  })
  return up
}

describe('the figures of the graph engine do not collapse', () => {
  test('a diff of one change in a hundred is cheaper than comparing both graphs, by far', () => {
    const graph = withHistory()
    const [fromMs, toMs] = [STARTS_MS + EVENTS / 2, STARTS_MS + EVENTS / 2 + EVENTS / 100]
    const compared = (): number => {
      const [before, after] = [graph.at(fromMs), graph.at(toMs)]
      let changed = 0
      after.forEachNode((row) => {
        if (before.node(row).revision !== after.node(row).revision) changed++
        return true
      })
      return changed
    }
    expect(graph.diff(fromMs, toMs).nodes).toHaveLength(compared())
    const times = ratio({ prepare: nothing, run: () => graph.diff(fromMs, toMs) }, { prepare: nothing, run: compared })
    expect(times).toBeGreaterThan(3)
  })

  test('a key of every node two revisions ago costs a few times what it costs now', () => {
    const graph = withHistory()
    const agoMs = STARTS_MS + EVENTS - 2 * NODES
    expect([countUp(graph.at(agoMs)), countUp(graph.view)]).toEqual([NODES, NODES])
    const times = ratio(
      { prepare: nothing, run: () => countUp(graph.at(agoMs)) },
      { prepare: nothing, run: () => countUp(graph.view) },
    )
    expect(1 / times).toBeLessThan(16)
  })

  test('adding nodes that are taken over takes no many times of graphology, which has neither history nor events', () => {
    const changes = ids.map((id, i): ReplicaChange => {
      const times = { createdAtMs: STARTS_MS, updatedAtMs: STARTS_MS, deletedAtMs: null, revision: 1 }
      return {
        kind: 'node-added',
        node: { kind: 'node', id, host: 'alpha', origin: 'agent.alpha', metadata: metadata(i), ...times },
      }
    })
    const times = ratio(
      { prepare: () => createGraph(), run: (graph) => graph.replica('agent.alpha').apply(changes) },
      {
        prepare: () => new graphology.MultiDirectedGraph(),
        run: (peer) => {
          for (const change of changes) if ('node' in change) peer.addNode(change.node.id, change.node.metadata)
        },
      },
    )
    // Half of it here, where little is compiled yet; 1.4 times in the bench.
    expect(times).toBeGreaterThan(0.2)
  })
})
