import type {
  CaptureDescription,
  CaptureSourceModule,
  CaptureStats,
  CaptureTarget,
  PacketBlockSink,
  PacketFormat,
  PacketSource,
} from '@skydive/contracts'
import { type DescriptorSet, Errno, type Kernel, type KernelOptions, openKernel, type TimerDescriptor } from '@skydive/kernel'
import { createPacketFilter, decodeBpfProgram, LINK_TYPE, type PacketFilter } from '@skydive/packet'
import { type Listener, listen } from './listener.ts'
import { PcapStream } from './pcap-stream.ts'
import { RecordBlock } from './record-block.ts'
import { UnusedStreams } from './unused-streams.ts'

/** Where streams are taken, and how many. */
export interface PcapSocketOptions {
  /** An IPv4 or IPv6 address of this host, without brackets; `::` takes IPv4 as well. @default 127.0.0.1 */
  readonly address?: string
  /** The first free port of the range is taken. @default 8100 */
  readonly minPort?: number
  /** @default 8132 */
  readonly maxPort?: number
  /** Streams at a time; further ones wait until one ends. @default 8 */
  readonly maxStreams?: number
}

const DEFAULT_ADDRESS = '127.0.0.1'
const DEFAULT_MIN_PORT = 8100
const DEFAULT_MAX_PORT = 8132
const DEFAULT_MAX_STREAMS = 8
const DEFAULT_SNAP_LENGTH = 256
/** What expressions are compiled with (spec flows 3.1). */
const FILTER_SNAP_LENGTH = 4096
const READ_BYTES = 65_536
/** Reads of one stream in one poll at most, so that a fast sender does not keep the thread from its other work. */
const READS_PER_POLL = 16

/** `openSystem` gives the kernel of the calling thread; a test may give another. */
export function createPcapSocketModule(
  openSystem: (options?: KernelOptions) => Kernel = openKernel,
): CaptureSourceModule<PcapSocketOptions> {
  return {
    name: 'pcapsocket',
    async detect() {
      try {
        openSystem().dispose()
        return { available: true }
      } catch (error) {
        return { available: false, reason: (error as Error).message }
      }
    },
    open(target, options = {}, ledger) {
      const kernel = openSystem(ledger && { ledger })
      try {
        return new PcapSocketSource(kernel, target, options)
      } catch (error) {
        kernel.dispose()
        throw error
      }
    },
  }
}

/** The module as the capture worker loads it. */
export const captureSource: CaptureSourceModule<PcapSocketOptions> = createPcapSocketModule()

interface Connection {
  readonly fd: number
  readonly stream: PcapStream
  /** Whether it is read: not while packets of it wait for their time, so that the sender waits as well. */
  isRead: boolean
  isOver: boolean
}

/** Takes streams of packets, each at its own pace, with their times moved to now. */
class PcapSocketSource implements PacketSource {
  readonly kind = 'packets'
  readonly format: PacketFormat = {
    layout: { format: 'pcap', littleEndian: true, nanoseconds: true },
    linkType: LINK_TYPE.ETHERNET,
  }
  readonly readyFd: number
  readonly #kernel: Kernel
  readonly #listener: Listener
  readonly #set: DescriptorSet
  readonly #timer: TimerDescriptor
  readonly #address: string
  readonly #maxStreams: number
  readonly #snapLength: number
  readonly #expression: string
  readonly #filters = new Map<number, PacketFilter | undefined>()
  readonly #connections = new Set<Connection>()
  readonly #bytes = new Uint8Array(READ_BYTES)
  readonly #block = new RecordBlock()
  readonly #unused = new UnusedStreams()
  #received = 0
  #dropped = 0
  /** Packets that a stream broke off in. */
  #cut = 0
  #isListening = true
  #isOpen = true

  constructor(kernel: Kernel, target: CaptureTarget, options: PcapSocketOptions) {
    const { address = DEFAULT_ADDRESS, minPort = DEFAULT_MIN_PORT, maxPort = DEFAULT_MAX_PORT } = options
    this.#kernel = kernel
    this.#address = address
    this.#maxStreams = options.maxStreams ?? DEFAULT_MAX_STREAMS
    this.#snapLength = target.snapLength || DEFAULT_SNAP_LENGTH
    this.#expression = target.bpfFilter
    // An expression that is none is refused now, not with the first stream.
    this.#filterFor(LINK_TYPE.ETHERNET)
    const range = target.port === undefined ? { minPort, maxPort } : { minPort: target.port, maxPort: target.port }
    this.#set = kernel.descriptorSet()
    this.readyFd = this.#set.fd
    this.#timer = kernel.timerDescriptor()
    try {
      this.#listener = listen(kernel, { address, ...range, backlog: this.#maxStreams })
    } catch (error) {
      this.#timer.close()
      this.#set.close()
      throw error
    }
    this.#set.add(this.#listener.fd)
    this.#set.add(this.#timer.fd)
  }

  describe(): CaptureDescription {
    const host = this.#address.includes(':') ? `[${this.#address}]` : this.#address
    return { capture: { PCAPSocket: `${host}:${this.#listener.port}`, ...this.#unused.describe() } }
  }

  poll(sink: PacketBlockSink): number {
    if (!this.#isOpen) return 0
    let packets = 0
    const nowMs = Date.now()
    this.#accept()
    for (const connection of this.#connections) packets += this.#serve(connection, nowMs, sink)
    this.#setListening(this.#connections.size < this.#maxStreams)
    this.#block.flush(sink)
    this.#received += packets
    this.#armTimer(nowMs)
    return packets
  }

  #accept(): void {
    while (this.#connections.size < this.#maxStreams) {
      const fd = this.#kernel.accept(this.#listener.fd)
      if (fd < 0) break
      const stream = new PcapStream({
        snapLength: this.#snapLength,
        filterFor: (linkType) => {
          this.#unused.seeLinkType(linkType)
          return this.#filterFor(linkType)
        },
      })
      this.#connections.add({ fd, stream, isRead: true, isOver: false })
      this.#set.add(fd)
    }
  }

  /** Who comes when there are streams enough waits for one of them to end. */
  #setListening(isListening: boolean): void {
    if (this.#isListening === isListening) return
    this.#isListening = isListening
    if (isListening) this.#set.add(this.#listener.fd)
    else this.#set.remove(this.#listener.fd)
  }

  /** Hands over what is due, and reads on when nothing waits any more. */
  #serve(connection: Connection, nowMs: number, sink: PacketBlockSink): number {
    const { stream } = connection
    const release = () => stream.release(nowMs, (packet, bytes, timeMs) => this.#block.add(packet, bytes, timeMs, sink))
    let packets = release()
    for (let reads = 0; reads < READS_PER_POLL && stream.waiting === 0 && !connection.isOver; reads++) {
      if (!this.#read(connection, nowMs)) break
      packets += release()
    }
    this.#setRead(connection, stream.waiting === 0 && !connection.isOver)
    if (connection.isOver && stream.waiting === 0) this.#forget(connection)
    return packets
  }

  /** Whether there was something. */
  #read(connection: Connection, nowMs: number): boolean {
    const { fd, stream } = connection
    const bytes = this.#kernel.receive(fd, this.#bytes.subarray(0, stream.wantedBytes))
    if (bytes === -Errno.EAGAIN) return false
    try {
      if (bytes > 0) stream.push(this.#bytes.subarray(0, bytes), nowMs)
      else stream.end()
    } catch (error) {
      this.#unused.count(error, { isOver: bytes <= 0, hasPackets: stream.hasPackets })
      // A damaged stream, or one that was cut: what came before the damage counts, the packet that did not come is lost.
      if (stream.hasPackets) this.#cut++
      connection.isOver = true
    }
    if (bytes <= 0) connection.isOver = true
    return true
  }

  #setRead(connection: Connection, isRead: boolean): void {
    if (connection.isRead === isRead) return
    connection.isRead = isRead
    if (isRead) this.#set.add(connection.fd)
    else this.#set.remove(connection.fd)
  }

  #forget(connection: Connection): void {
    this.#kernel.close(connection.fd)
    this.#connections.delete(connection)
  }

  #armTimer(nowMs: number): void {
    let dueMs = Number.POSITIVE_INFINITY
    for (const { stream } of this.#connections) dueMs = Math.min(dueMs, stream.nextDueMs(nowMs) ?? Number.POSITIVE_INFINITY)
    if (dueMs === Number.POSITIVE_INFINITY) this.#timer.disarm()
    else this.#timer.arm(Math.min(dueMs - nowMs, MAX_TIMER_MS))
  }

  #filterFor(linkType: number): PacketFilter | undefined {
    if (this.#expression === '') return undefined
    let filter = this.#filters.get(linkType)
    if (!filter) {
      const program = this.#kernel.compileBpf(this.#expression, { linkType, snapLength: FILTER_SNAP_LENGTH })
      filter = createPacketFilter(decodeBpfProgram(program))
      this.#filters.set(linkType, filter)
    }
    return filter
  }

  /** What a stream did not bring was lost before it came here, as what an interface drops; the kernel had the room. */
  stats(): CaptureStats {
    return { packetsReceived: this.#received, packetsDropped: this.#dropped, packetsIfDropped: this.#cut }
  }

  /** What waits for its time is dropped, and counted so. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const connection of [...this.#connections]) {
      this.#dropped += connection.stream.waiting
      this.#forget(connection)
    }
    this.#set.close()
    this.#timer.close()
    this.#kernel.close(this.#listener.fd)
    this.#kernel.dispose()
  }
}

/** A day: what is due later is looked at again then. */
const MAX_TIMER_MS = 86_400_000
