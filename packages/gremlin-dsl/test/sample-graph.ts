import { createGraph, type Graph } from '@skydive/graph'
import { writeSampleGraph } from '@skydive/testkit/graph'

/** Graph S of spec graph 0.1, as it is now. */
export function sampleGraph(): Graph {
  const graph = createGraph({ clock: { now: () => 6000 }, epoch: 'sample' })
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction(writeSampleGraph)
  return graph
}
