import { describe, expect, test } from '@jest/globals'
import { type GraphNode, SILENT_LOGGER } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { keepHistory } from './stores.ts'

function recorded() {
  const calls: unknown[] = []
  const brief = (elements: readonly { readonly id: string }[]) => elements.map(({ id }) => id)
  return {
    calls,
    store: {
      append: (batch: { readonly events: readonly { readonly kind: string }[] }) => {
        calls.push(batch.events.map(({ kind }) => kind))
      },
      reconcile: async (live: { nodes: readonly GraphNode[]; edges: readonly { id: string }[] }, _: number, options = {}) => {
        calls.push({ nodes: brief(live.nodes), edges: brief(live.edges), ...options })
      },
    },
  }
}

function source() {
  const listeners = new Set<(origin: string) => void>()
  return {
    tell: (origin: string) => {
      for (const listener of listeners) listener(origin)
    },
    agents: {
      onSnapshot: (listener: (origin: string) => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    count: () => listeners.size,
  }
}

describe('keepHistory', () => {
  test('the first snapshot of each agent, and no other, tells the store what is left of what that agent wrote', async () => {
    const graph = createGraph()
    const { calls, store } = recorded()
    const { agents, tell, count } = source()
    const service = keepHistory(graph, agents, store, SILENT_LOGGER)
    await service.start()
    for (const host of ['a', 'b']) {
      graph.writer({ origin: `agent.${host}`, host }).transaction((tx) => {
        tx.addNode({ id: `${host}1`, metadata: { Name: 'x', Type: 'host' } })
        tx.addNode({ id: `${host}2`, metadata: { Name: 'y', Type: 'veth' } })
        tx.addEdge({ id: `${host}e`, parent: `${host}1`, child: `${host}2`, metadata: { RelationType: 'ownership' } })
      })
      tell(`agent.${host}`)
    }
    tell('agent.a')
    await service.stop()
    tell('agent.c')
    const added = ['node-added', 'node-added', 'edge-added']
    expect([calls, count()]).toEqual([
      [
        added,
        { nodes: ['a1', 'a2'], edges: ['ae'], origin: 'agent.a' },
        added,
        { nodes: ['b1', 'b2'], edges: ['be'], origin: 'agent.b' },
      ],
      0,
    ])
  })
})
