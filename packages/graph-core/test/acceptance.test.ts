import { expect, test } from '@jest/globals'
import type { GraphTransaction } from '@skydive/contracts'
import { areLinked, createGraph, firstLink, firstNodeWith, type Graph, nodesWith, relation, shortestPath } from '../src/index.ts'

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
