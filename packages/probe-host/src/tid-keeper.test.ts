import { beforeEach, describe, expect, test } from '@jest/globals'
import { createGraph, type Graph } from '@skydive/graph'
import { childTid, hostTid, netnsTid, ovsTid } from '@skydive/topology'
import { keepTids } from './index.ts'

const host = hostTid('alpha')
let graph: Graph
let writer: ReturnType<Graph['writer']>
beforeEach(() => {
  graph = createGraph()
  writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  keepTids(graph, writer, 'alpha')
})

const tid = (id: string) => graph.view.nodeValue(graph.view.nodeOrdinal(id), 'TID')

describe('keepTids', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['a host', { Type: 'host', Name: 'alpha' }, host],
    ['a namespace', { Type: 'netns', Name: 'x', Path: '/var/run/netns/x' }, netnsTid(host, '/var/run/netns/x')],
    ['an Open vSwitch bridge', { Type: 'ovsbridge', Name: 'b', UUID: 'u' }, ovsTid(host, 'u', 'ovsbridge')],
    ['a node of the fabric', { Type: 'device', Name: 'T', Probe: 'fabric' }, 'n'],
    ['one without an owner', { Type: 'container', Name: 'c' }, undefined],
    ['one without a name', { Type: 'host' }, undefined],
    ['one that has its own', { Type: 'container', Name: 'c', TID: 'mine' }, 'mine'],
  ])('%s', (_, metadata, expected) => {
    writer.transaction((tx) => tx.addNode({ id: 'n', metadata }))
    expect(tid('n')).toBe(expected)
  })

  test('a child gets it from its owner, and its child after it', () => {
    writer.transaction((tx) => {
      tx.addNode({ id: 'h', metadata: { Type: 'host', Name: 'alpha' } })
      tx.addNode({ id: 'c', metadata: { Type: 'container', Name: 'web' } })
      tx.addNode({ id: 'd', metadata: { Type: 'device', Name: 'eth0' } })
      tx.own('h', 'c')
      tx.own('c', 'd')
    })
    const container = childTid(host, 'web', 'container')
    expect([tid('c'), tid('d')]).toEqual([container, childTid(container, 'eth0', 'device')])
  })

  test('another owner gives another, no owner none; a rename changes nothing', () => {
    writer.transaction((tx) => {
      tx.addNode({ id: 'h', metadata: { Type: 'host', Name: 'alpha' } })
      tx.addNode({ id: 'n', metadata: { Type: 'netns', Name: 'x', Path: '/p' } })
      tx.addNode({ id: 'd', metadata: { Type: 'device', Name: 'eth0' } })
      tx.own('h', 'd')
    })
    writer.transaction((tx) => tx.patchNode('d', { Name: 'eth1' }))
    const renamed = tid('d')
    const moved = writer.transaction((tx) => tx.own('n', 'd'))
    const after = tid('d')
    writer.transaction((tx) => tx.deleteEdge(moved.id))
    expect([renamed, after, tid('d')]).toEqual([
      childTid(host, 'eth0', 'device'),
      childTid(netnsTid(host, '/p'), 'eth1', 'device'),
      undefined,
    ])
  })

  test('nodes of other origins are left alone', () => {
    const other = graph.writer({ origin: 'peer.x', host: 'x' })
    other.transaction((tx) => tx.addNode({ id: 'o', metadata: { Type: 'host', Name: 'x' } }))
    expect(tid('o')).toBeUndefined()
  })
})
