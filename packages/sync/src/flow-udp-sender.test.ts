import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from '@jest/globals'
import { decodeFlowJson, decodeFlowMessage, encodeFlowMessage } from '@skydive/protocol/flow'
import { createFlowUdpReceiver } from './flow-udp-receiver.ts'
import { createFlowUdpSender, type FlowUdpSenderOptions } from './flow-udp-sender.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const flow = (UUID: string) => decodeFlowJson({ UUID, LayersPath: 'Ethernet', Start: 1000, Last: 2000 })
const message = (...ids: string[]) => encodeFlowMessage({ Flows: ids.map(flow) })
const Stats = { CaptureID: 'c', FlowCount: 1, FlowDropped: 0, KernelFlowDropped: 0, PacketsDropped: 0, PacketsReceived: 5 }

/** Counters by name, and what the log was told. */
function observer() {
  const counters: Record<string, number> = {}
  const told: string[] = []
  const logger = {
    debug() {},
    info() {},
    error() {},
    warn: (fields: object, text: string) => told.push(`${text}: ${(fields as { reason: string }).reason}`),
    child: () => logger,
  }
  const counter = (name: string) => ({ add: (value: number) => void (counters[name] = (counters[name] ?? 0) + value) })
  return { counters, told, options: { logger, metrics: { counter, gauge: () => ({ set() {}, remove() {} }) } } }
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return port
}

/** A receiver on a free port; `next(n)` resolves with the first n datagrams, as messages. */
async function listen() {
  const port = await freePort()
  const got: ReturnType<typeof decodeFlowMessage>[] = []
  const waiting: { count: number; resolve(messages: typeof got): void }[] = []
  const receiver = createFlowUdpReceiver({
    host: '127.0.0.1',
    port,
    onBatch({ payload }) {
      got.push(decodeFlowMessage(payload))
      for (const { count, resolve } of waiting) if (got.length >= count) resolve(got)
    },
  })
  await receiver.start()
  cleanups.push(() => receiver.stop())
  const next = (count: number) =>
    new Promise<typeof got>((resolve) => (got.length >= count ? resolve(got) : waiting.push({ count, resolve })))
  return { port, next }
}

async function sender(options: FlowUdpSenderOptions = {}) {
  const link = createFlowUdpSender(options)
  await link.start()
  cleanups.push(() => link.stop())
  return link
}

describe('createFlowUdpSender', () => {
  it('a datagram for each flow, and one for statistics', async () => {
    const { counters, told, options } = observer()
    const receiver = await listen()
    const link = await sender(options)
    link.setAnalyzer({ host: '127.0.0.1', port: receiver.port })
    link.send(encodeFlowMessage({ Flows: [flow('a'), flow('b')], Stats }), 2)
    expect(await receiver.next(3)).toEqual([{ Flows: [flow('a')] }, { Flows: [flow('b')] }, { Flows: [], Stats }])
    expect([link.status(), counters, told]).toEqual([
      { waitingBatches: 0, waitingBytes: 0, droppedFlows: 0 },
      { skydive_flow_datagrams_sent_total: 3 },
      [],
    ])
  })

  it('what comes before there is an analyzer waits, and what comes after another one is chosen goes there', async () => {
    const [first, second] = [await listen(), await listen()]
    const link = await sender()
    link.send(message('a'), 1)
    expect(link.status()).toMatchObject({ waitingBatches: 1, waitingBytes: message('a').length })
    link.setAnalyzer({ host: '127.0.0.1', port: first.port })
    expect(await first.next(1)).toEqual([{ Flows: [flow('a')] }])
    link.setAnalyzer({ host: '127.0.0.1', port: second.port })
    link.send(message('b'), 1)
    expect(await second.next(1)).toEqual([{ Flows: [flow('b')] }])
    expect(await first.next(1)).toHaveLength(1)
  })

  it('more than the buffer holds: the oldest go, and are counted', async () => {
    const { counters, told, options } = observer()
    const bytes = message('a').length
    const link = await sender({ ...options, bufferBytes: 2 * bytes })
    link.send(message('a', 'b', 'c'), 3)
    expect(link.status()).toEqual({ waitingBatches: 2, waitingBytes: 2 * bytes, droppedFlows: 1 })
    expect(counters).toEqual({ skydive_flow_link_dropped_total: 1 })
    expect(told).toEqual(['flows by UDP are lost: no analyzer took them in time'])
    const receiver = await listen()
    link.setAnalyzer({ host: '127.0.0.1', port: receiver.port })
    expect(await receiver.next(2)).toEqual([{ Flows: [flow('b')] }, { Flows: [flow('c')] }])
  })

  it.each([
    ['exactly as large', 0, ['a', 'long'], 0],
    ['a byte larger', -1, ['a'], 1],
  ])('a flow that is %s than a datagram may be', async (_title, extra, arrived, droppedFlows) => {
    const long = flow('long'.padEnd(500, '-'))
    const limit = encodeFlowMessage({ Flows: [long] }).length
    const receiver = await listen()
    const link = await sender({ maxDatagramBytes: limit + extra })
    link.setAnalyzer({ host: '127.0.0.1', port: receiver.port })
    link.send(encodeFlowMessage({ Flows: [flow('a'), long] }), 2)
    const got = await receiver.next(arrived.length)
    expect(got.map(({ Flows }) => Flows[0]!.UUID.replace(/-+$/, ''))).toEqual(arrived)
    expect(link.status()).toEqual({ waitingBatches: 0, waitingBytes: 0, droppedFlows })
  })

  it('what the sockets of the kernel hold is not left out: a thousand flows arrive in order', async () => {
    const receiver = await listen()
    const link = await sender()
    link.setAnalyzer({ host: '127.0.0.1', port: receiver.port })
    const ids = Array.from({ length: 1000 }, (_, i) => `f${i}`)
    for (let at = 0; at < ids.length; at += 100) {
      link.send(message(...ids.slice(at, at + 100)), 100)
      await receiver.next(at + 100)
    }
    expect((await receiver.next(1000)).map(({ Flows }) => Flows[0]!.UUID)).toEqual(ids)
  })

  it('a port where nobody listens loses flows, which is told once and counted', async () => {
    const { told, counters, options } = observer()
    const port = await freePort()
    const refused = new Promise<void>((resolve) => {
      const { warn } = options.logger
      options.logger.warn = (fields, text) => {
        resolve()
        return warn(fields, text)
      }
    })
    const link = await sender(options)
    link.setAnalyzer({ host: '127.0.0.1', port })
    link.send(message('a', 'b', 'c'), 3)
    await refused
    expect(told).toEqual([expect.stringContaining('flows by UDP are lost: ')])
    expect(counters['skydive_flow_datagrams_sent_total'] ?? 0).toBeLessThanOrEqual(3)
  })

  it('bytes that are no message are counted, not sent', async () => {
    const link = await sender()
    link.send(Uint8Array.of(0x0a, 0x7f), 4)
    expect(link.status()).toEqual({ waitingBatches: 0, waitingBytes: 0, droppedFlows: 4 })
  })

  it('after stop nothing is sent', async () => {
    const receiver = await listen()
    const link = await sender()
    link.setAnalyzer({ host: '127.0.0.1', port: receiver.port })
    link.send(message('a'), 1)
    await receiver.next(1)
    await link.stop()
    link.send(message('b'), 1)
    expect(link.status()).toMatchObject({ waitingBatches: 1 })
    await link.start()
    expect(await receiver.next(2)).toEqual([{ Flows: [flow('a')] }, { Flows: [flow('b')] }])
  })
})
