import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import type { Clock, Logger } from '@skydive/contracts'
import { HEADER } from '@skydive/protocol'
import { WebSocketServer } from 'ws'
import { LinkSocket } from '../src/link-socket.ts'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A link whose pauses are over at once, each taking a minute of its clock, and what it logs. `attempt` resolves when so many were made. */
function link(url: string) {
  const lines: string[] = []
  let nowMs = 0
  let attempts = 0
  let waiting: (readonly [number, () => void])[] = []
  const logger = {
    info: ({ attempts, reason }: Record<string, unknown>, text: string) =>
      void lines.push(`${nowMs / 60_000} min: ${text}, ${attempts}, ${reason}`),
  } as unknown as Logger
  const clock: Clock = {
    now: () => nowMs,
    setTimeout(callback, ms) {
      // The watch over an open link.
      if (ms >= 3000 && socket.isOpen) return undefined
      return setImmediate(() => {
        nowMs += 60_000
        callback()
      })
    },
    clearTimeout: (timer) => clearImmediate(timer as NodeJS.Immediate),
  } as Clock
  const socket = new LinkSocket({
    url,
    framing: 'json',
    headers() {
      attempts++
      waiting = waiting.filter(([wanted, resolve]) => wanted > attempts || void resolve())
      return {}
    },
    onOpen() {},
    onMessage() {},
    onClose() {},
    clock,
    logger,
  })
  cleanups.push(() => socket.stop())
  const attempt = (wanted: number) => new Promise<void>((resolve) => waiting.push([wanted, resolve]))
  return { socket, lines, attempt }
}

/** A port at which nobody listens any more. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('an analyzer that is away is told once, then once in five minutes', async () => {
  const port = await freePort()
  const { socket, lines, attempt } = link(`ws://127.0.0.1:${port}/`)
  socket.start()
  await attempt(14)
  const refused = `connect ECONNREFUSED 127.0.0.1:${port}`
  expect(lines).toEqual([
    `0 min: link not made, 1, ${refused}`,
    `5 min: link not made, 5, ${refused}`,
    `10 min: link not made, 5, ${refused}`,
  ])
})

/** An analyzer that answers one attempt after the other by these statuses; of 101 the line is made, and broken at once. */
async function analyzer(...statuses: readonly number[]): Promise<number> {
  const left = [...statuses]
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('headers', (headers) => void headers.push(`${HEADER.hostId}: an1`, `${HEADER.serviceType}: analyzer`))
  const server = createHttpServer()
  server.on('upgrade', (request, socket, head) => {
    const status = left.shift() ?? 503
    if (status === 101) sockets.handleUpgrade(request, socket, head, (webSocket) => webSocket.close(1001, 'away'))
    else socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => void server.close())
  return (server.address() as AddressInfo).port
}

test('another reason is news, and so is a failure after the line was there', async () => {
  const port = await analyzer(503, 503, 401, 503, 101, 503, 503)
  const { socket, lines, attempt } = link(`ws://127.0.0.1:${port}/`)
  socket.start()
  await attempt(8)
  expect(lines).toEqual([
    '0 min: link not made, 1, Unexpected server response: 503',
    '2 min: link not made, 2, Unexpected server response: 401',
    '4 min: link lost, undefined, away',
    '5 min: link not made, 1, Unexpected server response: 503',
  ])
})
