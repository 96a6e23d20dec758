import { describe, expect, it } from '@jest/globals'
import { createGraph, type Graph } from '@skydive/graph'
import { describeGraphSource, type GraphSuiteOptions } from '@skydive/testkit/graph'
import { createGremlin, resultToJson } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'

const engines: Pick<GraphSuiteOptions, 'runner' | 'createGraph' | 'createGremlin' | 'resultToJson'> = {
  runner: { describe, it, expect },
  createGraph: ({ clock }) => createGraph({ clock, retention: { ageMs: 24 * 3600_000 } }),
  createGremlin,
  resultToJson,
}

describeGraphSource('memory, now', {
  ...engines,
  createCase: (graph) => ({ source: graph, ready: () => undefined, flows: flowReader, hasHistory: true }),
})

/** Changes everything, so that only the past is what was written. */
function overwrite(graph: Graph): void {
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    graph.view.forEachNode((row) => {
      const { id } = graph.view.node(row)
      if (row % 2 === 0) tx.deleteNode(id)
      else tx.replaceNode(id, { Type: 'overwritten' })
      return true
    })
    tx.addNode({ id: 'later', metadata: { Type: 'device', MTU: 1500 } })
  })
}

describeGraphSource('memory, read at an instant that is past', {
  ...engines,
  createCase: (graph, clock) => {
    const { now } = clock
    let shiftMs = 0
    Object.assign(clock, { now: () => now() + shiftMs })
    return {
      source: graph,
      ready: (nowMs) => {
        shiftMs = 1000
        overwrite(graph as Graph)
        return { startMs: nowMs, lastMs: nowMs }
      },
      flows: flowReader,
      hasHistory: true,
    }
  },
})
