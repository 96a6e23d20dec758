import type { Figure } from '../../../bench/figures.ts'
import type { Graph } from '../src/index.ts'
import { addEdges, addNodes, addPeerEdges, addPeerNodes, emptyGraph, emptyPeer, PEER, type Peer } from './fill.ts'
import { inTurn, timeFigure } from './in-turn.ts'
import { EDGES, NODES, topology } from './topology.ts'

// What a writer takes that checks and copies what it is given, with and without the default indexes.

async function run(): Promise<Figure[]> {
  const data = topology()
  const peerNodes = { prepare: emptyPeer, run: (peer: Peer) => addPeerNodes(peer, data) }
  const peerEdges = { prepare: () => addPeerNodes(emptyPeer(), data), run: (peer: Peer) => addPeerEdges(peer, data) }
  const nodes = (withIndexes: boolean) => ({
    prepare: () => emptyGraph(withIndexes),
    run: (graph: Graph) => addNodes(graph, data),
  })
  const edges = (withIndexes: boolean) => ({
    prepare: () => addNodes(emptyGraph(withIndexes), data),
    run: (graph: Graph) => addEdges(graph, data),
  })
  const peerCopies = {
    prepare: emptyPeer,
    run: (peer: Peer) => {
      for (const { id, metadata } of data.nodes) peer.addNode(id, structuredClone(metadata))
    },
  }
  return [
    timeFigure(`insert ${NODES} nodes, checked and copied`, `${PEER}, structuredClone`, await inTurn(nodes(false), peerCopies)),
    timeFigure(`insert ${NODES} nodes, checked and copied`, `${PEER}, taken over`, await inTurn(nodes(false), peerNodes)),
    timeFigure(`insert ${EDGES} edges, checked and copied`, `${PEER}, taken over`, await inTurn(edges(false), peerEdges)),
    timeFigure(`insert ${NODES} nodes, copied, default indexes`, `${PEER}, no index`, await inTurn(nodes(true), peerNodes)),
    timeFigure(`insert ${EDGES} edges, copied, default indexes`, `${PEER}, no index`, await inTurn(edges(true), peerEdges)),
  ]
}

export const bench = { name: 'insert-copied', run }
