import { describe, expect, test } from '@jest/globals'
import { SampleBlock } from './sample-block.ts'

const NOW_MS = 1_700_000_000_123.25
const FILL = 0xee

interface Packet {
  readonly at: number
  readonly seconds: number
  readonly ns: number
  readonly captured: number
  readonly wire: number
  readonly status: number
  readonly mac: number
  readonly input: number
  readonly output: number
}

/** Memory of datagrams, and the blocks that were handed over, as a table reads them. */
function gathering(bytes = 2048) {
  const view = new DataView(new ArrayBuffer(bytes + 16), 16, bytes)
  new Uint8Array(view.buffer).fill(FILL)
  const block = new SampleBlock()
  const out: { from: number; to: number; rate: number | undefined; exporter: string | undefined; packets: Packet[] }[] = []
  const sink = (memory: Uint8Array, from: number, byteLength: number, rate?: number, linkType?: number, exporter?: string) => {
    expect([memory.byteOffset, memory.byteLength, linkType]).toEqual([16, bytes, undefined])
    const packets: Packet[] = []
    let at = from + view.getUint32(from + 16, true)
    for (let left = view.getUint32(from + 12, true); left > 0; left--) {
      packets.push({
        at,
        seconds: view.getUint32(at + 4, true),
        ns: view.getUint32(at + 8, true),
        captured: view.getUint32(at + 12, true),
        wire: view.getUint32(at + 16, true),
        status: view.getUint32(at + 20, true),
        mac: view.getUint16(at + 24, true),
        input: view.getUint32(at + 40, true),
        output: view.getUint32(at + 44, true),
      })
      const next = view.getUint32(at, true)
      expect(next === 0).toBe(left === 1)
      at += next
    }
    out.push({ from, to: from + byteLength, rate, exporter, packets })
  }
  const begin = (offset: number, byteLength: number, nowMs = NOW_MS, where = view) =>
    block.begin(where, offset, byteLength, nowMs, sink)
  const add = (offset: number, { captured = 60, wire = 100, rate = 1, input = 3, output = 4 } = {}) =>
    block.add(offset, captured, wire, rate, input, output, sink)
  return { view, begin, add, from: (exporter: string) => block.from(exporter, sink), flush: () => block.flush(sink), out }
}
const packet = (at: number, over: Partial<Packet> = {}): Packet => ({
  ...{ at, seconds: 1_700_000_000, ns: 123_250_000, captured: 60, wire: 100, status: 0, mac: 48, input: 3, output: 4 },
  ...over,
})
const whole = (from: number, to: number, packets: readonly Packet[], rate = 1, exporter = '') => ({
  from,
  to,
  rate,
  exporter,
  packets,
})

test('nothing is handed over of nothing', () => {
  const { begin, flush, out } = gathering()
  flush()
  begin(64, 300)
  flush()
  expect(out).toEqual([])
})

test('a head is written over what stands before a packet, and nothing else but the head of the block', () => {
  const { view, begin, add, flush, out } = gathering(600)
  begin(64, 300)
  add(200)
  flush()
  flush()
  expect(out).toEqual([whole(104, 364, [packet(152)])])
  const changed = Array.from({ length: 600 }, (_, at) => at).filter((at) => view.getUint8(at) !== FILL)
  // Of the block its number of packets and where the first is; of the packet all up to the offset of its bytes, then its interfaces.
  const written = [
    ...Array.from({ length: 8 }, (_, i) => 116 + i),
    ...Array.from({ length: 26 }, (_, i) => 152 + i),
    ...Array.from({ length: 8 }, (_, i) => 192 + i),
  ]
  expect(changed).toEqual(written)
})

test.each([
  ['where the head of the datagram was, near its beginning', 130, 64],
  ['at most as far before the first packet as it is long', 161, 65],
  ['right before the first packet, far from its beginning', 300, 204],
])('the head of the block lies %s', (_title, offset, from) => {
  const { begin, add, flush, out } = gathering()
  begin(64, 400)
  add(offset)
  flush()
  expect(out).toEqual([whole(from, 464, [packet(offset - 48)])])
})

test.each([
  [0, 0, 0],
  [999, 0, 999_000_000],
  [1000, 1, 0],
  [1_001.5, 1, 1_500_000],
])('a datagram of %d ms is of %d s and %d ns', (nowMs, seconds, ns) => {
  const { begin, add, flush, out } = gathering()
  begin(64, 300, nowMs)
  add(200)
  flush()
  expect(out[0]!.packets).toEqual([packet(152, { seconds, ns })])
})

test.each([
  [0x7ffffffe, 0x7ffffffe],
  [0x7fffffff, 0x7fffffff],
  [0x80000000, 0x7fffffff],
  [0xffffffff, 0x7fffffff],
])('%d bytes on the wire are told as %d', (wire, told) => {
  const { begin, add, flush, out } = gathering()
  begin(64, 300)
  add(200, { wire, captured: 1, input: 0xffffffff, output: 0 })
  flush()
  expect(out[0]!.packets).toEqual([packet(152, { wire: told, captured: 1, input: 0xffffffff, output: 0 })])
})

describe('one block', () => {
  test('is of packets and of datagrams one behind the other, with the time of each', () => {
    const { begin, add, flush, out } = gathering()
    begin(64, 400)
    add(200)
    // Its head ends where the packet before ends.
    add(308)
    begin(464, 100, NOW_MS + 1000)
    begin(564, 300, NOW_MS + 2000)
    add(700, { captured: 70, wire: 80 })
    flush()
    expect(out).toEqual([
      whole(104, 864, [packet(152), packet(260), packet(652, { seconds: 1_700_000_002, captured: 70, wire: 80 })]),
    ])
  })

  test.each<readonly [string, (block: ReturnType<typeof gathering>) => void, readonly object[]]>([
    [
      'another rate',
      ({ begin, add }) => {
        begin(64, 600)
        add(200, { rate: 10 })
        add(400, { rate: 20 })
      },
      [whole(104, 664, [packet(152)], 10), whole(304, 664, [packet(352)], 20)],
    ],
    [
      'a packet whose head would lie on the one before',
      ({ begin, add }) => {
        begin(64, 600)
        add(200)
        add(307)
      },
      [whole(104, 664, [packet(152)]), whole(211, 664, [packet(259)])],
    ],
    [
      'another who sampled',
      ({ begin, add, from }) => {
        begin(64, 300)
        from('a')
        add(200)
        from('a')
        begin(364, 300)
        from('b')
        add(500)
      },
      [whole(104, 664, [packet(152)], 1, 'a'), whole(404, 664, [packet(452)], 1, 'b')],
    ],
    [
      'a datagram before the end of the one before',
      ({ begin, add }) => {
        begin(64, 300)
        add(200)
        begin(363, 300)
        add(500)
      },
      [whole(104, 364, [packet(152)]), whole(404, 663, [packet(452)])],
    ],
    [
      'a datagram where the first was',
      ({ begin, add }) => {
        begin(64, 300)
        add(200)
        begin(64, 200)
        add(130)
      },
      [whole(104, 364, [packet(152)]), whole(64, 264, [packet(82)])],
    ],
  ])('is no longer one for %s', (_title, gather, blocks) => {
    const all = gathering()
    gather(all)
    all.flush()
    expect(all.out).toEqual(blocks)
  })

  test('ends where the memory ends: what is gathered goes before another is begun', () => {
    const { begin, add, out } = gathering()
    begin(64, 300)
    add(200)
    begin(400, 300, NOW_MS, new DataView(new ArrayBuffer(2048)))
    expect(out).toEqual([whole(104, 364, [packet(152)])])
  })
})

test('after a block was handed over within a datagram the next begins in the same', () => {
  const { begin, add, from, flush, out } = gathering()
  begin(64, 200)
  add(170)
  begin(264, 400)
  from('b')
  add(340)
  flush()
  expect(out).toEqual([whole(74, 664, [packet(122)]), whole(264, 664, [packet(292)], 1, 'b')])
})
