import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type EnhancedFlow, InvalidArgumentError } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '@skydive/gremlin-dsl'
import { decodeBinaryMessage, decodeGraphMessage, decodeTextMessage, type Message } from '@skydive/protocol'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { WebSocket } from 'ws'
import { ABSENT, exchange, GOLDEN, golden, startServer, stopServers, type TestServer } from './harness.ts'

afterEach(stopServers)

interface WsRecording {
  readonly name: string
  readonly handshake_request: string
  readonly handshake_response: string
  readonly frames: readonly {
    readonly dir?: 'send' | 'recv'
    readonly op?: number
    readonly hex?: string
    readonly msg?: unknown
    readonly json?: Message & { Obj: unknown }
  }[]
}

/** A client that records what comes, and lets tests wait for it. */
class Client {
  readonly messages: Record<string, unknown>[] = []
  readonly headers: Promise<Record<string, unknown>>
  readonly closed: Promise<{ code: number; reason: string }>
  readonly opened: Promise<void>
  pings = 0
  readonly #socket: WebSocket
  readonly #waiting: (() => void)[] = []

  constructor(target: TestServer, path: string, headers: Record<string, string>) {
    const socket = new WebSocket(`ws://127.0.0.1:${target.port}${path}`, { headers, perMessageDeflate: false })
    this.#socket = socket
    this.headers = new Promise((resolve) => socket.on('upgrade', (response) => resolve(response.headers)))
    this.opened = new Promise((resolve) => socket.on('open', resolve))
    this.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
    socket.on('error', () => {})
    socket.on('ping', () => {
      this.pings++
      this.#wake()
    })
    socket.on('message', (data, isBinary) => {
      this.messages.push(isBinary ? { ...decodeBinaryMessage(data as Buffer) } : JSON.parse(String(data)))
      this.#wake()
    })
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message))
  }

  pause(): void {
    this.#socket.pause()
  }

  close(): void {
    this.#socket.close()
  }

  /** Resolves when `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async next(count: number): Promise<Record<string, unknown>[]> {
    await this.until(() => this.messages.length >= count)
    return this.messages.splice(0, count)
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

const subscriber = { 'X-Host-ID': 't1', 'X-Client-Type': 'tool' }
const syncRequest = (Obj: unknown, UUID = 'u-1') => ({ Namespace: 'Graph', Type: 'SyncRequest', UUID, Status: 200, Obj })
const writerOf = (target: TestServer) => target.graph.writer({ origin: 'agent.alpha', host: 'alpha' })
const node = (id: string) => ({ id, metadata: { Name: id, Type: 'device' } })

describe('recorded handshakes of /ws/subscriber and /ws/subscriber/flow', () => {
  const recordings =
    golden('ws/ws-subscriber-sync.json') === undefined
      ? []
      : readdirSync(join(GOLDEN, 'ws')).map((file) => file.replace(/\.json$/, ''))
  /** The publisher's endpoint takes a whole analyzer (`e2e/recorded-exchanges`); recorded events are replayed below. */
  const elsewhere = ['ws-publisher-handshake', 'ws-subscriber-events', 'ws-subscriber-partial']
  const table = recordings.filter((name) => !elsewhere.includes(name))
  const recorded = table.length === 0 ? it.skip.each(ABSENT) : it.each(table)

  recorded('%s', async (name) => {
    const recording = golden<WsRecording>(`ws/${name}.json`)!
    const target = await startServer({
      flows: { subscribe: () => () => {} },
      query: async (text) => {
        if (text.includes('SubGraph')) return { json: () => '[]', graph: { nodes: [], edges: [] } }
        if (text === 'G.V(') throw new Error('Expected right parenthesis')
        return { json: () => '[]' }
      },
    })
    const [head = '', ...lines] = recording.handshake_request.split('\r\n')
    const headers = Object.fromEntries(
      lines.filter((line) => line.startsWith('X-')).map((line) => line.split(/:\s*/, 2) as [string, string]),
    )
    const client = new Client(target, head.split(' ')[1]!, headers)

    expect(await client.headers).toMatchObject({ 'x-host-id': 'refhost', 'x-service-type': 'analyzer' })
    const closeFrame = recording.frames.find((frame) => frame.op === 8)
    if (closeFrame) {
      expect((await client.closed).code).toBe(Number.parseInt(closeFrame.hex!.slice(0, 4), 16))
      return
    }
    await client.opened
    for (const frame of recording.frames) if (frame.dir === 'send') client.send(frame.msg)
    await client.until(() => client.pings > 0)
    const expected = recording.frames.flatMap(({ json }) =>
      (json as { Type?: string } | undefined)?.Type === 'SyncReply' ? [json!] : [],
    )
    const received = await client.next(expected.length)
    const shape = (message: Record<string, unknown>) => ({
      ...message,
      Obj: typeof message['Obj'] === 'string' ? message['Obj'] : Object.keys(message['Obj'] as object).sort(),
    })
    expect(received.map(shape)).toEqual(expected.map((message) => shape(message as never)))
    client.close()
  })
})

describe('recorded events', () => {
  const events = ['ws-subscriber-events', 'ws-subscriber-partial'].filter((name) => golden(`ws/${name}.json`) !== undefined)
  const recorded = events.length === 0 ? it.skip.each(ABSENT) : it.each(events)

  recorded('%s: what an agent told reaches the subscriber as the original told it', async (name) => {
    type Event = { Type: string; Obj: Record<string, unknown> }
    const recording = golden<WsRecording>(`ws/${name}.json`)!
    const told = recording.frames.flatMap(({ json }) => (json === undefined ? [] : [json as unknown as Event]))
    const events = told.filter(({ Type }) => Type !== 'SyncReply')
    const partial = /X-Update-Policy: partial/.test(recording.handshake_request)
    const target = await startServer()
    const replica = target.graph.replica('agent.refhost')
    const decode = (event: object) =>
      decodeGraphMessage(decodeTextMessage(JSON.stringify(event)), { nowMs: 1, origin: 'agent.refhost' })

    const start = told.find(({ Type }) => Type === 'SyncReply')
    if (start) {
      const snapshot = decode({ ...start, Type: 'Sync' })
      if (snapshot.kind !== 'sync') throw new Error('no snapshot')
      replica.sync(snapshot.nodes, snapshot.edges)
    } else {
      const { ID, Revision } = events[0]!.Obj
      const node = { ID, Revision: (Revision as number) - 1, Metadata: { Name: 'v', Type: 'veth', MTU: 1500 } }
      const added = decode({ Namespace: 'Graph', Type: 'NodeAdded', UUID: 'u', Status: 200, Obj: node })
      if (added.kind === 'change') replica.apply([added.change])
    }
    const client = new Client(target, '/ws/subscriber', { ...subscriber, ...(partial && { 'X-Update-Policy': 'partial' }) })
    await client.opened
    for (const event of events) {
      const decoded = decode(event)
      if (decoded.kind === 'change') expect([event.Type, replica.apply([decoded.change]).refused]).toEqual([event.Type, []])
    }
    const received = await client.next(events.length)
    const varying = { UUID: '' }
    expect(received.map((event) => ({ ...event, ...varying }))).toEqual(events.map((event) => ({ ...event, ...varying })))
    client.close()
  })
})

describe('/ws/subscriber', () => {
  it('sends nothing before it is asked but events', async () => {
    const target = await startServer()
    const client = new Client(target, '/ws/subscriber', subscriber)
    await client.opened
    writerOf(target).transaction((tx) => tx.addNode(node('a')))
    const [added] = await client.next(1)
    expect(added).toMatchObject({
      Namespace: 'Graph',
      Type: 'NodeAdded',
      Status: 200,
      Obj: { ID: 'a', Origin: 'agent.alpha', DeletedAt: null },
    })
    expect(added).not.toHaveProperty('Cursor')
    client.send(syncRequest({}))
    const [reply] = await client.next(1)
    expect(reply).toMatchObject({ Type: 'SyncReply', UUID: 'u-1', Obj: { Nodes: [{ ID: 'a' }], Edges: [] } })
  })

  it('sends operations under the partial policy, as recorded', async () => {
    const target = await startServer()
    const writer = writerOf(target)
    writer.transaction((tx) => tx.addNode(node('a')))
    const client = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Update-Policy': 'partial' })
    await client.opened
    writer.transaction((tx) => tx.patchNode('a', { MTU: 1400 }))
    const [update] = await client.next(1)
    expect(update).toMatchObject({ Type: 'NodePartiallyUpdated', Obj: { ID: 'a', Ops: [{ Type: 1, Key: 'MTU', Value: 1400 }] } })
    expect(Object.keys(update?.['Obj'] as object)).toEqual(['ID', 'UpdatedAt', 'Revision', 'Ops'])
  })

  it('speaks protobuf to whom wants it', async () => {
    const target = await startServer()
    const client = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Client-Protocol': 'protobuf' })
    await client.opened
    writerOf(target).transaction((tx) => tx.addNode(node('a')))
    const [added] = await client.next(1)
    expect(added).toMatchObject({ namespace: 'Graph', type: 'NodeAdded', body: { ID: 'a' } })
  })

  it('keeps the order of a burst', async () => {
    const target = await startServer()
    const writer = writerOf(target)
    writer.transaction((tx) => tx.addNode(node('a')))
    const client = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Update-Policy': 'partial' })
    await client.opened
    for (let i = 0; i < 500; i++) writer.transaction((tx) => tx.patchNode('a', { N: i }))
    const values = (await client.next(500)).map((message) => (message['Obj'] as { Ops: { Value: number }[] }).Ops[0]?.Value)
    expect(values).toEqual(Array.from({ length: 500 }, (_, i) => i))
  })

  it('resumes from a cursor, and says sync when it cannot', async () => {
    const target = await startServer()
    const writer = writerOf(target)
    const first = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Skydive-Cursor': 'new' })
    const [greeting] = await first.next(1)
    expect(greeting).toMatchObject({ Type: 'Resume', Obj: { Mode: 'sync' } })
    expect(await first.headers).toMatchObject({ 'x-skydive-cursor': 'sync' })
    first.send(syncRequest({}))
    const [snapshot] = await first.next(1)
    first.close()
    await first.closed
    writer.transaction((tx) => tx.addNode(node('a')))
    writer.transaction((tx) => tx.addNode(node('b')))

    const second = new Client(target, '/ws/subscriber', {
      ...subscriber,
      'X-Host-ID': 't2',
      'X-Skydive-Cursor': String(snapshot?.['Cursor']),
    })
    const received = await second.next(3)
    expect(await second.headers).toMatchObject({ 'x-skydive-cursor': 'resume' })
    expect(received.map((message) => [message['Type'], (message['Obj'] as { ID?: string }).ID])).toEqual([
      ['Resume', undefined],
      ['NodeAdded', 'a'],
      ['NodeAdded', 'b'],
    ])
    expect(received[2]?.['Cursor']).toBe(`${target.graph.cursor.epoch}:${target.graph.cursor.version}`)
  })

  it('sends a large graph in parts to whom knows them, whole to others', async () => {
    const target = await startServer()
    writerOf(target).transaction((tx) => {
      for (let i = 0; i < 2500; i++) tx.addNode(node(`n${i}`))
      for (let i = 1; i < 600; i++) tx.addEdge({ parent: 'n0', child: `n${i}`, metadata: { RelationType: 'layer2' } })
    })
    const knowing = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Skydive-Cursor': 'new' })
    await knowing.next(1)
    knowing.send(syncRequest({}))
    const sizes = (await knowing.next(4)).map(({ Obj }) => {
      const { Nodes, Edges, Part, Parts } = Obj as { Nodes: []; Edges: []; Part: number; Parts: number }
      return [Nodes.length, Edges.length, Part, Parts]
    })
    expect(sizes).toEqual([
      [1000, 0, 0, 4],
      [1000, 0, 1, 4],
      [500, 500, 2, 4],
      [0, 99, 3, 4],
    ])
    const other = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Host-ID': 't2' })
    await other.opened
    other.send(syncRequest({}))
    const [reply] = await other.next(1)
    expect(reply).toMatchObject({ Type: 'SyncReply' })
    expect((reply!['Obj'] as { Nodes: [] }).Nodes).toHaveLength(2500)
  })

  it('answers the past, with the filter of the connection, one of the request or none', async () => {
    const clock = { ms: 5_000_000_000_000, now: () => clock.ms }
    const graph = createGraph({ clock, retention: { ageMs: Number.POSITIVE_INFINITY } })
    const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
    const thenMs = clock.ms
    writer.transaction((tx) => {
      tx.addNode({ id: 'a', metadata: { Type: 'device', State: 'DOWN' } })
      tx.addNode({ id: 'gone', metadata: { Type: 'device' } })
      tx.addNode({ id: 'h', metadata: { Type: 'host' } })
    })
    clock.ms += 1000
    writer.transaction((tx) => {
      tx.patchNode('a', { State: 'UP' })
      tx.deleteNode('gone')
      tx.addNode({ id: 'b', metadata: { Type: 'device' } })
    })
    const gremlin = createGremlin({ graph, clock })
    const target = await startServer({
      graph,
      query: async (text) => {
        const { result } = await gremlin.query(text)
        return { json: () => JSON.stringify(resultToJson(result)), ...(result.kind === 'graph' && { graph: result }) }
      },
    })
    const devices = "G.V().Has('Type','device').SubGraph()"
    const client = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Gremlin-Filter': devices })
    await client.opened
    const told = async (request: object) => {
      client.send(syncRequest(request))
      const [{ Type, Status, Obj }] = (await client.next(1)) as [Record<string, unknown>]
      expect([Type, Status]).toEqual(['SyncReply', 200])
      return (Obj as { Nodes: { ID: string; Revision: number }[] }).Nodes.map(({ ID, Revision }) => `${ID} ${Revision}`)
    }
    expect(await told({})).toEqual(['a 2', 'b 1'])
    expect(await told({ Time: thenMs })).toEqual(['a 1', 'gone 1'])
    expect(await told({ Time: thenMs, GremlinFilter: "G.V().Has('Type','host').SubGraph()" })).toEqual(['h 1'])
    expect(await told({ Time: thenMs, GremlinFilter: '' })).toEqual(['a 1', 'gone 1', 'h 1'])
    // Asking for the past changes nothing; taking the filter away does, and what is asked next is answered without it.
    expect(await told({})).toEqual(['a 2', 'b 1'])
    expect(await told({ GremlinFilter: '' })).toEqual(['a 2', 'h 1', 'b 1'])
    expect(await told({})).toEqual(['a 2', 'h 1', 'b 1'])
    expect(await told({ Time: thenMs })).toEqual(['a 1', 'gone 1', 'h 1'])
    expect(await told({ GremlinFilter: devices })).toEqual(['a 2', 'b 1'])
    client.send(syncRequest({ GremlinFilter: 'G.V(' }))
    expect(await client.next(1)).toMatchObject([{ Type: 'SyncReply', Status: 400, Obj: expect.stringContaining("'G.V('") }])
    expect(await told({})).toEqual(['a 2', 'b 1'])
  })

  it.each([
    ['evaluated again', false],
    ['watched', true],
  ])('sends what a filter gains and loses, %s', async (_how, watched) => {
    const target = await startServer({ watched })
    const writer = writerOf(target)
    const client = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Gremlin-Filter': 'G' })
    await client.opened
    client.send(syncRequest({}))
    expect(await client.next(1)).toMatchObject([{ Type: 'SyncReply', Obj: { Nodes: [] } }])
    writer.transaction((tx) => tx.addNode(node('a')))
    expect(await client.next(1)).toMatchObject([{ Type: 'NodeAdded', Obj: { ID: 'a' } }])
    writer.transaction((tx) => tx.patchNode('a', { State: 'UP' }))
    expect(await client.next(1)).toMatchObject([{ Type: 'NodeUpdated', Obj: { ID: 'a', Metadata: { State: 'UP' } } }])
  })

  it('sends one batch of a watched filter in order: nodes, edges, updates', async () => {
    const target = await startServer({ watched: true })
    const writer = writerOf(target)
    writer.transaction((tx) => {
      for (const id of ['a', 'b', 'c']) tx.addNode({ id, metadata: { Type: 'device', Name: id } })
      tx.addEdge({ id: 'ab', parent: 'a', child: 'b', metadata: { RelationType: 'layer2' } })
    })
    const client = new Client(target, '/ws/subscriber', {
      ...subscriber,
      'X-Update-Policy': 'partial',
      'X-Gremlin-Filter': "G.V().Has('Type','device').SubGraph()",
    })
    await client.opened
    client.send(syncRequest({}))
    expect(await client.next(1)).toMatchObject([
      { Type: 'SyncReply', Obj: { Nodes: [{ ID: 'a' }, { ID: 'b' }, { ID: 'c' }], Edges: [{ ID: 'ab' }] } },
    ])
    writer.transaction((tx) => {
      tx.patchNode('c', { MTU: 9000, 'Features.gro': true })
      tx.deleteEdge('ab')
      tx.addNode({ id: 'd', metadata: { Type: 'device', Name: 'd' } })
      tx.addEdge({ id: 'cd', parent: 'c', child: 'd', metadata: { RelationType: 'layer2' } })
      tx.patchNode('a', { Type: 'bridge' })
    })
    expect((await client.next(5)).map(({ Type, Obj }) => [Type, (Obj as { ID: string }).ID])).toEqual([
      ['NodeAdded', 'd'],
      ['NodeDeleted', 'a'],
      ['EdgeAdded', 'cd'],
      ['EdgeDeleted', 'ab'],
      ['NodePartiallyUpdated', 'c'],
    ])
    // What the filter does not see is not told.
    writer.transaction((tx) => tx.patchNode('a', { MTU: 1280 }))
    writer.transaction((tx) => tx.deleteNode('d'))
    expect((await client.next(2)).map(({ Type, Obj }) => [Type, (Obj as { ID: string }).ID])).toEqual([
      ['NodeDeleted', 'd'],
      ['EdgeDeleted', 'cd'],
    ])
  })

  it('ends the session when a watched filter gives no graph', async () => {
    const target = await startServer({ watched: true })
    const client = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Gremlin-Filter': 'G.V().Count()' })
    expect(await client.closed).toMatchObject({ code: 1000 })
    expect(target.graph.stats().listeners).toBe(1)
  })

  it('refuses a second connection of the same host', async () => {
    const target = await startServer()
    const first = new Client(target, '/ws/subscriber', subscriber)
    await first.opened
    const refusal = await new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${target.port}/ws/subscriber`, { headers: subscriber })
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('error', () => {})
    })
    expect(refusal).toBe(409)
    expect(target.server.connections()).toMatchObject({ Subscribers: { t1: { RemoteServiceType: 'tool', IsConnected: true } } })
  })

  it('ignores what makes no sense and stays', async () => {
    const target = await startServer()
    const client = new Client(target, '/ws/subscriber', subscriber)
    await client.opened
    client.send('no envelope')
    client.send(syncRequest({}))
    expect(await client.next(1)).toMatchObject([{ Type: 'SyncReply', Status: 200 }])
  })

  it('closes with 1013 a client that does not read, and goes on for the others', async () => {
    const target = await startServer({ limits: { queuedMessages: 50, queuedBytes: 1024 * 1024 } })
    const writer = writerOf(target)
    writer.transaction((tx) => tx.addNode(node('a')))
    const slow = new Client(target, '/ws/subscriber', subscriber)
    const quick = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Host-ID': 't2', 'X-Update-Policy': 'partial' })
    await Promise.all([slow.opened, quick.opened])
    slow.pause()
    const big = 'x'.repeat(100_000)
    let written = 0
    // Full updates of 100 kB to the slow one; the kernel swallows the first megabytes.
    while ('t1' in (target.server.connections()['Subscribers'] ?? {}) && written < 2000) {
      writer.transaction((tx) => tx.patchNode('a', { Big: big + written }))
      written++
      if (written % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await quick.until(() => quick.messages.length >= written)
    expect(quick.messages).toHaveLength(written)
  }, 30_000)
})

it('captures that come and go are told', async () => {
  const target = await startServer()
  const client = new Client(target, '/ws/subscriber', subscriber)
  const graphOnly = new Client(target, '/ws/subscriber', { ...subscriber, 'X-Host-ID': 't2', 'X-Websocket-Namespace': 'Graph' })
  await Promise.all([client.opened, graphOnly.opened])
  const body = JSON.stringify({ GremlinQuery: 'G.V()' })
  const created = await exchange(target.port, 'POST', '/api/capture', {}, body)
  const { UUID } = JSON.parse(created.body)
  await exchange(target.port, 'DELETE', `/api/capture/${UUID}`)
  expect(await client.next(2)).toMatchObject([
    { Namespace: 'OnDemandCaptureNotification', Type: 'Added', Obj: { UUID, GremlinQuery: 'G.V()' } },
    { Namespace: 'OnDemandCaptureNotification', Type: 'Deleted', Obj: { UUID } },
  ])
  expect(graphOnly.messages).toEqual([])
})

describe('/ws/subscriber/flow', () => {
  it('sends flows by namespace', async () => {
    const listeners: ((flows: never[]) => void)[] = []
    const target = await startServer({
      flows: {
        subscribe(listener) {
          listeners.push(listener as never)
          return () => {}
        },
      },
    })
    const all = new Client(target, '/ws/subscriber/flow', subscriber)
    const one = new Client(target, '/ws/subscriber/flow?x-websocket-namespace=flow/c1', { ...subscriber, 'X-Host-ID': 't2' })
    await Promise.all([all.opened, one.opened])
    const flow = (UUID: string, CaptureID: string) => ({ flow: { UUID, CaptureID, LastRawPackets: [1] }, places: {} })
    for (const listener of listeners) listener([flow('f1', 'c1'), flow('f2', 'c2')] as never[])
    expect(await all.next(1)).toMatchObject([
      {
        Namespace: 'flow',
        Type: 'store',
        Obj: [
          { UUID: 'f1', CaptureID: 'c1' },
          { UUID: 'f2', CaptureID: 'c2' },
        ],
      },
    ])
    expect((await one.next(1))[0]).toMatchObject({ Namespace: 'flow/c1', Obj: [{ UUID: 'f1', CaptureID: 'c1' }] })
  })

  describe('in a way of its own', () => {
    const flow = (UUID: string, Application: string): EnhancedFlow => ({
      flow: { UUID, Application, CaptureID: 'c1', Start: 1, Last: 2, ParentUUID: '', RawPacketsCaptured: 0 },
      places: {},
    })
    const flows = [flow('f1', 'DNS'), flow('f2', 'TCP'), flow('f3', 'DNS')]

    /** A server whose flows are told by `publish`, and a clock that stands still. */
    async function startFeed() {
      const listeners: ((flows: readonly EnhancedFlow[]) => void)[] = []
      const told: ((stats: object) => void)[] = []
      const clock = {
        nowMs: 1_000_000,
        now: () => clock.nowMs,
        setTimeout: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
        clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
      }
      const target = await startServer({
        clock,
        flows: {
          subscribe(listener) {
            listeners.push(listener)
            return () => {}
          },
          subscribeStats(listener) {
            told.push(listener)
            return () => {}
          },
          selector: async (gremlin) => {
            const [, application] = /^G\.Flows\(\)\.Has\('Application','(\w+)'\)$/.exec(gremlin) ?? []
            if (application === undefined) throw new InvalidArgumentError(`the filter ${gremlin} makes no sense`)
            return (item) => item.flow.Application === application
          },
        },
      })
      const publish = (items: readonly EnhancedFlow[]) => {
        for (const listener of listeners) listener(items)
      }
      const connect = async (headers: Record<string, string>) => {
        const client = new Client(target, '/ws/subscriber/flow', { ...subscriber, ...headers })
        await client.opened
        // The filter of a connection is there before anything that comes after this answer.
        for (const listener of told) listener({ round: 0 })
        while (client.messages.length === 0) {
          await new Promise((resolve) => setImmediate(resolve))
          for (const listener of told) listener({ round: 0 })
        }
        await client.until(() => client.messages.length > 0)
        await new Promise((resolve) => setImmediate(resolve))
        return client
      }
      const received = async (client: Client, count: number) => {
        const found = () => client.messages.filter(({ Namespace, namespace }) => (Namespace ?? namespace) === 'flow')
        await client.until(() => found().length >= count)
        return found()
      }
      return { target, clock, publish, connect, received }
    }

    it.each<[string, Record<string, string>, object[]]>([
      ['a filter', { 'X-Gremlin-Filter': "G.Flows().Has('Application','DNS')" }, [flows[0]!.flow, flows[2]!.flow]],
      ['fields', { 'X-Skydive-Flow-Fields': 'UUID,Last' }, flows.map(({ flow: { UUID, Last } }) => ({ UUID, Last }))],
      [
        'both',
        { 'X-Gremlin-Filter': "G.Flows().Has('Application','TCP')", 'X-Skydive-Flow-Fields': 'Application' },
        [{ Application: 'TCP' }],
      ],
    ])('%s', async (_title, headers, expected) => {
      const { publish, connect, received } = await startFeed()
      const client = await connect(headers)
      publish(flows)
      expect(await received(client, 1)).toMatchObject([{ Namespace: 'flow', Type: 'store', Obj: expected }])
      client.close()
    })

    it('no more than so many a second; what is dropped is counted and told', async () => {
      const { clock, publish, connect, received } = await startFeed()
      const client = await connect({ 'X-Skydive-Flow-Rate': '2', 'X-Skydive-Flow-Fields': 'UUID' })
      publish(flows)
      publish(flows)
      clock.nowMs += 500
      publish(flows)
      const messages = await received(client, 3)
      expect(messages.map(({ Type, Obj }) => [Type, Obj])).toEqual([
        ['store', [{ UUID: 'f1' }, { UUID: 'f2' }]],
        ['store', [{ UUID: 'f1' }]],
        ['dropped', { Flows: 6, Total: 6 }],
      ])
      client.close()
    })

    it('protobuf inside the envelope', async () => {
      const { publish, connect, received } = await startFeed()
      const client = await connect({ 'X-Client-Protocol': 'protobuf', 'X-Skydive-Flow-Format': 'protobuf' })
      publish(flows)
      const [message] = (await received(client, 1)) as { bytes: Uint8Array }[]
      expect(decodeFlowMessage(message!.bytes).Flows.map(({ UUID, Application }) => [UUID, Application])).toEqual([
        ['f1', 'DNS'],
        ['f2', 'TCP'],
        ['f3', 'DNS'],
      ])
      client.close()
    })

    it.each<[string, Record<string, string>, string]>([
      ['a filter', { 'X-Gremlin-Filter': 'G.V()' }, 'the filter G.V() makes no sense'],
      ['a member', { 'X-Skydive-Flow-Fields': 'UUID,Metrics,Network' }, 'X-Skydive-Flow-Fields: flows have no member "Metrics"'],
      [
        'a member of a member',
        { 'X-Skydive-Flow-Fields': 'Metric.RTT' },
        'X-Skydive-Flow-Fields: flows have no member "Metric.RTT"',
      ],
      [
        'what every object has',
        { 'X-Skydive-Flow-Fields': 'toString' },
        'X-Skydive-Flow-Fields: flows have no member "toString"',
      ],
      ['a rate', { 'X-Skydive-Flow-Rate': 'fast' }, 'X-Skydive-Flow-Rate "fast" is no number of flows a second: give 1 or more'],
      ['a format', { 'X-Skydive-Flow-Format': 'csv' }, 'unknown format of flows "csv": use json or protobuf'],
      [
        'a format without its protocol',
        { 'X-Skydive-Flow-Format': 'protobuf' },
        'flows as protobuf need the client protocol protobuf: send the header X-Client-Protocol',
      ],
      [
        'a rate too long to be told, of letters of two bytes',
        { 'X-Skydive-Flow-Rate': '\u00e9'.repeat(200) },
        `X-Skydive-Flow-Rate "${'\u00e9'.repeat(51)}`,
      ],
    ])('%s that makes no sense ends the connection and says why', async (_title, headers, reason) => {
      const { target } = await startFeed()
      const client = new Client(target, '/ws/subscriber/flow', { ...subscriber, ...headers })
      expect(await client.closed).toEqual({ code: 1008, reason })
    })
  })
})
