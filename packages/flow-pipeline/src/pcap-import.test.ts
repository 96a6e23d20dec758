import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, encodePcapng } from '@skydive/packet'
import { createPcapImport } from './index.ts'

function frame(port: number): Uint8Array {
  const bytes = new Uint8Array(60)
  bytes.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
  new DataView(bytes.buffer).setUint16(34, port)
  new DataView(bytes.buffer).setUint16(36, 7)
  return bytes
}

const PCAP = encodePcap([1001, 1002, 1001].map((port, i) => ({ timeMs: 1_700_000_000_000 + i, data: frame(port) })))
const text = (value: string) => new TextEncoder().encode(value)

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function target(maxFlows?: number, layerKeyMode?: 'L2' | 'L3') {
  const kept: Flow[] = []
  const take = createPcapImport({
    pipeline: { importFlows: async (flows) => void kept.push(...flows) },
    ...(maxFlows !== undefined && { maxFlows }),
    ...(layerKeyMode && { layerKeyMode }),
  })
  return { kept, take }
}

const quiet = () => ({ signal: new AbortController().signal })

describe('createPcapImport', () => {
  test.each([1, 7, 100, 4096])(
    'a whole file in pieces of %d bytes becomes its flows, with their own times and no node',
    async (size) => {
      const { kept, take } = target()
      await take(pieces(PCAP, size), quiet())
      expect(
        kept.map(({ Transport, Metric, Start, Last, FinishType, NodeTID, CaptureID }) => [
          Transport?.A,
          Metric?.ABPackets,
          Start,
          Last,
          FinishType,
          NodeTID,
          CaptureID,
        ]),
      ).toEqual([
        [1001, 2, 1_700_000_000_000, 1_700_000_000_002, 1, undefined, undefined],
        [1002, 1, 1_700_000_000_001, 1_700_000_000_001, 1, undefined, undefined],
      ])
    },
  )

  test('packets of a foreign link type beside others are left out', async () => {
    const { kept, take } = target()
    const both = [1, 189].map((linkType) => ({ timeMs: 1, data: frame(linkType), linkType }))
    await take(pieces(encodePcapng(both), 64), quiet())
    expect(kept.map(({ Transport }) => Transport?.A)).toEqual([1])
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /the capture file is empty/],
    ['text', text('this is no capture file at all'), /not a pcap or pcapng file \(it begins with 74686973\)/],
    ['packets of USB', encodePcap([{ timeMs: 1, data: frame(1) }], 189), /no flows are made of packets of link type 189/],
    ['two bytes of a header', PCAP.subarray(0, 2), /is cut/],
    [
      'a file that ends within its last packet',
      PCAP.subarray(0, PCAP.length - 1),
      /is cut: the record at byte \d+ has only \d+ bytes/,
    ],
    ['a file compressed by gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 0), /compressed by gzip/],
  ])('%s is refused and leaves nothing', async (_title, bytes, words) => {
    const { kept, take } = target()
    await expect(take(pieces(bytes, 50), quiet())).rejects.toMatchObject({
      code: 'ERR_DECODE',
      message: expect.stringMatching(words),
    })
    expect(kept).toEqual([])
  })

  test('packets of several link types, as pcapng has them', async () => {
    const { kept, take } = target()
    const [link, noLink] = [frame(1001), frame(1002).subarray(14)]
    const packets = [
      { linkType: 1, timeMs: 1000, data: link },
      { linkType: 101, timeMs: 1001, data: noLink },
      { linkType: 1, timeMs: 1002, data: link },
    ]
    await take(pieces(encodePcapng(packets), 33), quiet())
    expect(kept.map(({ LayersPath, Transport, Metric }) => [LayersPath, Transport?.A, Metric?.ABPackets])).toEqual([
      ['Ethernet/IPv4/UDP', 1001, 2],
      ['IPv4/UDP', 1002, 1],
    ])
  })

  test.each([
    ['L2', 2],
    ['L3', 1],
  ] as const)('flows between other cards are others in the key mode %s', async (layerKeyMode, count) => {
    const { kept, take } = target(undefined, layerKeyMode)
    const other = frame(1001)
    other[5] = 9
    await take(pieces(encodePcap([frame(1001), other].map((data) => ({ timeMs: 1000, data }))), 50), quiet())
    expect(kept).toHaveLength(count)
  })

  test('more flows than may be held are refused and leave nothing', async () => {
    const { kept, take } = target(1)
    await expect(take(pieces(PCAP, 50), quiet())).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'flow.max_entries' })
    expect(kept).toEqual([])
  })

  test('an upload that is broken off leaves nothing', async () => {
    const { kept, take } = target()
    await expect(take(pieces(PCAP, 50), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
    expect(kept).toEqual([])
  })

  test('the fifth upload at a time is told to come back, and the place of one that failed is free again', async () => {
    const { kept, take } = target()
    const gates = Array.from({ length: 4 }, () => deferred())
    const waiting = gates.map((gate, i) => take(gated(gate.promise, i === 0 ? text('nonsense') : PCAP), quiet()))
    await expect(take(pieces(PCAP, 50), quiet())).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE', retryable: true })
    for (const gate of gates) gate.resolve(undefined)
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ])
    await take(pieces(PCAP, 50), quiet())
    expect(kept).toHaveLength(8)
  })
})

function deferred() {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}

async function* gated(gate: Promise<unknown>, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await gate
  yield bytes
}
