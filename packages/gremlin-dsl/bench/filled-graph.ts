import { createGraph, type Graph } from '@skydive/graph'

export const NODES = 100_000

/** Hosts that own 49 nodes each, and one more edge from every node to another. */
export function filled(): Graph {
  const graph = createGraph()
  const types = ['bridge', 'device', 'netns', 'veth', 'container']
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (let i = 0; i < NODES; i++) {
      const Type = i % 50 === 0 ? 'host' : types[i % 5]!
      tx.addNode({ id: `n${i}`, metadata: { Type, Name: `node-${i}`, MTU: i % 10 === 0 ? 9000 : 1500, State: 'UP' } })
    }
    for (let i = 0; i < NODES; i++) {
      if (i % 50 === 0) continue
      tx.addEdge({ id: `o${i}`, parent: `n${i - (i % 50)}`, child: `n${i}`, metadata: { RelationType: 'ownership' } })
      tx.addEdge({ id: `l${i}`, parent: `n${i}`, child: `n${(i * 7919) % NODES}`, metadata: { RelationType: 'layer2' } })
    }
  })
  return graph
}
