import { type Libc, loadLibc } from './libc.ts'
import { releaseMemory } from './memory.ts'
import { holdPcapLibrary } from './pcap-calls.ts'

/** More than a thread with hundreds of captures has; what is beyond is left out of the ledger. */
const SLOTS = 4096
/** Kind, number or address, length. */
const SLOT_NUMBERS = 3
const FREE = 0
const KIND = { descriptor: 1, mapping: 2, pcapHandle: 3 } as const
type Kind = (typeof KIND)[keyof typeof KIND]

/** What {@link Ledger.release} closed. */
export interface Released {
  readonly descriptors: number
  readonly mappings: number
  /** Captures of libpcap, each with what it had open. */
  readonly pcapHandles: number
}

/** A list of what one thread has open, as the thread's owner has it. */
export interface Ledger {
  /** For `openKernel` and `loadPcapLibrary` in the thread. */
  readonly shared: SharedArrayBuffer
  /**
   * Closes what the thread left open. Only after the thread has ended: nobody else may use or close what stands in the ledger. Of a thread that
   * ended in order there is nothing.
   */
  release(): Released
}

/**
 * Makes a ledger in shared memory, so that the owner of a thread can close what it had open when it broke: the kernel keeps descriptors and
 * mappings until the end of the process. Make it before the thread starts: it keeps libpcap in memory, where there is one. 96 KiB; up to 4,096
 * entries.
 */
export function createLedger(): Ledger {
  const shared = new SharedArrayBuffer(SLOTS * SLOT_NUMBERS * Float64Array.BYTES_PER_ELEMENT)
  const pcap = holdPcapLibrary()
  return {
    shared,
    release() {
      const released = { descriptors: 0, mappings: 0, pcapHandles: 0 }
      const libc = loadLibc()
      new LedgerEntries(shared).take((kind, value, byteLength) => {
        if (kind === KIND.descriptor) {
          libc.close(value)
          released.descriptors++
        } else if (kind === KIND.mapping) {
          releaseMemory(libc, BigInt(value), byteLength)
          released.mappings++
        } else if (pcap) {
          pcap.close(BigInt(value))
          released.pcapHandles++
        }
      })
      return released
    },
  }
}

/** The ledger as its thread writes it. What is opened is entered afterwards, what is closed is crossed out before. */
export class LedgerEntries {
  readonly #numbers: Float64Array

  constructor(ledger: SharedArrayBuffer) {
    this.#numbers = new Float64Array(ledger)
  }

  note(kind: Kind, value: number, byteLength = 0): void {
    for (let at = 0; at < this.#numbers.length; at += SLOT_NUMBERS) {
      if (this.#numbers[at] !== FREE) continue
      this.#numbers[at + 1] = value
      this.#numbers[at + 2] = byteLength
      this.#numbers[at] = kind
      return
    }
  }

  forget(kind: Kind, value: number): void {
    for (let at = 0; at < this.#numbers.length; at += SLOT_NUMBERS) {
      if (this.#numbers[at] !== kind || this.#numbers[at + 1] !== value) continue
      this.#numbers[at] = FREE
      return
    }
  }

  /** Hands each entry over and crosses it out. */
  take(visit: (kind: number, value: number, byteLength: number) => void): void {
    for (let at = 0; at < this.#numbers.length; at += SLOT_NUMBERS) {
      const kind = this.#numbers[at]!
      if (kind === FREE) continue
      this.#numbers[at] = FREE
      visit(kind, this.#numbers[at + 1]!, this.#numbers[at + 2]!)
    }
  }
}

/** A C library that enters into the ledger what it opens. */
export function withLedger(libc: Libc, ledger: SharedArrayBuffer): Libc {
  const entries = new LedgerEntries(ledger)
  const opened = (fd: number) => {
    if (fd >= 0) entries.note(KIND.descriptor, fd)
    return fd
  }
  return {
    ...libc,
    open: (path, flags) => opened(libc.open(path, flags)),
    socket: (domain, type, protocol) => opened(libc.socket(domain, type, protocol)),
    accept4: (fd, address, byteLength, flags) => opened(libc.accept4(fd, address, byteLength, flags)),
    eventfd: (initial, flags) => opened(libc.eventfd(initial, flags)),
    timerfd_create: (clock, flags) => opened(libc.timerfd_create(clock, flags)),
    epoll_create1: (flags) => opened(libc.epoll_create1(flags)),
    fcntl: (fd, command, argument) => opened(libc.fcntl(fd, command, argument)),
    close(fd) {
      entries.forget(KIND.descriptor, fd)
      return libc.close(fd)
    },
    mmap(address, byteLength, protection, flags, fd, offset) {
      // What is mapped over something gives that back (`MappedMemory.close`).
      if (address !== null) entries.forget(KIND.mapping, Number(address))
      const mapped = libc.mmap(address, byteLength, protection, flags, fd, offset)
      if (address === null && BigInt.asIntN(64, mapped) !== -1n) entries.note(KIND.mapping, Number(mapped), byteLength)
      return mapped
    },
  }
}

/** Enters an open handle of libpcap, and crosses it out. */
export function pcapEntries(ledger: SharedArrayBuffer): { note(handle: bigint): void; forget(handle: bigint): void } {
  const entries = new LedgerEntries(ledger)
  return {
    note: (handle) => entries.note(KIND.pcapHandle, Number(handle)),
    forget: (handle) => entries.forget(KIND.pcapHandle, Number(handle)),
  }
}
