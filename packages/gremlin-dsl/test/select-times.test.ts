import { describe, expect, test } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '../src/index.ts'

/** `br0` owns `eth0` from 100 s to 300 s; `eth0` is renamed at 200 s and gone now, `eth1` is there since 300 s. */
function changing() {
  const clock = { ms: 50_000, now: () => clock.ms }
  const graph = createGraph({ clock, retention: { ageMs: Number.POSITIVE_INFINITY } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const edge = (child: string) => ({ id: `e-${child}`, parent: 'br0', child, metadata: { RelationType: 'layer2' } })
  clock.ms = 100_000
  writer.transaction((tx) => {
    tx.addNode({ id: 'br0', metadata: { Name: 'br0' } })
    tx.addNode({ id: 'eth0', metadata: { Name: 'old', MTU: 1500 } })
    tx.addEdge(edge('eth0'))
  })
  clock.ms = 200_000
  writer.transaction((tx) => tx.patchNode('eth0', { Name: 'new' }))
  clock.ms = 300_000
  writer.transaction((tx) => {
    tx.deleteNode('eth0')
    tx.addNode({ id: 'eth1', metadata: { Name: 'eth1', MTU: 9000 } })
    tx.addEdge(edge('eth1'))
  })
  clock.ms = 400_000
  return createGremlin({ graph, clock })
}

describe('Select of lists from several times', () => {
  const engine = changing()
  const both = "G.At(150).V().As('then').G.At(NOW).V().As('now').Select('then','now')"
  test.each<[query: string, answer: unknown]>([
    [`${both}.Values('Name')`, ['br0', 'old', 'br0', 'eth1']],
    [`${both}.Count()`, 4],
    [`${both}.Dedup().Values('@ID')`, ['br0', 'eth0', 'eth1']],
    [`${both}.Has('Name','br0').Out().Values('Name')`, ['old', 'eth1']],
    [`${both}.Has('@ID','eth0').In().Values('Name')`, ['br0']],
    [`${both}.Sort('MTU').Values('MTU')`, [1500, 9000]],
    [`${both}.Sum('MTU')`, 10500],
    [`${both}.Descendants('RelationType','layer2').Dedup().Count()`, 3],
    [`${both}.ShortestPathTo(Metadata('Name','eth1')).Count()`, 2],
    [`${both}.SubGraph().V().Values('@ID')`, ['br0', 'eth0', 'eth1']],
    [`${both}.SubGraph().E().Values('@ID')`, ['e-eth0', 'e-eth1']],
    [`${both}.SubGraph().V('br0').Out().Values('@ID')`, ['eth0', 'eth1']],
    [`${both}.OutE().SubGraph().V('br0').Out().Values('@ID')`, ['eth0', 'eth1']],
    ["G.At(150).V('eth0').As('a').G.At(250).V('eth0').As('b').Select('a','b').Values('Name')", ['old', 'new']],
    ["G.At(150).E().As('a').G.At(NOW).E().As('b').Select('b','a').OutV().Values('Name')", ['eth1', 'old']],
    ["G.V('br0').As('a').Out().SubGraph().V().As('b').Select('a','b').Values('Name')", ['br0', 'eth1']],
  ])('%s', async (query, answer) => expect(resultToJson((await engine.query(query)).result)).toEqual(answer))
})
