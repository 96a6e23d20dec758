import graphology from 'graphology'
import { bidirectional } from 'graphology-shortest-path'
import type { Figure } from '../../../bench/figures.ts'
import { createGraph, shortestPath } from '../src/index.ts'
import { inTurn, random, timeFigure } from './in-turn.ts'
import { NODES, topology } from './topology.ts'

const { MultiUndirectedGraph } = graphology

const PAIRS = 1_000

/** The peer goes along edges of a directed graph in their direction only, so it gets an undirected one. */
async function run(): Promise<Figure[]> {
  const { nodes, edges } = topology()
  const graph = createGraph()
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const node of nodes) tx.addNode(node)
    for (const edge of edges) tx.addEdge(edge)
  })
  const peer = new MultiUndirectedGraph()
  for (const { id } of nodes) peer.addNode(id)
  for (const { id, parent, child } of edges) peer.addUndirectedEdgeWithKey(id, parent, child)
  const next = random(11)
  const anyId = (): string => nodes[Math.floor(next() * NODES)]!.id
  const pairs = Array.from({ length: PAIRS }, () => [anyId(), anyId()] as const)
  const { view } = graph
  for (const [from, to] of pairs) {
    const [own, other] = [shortestPath(view, from, to).length, bidirectional(peer, from, to)?.length ?? 0]
    if (own !== other) throw new Error(`the way from ${from} to ${to} has ${own} nodes, that of the peer ${other}`)
  }
  const nothing = (): void => {}
  const { ownMs, peerMs } = await inTurn(
    { prepare: nothing, run: () => pairs.forEach(([from, to]) => void shortestPath(view, from, to)) },
    { prepare: nothing, run: () => pairs.forEach(([from, to]) => void bidirectional(peer, from, to)) },
  )
  const each = { ownMs: ownMs / PAIRS, peerMs: peerMs / PAIRS }
  return [timeFigure('shortest path of a random pair', 'graphology-shortest-path 2.1.0 bidirectional', each)]
}

export const bench = { name: 'shortest-path', run }
