import type { Metadata } from '@skydive/contracts'
import graphology from 'graphology'
import { createGraph, type Graph } from '../src/index.ts'

const { MultiDirectedGraph } = graphology

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly peer?: string
  readonly peerValue?: number
  readonly ratio?: number
}

const NODES = 100_000
const EDGES = 292_000
const PEER = 'graphology 0.26.0'
const ROUNDS = 5

/** About 25 keys, as an interface has them; keys in one order, so that V8 shares their shape. */
function metadata(i: number): Metadata {
  const text = JSON.stringify({
    Type: i % 50 === 0 ? 'host' : ['bridge', 'device', 'netns', 'veth', 'container'][i % 5],
    Name: `node-${i}`,
    TID: `tid-${i}`,
    MAC: `02:00:${(i >> 16) & 255}:${(i >> 8) & 255}:${i & 255}`,
    MTU: i % 10 === 0 ? 9000 : 1500,
    State: i % 3 === 0 ? 'DOWN' : 'UP',
    IfIndex: i,
    Driver: 'veth',
    EncapType: 'ether',
    Speed: 10_000,
    IPV4: [`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/24`],
    IPV6: [],
    LinkFlags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'],
    Features: { gro: true, gso: true, tso: true, lro: false, rxvlan: true, txvlan: true, ntuple: false, rxhash: false },
    Metric: { RxBytes: i, RxPackets: i, TxBytes: i, TxPackets: i, Start: 1, Last: 2 },
    LastUpdateMetric: { RxBytes: 1, RxPackets: 1, TxBytes: 1, TxPackets: 1, Start: 1, Last: 2 },
    Manager: 'netlink',
    Path: '/var/run/netns/x',
    Device: 4,
    Inode: i,
    Vlan: 0,
    BusInfo: '',
    Hostname: 'alpha',
    Platform: 'debian',
    OS: 'linux',
  })
  return JSON.parse(text)
}

interface Input {
  readonly nodes: readonly { readonly id: string; readonly metadata: Metadata }[]
  readonly edges: readonly { readonly id: string; readonly parent: string; readonly child: string; readonly metadata: Metadata }[]
}

/** A deterministic generator: the figures of two runs are about the same graph. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 0x1_0000_0000
  }
}

function input(): Input {
  const next = random(7)
  const nodes = Array.from({ length: NODES }, (_, i) => ({
    id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    metadata: metadata(i),
  }))
  const ownership = { RelationType: 'ownership' }
  const layer2 = { RelationType: 'layer2' }
  const edges = Array.from({ length: EDGES }, (_, i) => ({
    id: `10000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    parent: nodes[Math.floor(next() * NODES)]!.id,
    child: nodes[i % NODES]!.id,
    metadata: i < NODES ? ownership : layer2,
  }))
  return { nodes, edges }
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

function fill(data: Input): Graph {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    for (const node of data.nodes) tx.addNode(node)
  })
  writer.transaction((tx) => {
    for (const edge of data.edges) tx.addEdge(edge)
  })
  return graph
}

function fillPeer(data: Input): InstanceType<typeof MultiDirectedGraph> {
  const graph = new MultiDirectedGraph()
  for (const { id, metadata: attributes } of data.nodes) graph.addNode(id, attributes)
  for (const { id, parent, child, metadata: attributes } of data.edges) graph.addEdgeWithKey(id, parent, child, attributes)
  return graph
}

function compare(name: string, unit: string, value: number, peerValue: number, isRate: boolean): Figure {
  return { name, value, unit, peer: PEER, peerValue, ratio: isRate ? value / peerValue : peerValue / value }
}

async function run(): Promise<Figure[]> {
  const data = input()
  const figures: Figure[] = []
  figures.push(
    compare(
      'insert 100k nodes and 292k edges',
      'ms',
      medianMs(() => fill(data)),
      medianMs(() => fillPeer(data)),
      false,
    ),
  )
  const graph = fill(data)
  const peer = fillPeer(data)
  figures.push(...neighbours(data, graph, peer), ...lookUps(data, graph), ...updates(data, graph), ...past(graph))
  return figures
}

function neighbours(data: Input, graph: Graph, peer: InstanceType<typeof MultiDirectedGraph>): Figure[] {
  const view = graph.view
  const sample = data.nodes.filter((_, i) => i % 3 === 0)
  let seen = 0
  const byIdMs = medianMs(() => {
    seen = 0
    for (const { id } of sample) {
      view.forEachOut(view.nodeOrdinal(id), (_edge, child) => {
        if (view.node(child).metadata['Type'] !== '') seen++
        return true
      })
    }
  })
  const peerMs = medianMs(() => {
    seen = 0
    for (const { id } of sample) {
      peer.forEachOutEdge(id, (_edge, _attributes, _source, target) => {
        if (peer.getNodeAttribute(target, 'Type') !== '') seen++
      })
    }
  })
  const byOrdinalMs = medianMs(() => {
    seen = 0
    view.forEachNode((row) => {
      view.forEachOut(row, () => {
        seen++
        return true
      })
      return true
    })
  })
  if (seen !== EDGES) throw new Error(`the walk saw ${seen} of ${EDGES} edges`)
  const rate = (count: number, ms: number): number => count / ms / 1000
  const sampled = sample.reduce((sum, { id }) => sum + peer.outDegree(id), 0)
  return [
    compare('neighbours by id, reading a key', 'M/s', rate(sampled, byIdMs), rate(sampled, peerMs), true),
    { name: 'neighbours by ordinal', value: rate(EDGES, byOrdinalMs), unit: 'M/s' },
  ]
}

function lookUps(data: Input, graph: Graph): Figure[] {
  const view = graph.view
  const names = data.nodes.filter((_, i) => i % 10 === 0).map(({ metadata: { Name } }) => String(Name))
  view.nodeCardinality('Name', '')
  const ms = medianMs(() => {
    for (const name of names) view.forEachNodeWith('Name', name, () => false)
  })
  return [{ name: 'index look-up of one name', value: (ms * 1000) / names.length, unit: 'us' }]
}

/** A plain graph of objects in a map that does the same duties: indexes, revisions, listeners. */
function mapOfObjects(data: Input): (id: string, key: string, value: number) => void {
  const nodes = new Map(data.nodes.map((node) => [node.id, { ...node, revision: 1, updatedAtMs: 0 }]))
  const indexes = new Map(['Type', 'Name', 'TID', 'MAC', 'Host'].map((key) => [key, new Map<unknown, Set<string>>()]))
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
    const metadata = { ...previous.metadata, [key]: value }
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

function updates(data: Input, graph: Graph): Figure[] {
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const stops = Array.from({ length: 10 }, () => graph.subscribe(() => {}))
  for (const key of ['Type', 'Name', 'TID', 'MAC', '@Host']) graph.view.nodeCardinality(key, '')
  const sample = data.nodes.slice(0, 20_000)
  let round = 0
  const ownMs = medianMs(() => {
    round++
    for (const { id } of sample) writer.transaction((tx) => tx.patchNode(id, { Vlan: round }))
  })
  for (const stop of stops) stop()
  const update = mapOfObjects(data)
  const peerMs = medianMs(() => {
    round++
    for (const { id } of sample) update(id, 'Vlan', round)
  })
  return [
    {
      name: 'update of one key, with history, 5 indexes, 10 listeners',
      value: sample.length / ownMs / 1000,
      unit: 'M/s',
      peer: 'map of objects, same duties',
      peerValue: sample.length / peerMs / 1000,
      ratio: peerMs / ownMs,
    },
  ]
}

function past(graph: Graph): Figure[] {
  const ms = medianMs(() => graph.at(Date.now()).forEachNode(() => true))
  return [{ name: 'open the graph of another time', value: ms, unit: 'ms' }]
}

export const bench = { name: 'graph', run }
