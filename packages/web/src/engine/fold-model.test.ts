import { describe, expect, test } from '@jest/globals'
import { createGraph, type Graph } from '@skydive/graph'
import fc from 'fast-check'
import { FoldModel } from './fold-model.ts'
import type { SceneDelta, SceneElement } from './scene.ts'

/** A graph with a model that follows it, and the scene that the page would hold. */
function following() {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const model = new FoldModel()
  const scene = new Map<string, SceneElement>()
  const edges = new Map<string, string>()
  const take = (delta: SceneDelta): SceneDelta => {
    if (delta.whole) {
      scene.clear()
      edges.clear()
    }
    for (const id of delta.removedElements) scene.delete(id)
    for (const element of delta.elements) scene.set(element.id, element)
    for (const id of delta.removedEdges) edges.delete(id)
    for (const edge of delta.edges) edges.set(edge.id, `${edge.from}-${edge.to} ${edge.relation} ${edge.count}`)
    return delta
  }
  model.reset(graph.view)
  take(model.flush())
  graph.subscribe((batch) => model.apply(batch))
  const node = (id: string, Type: string, owner?: string): void =>
    writer.transaction((tx) => {
      tx.addNode({ id, metadata: { Type, Name: id, State: 'UP' } })
      if (owner) tx.own(owner, id)
    })
  return {
    graph,
    writer,
    model,
    scene,
    edges,
    node,
    flush: () => take(model.flush()),
    shown: () => [...scene.values()].map(({ id, kind, parent }) => `${parent}/${id} ${kind}`).sort(),
  }
}

describe('FoldModel', () => {
  test('nodes nest by ownership, containers open by themselves', () => {
    const { node, flush, shown } = following()
    node('h', 'host')
    node('x', 'netns', 'h')
    node('v0', 'veth', 'x')
    flush()
    expect(shown()).toEqual(['/h open', 'h/x open', 'x/v0 leaf'])
  })

  test('a folded container hides what is inside and counts it; opening brings everything back to its place', () => {
    const { node, flush, shown, model, scene } = following()
    node('h', 'host')
    for (let i = 0; i < 5; i++) node(`e${i}`, 'veth', 'h')
    flush()
    const before = scene.get('e3')
    model.setOpen('h', false)
    flush()
    expect(shown()).toEqual(['/h folded'])
    expect(scene.get('h')!.hidden).toBe(5)
    model.setOpen('h', true)
    flush()
    expect(scene.get('e3')).toEqual(before)
  })

  test('lines run between what is visible, merged when several do', () => {
    const { node, writer, flush, edges, model } = following()
    for (const host of ['a', 'b']) {
      node(host, 'host')
      for (let i = 0; i < 2; i++) node(`${host}${i}`, 'veth', host)
    }
    writer.transaction((tx) => {
      tx.linkLayer2('a0', 'b0')
      tx.linkLayer2('a1', 'b1')
    })
    flush()
    expect([...edges.values()].sort()).toEqual(['a0-b0 layer2 1', 'a1-b1 layer2 1'])
    model.setOpen('a', false)
    model.setOpen('b', false)
    flush()
    expect([...edges.values()]).toEqual(['a-b layer2 2'])
    model.setOpen('b', true)
    flush()
    expect([...edges.values()].sort()).toEqual(['a-b0 layer2 1', 'a-b1 layer2 1'])
  })

  test('a change of one node tells one element', () => {
    const { node, writer, flush } = following()
    node('h', 'host')
    for (let i = 0; i < 20; i++) node(`e${i}`, 'veth', 'h')
    flush()
    writer.transaction((tx) => tx.patchNode('e7', { State: 'DOWN' }))
    expect(flush().elements.map(({ id, state }) => [id, state])).toEqual([['e7', 'down']])
    writer.transaction((tx) => tx.patchNode('e7', { MTU: 9000 }))
    expect(flush().elements).toEqual([])
  })

  test('what is deleted goes, and the others stay where they are', () => {
    const { node, writer, flush, scene } = following()
    node('h', 'host')
    for (let i = 0; i < 6; i++) node(`e${i}`, 'veth', 'h')
    flush()
    const others = ['e0', 'e1', 'e3', 'e4', 'e5'].map((id) => scene.get(id))
    writer.transaction((tx) => tx.deleteNode('e2'))
    expect(flush().removedElements).toEqual(['e2'])
    expect(['e0', 'e1', 'e3', 'e4', 'e5'].map((id) => scene.get(id))).toEqual(others)
  })

  test('an interface that moves to another namespace is drawn there', () => {
    const { node, writer, flush, shown } = following()
    node('x', 'netns')
    node('y', 'netns')
    node('v', 'veth', 'x')
    node('w', 'veth', 'y')
    flush()
    writer.transaction((tx) => tx.own('y', 'v'))
    flush()
    expect(shown()).toEqual(['/x leaf', '/y open', 'y/v leaf', 'y/w leaf'])
  })

  test('a whole graph in place of another keeps the slots of what is in both', () => {
    const { graph, node, flush, scene, model } = following()
    node('h', 'host')
    for (let i = 0; i < 4; i++) node(`e${i}`, 'veth', 'h')
    flush()
    const before = scene.get('e3')
    const past = createGraph()
    past.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
      tx.addNode({ id: 'h', metadata: { Type: 'host', Name: 'h' } })
      tx.addNode({ id: 'e3', metadata: { Type: 'veth', Name: 'e3', State: 'UP' } })
      tx.own('h', 'e3')
    })
    model.reset(past.view)
    flush()
    expect([...scene.keys()].sort()).toEqual(['e3', 'h'])
    expect(scene.get('e3')).toEqual(before)
    model.reset(graph.view)
    flush()
    expect(scene.size).toBe(5)
  })

  test.each([
    ['UP', 'up'],
    ['DOWN', 'down'],
    ['LOWERLAYERDOWN', 'waiting'],
    ['DORMANT', 'waiting'],
    ['UNKNOWN', 'none'],
    [undefined, 'none'],
  ])('state %s is %s', (State, expected) => {
    const { writer, flush, scene } = following()
    writer.transaction((tx) => tx.addNode({ id: 'a', metadata: { Type: 'veth', ...(State !== undefined && { State }) } }))
    flush()
    expect(scene.get('a')?.state).toBe(expected)
  })

  test('the lines of a container are those that leave it, between what is drawn', () => {
    const { node, writer, flush, model } = following()
    for (const host of ['a', 'b']) {
      node(host, 'host')
      node(`${host}0`, 'veth', host)
      node(`${host}1`, 'veth', host)
    }
    writer.transaction((tx) => {
      tx.linkLayer2('a0', 'b0')
      tx.linkLayer2('a0', 'a1')
    })
    flush()
    expect(model.linesOf('a0')).toEqual([
      { from: 'a0', to: 'b0', relation: 'layer2' },
      { from: 'a0', to: 'a1', relation: 'layer2' },
    ])
    expect(model.linesOf('a')).toEqual([{ from: 'a0', to: 'b0', relation: 'layer2' }])
    model.setOpen('a', false)
    flush()
    expect(model.linesOf('a')).toEqual([{ from: 'a', to: 'b0', relation: 'layer2' }])
    expect(model.linesOf('nobody')).toEqual([])
  })

  test('deltas add up to the scene of the whole graph, after any changes and foldings', () => {
    const id = fc.nat(11)
    const operation = fc.oneof(
      { weight: 5, arbitrary: fc.record({ op: fc.constant('add' as const), id, other: id }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), id, other: id }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('own' as const), id, other: id }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('link' as const), id, other: id }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('down' as const), id, other: id }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('fold' as const), id, other: id }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('flush' as const), id, other: id }) },
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const { graph, writer, model, scene, edges, flush } = following()
        const has = (n: number): boolean => graph.view.nodeOrdinal(`n${n}`) >= 0
        for (const { op, id: n, other } of operations) {
          if (op === 'add' && !has(n)) {
            writer.transaction((tx) => tx.addNode({ id: `n${n}`, metadata: { Type: 'veth', Name: `n${n}`, State: 'UP' } }))
          } else if (op === 'delete' && has(n)) writer.transaction((tx) => tx.deleteNode(`n${n}`))
          // Owners have smaller numbers: ownership is a forest.
          else if (op === 'own' && n > other && has(n) && has(other)) writer.transaction((tx) => tx.own(`n${other}`, `n${n}`))
          else if (op === 'link' && n !== other && has(n) && has(other)) {
            writer.transaction((tx) => tx.linkLayer2(`n${n}`, `n${other}`))
          } else if (op === 'down' && has(n)) writer.transaction((tx) => tx.patchNode(`n${n}`, { State: 'DOWN' }))
          else if (op === 'fold') model.setOpen(`n${n}`, !model.isOpen(`n${n}`))
          else if (op === 'flush') flush()
        }
        flush()
        // A model that sees the graph for the first time, folded alike.
        const fresh = freshScene(graph, (n) => model.isOpen(n))
        const withoutPlaces = [...scene.values()].map(({ x: _x, y: _y, width: _w, height: _h, ...element }) => element)
        expect(withoutPlaces.sort(byId)).toEqual(fresh.elements)
        expect([...edges.values()].sort()).toEqual(fresh.edges)
        const open = [...scene.values()].filter(({ kind }) => kind === 'open')
        for (const { id: container, x, y, width, height } of open) {
          for (const member of scene.values()) {
            if (member.parent !== container) continue
            expect([
              x <= member.x,
              y < member.y,
              x + width >= member.x + member.width,
              y + height >= member.y + member.height,
            ]).toEqual([true, true, true, true])
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)

/** What a model shows that takes the graph as it is now, without places. */
function freshScene(graph: Graph, isOpen: (id: string) => boolean) {
  const model = new FoldModel()
  model.reset(graph.view)
  graph.view.forEachNode((ordinal) => {
    const { id } = graph.view.node(ordinal)
    model.setOpen(id, isOpen(id))
    return true
  })
  const { elements, edges } = model.flush()
  return {
    elements: elements.map(({ x: _x, y: _y, width: _w, height: _h, ...element }) => element).sort(byId),
    edges: edges.map((edge) => `${edge.from}-${edge.to} ${edge.relation} ${edge.count}`).sort(),
  }
}
