import { expect, test } from '@jest/globals'
import type { GraphTransaction } from '@skydive/contracts'
import {
  areLinked,
  childrenOf,
  createGraph,
  firstLink,
  firstNodeWith,
  type Graph,
  nodesWith,
  parentsOf,
  relation,
  shortestPath,
} from '../src/index.ts'

/** Items of the acceptance list (spec graph 5) that are about the engine alone and have no test of their own elsewhere. */

function world(write: (tx: GraphTransaction) => void): Graph {
  const graph = createGraph()
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction(write)
  return graph
}

const chain = (tx: GraphTransaction, ...ids: readonly string[]): void => {
  for (const id of ids) if (!tx.node(id)) tx.addNode({ id, metadata: { Name: id } })
  for (const [i, id] of ids.entries()) {
    if (i > 0) tx.addEdge({ id: `${ids[i - 1]}-${id}`, parent: ids[i - 1]!, child: id, metadata: { RelationType: 'layer2' } })
  }
}

const path = (graph: Graph, from: string, to: string, wanted = relation('layer2')) =>
  shortestPath(graph.view, from, (node) => node.metadata['Name'] === to, wanted)
    ?.map(({ id }) => id)
    .join('/') ?? ''

test('A1 linked, unlinked, linked again, and no longer when one end is gone', () => {
  const graph = world((tx) => chain(tx, 'a', 'b'))
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const linked = () => [areLinked(graph.view, 'a', 'b'), areLinked(graph.view, 'b', 'a')]
  expect(linked()).toEqual([true, true])
  writer.transaction((tx) => tx.deleteEdge('a-b'))
  expect(linked()).toEqual([false, false])
  writer.transaction((tx) => chain(tx, 'a', 'b'))
  expect(linked()).toEqual([true, true])
  writer.transaction((tx) => tx.deleteNode('b'))
  expect([linked(), graph.stats().edges]).toEqual([[false, false], 0])
})

test('A5 a loop links a node to itself alone', () => {
  const { view } = world((tx) => {
    for (const id of ['a', 'b']) tx.addNode({ id, metadata: {} })
    tx.addEdge({ id: 'loop', parent: 'b', child: 'b', metadata: {} })
  })
  const first = (parent: string, child: string) => firstLink(view, parent, child)?.id
  expect([first('b', 'b'), first('a', 'b'), first('b', 'a'), first('a', 'a')]).toEqual(['loop', undefined, undefined, undefined])
})

test('A8 parents and children that are wanted', () => {
  const { view } = world((tx) => {
    chain(tx, '1', '2', '3', '4')
    chain(tx, '2', '4')
  })
  const named = (node: { readonly metadata: { readonly [key: string]: unknown } }) => node.metadata['Name'] === '4'
  expect(childrenOf(view, '2', undefined, named).map(({ id }) => id)).toEqual(['4'])
  expect(parentsOf(view, '4', undefined, named)).toEqual([])
})

test('A9 a way is shorter while there is a shortcut', () => {
  const graph = world((tx) => chain(tx, '1', '2', '3', '4'))
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  expect(path(graph, '4', '1')).toBe('4/3/2/1')
  writer.transaction((tx) => chain(tx, '4', '1'))
  expect(path(graph, '4', '1')).toBe('4/1')
  writer.transaction((tx) => tx.deleteEdge('4-1'))
  expect([path(graph, '4', '1'), path(graph, '4', '2')]).toEqual(['4/3/2/1', '4/3/2'])
})

test('A16 every kind of event carries its element, as it then was', () => {
  const graph = createGraph({ clock: { now: () => 1000 } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const told: unknown[] = []
  graph.subscribe(({ events }) => {
    for (const event of events) told.push([event.kind, 'node' in event ? event.node : event.edge])
  })
  writer.transaction((tx) => {
    tx.addNode({ id: 'n', metadata: { Name: 'n' } })
    tx.addEdge({ id: 'e', parent: 'n', child: 'n', metadata: { Kind: 'k' } })
  })
  writer.transaction((tx) => {
    tx.patchNode('n', { Name: 'm' })
    tx.patchEdge('e', { Kind: 'l' })
  })
  writer.transaction((tx) => tx.deleteNode('n'))
  const common = { host: 'alpha', origin: 'agent.alpha', createdAtMs: 1000, updatedAtMs: 1000, deletedAtMs: null }
  const node = { ...common, kind: 'node', id: 'n', metadata: { Name: 'n' }, revision: 1 }
  const edge = { ...common, kind: 'edge', id: 'e', parent: 'n', child: 'n', metadata: { Kind: 'k' }, revision: 1 }
  const [laterNode, laterEdge] = [
    { ...node, metadata: { Name: 'm' }, revision: 2 },
    { ...edge, metadata: { Kind: 'l' }, revision: 2 },
  ]
  expect(told).toEqual([
    ['node-added', node],
    ['edge-added', edge],
    ['node-updated', laterNode],
    ['edge-updated', laterEdge],
    ['edge-deleted', { ...laterEdge, deletedAtMs: 1000 }],
    ['node-deleted', { ...laterNode, deletedAtMs: 1000 }],
  ])
})

test('A2 a link of a type is found under no filter and under its own', () => {
  const { view } = world((tx) => {
    for (const id of ['a', 'b']) tx.addNode({ id, metadata: {} })
    tx.addEdge({ parent: 'a', child: 'b', metadata: { Type: 'aaa' } })
  })
  const ofType = (type: string) => (edge: { readonly metadata: { readonly [key: string]: unknown } }) =>
    edge.metadata['Type'] === type
  expect([areLinked(view, 'a', 'b'), areLinked(view, 'b', 'a', ofType('aaa')), areLinked(view, 'a', 'b', ofType('bbb'))]).toEqual(
    [true, true, false],
  )
})

test('A4 of edges in both directions the one in this direction', () => {
  const { view } = world((tx) => {
    for (const id of ['a', 'b']) tx.addNode({ id, metadata: {} })
    tx.addEdge({ id: 'back', parent: 'b', child: 'a', metadata: { Way: 'back' } })
    tx.addEdge({ id: 'forth', parent: 'a', child: 'b', metadata: { Way: 'forth' } })
  })
  expect(firstLink(view, 'a', 'b')?.id).toBe('forth')
})

test('A7 numbers are matched as numbers', () => {
  const { view } = world((tx) => {
    tx.addNode({ id: 'i', metadata: { Value: 1 } })
    tx.addNode({ id: 'f', metadata: { Value: 44.5 } })
  })
  expect([firstNodeWith(view, 'Value', 1)?.id, firstNodeWith(view, 'Value', 44.5)?.id, nodesWith(view, 'Value', 2)]).toEqual([
    'i',
    'f',
    [],
  ])
})

test('A11 the way depends on which edges may be taken', () => {
  const graph = world((tx) => {
    chain(tx, '4', '3', '2', '1')
    tx.addEdge({ parent: '1', child: '4', metadata: { RelationType: 'layer3' } })
  })
  expect([path(graph, '4', '1'), path(graph, '4', '1', relation('layer3'))]).toEqual(['4/3/2/1', '4/1'])
})

test('A12 of several ways the shortest', () => {
  const graph = world((tx) => {
    chain(tx, '1', '2', '3', '4', '5')
    chain(tx, '1', '11', '12', '5')
    chain(tx, '11', '21', '22', '12')
  })
  expect([path(graph, '1', '5'), path(graph, '5', '1')]).toEqual(['1/11/12/5', '5/12/11/1'])
})

test('A14 metadata is added, changes its type, and is replaced as a whole', () => {
  const graph = world((tx) => tx.addNode({ id: 'n', metadata: { Kept: 1, Typed: 1 } }))
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const metadata = () => graph.view.node(graph.view.nodeOrdinal('n')).metadata
  writer.transaction((tx) => tx.patchNode('n', { Added: 'x', Typed: 'one', Number: 35 }))
  expect(metadata()).toEqual({ Kept: 1, Typed: 'one', Added: 'x', Number: 35 })
  writer.transaction((tx) => tx.replaceNode('n', { Other: 1 }))
  expect(metadata()).toEqual({ Other: 1 })
})

test('A15 nothing is seen before the commit; a dotted key stands beside its siblings', () => {
  const graph = world((tx) => tx.addNode({ id: 'n', metadata: { A: { x: 1 }, List: [1, 2] } }))
  const metadata = () => graph.view.node(graph.view.nodeOrdinal('n')).metadata
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    tx.patchNode('n', { 'A.y': 2, List: [3] })
    expect(metadata()).toEqual({ A: { x: 1 }, List: [1, 2] })
  })
  expect(metadata()).toEqual({ A: { x: 1, y: 2 }, List: [3] })
})

test('A17 what was read stays what it was', () => {
  const graph = world((tx) => tx.addNode({ id: 'n', metadata: { Deep: { x: 1 } } }))
  const before = graph.view.node(graph.view.nodeOrdinal('n'))
  const copy = structuredClone(before)
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => tx.patchNode('n', { 'Deep.x': 2 }))
  expect(before).toEqual(copy)
  expect(graph.view.node(graph.view.nodeOrdinal('n'))).toMatchObject({ revision: 2, metadata: { Deep: { x: 2 } } })
})

test('A20 an edge whose ends are unknown is refused', () => {
  expect(() => world((tx) => tx.addEdge({ parent: 'a', child: 'b', metadata: {} }))).toThrow(
    expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'Parent node not found' }),
  )
})

test.each<[name: string, write: (tx: GraphTransaction, metadata: { List: string[] }) => void]>([
  ['addNode', (tx, metadata) => void tx.addNode({ id: 'new', metadata })],
  ['putNode', (tx, metadata) => void tx.putNode({ id: 'n', metadata })],
  ['patchNode', (tx, { List }) => void tx.patchNode('n', { List })],
  ['replaceNode', (tx, metadata) => void tx.replaceNode('n', metadata)],
  ['addEdge', (tx, metadata) => void tx.addEdge({ id: 'new', parent: 'n', child: 'n', metadata })],
  ['patchEdge', (tx, { List }) => void tx.patchEdge('e', { List })],
  ['replaceEdge', (tx, metadata) => void tx.replaceEdge('e', metadata)],
])('W49 what %s was given stays its own', (_name, write) => {
  const graph = world((tx) => {
    tx.addNode({ id: 'n', metadata: {} })
    tx.addEdge({ id: 'e', parent: 'n', child: 'n', metadata: {} })
  })
  const metadata = { List: ['a'] }
  let written: unknown
  graph.subscribe(({ events: [event] }) => {
    written = event && ('node' in event ? event.node : event.edge).metadata
  })
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => write(tx, metadata))
  metadata.List.push('b')
  expect(written).toEqual({ List: ['a'] })
})
