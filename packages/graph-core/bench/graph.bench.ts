import { type GraphNode, NeighborSpan, type ReplicaChange } from '@skydive/contracts'
import { type Figure, median } from '../../../bench/figures.ts'
import type { Graph } from '../src/index.ts'
import { addEdges, addNodes, addPeerEdges, addPeerNodes, emptyGraph, emptyPeer, PEER, type Peer } from './fill.ts'
import { inTurn, rateFigure, timeFigure } from './in-turn.ts'
import { EDGES, NODES, type Topology, topology } from './topology.ts'

/** Adds nodes whose metadata the caller parts with. */
function handOverNodes(graph: Graph, { nodes }: Topology): Graph {
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const { id, metadata } of nodes) tx.addNode({ id, metadata, handedOver: true })
  })
  return graph
}

function handOverEdges(graph: Graph, { edges }: Topology): Graph {
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const { id, parent, child, metadata } of edges) tx.addEdge({ id, parent, child, metadata, handedOver: true })
  })
  return graph
}

/** Elements as a file or a peer's message brings them: the graph takes them over as they are. */
function arrivals({ nodes }: Topology): readonly ReplicaChange[] {
  return nodes.map(({ id, metadata }) => {
    const node: GraphNode = {
      kind: 'node',
      id,
      metadata,
      host: 'alpha',
      origin: 'agent.alpha',
      createdAtMs: 1_700_000_000_000,
      updatedAtMs: 1_700_000_000_000,
      deletedAtMs: null,
      revision: 1,
    }
    return { kind: 'node-added', node }
  })
}

async function inserts(data: Topology): Promise<Figure[]> {
  const changes = arrivals(data)
  const peerNodes = { prepare: () => emptyPeer(), run: (peer: Peer) => addPeerNodes(peer, data) }
  const peerEdges = { prepare: () => addPeerNodes(emptyPeer(), data), run: (peer: Peer) => addPeerEdges(peer, data) }
  const taken = { prepare: () => emptyGraph(false), run: (graph: Graph) => graph.replica('agent.alpha').apply(changes) }
  const handed = { prepare: () => emptyGraph(false), run: (graph: Graph) => handOverNodes(graph, data) }
  const handedEdges = { prepare: () => addNodes(emptyGraph(false), data), run: (graph: Graph) => handOverEdges(graph, data) }
  return [
    timeFigure(`insert ${NODES} nodes, taken over as they are`, PEER, await inTurn(taken, peerNodes)),
    timeFigure(`insert ${NODES} nodes, handed over to a writer`, PEER, await inTurn(handed, peerNodes)),
    timeFigure(`insert ${EDGES} edges, handed over to a writer`, PEER, await inTurn(handedEdges, peerEdges)),
  ]
}

async function neighbours(data: Topology, graph: Graph, peer: Peer): Promise<Figure[]> {
  const view = graph.view
  const sample = data.nodes.filter((_, i) => i % 3 === 0)
  const visits = sample.reduce((sum, { id }) => sum + peer.outDegree(id), 0)
  const nothing = (): void => {}
  const check = (seen: number, wanted: number): void => {
    if (seen !== wanted) throw new Error(`the walk saw ${seen} of ${wanted} neighbours`)
  }
  const byId = (): void => {
    let seen = 0
    for (const { id } of sample) {
      view.forEachOut(view.nodeOrdinal(id), (_edge, child) => {
        if (view.node(child).metadata['Type'] !== '') seen++
        return true
      })
    }
    check(seen, visits)
  }
  const peerById = (): void => {
    let seen = 0
    for (const { id } of sample) {
      peer.forEachOutEdge(id, (_edge, _attributes, _source, target) => {
        if (peer.getNodeAttribute(target, 'Type') !== '') seen++
      })
    }
    check(seen, visits)
  }
  const byOrdinal = (): void => {
    let seen = 0
    const span = new NeighborSpan()
    view.forEachNode((row) => {
      view.readOut(row, span)
      const { nodes, start, end } = span
      for (let i = start; i < end; i++) if (nodes[i]! >= 0) seen++
      return true
    })
    check(seen, EDGES)
  }
  const peerWhole = (): void => {
    let seen = 0
    const count = (): void => {
      seen++
    }
    peer.forEachNode((id) => peer.forEachOutEdge(id, count))
    check(seen, EDGES)
  }
  return [
    rateFigure(
      'neighbours by id, reading a key',
      PEER,
      visits,
      await inTurn({ prepare: nothing, run: byId }, { prepare: nothing, run: peerById }),
    ),
    rateFigure(
      'neighbours by ordinal',
      PEER,
      EDGES,
      // The first rounds read the lists as they are linked; what counts is how they are read from then on.
      await inTurn({ prepare: nothing, run: byOrdinal }, { prepare: nothing, run: peerWhole }, 15),
    ),
  ]
}

function lookUps(data: Topology, graph: Graph): Figure[] {
  const view = graph.view
  const names = data.nodes.filter((_, i) => i % 10 === 0).map(({ metadata: { Name } }) => String(Name))
  view.nodeCardinality('Name', '')
  const times = Array.from({ length: 7 }, () => {
    const started = performance.now()
    for (const name of names) view.forEachNodeWith('Name', name, () => false)
    return performance.now() - started
  })
  return [{ name: 'index look-up of one name', value: (median(times) * 1000) / names.length, unit: 'us' }]
}

async function run(): Promise<Figure[]> {
  const data = topology()
  const figures = await inserts(data)
  const graph = addEdges(addNodes(emptyGraph(false), data), data)
  const peer = addPeerEdges(addPeerNodes(emptyPeer(), data), data)
  figures.push(...(await neighbours(data, graph, peer)), ...lookUps(data, graph))
  return figures
}

export const bench = { name: 'graph', run }
