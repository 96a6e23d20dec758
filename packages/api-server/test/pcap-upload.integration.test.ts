// Capture files as they are uploaded, from the socket to the flows that the store is given.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Flow, UnavailableError } from '@skydive/contracts'
import { encodePcap, encodePcapng, type LinkedPacket } from '@skydive/packet'
import { createPcapImport } from '../../flow-pipeline/src/index.ts'
import { exchange, startServer, stopServers, type TestServer } from './harness.ts'

const T0 = 1_700_000_000_000

/** An IPv4 datagram of UDP from 10.0.0.1, with or without an Ethernet header. */
function datagram(port: number, hasLink = true): Uint8Array {
  const ip = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, port >> 8, port & 255, 0, 7, 0, 8, 0, 0]
  return Uint8Array.from(hasLink ? [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, ...ip] : ip)
}
const PCAP = encodePcap([1001, 1002, 1001].map((port, i) => ({ timeMs: T0 + i, data: datagram(port) })))
const told = (flows: readonly Flow[]) =>
  flows.map(({ LayersPath, Transport, Metric, Start, Last }) => [
    LayersPath,
    Transport?.A,
    Metric?.ABPackets,
    Start - T0,
    Last - T0,
  ])
const FLOWS_OF_PCAP = [
  ['Ethernet/IPv4/UDP', 1001, 2, 0, 2],
  ['Ethernet/IPv4/UDP', 1002, 1, 1, 1],
]

const kept: Flow[] = []
/** What the store says to the next flows. */
let refusal: Error | undefined
/** Called when an import has given up or is over. */
let over: (result: string) => void = () => {}
let server: TestServer

beforeAll(async () => {
  const take = createPcapImport({
    pipeline: {
      async importFlows(flows) {
        if (refusal) throw refusal
        kept.push(...flows)
      },
    },
  })
  server = await startServer({
    importPcap: (bytes, options) =>
      take(bytes, options).then(
        () => over('done'),
        (error: { code?: string }) => {
          over(error.code ?? String(error))
          throw error
        },
      ),
  })
})
beforeEach(() => {
  kept.length = 0
  refusal = undefined
  over = () => {}
})
afterAll(stopServers)

const upload = (body: Uint8Array, headers: Record<string, string> = {}) =>
  exchange(server.port, 'POST', '/api/pcap', headers, body)

/** An upload that goes on when it is told to. */
function slowUpload() {
  const options = { host: '127.0.0.1', port: server.port, method: 'POST', path: '/api/pcap', agent: false }
  const request = httpRequest({ ...options, headers: { 'Transfer-Encoding': 'chunked' } })
  request.on('error', () => {})
  const answer = once(request, 'response').then(async ([response]) => {
    response.resume()
    await once(response, 'end')
    return response.statusCode as number
  })
  return { request, answer, send: (bytes: Uint8Array) => new Promise<void>((resolve) => request.write(bytes, () => resolve())) }
}

test.each([
  ['none', {}],
  ['application/octet-stream', { 'Content-Type': 'application/octet-stream' }],
  ['application/json, which it is not', { 'Content-Type': 'application/json' }],
  ['text/plain', { 'Content-Type': 'text/plain' }],
])('a pcap file of content type %s: 202 with an empty body', async (_title, headers) => {
  const { status, body, headers: answered } = await upload(PCAP, headers)
  expect([status, body, answered['content-type'], answered['content-length']]).toEqual([
    202,
    '',
    'application/json; charset=UTF-8',
    '0',
  ])
  expect(told(kept)).toEqual(FLOWS_OF_PCAP)
})

test.each([
  ['nothing', new Uint8Array(0), /^the capture file is empty/],
  ['a file that is none', new TextEncoder().encode('GET / HTTP/1.1'), /^not a pcap or pcapng file/],
  ['a file that is cut', PCAP.subarray(0, PCAP.length - 5), /^the capture file is cut/],
])('%s: 400 with the reason, and no flow', async (_title, bytes, words) => {
  const text = await upload(bytes)
  expect([text.status, text.body, text.headers['content-type']]).toEqual([
    400,
    expect.stringMatching(words),
    'text/plain; charset=utf-8',
  ])
  const object = await upload(bytes, { Accept: 'application/json' })
  expect([object.status, JSON.parse(object.body)]).toEqual([
    400,
    { Code: 'ERR_DECODE', Message: expect.stringMatching(words), Status: 400, Fields: expect.any(Object) },
  ])
  expect(kept).toEqual([])
})

describe('a pcapng file', () => {
  test('of several interfaces and link types gives the flows of all, with their times', async () => {
    const packets: LinkedPacket[] = [
      { timeMs: T0 + 5, linkType: 1, data: datagram(1001) },
      { timeMs: T0 + 7.25, linkType: 101, data: datagram(1002, false) },
      { timeMs: T0 + 9, linkType: 1, data: datagram(1001) },
      { timeMs: T0 + 11, linkType: 228, data: datagram(1003, false) },
    ]
    expect((await upload(encodePcapng(packets))).status).toBe(202)
    expect(told(kept)).toEqual([
      ['Ethernet/IPv4/UDP', 1001, 2, 5, 9],
      ['IPv4/UDP', 1002, 1, 7, 7],
      ['IPv4/UDP', 1003, 1, 11, 11],
    ])
  })

  test.each<[title: string, option: readonly number[], units: number, afterMs: number]>([
    ['nanoseconds', [9, 0, 1, 0, 9, 0, 0, 0], (T0 + 3) * 1e6, 3],
    ['milliseconds', [9, 0, 1, 0, 3, 0, 0, 0], T0 + 3, 3],
    ['1/1024 s', [9, 0, 1, 0, 0x8a, 0, 0, 0], (T0 / 1000) * 1024 + 512, 500],
    // The offset is in whole seconds.
    ['µs since an hour later', [14, 0, 8, 0, 0x10, 0x0e, 0, 0, 0, 0, 0, 0], (T0 + 3 - 3_600_000) * 1000, 3],
  ])('whose times are in %s', async (_title, option, units, afterMs) => {
    const plain = encodePcapng([{ timeMs: 0, linkType: 1, data: datagram(1001) }])
    // The description of the interface lies behind the section's 28 bytes and has no option yet.
    const [section, packet] = [plain.subarray(0, 28), plain.slice(48)]
    const description = new Uint8Array(20 + option.length)
    description.set(plain.subarray(28, 44))
    description.set(option, 16)
    new DataView(description.buffer).setUint32(4, description.length, true)
    new DataView(description.buffer).setUint32(description.length - 4, description.length, true)
    const view = new DataView(packet.buffer)
    view.setUint32(12, Number(BigInt(units) >> 32n), true)
    view.setUint32(16, Number(BigInt(units) & 0xffff_ffffn), true)
    expect((await upload(Buffer.concat([section, description, packet]))).status).toBe(202)
    expect(told(kept)).toEqual([['Ethernet/IPv4/UDP', 1001, 1, afterMs, afterMs]])
  })
})

test('two uploads at once are two files', async () => {
  const [one, other] = [slowUpload(), slowUpload()]
  const third = encodePcap([{ timeMs: T0 + 40, data: datagram(1003) }])
  for (let at = 0; at < PCAP.length; at += 30) {
    await one.send(PCAP.subarray(at, at + 30))
    await other.send(third.subarray(at, at + 30))
  }
  other.request.end()
  expect([await other.answer, told(kept)]).toEqual([202, [['Ethernet/IPv4/UDP', 1003, 1, 40, 40]]])
  one.request.end()
  expect([await one.answer, told(kept.slice(1))]).toEqual([202, FLOWS_OF_PCAP])
})

test('an upload that is broken off leaves no flow, and its place is free again', async () => {
  for (let i = 0; i < 6; i++) {
    const result = new Promise<string>((resolve) => {
      over = resolve
    })
    const { request, answer, send } = slowUpload()
    answer.catch(() => {})
    await send(PCAP.subarray(0, 60))
    request.destroy()
    expect(await result).toBe('ERR_CANCELLED')
  }
  expect(kept).toEqual([])
  expect((await upload(PCAP)).status).toBe(202)
})

test('a store that has no room: 503 with the reason', async () => {
  refusal = new UnavailableError('the store did not take 2 of 2 flows: disk full', { retryable: true })
  const { status, body } = await upload(PCAP)
  expect([status, body]).toEqual([503, 'the store did not take 2 of 2 flows: disk full\n'])
  refusal = undefined
  expect((await upload(PCAP)).status).toBe(202)
})
