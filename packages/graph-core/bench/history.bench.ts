import type { Metadata } from '@skydive/contracts'
import { type Figure, median } from '../../../bench/figures.ts'
import { createGraph, type Graph } from '../src/index.ts'
import { inTurn, rateFigure } from './in-turn.ts'
import { NODES, type Topology, topology } from './topology.ts'

const REVISIONS = 1_000_000
const UPDATES = 20_000
const STARTS_MS = 1_700_000_000_000
const INDEXES = ['Type', 'Name', 'TID', 'MAC', 'Hostname']

/** A plain graph of objects in a map that does the same duties: indexes, revisions, listeners. */
function mapOfObjects({ nodes: given }: Topology): (id: string, key: string, value: number) => void {
  const nodes = new Map(given.map((node) => [node.id, { ...node, revision: 1, updatedAtMs: 0 }]))
  const indexes = new Map(INDEXES.map((key) => [key, new Map<unknown, Set<string>>()]))
  for (const [key, index] of indexes) {
    for (const node of nodes.values()) {
      const value = node.metadata[key]
      const ids = index.get(value) ?? new Set()
      index.set(value, ids.add(node.id))
    }
  }
  const history: unknown[] = []
  const listeners = Array.from({ length: 10 }, () => (_event: object) => {})
  return (id, key, value) => {
    const previous = nodes.get(id)!
    const metadata: Metadata = { ...previous.metadata, [key]: value }
    const node = { ...previous, metadata, revision: previous.revision + 1, updatedAtMs: Date.now() }
    for (const [name, index] of indexes) {
      if (previous.metadata[name] === metadata[name]) continue
      index.get(previous.metadata[name])?.delete(id)
      index.set(metadata[name], (index.get(metadata[name]) ?? new Set()).add(id))
    }
    nodes.set(id, node)
    history.push(previous)
    for (const listener of listeners) listener({ node, previous, key, value })
  }
}

function filled(data: Topology, clock: { ms: number }): Graph {
  const retention = { ageMs: Number.MAX_SAFE_INTEGER, bytes: 2 ** 40 }
  const graph = createGraph({ clock: { now: () => clock.ms }, nodeIndexes: ['Hostname'], retention })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    for (const node of data.nodes) tx.addNode(node)
    for (const edge of data.edges) tx.addEdge(edge)
  })
  return graph
}

async function updates(data: Topology): Promise<Figure> {
  const graph = filled(data, { ms: STARTS_MS })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  for (const key of INDEXES) graph.view.nodeCardinality(key, '')
  for (let i = 0; i < 10; i++) graph.subscribe(() => {})
  const update = mapOfObjects(data)
  const sample = data.nodes.slice(0, UPDATES)
  let round = 0
  const prepare = (): number => ++round
  const times = await inTurn(
    {
      prepare,
      run: (Vlan) => {
        for (const { id } of sample) writer.transaction((tx) => tx.patchNode(id, { Vlan }))
      },
    },
    {
      prepare,
      run: (value) => {
        for (const { id } of sample) update(id, 'Vlan', value)
      },
    },
  )
  return rateFigure('update of one key, history, 5 indexes, 10 listeners', 'map of objects, same duties', UPDATES, times)
}

async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((done) => setImmediate(done))
    globalThis.gc?.()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A revision each ms, of one key of 25; the nodes take turns. Every node has one before it is measured, so that only the past grows. */
async function pasts(data: Topology): Promise<Figure[]> {
  const clock = { ms: STARTS_MS }
  const graph = filled(data, clock)
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const write = (i: number): void => {
    clock.ms++
    writer.transaction((tx) => tx.patchNode(data.nodes[(i * 7919) % NODES]!.id, { Vlan: i }))
  }
  for (let i = 1; i <= NODES; i++) write(i)
  const before = await heldBytes()
  for (let i = 1; i <= REVISIONS; i++) write(NODES + i)
  const bytes = ((await heldBytes()) - before) / REVISIONS
  const figures: Figure[] = [{ name: `history of ${REVISIONS} revisions of one key`, value: bytes, unit: 'B/revision' }]
  for (const ago of [100_000, 500_000]) {
    for (const [what, scan] of SCANS) {
      const times: { past: number[]; now: number[] } = { past: [], now: [] }
      for (let i = 0; i < 7; i++) {
        times.past.push(await scanMs(() => graph.at(STARTS_MS + NODES + REVISIONS - ago), scan))
        times.now.push(await scanMs(() => graph.view, scan))
      }
      const [past, now] = [median(times.past), median(times.now)]
      figures.push({
        name: `whole graph ${ago} revisions ago, ${what}`,
        value: past,
        unit: 'ms',
        peer: 'scan of it now',
        peerValue: now,
        ratio: now / past,
      })
    }
  }
  return figures
}

type Scan = (view: Graph['view']) => number

/** As a query reads: the value of a key, of whatever is there. */
function scanKeys(view: Graph['view']): number {
  let seen = 0
  view.forEachNode((row) => {
    if (view.nodeValue(row, 'State') === 'UP') seen++
    return true
  })
  view.forEachEdge((row) => {
    if (view.edgeValue(row, 'RelationType') === 'layer2') seen++
    return true
  })
  return seen
}

/** As one does who shows it: every element as an object. */
function scanElements(view: Graph['view']): number {
  let seen = 0
  view.forEachNode((row) => {
    if (view.node(row).metadata['State'] === 'UP') seen++
    return true
  })
  view.forEachEdge((row) => {
    if (view.edge(row).metadata['RelationType'] === 'layer2') seen++
    return true
  })
  return seen
}

const SCANS: readonly (readonly [string, Scan])[] = [
  ['a key of each', scanKeys],
  ['each as an object', scanElements],
]

async function scanMs(open: () => Graph['view'], scan: Scan): Promise<number> {
  await new Promise((done) => setImmediate(done))
  const started = performance.now()
  const seen = scan(open())
  const ms = performance.now() - started
  if (seen === 0) throw new Error('the scan saw nothing')
  return ms
}

async function run(): Promise<Figure[]> {
  const data = topology()
  return [await updates(data), ...(await pasts(data))]
}

export const bench = { name: 'history', run }
