import { describe, expect, test } from '@jest/globals'
import { encodePcap, readPcapFormat } from '@skydive/packet'
import { createFlowTable, type FlowTable } from './index.ts'

const HEADER_BYTES = 24

function udp(port: number, byteLength = 60): Uint8Array {
  const frame = new Uint8Array(byteLength)
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
  frame.set([port >> 8, port & 255, 0, 7], 34)
  return frame
}

const captureOf = (frames: readonly Uint8Array[]) => encodePcap(frames.map((data) => ({ timeMs: 1_700_000_000_000, data })))

function begin(file: Uint8Array, table = createFlowTable()) {
  return { table, intake: table.intake(readPcapFormat(file)!) }
}

const flowsOf = (table: FlowTable) =>
  [...table.snapshot()].flat().map(({ Transport, Metric }) => [Transport?.A, Metric?.ABPackets, Metric?.ABBytes])

describe('an intake', () => {
  const file = captureOf([udp(1), udp(2), udp(1)])

  test.each([1, 15, 16, 17, 60, 75, 76, 77, 1000])('counts records that come in %i bytes at a time', (step) => {
    const { table, intake } = begin(file)
    let counted = 0
    for (let from = HEADER_BYTES; from < file.length; from += step) {
      const bytes = file.subarray(from, from + step)
      intake.room().set(bytes)
      counted += intake.count(bytes.length)
      const read = from + bytes.length - HEADER_BYTES
      expect(counted).toBe(read - (read % 76))
      // What is shown is what lies behind the last whole record.
      expect([...intake.rest()]).toEqual([...file.subarray(HEADER_BYTES + read - (read % 76), HEADER_BYTES + read)])
    }
    expect(flowsOf(table)).toEqual([
      [1, 2, 120],
      [2, 1, 60],
    ])
  })

  test('keeps the beginning of a record while other blocks are counted and the memory grows', () => {
    const { table, intake } = begin(file)
    intake.room().set(file.subarray(HEADER_BYTES, 130))
    intake.count(130 - HEADER_BYTES)
    const other = captureOf(Array.from({ length: 5000 }, (_, i) => udp(100 + i)))
    const consume = table.consumer(readPcapFormat(other)!)
    expect(consume(other, HEADER_BYTES, other.length - HEADER_BYTES)).toBe(other.length - HEADER_BYTES)
    intake.room().set(file.subarray(130))
    intake.count(file.length - 130)
    const flows = flowsOf(table)
    expect([flows.length, flows.filter(([port]) => Number(port) < 100)]).toEqual([
      5002,
      [
        [1, 2, 120],
        [2, 1, 60],
      ],
    ])
  })

  test('takes the longest record there may be, and what comes after it', () => {
    const long = captureOf([udp(1, 262_144), udp(2)])
    const { table, intake } = begin(long)
    for (let from = HEADER_BYTES; from < long.length; ) {
      const room = intake.room()
      const bytes = long.subarray(from, from + room.length)
      room.set(bytes)
      intake.count(bytes.length)
      from += bytes.length
    }
    expect([flowsOf(table), intake.rest().length]).toEqual([
      [
        [1, 1, 262_144],
        [2, 1, 60],
      ],
      0,
    ])
  })

  test('has no more room when what came can be no record, and shows its beginning', () => {
    const lying = captureOf([udp(1), udp(2, 300_000), udp(3, 300_000)])
    const { table, intake } = begin(lying)
    let from = HEADER_BYTES
    for (let room = intake.room(); room.length > 0; room = intake.room()) {
      const bytes = lying.subarray(from, from + room.length)
      expect(bytes.length).toBeGreaterThan(0)
      room.set(bytes)
      intake.count(bytes.length)
      from += bytes.length
    }
    expect([table.stats().packets, [...intake.rest().subarray(0, 100)]]).toEqual([1, [...lying.subarray(100, 200)]])
    intake.count(0)
    expect([table.stats().packets, [...intake.rest().subarray(0, 100)]]).toEqual([1, [...lying.subarray(100, 200)]])
  })

  test('leaves a filter and the link type of other blocks as they are', () => {
    const { table, intake } = begin(
      file,
      createFlowTable({ filter: (view, offset) => (view.getUint16(offset + 34) === 2 ? 1 : 0) }),
    )
    const consume = table.consumer({ ...readPcapFormat(file)!, linkType: 9999 })
    intake.room().set(file.subarray(HEADER_BYTES, 100))
    intake.count(76)
    consume(file, HEADER_BYTES, file.length - HEADER_BYTES)
    intake.room().set(file.subarray(100))
    intake.count(file.length - 100)
    expect([flowsOf(table), table.stats()]).toEqual([
      [[2, 1, 60]],
      { flows: 1, packets: 6, filteredPackets: 4, ignoredPackets: 1, evictedFlows: 0 },
    ])
  })
})
