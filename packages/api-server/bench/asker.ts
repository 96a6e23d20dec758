import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** One keep-alive connection, one request after the other, as a script would; in a thread of its own, so that it costs the server nothing. */
const PROGRAM = `
const { connect } = require('node:net')
const { parentPort } = require('node:worker_threads')
parentPort.on('message', ({ port, queries, count }) => {
  const requests = queries.map((query) => {
    const body = JSON.stringify({ GremlinQuery: query })
    return Buffer.from('POST /api/topology HTTP/1.1\\r\\nHost: 127.0.0.1:' + port + '\\r\\nContent-Type: application/json\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n' + body)
  })
  const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(requests[0]))
  const startedAt = performance.now()
  let done = 0
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
    if (++done < count) return socket.write(requests[done % requests.length])
    parentPort.postMessage((performance.now() - startedAt) / 1000)
    socket.end()
  })
})
`

/** Asks a server in this process. */
export interface Asker {
  /** Asks some queries in turn, `count` times in all; answers the seconds that it took. One call at a time. */
  ask(port: number, queries: readonly string[], count: number): Promise<number>
  close(): Promise<unknown>
}

/** Starts the thread. */
export function createAsker(): Asker {
  const worker = new Worker(PROGRAM, { eval: true })
  return {
    async ask(port, queries, count) {
      const answered = once(worker, 'message')
      worker.postMessage({ port, queries, count })
      const [seconds] = await answered
      return seconds as number
    },
    close: () => worker.terminate(),
  }
}
