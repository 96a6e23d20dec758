import graphology from 'graphology'
import { createGraph, DEFAULT_EDGE_INDEXES, DEFAULT_NODE_INDEXES, type Graph } from '../src/index.ts'
import type { Topology } from './topology.ts'

const { MultiDirectedGraph } = graphology
/** A graph of graphology. */
export type Peer = InstanceType<typeof MultiDirectedGraph>

export const PEER = 'graphology 0.26.0'

export const emptyPeer = (): Peer => new MultiDirectedGraph()

export function emptyGraph(withIndexes: boolean): Graph {
  const graph = createGraph()
  if (!withIndexes) return graph
  for (const key of DEFAULT_NODE_INDEXES) graph.view.nodeCardinality(key, '')
  for (const key of DEFAULT_EDGE_INDEXES) graph.view.edgeCardinality(key, '')
  return graph
}

export function addNodes(graph: Graph, { nodes }: Topology): Graph {
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const node of nodes) tx.addNode(node)
  })
  return graph
}

export function addEdges(graph: Graph, { edges }: Topology): Graph {
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const edge of edges) tx.addEdge(edge)
  })
  return graph
}

export function addPeerNodes(peer: Peer, { nodes }: Topology): Peer {
  for (const { id, metadata } of nodes) peer.addNode(id, metadata)
  return peer
}

export function addPeerEdges(peer: Peer, { edges }: Topology): Peer {
  for (const { id, parent, child, metadata } of edges) peer.addEdgeWithKey(id, parent, child, metadata)
  return peer
}
