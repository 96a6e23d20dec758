import { InvalidArgumentError } from '@skydive/contracts'
import { Errno, errnoName } from './errno.ts'
import type { Kernel } from './kernel.ts'
import { socketAddress } from './socket-address.ts'

/** Where datagrams go. Shape: `{ address: '192.0.2.1', port: 4739, maxDatagramBytes: 1400 }`. */
export interface DatagramSenderOptions {
  /** An IPv4 or IPv6 address without brackets. */
  readonly address: string
  /** Of UDP, 1 to 65535; not looked at with `protocol`. */
  readonly port: number
  /** Payloads of this IP protocol instead of UDP, such as 47 (GRE): takes CAP_NET_RAW. */
  readonly protocol?: number
  readonly maxDatagramBytes: number
  /** Datagrams that wait until the kernel takes them. @default 256 */
  readonly maxQueued?: number
  /** What the kernel holds until the network takes it; it may grant less. @default 4 MiB */
  readonly bufferBytes?: number
}

/** Counts since it was opened, in the unit that {@link DatagramSender.commit} is told. */
export interface DatagramSenderStats {
  /** Taken by the kernel. */
  readonly sent: number
  /** Had no room in the queue, or were refused by the kernel. */
  readonly dropped: number
  /** Why the kernel refused the last one, such as `ENETUNREACH`; absent when it took the last one. */
  readonly refusal?: string
}

/**
 * A socket that is written to in batches: a system call for many datagrams. It never blocks: what the kernel has no room for waits in a
 * bounded queue. Belongs to the thread of its kernel.
 */
export interface DatagramSender {
  /** The memory of the queue: write a datagram at the offset that {@link DatagramSender.reserve} answered. */
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Datagrams that wait. */
  readonly queued: number
  /** Where the next datagram goes, `maxDatagramBytes` of room; -1 when the queue is full, also after the kernel was asked to take some. */
  reserve(): number
  /** Queues what was written at the reserved place. `units` is what it counts for. */
  commit(byteLength: number, units?: number): void
  /** Counts what could not be queued. */
  drop(units?: number): void
  /** Gives the kernel what is queued, as far as it takes it; answers how many still wait. */
  flush(): number
  stats(): DatagramSenderStats
  /** What still waits is counted as dropped. Twice is once. */
  close(): void
}

const SOCK_DGRAM = 2
const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_SNDBUFFORCE = 32
const SO_ATTACH_FILTER = 26
const MSG_DONTWAIT = 0x40
const SENDMMSG = process.arch === 'arm64' ? 269 : 307

const DEFAULT_QUEUED = 256
const DEFAULT_BUFFER_BYTES = 4 * 1024 * 1024
const MOST_DATAGRAM_BYTES = 65_507
// struct mmsghdr (msghdr, then the length) and struct iovec for each datagram; then an address for all, a BPF program, the datagrams.
const MMSGHDR_BYTES = 64
const IOVEC_BYTES = 16
const NAME_BYTES = 32
/** `ret 0`: nothing is received. */
const DROP_ALL = 0x06n
const PROGRAM_BYTES = 8

/**
 * Opens a socket that sends to one address.
 * @throws ERR_INVALID_ARGUMENT for an address, a port or a length that is none, ERR_PERMISSION for a protocol without CAP_NET_RAW.
 */
export function openDatagramSender(kernel: Kernel, options: DatagramSenderOptions): DatagramSender {
  const { address, port, protocol, maxDatagramBytes, maxQueued = DEFAULT_QUEUED, bufferBytes = DEFAULT_BUFFER_BYTES } = options
  if (protocol === undefined && (!Number.isInteger(port) || port < 1 || port > 65_535)) {
    throw new InvalidArgumentError(`send datagrams: port ${port} is none; give 1 to 65535`, { port })
  }
  if (!Number.isInteger(maxDatagramBytes) || maxDatagramBytes < 1 || maxDatagramBytes > MOST_DATAGRAM_BYTES) {
    throw new InvalidArgumentError(`send datagrams: ${maxDatagramBytes} bytes are no length; give 1 to ${MOST_DATAGRAM_BYTES}`, {
      maxDatagramBytes,
    })
  }
  const name = socketAddress('send datagrams', address, protocol === undefined ? port : 0)
  const domain = new DataView(name.buffer).getUint16(0, true)
  const fd = kernel.socket({ domain, type: protocol === undefined ? SOCK_DGRAM : SOCK_RAW, protocol: protocol ?? 0 })
  try {
    growBuffer(kernel, fd, bufferBytes)
    return new Sender(kernel, fd, name, maxQueued, maxDatagramBytes)
  } catch (error) {
    kernel.close(fd)
    throw error
  }
}

/** Beyond what the system allows everyone with CAP_NET_ADMIN, otherwise as far as it allows. */
function growBuffer(kernel: Kernel, fd: number, bufferBytes: number): void {
  try {
    kernel.setSocketOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, bufferBytes)
  } catch {
    kernel.setSocketOption(fd, SOL_SOCKET, SO_SNDBUF, bufferBytes)
  }
}

class Sender implements DatagramSender {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #kernel: Kernel
  readonly #fd: number
  readonly #memory: ReturnType<Kernel['mapMemory']>
  readonly #slots: number
  readonly #slotBytes: number
  readonly #dataAt: number
  readonly #units: Float64Array
  /** The slot that goes next, and how many wait from there on, around the end. */
  #first = 0
  #queued = 0
  #sent = 0
  #dropped = 0
  #refusal: string | undefined
  #isOpen = true

  constructor(kernel: Kernel, fd: number, name: Uint8Array, slots: number, maxDatagramBytes: number) {
    this.#kernel = kernel
    this.#fd = fd
    this.#slots = slots
    this.#slotBytes = (maxDatagramBytes + 7) & ~7
    this.#units = new Float64Array(slots)
    const iovecs = slots * MMSGHDR_BYTES
    const nameAt = iovecs + slots * IOVEC_BYTES
    const programAt = nameAt + NAME_BYTES
    this.#dataAt = programAt + PROGRAM_BYTES
    this.#memory = kernel.mapMemory({ byteLength: this.#dataAt + slots * this.#slotBytes })
    this.bytes = new Uint8Array(this.#memory.buffer)
    this.view = new DataView(this.#memory.buffer)
    const { address } = this.#memory
    this.bytes.set(name, nameAt)
    for (let slot = 0; slot < slots; slot++) {
      const head = slot * MMSGHDR_BYTES
      const iovec = iovecs + slot * IOVEC_BYTES
      this.view.setBigUint64(head, address + BigInt(nameAt), true)
      this.view.setUint32(head + 8, name.length, true)
      this.view.setBigUint64(head + 16, address + BigInt(iovec), true)
      this.view.setBigUint64(head + 24, 1n, true)
      this.view.setBigUint64(iovec, address + BigInt(this.#dataAt + slot * this.#slotBytes), true)
    }
    try {
      this.#refuseAnswers(programAt)
    } catch (error) {
      this.#memory.close()
      throw error
    }
  }

  get queued(): number {
    return this.#queued
  }

  reserve(): number {
    if (this.#queued === this.#slots) this.flush()
    if (this.#queued === this.#slots || !this.#isOpen) return -1
    return this.#dataAt + ((this.#first + this.#queued) % this.#slots) * this.#slotBytes
  }

  commit(byteLength: number, units = 1): void {
    const slot = (this.#first + this.#queued) % this.#slots
    this.view.setBigUint64(this.#slots * MMSGHDR_BYTES + slot * IOVEC_BYTES + 8, BigInt(byteLength), true)
    this.#units[slot] = units
    this.#queued++
  }

  drop(units = 1): void {
    this.#dropped += units
  }

  flush(): number {
    while (this.#queued > 0 && this.#isOpen) {
      const first = this.#first
      const count = Math.min(this.#queued, this.#slots - first)
      const taken = this.#kernel.systemCall(
        SENDMMSG,
        this.#fd,
        this.#memory.address + BigInt(first * MMSGHDR_BYTES),
        count,
        MSG_DONTWAIT,
      )
      if (taken > 0) {
        for (let i = 0; i < taken; i++) this.#sent += this.#units[first + i]!
        this.#refusal = undefined
        this.#advance(taken)
      } else if (taken === -Errno.EAGAIN || taken === -Errno.ENOBUFS) break
      else if (taken !== -Errno.EINTR) {
        // The first one can't be sent whatever is done: to an address without a route, or refused by a firewall.
        this.#refusal = errnoName(-taken)
        this.#dropped += this.#units[first]!
        this.#advance(1)
      }
    }
    return this.#queued
  }

  stats(): DatagramSenderStats {
    return { sent: this.#sent, dropped: this.#dropped, ...(this.#refusal !== undefined && { refusal: this.#refusal }) }
  }

  close(): void {
    if (!this.#isOpen) return
    for (; this.#queued > 0; this.#advance(1)) this.#dropped += this.#units[this.#first]!
    this.#isOpen = false
    this.#kernel.close(this.#fd)
    this.#memory.close()
  }

  #advance(count: number): void {
    this.#first = (this.#first + count) % this.#slots
    this.#queued -= count
  }

  /** Without it, what comes to the socket would lie there for as long as it lives: a raw one gets every packet of its protocol. */
  #refuseAnswers(programAt: number): void {
    this.view.setBigUint64(programAt, DROP_ALL, true)
    const program = new DataView(new ArrayBuffer(16))
    program.setUint16(0, 1, true)
    program.setBigUint64(8, this.#memory.address + BigInt(programAt), true)
    this.#kernel.setSocketOption(this.#fd, SOL_SOCKET, SO_ATTACH_FILTER, program)
  }
}
