import type { Kernel } from './kernel.ts'
import type { MappedMemory } from './memory.ts'
import { AF_INET } from './socket-address.ts'

// struct mmsghdr (msghdr, then the length), struct iovec and an address of up to 28 bytes for each datagram.
const MMSGHDR_BYTES = 64
const NAME_LENGTH = 8
const IOVECS = 16
const IOVEC_COUNT = 24
const MSG_FLAGS = 48
const MSG_LENGTH = 56
const IOVEC_BYTES = 16
const NAME_BYTES = 32
const MSG_TRUNC = 0x20
/** Of an IPv4 address within one of IPv6. */
const MAPPED_OFFSET = 12
/** What a datagram has at most that comes in one Ethernet frame of the usual length, and a little more: whole cache lines. */
const USUAL_BYTES = 1536
const EIGHT = 7

/**
 * The memory that `recvmmsg` fills (recvmmsg(2)): slots of 1.5 KiB that lie one behind the other, so that a reader of the whole batch finds it
 * dense, and for what is longer the rest of it at a second place. Such a datagram is made whole there when it is asked for, which is seldom.
 */
export class DatagramSlots {
  readonly view: DataView
  readonly #memory: MappedMemory
  readonly #bytes: Uint8Array
  readonly #count: number
  readonly #usualBytes: number
  readonly #namesAt: number
  readonly #usualAt: number
  /** Where long datagrams are whole, each in as many bytes. */
  readonly #longAt: number
  readonly #longBytes: number

  /** Room for `count` datagrams of `maxDatagramBytes` at most. What only long ones need is no memory until such a one comes. */
  constructor(kernel: Kernel, count: number, maxDatagramBytes: number) {
    // Multiples of eight: whoever reads a datagram by words finds it aligned.
    const usualBytes = Math.min((maxDatagramBytes + EIGHT) & ~EIGHT, USUAL_BYTES)
    const isLongTaken = maxDatagramBytes > usualBytes
    this.#count = count
    this.#usualBytes = usualBytes
    this.#longBytes = isLongTaken ? (maxDatagramBytes + EIGHT) & ~EIGHT : 0
    const iovecsAt = count * MMSGHDR_BYTES
    this.#namesAt = iovecsAt + 2 * count * IOVEC_BYTES
    this.#usualAt = this.#namesAt + count * NAME_BYTES
    this.#longAt = this.#usualAt + count * usualBytes
    this.#memory = kernel.mapMemory({ byteLength: this.#longAt + count * this.#longBytes })
    this.#bytes = new Uint8Array(this.#memory.buffer)
    this.view = new DataView(this.#memory.buffer)
    const { view } = this
    const pointer = (at: number, to: number) => view.setBigUint64(at, this.#memory.address + BigInt(to), true)
    for (let i = 0; i < count; i++) {
      const head = i * MMSGHDR_BYTES
      const iovec = iovecsAt + 2 * i * IOVEC_BYTES
      pointer(head, this.#namesAt + i * NAME_BYTES)
      pointer(head + IOVECS, iovec)
      view.setBigUint64(head + IOVEC_COUNT, isLongTaken ? 2n : 1n, true)
      pointer(iovec, this.#usualAt + i * usualBytes)
      view.setBigUint64(iovec + 8, BigInt(Math.min(maxDatagramBytes, usualBytes)), true)
      pointer(iovec + IOVEC_BYTES, this.#longAt + i * this.#longBytes + usualBytes)
      view.setBigUint64(iovec + IOVEC_BYTES + 8, BigInt(Math.max(0, maxDatagramBytes - usualBytes)), true)
    }
  }

  /** Of the first `struct mmsghdr`. */
  get address(): bigint {
    return this.#memory.address
  }

  /** Before each call: the kernel writes over how much room there is for a sender's address. */
  prepare(): void {
    for (let i = 0; i < this.#count; i++) this.view.setUint32(i * MMSGHDR_BYTES + NAME_LENGTH, NAME_BYTES, true)
  }

  /** Whether datagram `i` was longer than there is room for. */
  isCut(i: number): boolean {
    return (this.view.getInt32(i * MMSGHDR_BYTES + MSG_FLAGS, true) & MSG_TRUNC) !== 0
  }

  byteLength(i: number): number {
    return this.view.getUint32(i * MMSGHDR_BYTES + MSG_LENGTH, true)
  }

  /** Where datagram `i` lies, whole. */
  offset(i: number): number {
    const at = this.#usualAt + i * this.#usualBytes
    if (this.byteLength(i) <= this.#usualBytes) return at
    const longAt = this.#longAt + i * this.#longBytes
    this.#bytes.copyWithin(longAt, at, at + this.#usualBytes)
    return longAt
  }

  /** 4 or 6. */
  senderVersion(i: number): number {
    const name = this.#namesAt + i * NAME_BYTES
    return this.view.getUint16(name, true) === AF_INET || this.#isMapped(name + 8) ? 4 : 6
  }

  /** Where the sender's address lies, as the network writes it. */
  senderOffset(i: number): number {
    const name = this.#namesAt + i * NAME_BYTES
    if (this.view.getUint16(name, true) === AF_INET) return name + 4
    return this.#isMapped(name + 8) ? name + 8 + MAPPED_OFFSET : name + 8
  }

  close(): void {
    this.#memory.close()
  }

  /** `::ffff:a.b.c.d`. */
  #isMapped(at: number): boolean {
    const { view } = this
    return view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === 0xffff
  }
}
