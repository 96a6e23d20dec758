import { describe, expect, it } from '@jest/globals'
import { SILENT_LOGGER } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import type { Message } from '@skydive/protocol'
import { OriginReceiver } from './origin-receiver.ts'
import { systemClock } from './system-clock.ts'

function receiver(checkSchema = false) {
  const graph = createGraph()
  let diverged = 0
  let snapshots = 0
  const target = new OriginReceiver({
    replica: graph.replica('agent.alpha'),
    clock: systemClock,
    logger: SILENT_LOGGER,
    checkSchema,
    onDiverged: () => {
      diverged++
    },
    onSnapshot: () => {
      snapshots++
    },
  })
  const kinds: string[][] = []
  graph.subscribe((batch) => kinds.push(batch.events.map(({ kind }) => kind)))
  const receive = (type: string, body: unknown, cursor?: string, knowsCursors = cursor !== undefined) => {
    const message: Message = { namespace: 'Graph', type, uuid: 'u', status: 200, body, ...(cursor !== undefined && { cursor }) }
    target.receive(message, knowsCursors)
  }
  return { graph, target, kinds, receive, diverged: () => diverged, snapshots: () => snapshots }
}

const node = (ID: string, more: object = {}) => ({ ID, Metadata: { Name: ID, Type: 'device' }, Origin: 'agent.beta', ...more })

describe('OriginReceiver', () => {
  it('makes one transaction of what comes up to a cursor', () => {
    const { target, kinds, receive } = receiver()
    receive('NodeAdded', node('a'), undefined, true)
    receive('NodeAdded', node('b'), undefined, true)
    expect(kinds).toEqual([])
    receive('EdgeAdded', { ID: 'e', Parent: 'a', Child: 'b', Metadata: { RelationType: 'layer2' } }, 'run:7')
    expect(kinds).toEqual([['node-added', 'node-added', 'edge-added']])
    expect(target.cursor).toEqual({ epoch: 'run', version: 7 })
  })

  it('applies each message of a peer without cursors', () => {
    const { kinds, receive } = receiver()
    receive('NodeAdded', node('a'))
    receive('NodeDeleted', node('a'))
    expect(kinds).toEqual([['node-added'], ['node-deleted']])
  })

  it('gives elements the origin of the connection, whatever they claim', () => {
    const { graph, receive } = receiver()
    receive('NodeAdded', node('a'))
    expect(graph.view.node(graph.view.nodeOrdinal('a')).origin).toBe('agent.alpha')
  })

  it('compares a snapshot that comes in parts when the last one is there', () => {
    const { kinds, receive, snapshots } = receiver()
    receive('NodeAdded', node('old'))
    receive('NodeAdded', node('a', { Revision: 3 }))
    kinds.length = 0
    receive('Sync', { Nodes: [node('a', { Revision: 3 })], Edges: [], Part: 0, Parts: 2 }, undefined, true)
    expect([kinds, snapshots()]).toEqual([[], 0])
    receive('Sync', { Nodes: [node('b')], Edges: null, Part: 1, Parts: 2 }, 'run:1')
    expect([kinds, snapshots()]).toEqual([[['node-deleted', 'node-added']], 1])
  })

  it('forgets what was begun when the line breaks', () => {
    const { graph, target, receive } = receiver()
    receive('NodeAdded', node('a'), undefined, true)
    target.interrupt()
    receive('NodeAdded', node('b'), 'run:2')
    expect(graph.view.nodeCount).toBe(1)
  })

  it('asks for a snapshot when a change is of something unknown', () => {
    const { receive, diverged } = receiver()
    receive('NodePartiallyUpdated', { ID: 'nosuch', UpdatedAt: 1, Revision: 2, Ops: [{ Type: 1, Key: 'a', Value: 1 }] }, 'run:1')
    expect(diverged()).toBe(1)
  })

  it.each([
    ['NodeAdded', { ID: 'x', Metadata: { Name: 'notype' } }],
    ['NodeAdded', {}],
    ['Sync', { Nodes: [{ ID: 'x', Metadata: { Name: 'notype' } }], Edges: [] }],
    ['Nonsense', {}],
  ])('ignores %s %j of a publisher', (type, body) => {
    const { graph, receive } = receiver(true)
    receive(type, body)
    expect(graph.view.nodeCount).toBe(0)
  })
})
