import { describe, expect, test } from '@jest/globals'
import type { PacketFormat } from '@skydive/contracts'
import { TPACKET3 } from '@skydive/flow-table'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import fc from 'fast-check'
import { FakeSender, HandClock } from '../../../test/fake-sender.ts'
import { walkFrames } from './block-frames.ts'
import { FrameMirror, mirroredBytes } from './frame-mirror.ts'

const RUNS = { numRuns: 300, seed: Number(process.env['SKYDIVE_SEED'] ?? 20_261_127) }
const PCAP: PacketFormat = {
  layout: { format: 'pcap', littleEndian: true, nanoseconds: false },
  linkType: LINK_TYPE.ETHERNET,
}
const RING: PacketFormat = { layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET }
const HEADERS_BYTES = 16

const frame = (length: number, seed = 0) => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff)
const records = (...frames: readonly Uint8Array[]) => encodePcap(frames.map((data) => ({ timeMs: 0, data }))).slice(24)

function setUp(format = PCAP, snapLength = 100, slots = 4) {
  const sender = new FakeSender(slots, mirroredBytes(snapLength))
  const clock = new HandClock()
  const mirror = new FrameMirror(format, 5, snapLength, sender, clock)
  const consume = (block: Uint8Array, linkType?: number) => {
    mirror.consume(block, 0, block.length, linkType)
    mirror.flush()
  }
  const inner = () => sender.sent.map((bytes) => bytes.subarray(HEADERS_BYTES, -4))
  const words = (at: number) => sender.sent.map((bytes) => new DataView(bytes.buffer).getUint32(at))
  return { mirror, sender, clock, consume, inner, words }
}

/** A block of a ring as the kernel lays it out, with a tag that it took off where one is given. */
function ringBlock(packets: readonly { readonly data: Uint8Array; readonly tag?: number }[]): Uint8Array {
  const stride = 256
  const block = new Uint8Array(TPACKET3.BLOCK_HEADER_BYTES + packets.length * stride)
  const view = new DataView(block.buffer)
  view.setUint32(TPACKET3.BLOCK_PACKETS, packets.length, true)
  view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, TPACKET3.BLOCK_HEADER_BYTES, true)
  packets.forEach(({ data, tag }, i) => {
    const at = TPACKET3.BLOCK_HEADER_BYTES + i * stride
    view.setUint32(at + TPACKET3.NEXT_OFFSET, i === packets.length - 1 ? 0 : stride, true)
    view.setUint32(at + TPACKET3.CAPTURED_BYTES, data.length, true)
    view.setUint32(at + TPACKET3.WIRE_BYTES, data.length, true)
    view.setUint16(at + TPACKET3.MAC_OFFSET, 82, true)
    if (tag !== undefined) {
      view.setUint32(at + TPACKET3.STATUS, TPACKET3.STATUS_VLAN_VALID, true)
      view.setUint16(at + TPACKET3.VLAN_TCI, tag, true)
    }
    block.set(data, at + 82)
  })
  return block
}

describe('a mirror', () => {
  test('sends each frame as it is, cut to the header size, with a number and the index of the interface', () => {
    const { mirror, consume, inner, words } = setUp()
    consume(records(frame(60), frame(100), frame(300)))
    expect(inner()).toEqual([frame(60), frame(100), frame(300).slice(0, 100)])
    expect([words(4), words(12)]).toEqual([
      [0, 1, 2],
      [5, 5, 5],
    ])
    expect(words(8).map((word) => (word >> 10) & 1)).toEqual([0, 0, 1])
    expect(mirror.stats()).toEqual({ sent: 3, dropped: 0, skipped: 0 })
  })

  test('puts tags back that the kernel took off', () => {
    const { consume, inner } = setUp(RING)
    consume(ringBlock([{ data: frame(60) }, { data: frame(64, 3), tag: 0x2007 }]))
    const tagged = [...frame(64, 3).slice(0, 12), 0x81, 0x00, 0x20, 0x07, ...frame(64, 3).slice(12)]
    expect(inner()).toEqual([frame(60), Uint8Array.from(tagged)])
  })

  test('counts what is no Ethernet frame', () => {
    const { mirror, consume } = setUp()
    consume(records(frame(13), frame(14)))
    consume(records(frame(60)), LINK_TYPE.RAW)
    expect(mirror.stats()).toEqual({ sent: 1, dropped: 0, skipped: 2 })
  })

  test('drops what the queue has no room for; the receiver sees the gap', async () => {
    const { mirror, sender, clock, consume, words } = setUp(PCAP, 100, 2)
    sender.room = 1
    consume(records(frame(60), frame(60), frame(60), frame(60), frame(60)))
    expect(mirror.stats()).toEqual({ sent: 1, dropped: 2, skipped: 0 })
    sender.room = 10
    await clock.advance(10)
    consume(records(frame(60)))
    expect([mirror.stats(), words(4)]).toEqual([{ sent: 4, dropped: 2, skipped: 0 }, [0, 1, 2, 5]])
    await mirror.close()
    expect(sender.isClosed).toBe(true)
  })
})

test.each([
  ['pcap', PCAP, records(frame(60), frame(0), frame(90))],
  ['ring', RING, ringBlock([{ data: frame(60) }, { data: frame(90), tag: 1 }, { data: frame(1) }])],
])('whatever lies in a %s block, nothing beyond it is read', (_, format, block) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(block.length - 1), fc.nat(255)), { maxLength: 30 }),
      fc.nat(block.length),
      (changes, length) => {
        const bytes = block.slice(0, length)
        for (const [at, value] of changes) if (at < length) bytes[at] = value
        let visits = 0
        // The view ends where the block ends: reading on would throw.
        walkFrames(format, new DataView(bytes.buffer), 0, length, (offset, capturedBytes) => {
          visits++
          expect(offset + capturedBytes).toBeLessThanOrEqual(length)
        })
        expect(visits).toBeLessThanOrEqual(length)
      },
    ),
    RUNS,
  )
})
