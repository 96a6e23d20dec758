import { describe, expect, test } from '@jest/globals'
import type { GraphBatch, GraphEdge, GraphNode } from '@skydive/contracts'
import { createGraph } from '../src/index.ts'

/** Faults of the original, by their number in the table of `docs/decisions`, each with what is done instead. */

function fixture() {
  const clock = { ms: 1000, now: () => clock.ms }
  const graph = createGraph({ clock, retention: { ageMs: Number.POSITIVE_INFINITY } })
  const batches: GraphBatch[] = []
  graph.subscribe((batch) => batches.push(batch))
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const nodeOf = (id: string): GraphNode => graph.view.node(graph.view.nodeOrdinal(id))
  return { clock, graph, batches, writer, nodeOf }
}

describe('writes', () => {
  test('W6 what a replica applies disturbs no look at the past, and its events reach the log like any other', async () => {
    const { clock, graph, batches, writer } = fixture()
    writer.transaction((tx) => tx.addNode({ id: 'a', metadata: { State: 'DOWN' } }))
    clock.ms = 2000
    writer.transaction((tx) => tx.patchNode('a', { State: 'UP' }))
    clock.ms = 3000
    const looks: Promise<unknown>[] = []
    graph.subscribe(() => {
      const past = graph.open({ startMs: 1500, lastMs: 1500 })
      looks.push(past.then((view) => view.node(view.nodeOrdinal('a')).metadata['State']))
    })
    const foreign: GraphNode = {
      kind: 'node',
      id: 'b',
      metadata: {},
      host: 'beta',
      origin: 'agent.beta',
      createdAtMs: 2500,
      updatedAtMs: 2500,
      deletedAtMs: null,
      revision: 1,
    }
    graph.replica('agent.beta').apply([{ kind: 'node-added', node: foreign }])
    writer.transaction((tx) => tx.patchNode('a', { State: 'GONE' }))
    expect(await Promise.all(looks)).toEqual(['DOWN', 'DOWN'])
    expect(batches.map(({ events }) => events.map(({ kind }) => kind))).toEqual([
      ['node-added'],
      ['node-updated'],
      ['node-added'],
      ['node-updated'],
    ])
  })

  test('W45 the same value below a dotted key makes no revision, and what cannot be set is an error', () => {
    const { batches, writer, nodeOf } = fixture()
    writer.transaction((tx) => tx.addNode({ id: 'a', metadata: { Features: { gro: true }, Up: true } }))
    writer.transaction((tx) => tx.patchNode('a', { 'Features.gro': true }))
    expect([nodeOf('a').revision, batches.length]).toEqual([1, 1])
    expect(() => writer.transaction((tx) => tx.patchNode('a', { 'Up.x': 1 }))).toThrow('metadata "Up.x" can\'t be set')
    expect([nodeOf('a').revision, batches.length]).toEqual([1, 1])
  })

  test('W46 every update tells what changed, on nodes and on edges', () => {
    const { batches, writer } = fixture()
    writer.transaction((tx) => {
      tx.addNode({ id: 'a', metadata: { Name: 'a' } })
      tx.addEdge({ id: 'e', parent: 'a', child: 'a', metadata: { Kind: 'x' } })
    })
    writer.transaction((tx) => {
      tx.replaceNode('a', { Name: 'b' })
      tx.patchEdge('e', { Kind: 'y' })
      tx.replaceEdge('e', { Other: 1 })
    })
    expect(batches[1]!.events.map((event) => ('ops' in event ? event.ops : event.kind))).toEqual([
      [{ op: 'set', key: 'Name', value: 'b' }],
      [{ op: 'set', key: 'Kind', value: 'y' }],
      [
        { op: 'delete', key: 'Kind' },
        { op: 'set', key: 'Other', value: 1 },
      ],
    ])
  })

  test('W47 a revision is counted only when something changed', () => {
    const { writer, nodeOf } = fixture()
    writer.transaction((tx) => tx.addNode({ id: 'a', metadata: { n: 1 } }))
    writer.transaction((tx) => {
      tx.patchNode('a', { n: 1 })
      tx.replaceNode('a', { n: 1 })
      tx.patchNode('a', { none: undefined })
    })
    expect(nodeOf('a').revision).toBe(1)
    writer.transaction((tx) => tx.patchNode('a', { n: 2 }))
    expect(nodeOf('a').revision).toBe(2)
  })

  test('W48 an edge takes the revision of its peer, and an old word about it is ignored, not refused', () => {
    const { graph } = fixture()
    const base = {
      metadata: {},
      host: 'beta',
      origin: 'agent.beta',
      createdAtMs: 5,
      updatedAtMs: 5,
      deletedAtMs: null,
      revision: 1,
    }
    const node: GraphNode = { ...base, kind: 'node', id: 'n' }
    const edge = (revision: number): GraphEdge => ({
      ...base,
      kind: 'edge',
      id: 'e',
      parent: 'n',
      child: 'n',
      revision,
      updatedAtMs: 5 + revision,
      metadata: { revision },
    })
    const replica = graph.replica('agent.beta')
    replica.apply([
      { kind: 'node-added', node },
      { kind: 'edge-added', edge: edge(1) },
    ])
    const { applied, ignored, refused } = replica.apply([
      { kind: 'edge-updated', edge: edge(7) },
      { kind: 'edge-updated', edge: edge(3) },
    ])
    expect({ applied, ignored, refused }).toEqual({ applied: 1, ignored: 1, refused: [] })
    const { revision, metadata } = graph.view.edge(graph.view.edgeOrdinal('e'))
    expect({ revision, metadata }).toEqual({ revision: 7, metadata: { revision: 7 } })
  })
})
