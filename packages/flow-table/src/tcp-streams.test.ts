import { describe, expect, test } from '@jest/globals'
import { TCP_FLAG } from '@skydive/packet'
import fc from 'fast-check'
import { type StreamFigures, TcpStreams } from './tcp-streams.ts'

const { SYN, FIN, RST, ACK } = TCP_FLAG
/** Flags, sequence number, bytes, time in seconds. */
type Segment = readonly [flags: number, sequence: number, bytes: number, seconds?: number]

/** The figures of one direction, told as [pieces, bytes, out of order, gaps, their bytes, start, end]; `undefined` while it is open. */
function follow(segments: readonly Segment[], finish = false): readonly number[] | undefined {
  const streams = new TcpStreams()
  for (const [i, [flags, sequence, bytes, seconds = i]] of segments.entries())
    streams.segment(3, 0, sequence | 0, bytes, flags, seconds, 0)
  if (finish) streams.finishFlow(3)
  const figures = streams.figures(3, 0)
  return figures && told(figures)
}

function told(figures: StreamFigures): readonly number[] {
  const { packets, bytes, segmentOutOfOrder, segmentSkipped, segmentSkippedBytes, sawStart, sawEnd } = figures
  return [packets, bytes, segmentOutOfOrder, segmentSkipped, segmentSkippedBytes, sawStart, sawEnd]
}

describe('one direction of a connection', () => {
  test.each<readonly [string, readonly Segment[], readonly number[] | undefined]>([
    [
      'SYN, data, FIN',
      [
        [SYN, 100, 0],
        [ACK, 101, 50],
        [FIN | ACK, 151, 0],
      ],
      [3, 50, 0, 0, 0, 1, 1],
    ],
    [
      'data with the FIN',
      [
        [SYN, 100, 0],
        [FIN | ACK, 101, 50],
      ],
      [2, 50, 0, 0, 0, 1, 1],
    ],
    [
      'a reset',
      [
        [SYN, 100, 0],
        [RST, 101, 0],
      ],
      [2, 0, 0, 0, 0, 1, 1],
    ],
    [
      'bare acknowledgments are nothing',
      [
        [SYN, 100, 0],
        [ACK, 101, 0],
        [ACK, 101, 0],
        [FIN, 101, 0],
      ],
      [2, 0, 0, 0, 0, 1, 1],
    ],
    [
      'no end yet',
      [
        [SYN, 100, 0],
        [ACK, 101, 50],
      ],
      undefined,
    ],
    [
      'a segment too early',
      [
        [SYN, 100, 0],
        [ACK, 151, 50],
        [ACK, 101, 50],
        [FIN, 201, 0],
      ],
      [4, 100, 1, 0, 0, 1, 1],
    ],
    [
      'a large segment that waits counts in pieces',
      [
        [SYN, 100, 0],
        [ACK, 151, 4000],
        [ACK, 101, 50],
        [FIN, 4151, 0],
      ],
      [6, 4050, 3, 0, 0, 1, 1],
    ],
    [
      'a repeated segment is a piece without bytes',
      [
        [SYN, 100, 0],
        [ACK, 101, 50],
        [ACK, 101, 50],
        [FIN, 151, 0],
      ],
      [4, 50, 0, 0, 0, 1, 1],
    ],
    [
      'overlapping segments count each byte once',
      [
        [SYN, 100, 0],
        [ACK, 101, 50],
        [ACK, 131, 50],
        [FIN, 181, 0],
      ],
      [4, 80, 0, 0, 0, 1, 1],
    ],
    [
      'a segment inside another',
      [
        [SYN, 100, 0],
        [ACK, 101, 50],
        [ACK, 111, 10],
        [FIN, 151, 0],
      ],
      [4, 50, 0, 0, 0, 1, 1],
    ],
    [
      'a repeated SYN',
      [
        [SYN, 100, 0],
        [SYN, 100, 0],
        [FIN, 101, 0],
      ],
      [3, 0, 0, 0, 0, 1, 1],
    ],
    [
      'data with the SYN',
      [
        [SYN, 100, 10],
        [FIN, 111, 0],
      ],
      [2, 10, 0, 0, 0, 1, 1],
    ],
    [
      'sequence numbers that wrap',
      [
        [SYN, 0xfffffff0, 0],
        [ACK, 0xfffffff1, 30],
        [FIN, 15, 0],
      ],
      [3, 30, 0, 0, 0, 1, 1],
    ],
    [
      'times that go back',
      [
        [SYN, 100, 0, 9],
        [ACK, 101, 50, 8],
        [FIN, 151, 0, 9],
      ],
      [3, 50, 1, 0, 0, 1, 1],
    ],
    [
      'a FIN alone starts nothing',
      [
        [FIN, 100, 0],
        [RST, 100, 0],
      ],
      undefined,
    ],
    [
      'what comes after the end is not counted',
      [
        [SYN, 100, 0],
        [FIN, 101, 0],
        [ACK, 101, 50],
        [FIN, 101, 0],
      ],
      [2, 0, 0, 0, 0, 1, 1],
    ],
    [
      'a second connection is added',
      [
        [SYN, 100, 0],
        [FIN, 101, 5],
        [SYN, 9000, 0],
        [FIN, 9001, 7],
      ],
      [4, 12, 0, 0, 0, 1, 1],
    ],
  ])('%s', (_, segments, figures) => {
    expect(follow(segments)).toEqual(figures)
  })

  test.each<readonly [string, readonly Segment[], readonly number[] | undefined]>([
    [
      'data without a beginning',
      [
        [ACK, 500, 50],
        [ACK, 550, 50],
      ],
      [2, 100, 0, 1, -1, 0, 0],
    ],
    [
      'a gap',
      [
        [SYN, 100, 0],
        [ACK, 201, 50],
      ],
      [2, 50, 0, 1, 100, 1, 0],
    ],
    [
      'two gaps and an end',
      [
        [SYN, 100, 0],
        [ACK, 201, 50],
        [FIN, 301, 0],
      ],
      [3, 50, 0, 2, 150, 1, 1],
    ],
    ['nothing at all', [], undefined],
  ])('given up: %s', (_, segments, figures) => {
    expect(follow(segments, true)).toEqual(figures)
  })

  test.each<readonly [string, readonly Segment[], number, readonly number[]]>([
    [
      'far ahead of everything',
      Array.from({ length: 100 }, (_, i): Segment => [ACK, 0x10000000 + i * 1000, 10]),
      36,
      [101, 1000, 0, 100, 0x10000000 - 101 + 99 * 990, 1, 0],
    ],
    ['far behind', Array.from({ length: 100 }, (): Segment => [ACK, -0x10000000, 10]), 0, [101, 0, 0, 0, 0, 1, 0]],
    ['half way round', [[ACK, 0x7fffffff + 102, 10]], 0, [2, 0, 0, 0, 0, 1, 0]],
  ])('sequence numbers that lie: %s', (_, segments, evictedGaps, figures) => {
    const streams = new TcpStreams()
    streams.segment(0, 0, 100, 0, SYN, 0, 0)
    for (const [i, [flags, sequence, bytes]] of segments.entries()) streams.segment(0, 0, sequence | 0, bytes, flags, i, 0)
    expect(streams.stats().queuedSegments).toBeLessThanOrEqual(64)
    expect(streams.stats().evictedGaps).toBe(evictedGaps)
    streams.finishIdle(1e9)
    expect([told(streams.figures(0, 0)!), streams.stats().queuedSegments]).toEqual([figures, 0])
  })

  test('any order of the segments of a stream delivers each byte once (property)', () => {
    const stream = fc
      .array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 40 })
      .chain((sizes) =>
        fc.tuple(fc.constant(sizes), fc.shuffledSubarray([...sizes.keys()], { minLength: sizes.length }), fc.integer()),
      )
    fc.assert(
      fc.property(stream, ([sizes, order, first]) => {
        const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, first + 1) | 0)
        const total = sizes.reduce((sum, size) => sum + size, 0)
        const streams = new TcpStreams()
        streams.segment(1, 1, first, 0, SYN, 0, 0)
        for (const i of order) streams.segment(1, 1, starts[i]!, sizes[i]!, ACK, 1, 0)
        expect(streams.segment(1, 1, (first + 1 + total) | 0, 0, FIN, 1, 0)).toBe(true)
        expect(told(streams.figures(1, 1)!).slice(1)).toEqual([total, 0, 0, 0, 1, 1])
      }),
      { numRuns: 200 },
    )
  })

  test('directions that are silent for 30 s come to their end, others stay', () => {
    const streams = new TcpStreams()
    streams.segment(1, 0, 0, 0, SYN, 100, 0)
    streams.segment(2, 0, 0, 0, SYN, 101, 0)
    expect([...streams.finishIdle(130)]).toEqual([1])
    expect([...streams.openFlows()]).toEqual([2])
    streams.forget(1)
    streams.forget(2)
    expect(streams.stats()).toEqual({ streams: 0, queuedSegments: 0, evictedGaps: 0 })
  })
})
