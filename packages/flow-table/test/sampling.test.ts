import { expect, test } from '@jest/globals'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { createFlowTable } from '../src/index.ts'

const TIME_MS = 1_700_000_000_000

/** An ICMP echo between two hosts, of 98 bytes on the wire. */
function frame(isReply: boolean): Uint8Array {
  const bytes = new Uint8Array(42)
  bytes.set(isReply ? [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] : [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1])
  bytes.set([8, 0, 0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, isReply ? 2 : 1, 10, 0, 0, isReply ? 1 : 2], 12)
  bytes.set([isReply ? 0 : 8, 0, 0, 0, 0, 7, 0, 1], 34)
  return bytes
}

test('each packet of a block counts for as many as its sampling rate says, up to 31 bits', () => {
  const table = createFlowTable()
  const consume = table.consumer({
    layout: { format: 'pcap', littleEndian: true, nanoseconds: false },
    linkType: LINK_TYPE.ETHERNET,
  })
  const feed = (isReply: boolean, samplingRate?: number) => {
    const file = encodePcap([{ timeMs: TIME_MS, data: frame(isReply), wireBytes: 98 }]).subarray(24)
    expect(consume(file, 0, file.length, samplingRate)).toBe(file.length)
  }
  feed(false, 512)
  feed(false)
  feed(true, 100)
  const flow = () => [...table.snapshot()].flat().map(({ Metric }) => Metric)
  const counted = { ABPackets: 513, ABBytes: 513 * 98, BAPackets: 100, BABytes: 9800 }
  expect(flow()).toEqual([{ ...counted, Start: TIME_MS, Last: TIME_MS }])
  feed(true, 0xffffffff)
  expect(flow()).toEqual([expect.objectContaining({ BAPackets: 100 + 0x7fffffff, BABytes: (100 + 0x7fffffff) * 98 })])
  expect(table.stats().packets).toBe(4)
})
