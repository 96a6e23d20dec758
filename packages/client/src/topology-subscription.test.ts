import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { type GraphNode, toWireNode } from '@skydive/contracts'
import { type MessageInit, OutgoingMessage } from '@skydive/protocol'
import { type SubscriptionState, subscribeTopology, type WebSocketLike } from './topology-subscription.ts'

/** A socket whose other end is the test. */
class FakeSocket implements WebSocketLike {
  static made: FakeSocket[] = []
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly url: URL
  readonly sent: string[] = []

  constructor(url: string) {
    this.url = new URL(url)
    FakeSocket.made.push(this)
  }

  send(text: string): void {
    this.sent.push((JSON.parse(text) as { Type: string }).Type)
  }

  close(): void {}

  open(): void {
    this.onopen?.(undefined as never)
  }

  receive(init: Omit<MessageInit, 'namespace'>): void {
    this.onmessage?.({ data: new OutgoingMessage({ namespace: 'Graph', ...init }).text() } as never)
  }

  drop(): void {
    this.onclose?.({ reason: '' } as never)
  }
}

const node = (id: string): GraphNode => ({
  kind: 'node',
  id,
  metadata: { Name: id },
  host: 'h',
  origin: 'agent.h',
  createdAtMs: 1,
  updatedAtMs: 1,
  deletedAtMs: null,
  revision: 1,
})

/** A subscription that notes what it is told. */
function following() {
  const told: unknown[] = []
  const subscription = subscribeTopology({
    url: 'http://127.0.0.1:8082',
    hostId: 'page-1',
    WebSocket: FakeSocket,
    onSnapshot: ({ nodes, part, parts }) => told.push(`snapshot ${nodes.map(({ id }) => id).join()} ${part + 1}/${parts}`),
    onChanges: (changes) => told.push(changes.map((change) => change.kind)),
    onState: ({ state }: SubscriptionState) => told.push(state),
  })
  return { subscription, told, socket: () => FakeSocket.made.at(-1)! }
}

beforeEach(() => {
  FakeSocket.made = []
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

describe('subscribeTopology', () => {
  test('asks for a snapshot, takes it in parts, then transactions as wholes', () => {
    const { told, socket, subscription } = following()
    socket().open()
    socket().receive({ type: 'Resume', body: { Mode: 'sync' }, cursor: 'e:1' })
    expect(socket().sent).toEqual(['SyncRequest'])
    socket().receive({ type: 'SyncReply', body: { Nodes: [toWireNode(node('a'))], Edges: [], Part: 0, Parts: 2 } })
    socket().receive({ type: 'SyncReply', body: { Nodes: [toWireNode(node('b'))], Edges: [], Part: 1, Parts: 2 }, cursor: 'e:1' })
    // Two events of one transaction: only the last one carries the cursor.
    socket().receive({ type: 'NodeAdded', body: toWireNode(node('c')) })
    socket().receive({ type: 'NodeDeleted', body: toWireNode(node('a')), cursor: 'e:2' })
    subscription.stop()
    expect(told).toEqual([
      'connecting',
      'syncing',
      'snapshot a 1/2',
      'snapshot b 2/2',
      'live',
      ['node-added', 'node-deleted'],
      'stopped',
    ])
  })

  test('comes back after a broken line where it was, with growing pauses', () => {
    const { told, socket } = following()
    socket().open()
    socket().receive({ type: 'Resume', body: { Mode: 'sync' }, cursor: 'e:1' })
    socket().receive({ type: 'SyncReply', body: { Nodes: [], Edges: [] }, cursor: 'e:5' })
    socket().drop()
    jest.advanceTimersByTime(250)
    socket().drop()
    jest.advanceTimersByTime(499)
    expect(FakeSocket.made.length).toBe(2)
    jest.advanceTimersByTime(1)
    expect(socket().url.searchParams.get('x-skydive-cursor')).toBe('e:5')
    socket().open()
    socket().receive({ type: 'Resume', body: { Mode: 'resume' }, cursor: 'e:6' })
    socket().receive({ type: 'NodeAdded', body: toWireNode(node('d')), cursor: 'e:6' })
    expect([socket().sent, told.slice(-2)]).toEqual([[], ['live', ['node-added']]])
  })

  test('half a transaction that a broken line cut off is forgotten: it comes again', () => {
    const { told, socket } = following()
    socket().open()
    socket().receive({ type: 'Resume', body: { Mode: 'sync' }, cursor: 'e:1' })
    socket().receive({ type: 'SyncReply', body: { Nodes: [], Edges: [] }, cursor: 'e:1' })
    socket().receive({ type: 'NodeAdded', body: toWireNode(node('x')) })
    socket().drop()
    jest.advanceTimersByTime(250)
    socket().open()
    socket().receive({ type: 'Resume', body: { Mode: 'resume' }, cursor: 'e:2' })
    socket().receive({ type: 'NodeAdded', body: toWireNode(node('x')), cursor: 'e:2' })
    expect(told.filter((item) => Array.isArray(item))).toEqual([['node-added']])
  })

  test('nothing happens after stop', () => {
    const { told, socket, subscription } = following()
    subscription.stop()
    socket().drop()
    jest.advanceTimersByTime(60_000)
    expect([FakeSocket.made.length, told]).toEqual([1, ['connecting', 'stopped']])
  })
})
