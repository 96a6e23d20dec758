import { TCP_FLAG } from '@skydive/packet'

/** What was delivered of one direction of a connection, with the names of `TCPMetric` without their side (spec flows 1.13). */
export interface StreamFigures {
  /** Pieces that were delivered in order; the SYN is one. */
  packets: number
  bytes: number
  /** Pieces that were captured earlier than one that was delivered before them. */
  segmentOutOfOrder: number
  /** Gaps that were given up, and their bytes; -1 byte for a beginning that was not seen. */
  segmentSkipped: number
  segmentSkippedBytes: number
  sawStart: number
  sawEnd: number
}

/** Counts of all streams together. */
export interface TcpStreamStats {
  /** Directions that are followed now. */
  readonly streams: number
  /** Segments that wait for one before them. */
  readonly queuedSegments: number
  /** Gaps given up because too much waited behind them. */
  readonly evictedGaps: number
}

/** A segment that waits for what comes before it. */
interface Queued {
  readonly sequence: number
  readonly bytes: number
  readonly seconds: number
  readonly nanoseconds: number
  readonly isEnd: boolean
}

interface Stream {
  figures: StreamFigures
  /** Where the next byte is expected; `undefined` before the beginning is known. */
  next: number | undefined
  /** In the order of their sequence numbers. */
  readonly queue: Queued[]
  lastSeconds: number
  /** Capture time of the latest piece that was delivered. */
  deliveredSeconds: number
  deliveredNanoseconds: number
  /** Its figures have been handed over. */
  isOver: boolean
}

const EVENTS = TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST
/** Segments that wait in one direction. A lost one is repeated within a few round trips or never. */
const MAX_QUEUED = 64
const MAX_QUEUED_OF_ALL = 65_536
/** A segment that had to wait counts in pieces of this size (spec flows 1.13). */
const PIECE_BYTES = 1900
const IDLE_SECONDS = 30

/**
 * Follows both directions of TCP connections by their sequence numbers. Only numbers are kept, no payload, and of them few: what waits
 * behind a gap is bounded, and a gap that too much waits behind is given up and counted.
 */
export class TcpStreams {
  /** By the flow's number times 2, plus 1 for the direction from B to A. */
  readonly #streams = new Map<number, Stream>()
  /** Figures of directions that came to an end. */
  readonly #results = new Map<number, StreamFigures>()
  #queued = 0
  #evictedGaps = 0

  /** A segment of a flow; `side` is 0 from A to B. Answers whether a direction of the flow came to its end by it. */
  segment(
    id: number,
    side: number,
    sequence: number,
    bytes: number,
    tcpFlags: number,
    seconds: number,
    nanoseconds: number,
  ): boolean {
    const isSyn = (tcpFlags & TCP_FLAG.SYN) !== 0
    const isEnd = (tcpFlags & (TCP_FLAG.FIN | TCP_FLAG.RST)) !== 0
    if (bytes === 0 && (tcpFlags & EVENTS) === 0) return false
    const key = id * 2 + side
    let stream = this.#streams.get(key)
    if (!stream || (stream.isOver && isSyn)) {
      if (bytes === 0 && !isSyn) return false
      stream = newStream()
      this.#streams.set(key, stream)
    }
    if (stream.isOver) return false
    if (seconds > stream.lastSeconds) stream.lastSeconds = seconds
    if (stream.next === undefined && isSyn) {
      stream.figures.sawStart = 1
      this.#piece(stream, bytes, 0, seconds, nanoseconds)
      stream.next = (sequence + bytes + 1) | 0
    } else if (stream.next === undefined || ((sequence - stream.next) | 0) > 0) {
      this.#enqueue(stream, { sequence, bytes, seconds, nanoseconds, isEnd })
    } else {
      this.#deliver(stream, sequence, bytes, 1, seconds, nanoseconds)
      if (isEnd) stream.figures.sawEnd = 1
    }
    this.#deliverQueued(stream)
    if (stream.figures.sawEnd === 0) return false
    this.#finish(key, stream)
    return true
  }

  /** Ends the directions without a segment for 30 s; what waits in them is counted, with the gaps before it. Answers their flows. */
  finishIdle(nowSeconds: number): ReadonlySet<number> {
    const flows = new Set<number>()
    for (const [key, stream] of this.#streams) {
      if (stream.isOver || nowSeconds - stream.lastSeconds < IDLE_SECONDS) continue
      this.#giveUp(key, stream)
      flows.add(key >> 1)
    }
    return flows
  }

  /** Ends both directions of a flow. Answers whether there was one. */
  finishFlow(id: number): boolean {
    let isAny = false
    for (const key of [id * 2, id * 2 + 1]) {
      const stream = this.#streams.get(key)
      if (!stream || stream.isOver) continue
      this.#giveUp(key, stream)
      isAny = true
    }
    return isAny
  }

  /** The flows with a direction that has not come to its end. */
  openFlows(): ReadonlySet<number> {
    return new Set([...this.#streams].filter(([, { isOver }]) => !isOver).map(([key]) => key >> 1))
  }

  /** Figures of a direction that came to its end; those of several connections of one flow are added up. */
  figures(id: number, side: number): StreamFigures | undefined {
    return this.#results.get(id * 2 + side)
  }

  forget(id: number): void {
    for (const key of [id * 2, id * 2 + 1]) {
      this.#queued -= this.#streams.get(key)?.queue.length ?? 0
      this.#streams.delete(key)
      this.#results.delete(key)
    }
  }

  stats(): TcpStreamStats {
    return { streams: this.#streams.size, queuedSegments: this.#queued, evictedGaps: this.#evictedGaps }
  }

  /** Puts a segment where its sequence number wants it: nearly always the end. */
  #enqueue(stream: Stream, segment: Queued): void {
    const { queue } = stream
    let at = queue.length
    while (at > 0 && ((queue[at - 1]!.sequence - segment.sequence) | 0) > 0) at--
    queue.splice(at, 0, segment)
    this.#queued++
    if (queue.length <= MAX_QUEUED && this.#queued <= MAX_QUEUED_OF_ALL) return
    this.#evictedGaps++
    this.#skipGap(stream)
  }

  #deliverQueued(stream: Stream): void {
    const { queue } = stream
    while (queue.length > 0 && stream.next !== undefined && ((queue[0]!.sequence - stream.next) | 0) <= 0)
      this.#deliverFirst(stream)
  }

  #deliverFirst(stream: Stream): void {
    const { sequence, bytes, seconds, nanoseconds, isEnd } = stream.queue.shift()!
    this.#queued--
    this.#deliver(stream, sequence, bytes, Math.max(1, Math.ceil(bytes / PIECE_BYTES)), seconds, nanoseconds)
    if (isEnd) stream.figures.sawEnd = 1
  }

  /** Goes on behind a gap. */
  #skipGap(stream: Stream): void {
    const first = stream.queue[0]
    if (!first) return
    stream.figures.segmentSkipped++
    stream.figures.segmentSkippedBytes += stream.next === undefined ? -1 : (first.sequence - stream.next) | 0
    stream.next = first.sequence
    this.#deliverFirst(stream)
    this.#deliverQueued(stream)
  }

  /** Counts pieces; of bytes only those that are new. */
  #deliver(stream: Stream, sequence: number, bytes: number, pieces: number, seconds: number, nanoseconds: number): void {
    const known = (stream.next! - sequence) >>> 0
    const fresh = Math.max(0, bytes - known)
    if (bytes >= known) stream.next = (sequence + bytes) | 0
    this.#piece(stream, fresh, pieces - 1, seconds, nanoseconds)
  }

  #piece(stream: Stream, bytes: number, morePieces: number, seconds: number, nanoseconds: number): void {
    const { figures } = stream
    figures.packets += 1 + morePieces
    figures.bytes += bytes
    const isEarlier =
      seconds < stream.deliveredSeconds || (seconds === stream.deliveredSeconds && nanoseconds < stream.deliveredNanoseconds)
    if (isEarlier) figures.segmentOutOfOrder += 1 + morePieces
    else {
      stream.deliveredSeconds = seconds
      stream.deliveredNanoseconds = nanoseconds
    }
  }

  #giveUp(key: number, stream: Stream): void {
    while (stream.queue.length > 0 && stream.figures.sawEnd === 0) this.#skipGap(stream)
    this.#finish(key, stream)
  }

  #finish(key: number, stream: Stream): void {
    stream.isOver = true
    this.#queued -= stream.queue.length
    stream.queue.length = 0
    const { figures } = stream
    const total = this.#results.get(key)
    if (total) for (const name of FIGURES) total[name] += figures[name]
    else this.#results.set(key, { ...figures })
    for (const name of ['sawStart', 'sawEnd'] as const) {
      const result = this.#results.get(key)!
      result[name] = Math.min(1, result[name])
    }
  }
}

const FIGURES = [
  'packets',
  'bytes',
  'segmentOutOfOrder',
  'segmentSkipped',
  'segmentSkippedBytes',
  'sawStart',
  'sawEnd',
] as const satisfies readonly (keyof StreamFigures)[]

function newStream(): Stream {
  return {
    figures: {
      packets: 0,
      bytes: 0,
      segmentOutOfOrder: 0,
      segmentSkipped: 0,
      segmentSkippedBytes: 0,
      sawStart: 0,
      sawEnd: 0,
    },
    next: undefined,
    queue: [],
    lastSeconds: Number.NEGATIVE_INFINITY,
    deliveredSeconds: Number.NEGATIVE_INFINITY,
    deliveredNanoseconds: 0,
    isOver: false,
  }
}
