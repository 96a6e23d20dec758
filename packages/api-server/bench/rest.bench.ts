import { Worker } from 'node:worker_threads'
import { createGraph, type Graph } from '@skydive/graph'
import { createGremlin, resultToJson } from '@skydive/gremlin-dsl'
import type { Figure } from '../../../bench/figures.ts'
import { createApiServer } from '../src/index.ts'

/** The original's figures were recorded on the same kind of machine, at 2,016 nodes (the recordings' README). */
const PEER = 'the original, recorded'
const RECORDED_COUNT = 3384
const RECORDED_HAS_NAME = 1245

const WARM_REQUESTS = 3000
const REQUESTS = 10_000

/** One keep-alive connection, one request after the other, as a script would; in a thread of its own, so that it costs the server nothing. */
const CLIENT = `
const { connect } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
const { port, query, warm, count } = workerData
const body = JSON.stringify({ GremlinQuery: query })
const request = Buffer.from('POST /api/topology HTTP/1.1\\r\\nHost: 127.0.0.1:' + port + '\\r\\nContent-Type: application/json\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n' + body)
const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(request))
let done = 0
let started = 0n
let pending = Buffer.alloc(0)
socket.on('data', (chunk) => {
  pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
  const end = pending.indexOf('\\r\\n\\r\\n')
  if (end < 0) return
  const head = pending.toString('latin1', 0, end)
  const length = Number(/content-length: (\\d+)/i.exec(head)[1])
  if (pending.length < end + 4 + length) return
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(pending.toString())
  pending = Buffer.alloc(0)
  done++
  if (done === warm) started = process.hrtime.bigint()
  if (done === warm + count) {
    parentPort.postMessage(Number(process.hrtime.bigint() - started) / 1e9)
    socket.end()
  } else socket.write(request)
})
`

function measure(port: number, query: string): Promise<number> {
  const worker = new Worker(CLIENT, { eval: true, workerData: { port, query, warm: WARM_REQUESTS, count: REQUESTS } })
  return new Promise((resolve, reject) => {
    worker.once('message', (seconds: number) => resolve(REQUESTS / seconds))
    worker.once('error', reject)
  })
}

function fill(graph: Graph, nodes: number): void {
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    for (let i = 0; i < nodes; i++) {
      tx.addNode({
        id: `n${i}`,
        metadata: {
          Name: `eth${i}`,
          Type: 'veth',
          MAC: `02:00:00:00:${(i >> 8) & 255}:${i & 255}`,
          MTU: 1500,
          State: 'UP',
          LinkFlags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'],
          Metric: { RxBytes: i, RxPackets: i, TxBytes: i, TxPackets: i, Start: 1, Last: 2 },
        },
      })
    }
  })
}

async function measureAt(nodes: number): Promise<Figure[]> {
  const graph = createGraph()
  fill(graph, nodes)
  const gremlin = createGremlin({ graph })
  const server = createApiServer({
    service: 'analyzer',
    hostId: 'bench',
    version: '0',
    listen: { host: '127.0.0.1', port: 0 },
    graph,
    query: async (text, options) => {
      const { result } = await gremlin.query(text, options)
      return { json: () => JSON.stringify(resultToJson(result)) }
    },
    status: () => ({}),
  })
  const { port } = await server.start()
  try {
    const count = await measure(port, 'G.V().Count()')
    const hasName = await measure(port, `G.V().Has('Name','eth${nodes >> 1}')`)
    return [
      figure(`REST Count(), ${nodes} nodes`, count, RECORDED_COUNT),
      figure(`REST Has('Name',x), ${nodes} nodes`, hasName, RECORDED_HAS_NAME),
    ]
  } finally {
    await server.stop()
  }
}

function figure(name: string, value: number, peerValue: number): Figure {
  return {
    name,
    value: Math.round(value),
    unit: 'queries/s',
    peer: PEER,
    peerValue,
    ratio: Number((value / peerValue).toFixed(2)),
  }
}

/** Queries a second over one connection. */
export const bench = {
  name: 'rest',
  run: async (): Promise<Figure[]> => [...(await measureAt(2016)), ...(await measureAt(100_000))],
}
