import { Worker } from 'node:worker_threads'
import { createGraph } from '@skydive/graph'
import { encodeGraphEvent } from '@skydive/protocol'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Figure } from '../../../bench/figures.ts'
import { createApiServer } from '../src/index.ts'

const SUBSCRIBERS = 100
const UPDATES = 4000
/** Updates of one turn of the loop: a busy graph. */
const BURST = 20

/** Clients that only look for the last update in what comes; they run in a thread of their own. */
const CLIENTS = `
const { connect } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
const { port, path, subscribers, last } = workerData
let open = 0
let left = subscribers
for (let i = 0; i < subscribers; i++) {
  const socket = connect(port, '127.0.0.1', () => socket.write('GET ' + path + '?x-client-type=bench&x-update-policy=partial&x-host-id=b' + i + ' HTTP/1.1\\r\\nHost: localhost\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n'))
  let started = false
  let tail = ''
  socket.on('data', (chunk) => {
    if (!started) {
      started = true
      if (++open === subscribers) parentPort.postMessage('open')
      return
    }
    const text = tail + chunk.toString('latin1', Math.max(0, chunk.length - 400))
    tail = text.slice(-400)
    if (text.includes(last) && --left === 0) parentPort.postMessage('done')
  })
}
parentPort.on('message', () => process.exit())
`

async function deliver(port: number, path: string, emit: () => Promise<void>): Promise<number> {
  const worker = new Worker(CLIENTS, {
    eval: true,
    workerData: { port, path, subscribers: SUBSCRIBERS, last: `"Value":${UPDATES - 1}}` },
  })
  const next = () => new Promise<void>((resolve) => worker.once('message', () => resolve()))
  await next()
  const started = process.hrtime.bigint()
  const done = next()
  await emit()
  await done
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  await worker.terminate()
  return (SUBSCRIBERS * UPDATES) / seconds
}

function source() {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => tx.addNode({ id: 'n', metadata: { Name: 'n', Type: 'veth' } }))
  let tick = 0
  const emit = async () => {
    for (let sent = 0; sent < UPDATES; sent += BURST) {
      for (let i = 0; i < BURST; i++) writer.transaction((tx) => tx.patchNode('n', { Tick: tick++, MAC: '02:00:00:00:00:01' }))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { graph, emit }
}

async function ours(): Promise<number> {
  const { graph, emit } = source()
  const server = createApiServer({
    service: 'analyzer',
    hostId: 'bench',
    version: '0',
    listen: { host: '127.0.0.1', port: 0 },
    graph,
    query: async () => ({ json: () => '[]' }),
    status: () => ({}),
    limits: { queuedMessages: UPDATES },
  })
  const { port } = await server.start()
  const rate = await deliver(port, '/ws/subscriber', emit)
  await server.stop()
  return rate
}

/** What the library alone does: the message is serialised and framed for every client. */
async function library(): Promise<number> {
  const { graph, emit } = source()
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  const clients = new Set<WebSocket>()
  server.on('connection', (socket) => {
    clients.add(socket)
    socket.ping()
  })
  graph.subscribe((batch) => {
    for (const event of batch.events) {
      const { type, body } = encodeGraphEvent(event, 'partial')
      for (const client of clients) {
        client.send(JSON.stringify({ Namespace: 'Graph', Type: type, UUID: crypto.randomUUID(), Status: 200, Obj: body }))
      }
    }
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const rate = await deliver((server.address() as { port: number }).port, '/', emit)
  for (const client of clients) client.terminate()
  await new Promise((resolve) => server.close(resolve))
  return rate
}

/** Deliveries a second of partial updates to 100 subscribers, 20 updates a turn of the loop. */
export const bench = {
  name: 'fanout',
  async run(): Promise<Figure[]> {
    const value = Math.round(await ours())
    const peerValue = Math.round(await library())
    return [
      {
        name: `${SUBSCRIBERS} subscribers, bursts of ${BURST}`,
        value,
        unit: 'deliveries/s',
        peer: 'ws.send of JSON.stringify per subscriber',
        peerValue,
        ratio: Number((value / peerValue).toFixed(2)),
      },
    ]
  },
}
