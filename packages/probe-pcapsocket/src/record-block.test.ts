import { expect, test } from '@jest/globals'
import { walkPcapRecords } from '@skydive/packet'
import { RecordBlock } from './record-block.ts'

/** The longest packet that a file may have, and what a block holds of such. */
const LONGEST = 262_144
const NOW_MS = 1_700_000_000_123.25

interface Out {
  readonly linkType: number | undefined
  readonly packets: readonly (readonly number[])[]
}

/** A block, and what it handed over: of each packet its captured and its wire length, s, ns and the first and last byte. */
function gathering() {
  const block = new RecordBlock()
  const out: Out[] = []
  const sink = (bytes: Uint8Array, offset: number, byteLength: number, rate?: number, linkType?: number) => {
    expect([offset, rate]).toEqual([0, undefined])
    const packets: number[][] = []
    const used = walkPcapRecords(new DataView(bytes.buffer), 0, byteLength, true, (at, captured, wire, seconds, ns) => {
      packets.push([captured, wire, seconds, ns, bytes[at] ?? -1, bytes[at + captured - 1] ?? -1])
    })
    expect(used).toBe(byteLength)
    out.push({ linkType, packets })
  }
  const add = (linkType: number, capturedBytes: number, timeMs = NOW_MS, fill = 1, offset = 3) => {
    const bytes = new Uint8Array(offset + capturedBytes + 5).fill(fill, offset, offset + capturedBytes)
    block.add({ sinceFirstNs: 0, linkType, capturedBytes, wireBytes: capturedBytes + 100, offset }, bytes, timeMs, sink)
  }
  return { add, flush: () => block.flush(sink), out }
}

test('nothing is handed over of nothing, and nothing twice', () => {
  const { add, flush, out } = gathering()
  flush()
  add(1, 5)
  flush()
  flush()
  expect(out).toEqual([{ linkType: 1, packets: [[5, 105, 1_700_000_000, 123_250_000, 1, 1]] }])
})

test.each([
  [0, 0, 0],
  [999, 0, 999_000_000],
  [1000, 1, 0],
  [1000.25, 1, 250_000],
  // A little more than that, as a double.
  [1000.1, 1, 100_000],
  [1_999.75, 1, 999_750_000],
])('%d ms are %d s and %d ns', (timeMs, seconds, ns) => {
  const { add, flush, out } = gathering()
  add(1, 1, timeMs)
  flush()
  expect(out).toEqual([{ linkType: 1, packets: [[1, 101, seconds, ns, 1, 1]] }])
})

test('packets of one link type are one block, in order, each with its bytes', () => {
  const { add, flush, out } = gathering()
  add(1, 2, 1000, 7)
  add(1, 3, 2000, 8, 0)
  add(101, 1, 3000, 9)
  add(1, 1, 4000, 10)
  flush()
  expect(out).toEqual([
    {
      linkType: 1,
      packets: [
        [2, 102, 1, 0, 7, 7],
        [3, 103, 2, 0, 8, 8],
      ],
    },
    { linkType: 101, packets: [[1, 101, 3, 0, 9, 9]] },
    { linkType: 1, packets: [[1, 101, 4, 0, 10, 10]] },
  ])
})

test.each([
  ['two of the longest packets fill a block', [LONGEST, LONGEST, 1], [2, 1]],
  ['a byte more does not go in', [LONGEST, LONGEST - 16, 1, 1], [2, 2]],
  ['what just fits goes in', [LONGEST, LONGEST - 17, 1, 1], [3, 1]],
])('%s', (_title, sizes, blocks) => {
  const { add, flush, out } = gathering()
  for (const size of sizes) add(1, size)
  flush()
  expect(out.map(({ packets }) => packets.length)).toEqual(blocks)
  expect(out.flatMap(({ packets }) => packets.map(([captured]) => captured))).toEqual(sizes)
})
