import { describe, expect, test } from '@jest/globals'
import { createGraph } from '@skydive/graph'
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
})
