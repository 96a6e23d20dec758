import type { GraphView, Metadata } from '@skydive/contracts'
import type { Figure } from '../../../bench/figures.ts'
import { createGraph, type Graph } from '../src/index.ts'

const NODES = 100_000
const EVENTS = 900_000
const ROUNDS = 5
const STARTS_MS = 1_000_000
const PEER = 'comparing at(t1) with at(t2)'

/** As many keys as an interface has; what changes is one of them. */
function metadata(i: number): Metadata {
  return JSON.parse(
    JSON.stringify({
      Type: ['bridge', 'device', 'netns', 'veth', 'container'][i % 5],
      Name: `node-${i}`,
      TID: `tid-${i}`,
      MAC: `02:00:${(i >> 16) & 255}:${(i >> 8) & 255}:${i & 255}`,
      MTU: 1500,
      State: 'UP',
      IfIndex: i,
      Driver: 'veth',
      EncapType: 'ether',
      Speed: 10_000,
      IPV4: [`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/24`],
      LinkFlags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'],
      Features: { gro: true, gso: true, tso: true, lro: false },
      Metric: { RxBytes: i, RxPackets: i, TxBytes: i, TxPackets: i },
      Manager: 'netlink',
      Vlan: 0,
    }),
  )
}

/** A deterministic generator: the figures of two runs are about the same history. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 0x1_0000_0000
  }
}

/** A change each ms: 80 % of the changes set a state, the others a number. */
function fill(): Graph {
  const clock = { ms: STARTS_MS }
  const graph = createGraph({ clock: { now: () => clock.ms }, retention: { ageMs: Number.MAX_SAFE_INTEGER, bytes: 2 ** 40 } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    for (let i = 0; i < NODES; i++) tx.addNode({ id: `n${i}`, metadata: metadata(i) })
  })
  const next = random(7)
  for (let i = 1; i <= EVENTS; i++) {
    clock.ms++
    const id = `n${Math.floor(next() * NODES)}`
    writer.transaction((tx) => tx.patchNode(id, i % 5 === 0 ? { Vlan: i } : { State: `S${i}` }))
  }
  return graph
}

/** The median of the elapsed ms of a few runs. */
function medianMs(run: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const started = performance.now()
    run()
    return performance.now() - started
  })
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
}

/** What one would do without the log: both graphs whole, beside each other. */
function compareWhole(graph: Graph, fromMs: number, toMs: number): number {
  const [before, after]: GraphView[] = [graph.at(fromMs), graph.at(toMs)]
  let changed = 0
  after!.forEachNode((row) => {
    const node = after!.node(row)
    const old = before!.nodeOrdinal(node.id)
    if (old < 0 || before!.node(old).revision !== node.revision) changed++
    return true
  })
  return changed
}

async function run(): Promise<Figure[]> {
  const graph = fill()
  // Warm: the first run of a function is compiled while it runs.
  for (let i = 0; i < 50; i++) graph.diff(STARTS_MS + i * 1000, STARTS_MS + i * 1000 + 900)
  return [0.001, 0.01, 0.1, 1].map((share) => {
    const events = EVENTS * share
    const toMs = STARTS_MS + EVENTS * (share === 1 ? 1 : 0.6)
    const fromMs = toMs - events
    let changed = 0
    const ms = medianMs(() => {
      changed = graph.diff(fromMs, toMs).nodes.length
    })
    const peerMs = medianMs(() => {
      if (compareWhole(graph, fromMs, toMs) !== changed) throw new Error('the two ways differ')
    })
    return {
      name: `diff of ${share * 100} % of ${EVENTS} events (${changed} changed of ${NODES})`,
      value: (ms * 1000) / events,
      unit: 'us/event',
      peer: PEER,
      peerValue: (peerMs * 1000) / events,
      ratio: peerMs / ms,
    }
  })
}

export const bench = { name: 'graph diff', run }
