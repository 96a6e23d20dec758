import type { CaptureStats, PacketBlockSink, PacketFormat, PacketSource } from '@skydive/contracts'
import type { Kernel, MappedMemory } from '@skydive/kernel'
import { IdleSocket } from './idle-socket.ts'
import type { InterfaceDrops } from './interface-drops.ts'
import * as socket from './packet-socket.ts'

const FRAME_BYTES = 2048

/** A ring as it was asked for, and what its frames are. */
export interface RingShape {
  readonly blockBytes: number
  readonly blocks: number
  readonly linkType: number
  readonly retireMs: number
}

/** What goes with the first ring of a capture. */
export interface RingTerms {
  /** Counts what the interface drops, and is the ring's own from then on; absent where nobody tells. */
  readonly drops?: InterfaceDrops
  /** Why there is less memory than was wanted. */
  readonly warning?: string
  /** Called once, when the ring is closed, for its memory. */
  giveBack(): void
}

/** Makes the socket one with a ring. */
export function setRing(kernel: Kernel, fd: number, { blockBytes, blocks, retireMs }: RingShape): void {
  kernel.setSocketOption(fd, socket.SOL_PACKET, socket.PACKET_VERSION, socket.TPACKET_V3)
  const request = socket.ringRequest(blockBytes, blocks, FRAME_BYTES, retireMs)
  kernel.setSocketOption(fd, socket.SOL_PACKET, socket.PACKET_RX_RING, request)
}

export function mapRing(kernel: Kernel, fd: number, { blockBytes, blocks }: RingShape): MappedMemory {
  return kernel.mapMemory({ fd, byteLength: blockBytes * blocks, write: true, shared: true })
}

/** The kernel looks at a block that is not full every `retireMs`, rounded up to its own ticks of up to 10 ms. */
const TICK_MS = 10

/** Reads a ring that a socket of TPACKET_V3 has. The kernel instance, the descriptor and the mapping are its own from then on. */
export class Ring implements PacketSource {
  readonly kind = 'packets'
  readonly format: PacketFormat
  readonly readyFd: number
  readonly holdsBackMs: number
  readonly warning?: string
  readonly #kernel: Kernel
  readonly #memory: MappedMemory
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #shape: RingShape
  readonly #terms: RingTerms | undefined
  readonly #idle: IdleSocket
  #next = 0
  #received = 0
  #dropped = 0
  #droppedByInterface = 0
  #isOpen = true

  constructor(kernel: Kernel, fd: number, memory: MappedMemory, shape: RingShape, terms?: RingTerms) {
    this.format = { layout: { format: 'tpacket-v3' }, linkType: shape.linkType }
    this.readyFd = fd
    this.holdsBackMs = shape.retireMs + TICK_MS
    this.#kernel = kernel
    this.#memory = memory
    this.#bytes = new Uint8Array(memory.buffer)
    this.#words = new Int32Array(memory.buffer)
    this.#shape = shape
    this.#terms = terms
    this.#idle = new IdleSocket(kernel, fd)
    if (terms?.warning !== undefined) this.warning = terms.warning
  }

  /** @throws as {@link IdleSocket.look}. */
  poll(sink: PacketBlockSink): number {
    const { blockBytes, blocks } = this.#shape
    let packets = 0
    // One turn of the ring at most, so that a fast sender does not keep the thread from its other work.
    for (let turn = 0; turn < blocks && this.#isOpen; turn++) {
      const offset = this.#next * blockBytes
      const status = (offset + socket.BLOCK_STATUS_OFFSET) >> 2
      if ((Atomics.load(this.#words, status) & socket.TP_STATUS_USER) === 0) break
      packets += this.#words[(offset + socket.BLOCK_PACKETS_OFFSET) >> 2]!
      // Not the whole block: at everyday rates a sixth of it is used, and a flow table copies what it is given.
      sink(this.#bytes, offset, Math.min(blockBytes, this.#words[(offset + socket.BLOCK_LENGTH_OFFSET) >> 2]!))
      Atomics.store(this.#words, status, socket.TP_STATUS_KERNEL)
      this.#next = (this.#next + 1) % blocks
    }
    if (packets === 0 && this.#isOpen) this.#idle.look()
    return packets
  }

  /** The kernel's counters; reading resets them there, so they are added up here. What it drops it counts as seen, too. */
  stats(): CaptureStats {
    if (this.#isOpen) {
      const counters = new Uint32Array(3)
      this.#kernel.getSocketOption(this.readyFd, socket.SOL_PACKET, socket.PACKET_STATISTICS, counters)
      this.#received += counters[0]! - counters[1]!
      this.#dropped += counters[1]!
      this.#droppedByInterface = this.#terms?.drops?.count() ?? 0
    }
    return {
      packetsReceived: this.#received,
      packetsDropped: this.#dropped,
      packetsIfDropped: this.#droppedByInterface,
    }
  }

  /** The descriptor first, then the mapping, which keeps the socket alive. */
  close(): void {
    if (!this.#isOpen) return
    this.stats()
    this.#isOpen = false
    this.#kernel.close(this.readyFd)
    this.#memory.close()
    this.#terms?.drops?.close()
    this.#kernel.dispose()
    this.#terms?.giveBack()
  }
}
