import { describe, expect, it } from '@jest/globals'
import type { GraphEvent, GraphNode } from '@skydive/contracts'
import { decodeTextMessage, OutgoingMessage } from './envelope.ts'
import { decodeGraphMessage, encodeGraphEvent } from './graph-message.ts'

const DEFAULTS = { nowMs: 5000, origin: 'agent.alpha' }
const node: GraphNode = {
  kind: 'node',
  id: 'n1',
  metadata: { Type: 'veth', Name: 'v0' },
  host: 'alpha',
  origin: 'agent.alpha',
  createdAtMs: 1000,
  updatedAtMs: 2000,
  deletedAtMs: null,
  revision: 3,
}
const wireNode = {
  ID: 'n1',
  Metadata: { Type: 'veth', Name: 'v0' },
  Host: 'alpha',
  Origin: 'agent.alpha',
  CreatedAt: 1000,
  UpdatedAt: 2000,
  DeletedAt: null,
  Revision: 3,
}

const decode = (type: string, body: unknown) =>
  decodeGraphMessage({ namespace: 'Graph', type, uuid: 'u', status: 200, body }, DEFAULTS)

describe('encodeGraphEvent', () => {
  const updated: GraphEvent = {
    kind: 'node-updated',
    node,
    previous: node,
    ops: [
      { op: 'set', key: 'State', value: 'UP' },
      { op: 'delete', key: 'Old' },
    ],
  }

  it('sends operations under partial', () => {
    expect(encodeGraphEvent(updated, 'partial')).toEqual({
      type: 'NodePartiallyUpdated',
      body: {
        ID: 'n1',
        UpdatedAt: 2000,
        Revision: 3,
        Ops: [
          { Type: 1, Key: 'State', Value: 'UP' },
          { Type: 2, Key: 'Old' },
        ],
      },
    })
  })

  it('sends the whole node under full', () => {
    expect(encodeGraphEvent(updated, 'full')).toEqual({ type: 'NodeUpdated', body: wireNode })
  })

  it('sends the whole node when an operation replaces everything', () => {
    const event: GraphEvent = { ...updated, ops: [{ op: 'replace', value: node.metadata }] }
    expect(encodeGraphEvent(event, 'partial')).toEqual({ type: 'NodeUpdated', body: wireNode })
  })

  it('comes back as the same change', () => {
    const { type, body } = encodeGraphEvent(updated, 'partial')
    const message = decodeTextMessage(new OutgoingMessage({ namespace: 'Graph', type, body }).text())
    expect(decodeGraphMessage(message, DEFAULTS)).toEqual({
      kind: 'change',
      change: { kind: 'node-patched', id: 'n1', revision: 3, updatedAtMs: 2000, ops: updated.ops },
    })
  })
})

describe('decodeGraphMessage', () => {
  it('A37 Sync with null lists is empty', () => {
    expect(decode('Sync', { Nodes: null, Edges: null })).toEqual({
      kind: 'sync',
      reply: false,
      nodes: [],
      edges: [],
      part: 0,
      parts: 1,
    })
  })

  it('a node without times, host and origin takes the defaults', () => {
    expect(decode('NodeAdded', { ID: 'x', Metadata: { Name: 'x', Type: 't' } })).toEqual({
      kind: 'change',
      change: {
        kind: 'node-added',
        node: {
          kind: 'node',
          id: 'x',
          metadata: { Name: 'x', Type: 't' },
          host: '',
          origin: 'agent.alpha',
          createdAtMs: 5000,
          updatedAtMs: 5000,
          deletedAtMs: null,
          revision: 0,
        },
      },
    })
  })

  it.each([
    [{}, { kind: 'sync-request', timeMs: 0, filter: undefined }],
    [null, { kind: 'sync-request', timeMs: 0, filter: undefined }],
    [{ GremlinFilter: null }, { kind: 'sync-request', timeMs: 0, filter: undefined }],
    [{ GremlinFilter: '' }, { kind: 'sync-request', timeMs: 0, filter: '' }],
    [
      { Time: 7, GremlinFilter: 'G' },
      { kind: 'sync-request', timeMs: 7, filter: 'G' },
    ],
  ])('SyncRequest %j', (body, expected) => {
    expect(decode('SyncRequest', body)).toEqual(expected)
  })

  it.each([
    // A38
    ['NodeAdded', {}, 'No ID found for graph element'],
    ['NodeAdded', { ID: 7 }, 'No ID found for graph element'],
    // A39
    ['NodeAdded', { ID: 'x', Host: 7 }, 'host wrong format'],
    ['NodeAdded', { ID: 'x', CreatedAt: '1' }, 'CreatedAt must be an integer'],
    ['NodeAdded', { ID: 'x', Metadata: [] }, 'metadata wrong format'],
    ['EdgeAdded', { ID: 'x' }, 'parent ID wrong format'],
    ['EdgeAdded', { ID: 'x', Parent: 'p' }, 'child ID wrong format'],
    ['Sync', { Nodes: [{}] }, 'No ID found for graph element'],
    [
      'NodePartiallyUpdated',
      { ID: 'x', UpdatedAt: 1, Revision: 1, Ops: [{ Type: 3, Key: 'a' }] },
      'Ops: Type has the wrong format: 3',
    ],
    ['SyncRequest', 'x', 'the body of SyncRequest must be an object, got "x"'],
    ['Nonsense', {}, 'unknown graph message type "Nonsense"'],
  ])('%s %j is refused', (type, body, message) => {
    expect(() => decode(type, body)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }))
  })

  it('metadata nested without end is refused', () => {
    let metadata: object = {}
    for (let i = 0; i < 1000; i++) metadata = { a: metadata }
    expect(() => decode('NodeAdded', { ID: 'x', Metadata: metadata })).toThrow('nested deeper than 64')
  })

  it('__proto__ as a key is refused', () => {
    expect(() => decode('NodeAdded', JSON.parse('{"ID":"x","Metadata":{"a":{"__proto__":{"b":1}}}}'))).toThrow('__proto__')
  })
})
