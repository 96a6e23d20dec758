import { InvalidArgumentError } from '@skydive/contracts'
import koffi from 'koffi'
import { systemError } from './errno.ts'
import { type Libc, lastErrno } from './libc.ts'

const PROT_READ = 1
const PROT_WRITE = 2
const MAP_SHARED = 0x01
const MAP_PRIVATE = 0x02
const MAP_FIXED = 0x10
const MAP_ANONYMOUS = 0x20
const MAP_NORESERVE = 0x4000
const MAP_POPULATE = 0x8000
/** What `mmap` answers on failure: (void *) -1. */
const MAP_FAILED = 0xffffffffffffffffn

/** What to map. Without `fd`: fresh zeroed memory, page-aligned. Shape: `{ fd, byteLength: 16 << 20, write: true, shared: true }`. */
export interface MapOptions {
  readonly fd?: number
  /** At least 1. The kernel rounds up to whole pages. */
  readonly byteLength: number
  /** Where in the file, a multiple of the page size; 0 by default. */
  readonly offset?: number
  /** Writing into a map without it kills the process (SIGSEGV). Always true for memory without `fd`. */
  readonly write?: boolean
  /** Changes are seen by the other side (packet rings, BPF ring buffers); otherwise they stay private. */
  readonly shared?: boolean
  /** Reads the pages in at once instead of one by one at first touch. */
  readonly populate?: boolean
}

/** Memory outside the heap of JavaScript. */
export interface MappedMemory {
  /** The memory itself, not a copy. It can't be detached: after `close` it reads zeros. */
  readonly buffer: ArrayBuffer
  readonly address: bigint
  /**
   * Gives the memory back. Whoever still holds the buffer reads zeros and disturbs nobody: empty pages are laid over the range, which
   * releases what was mapped (a packet socket lives as long as its ring is mapped). For a ring: close its descriptor first. Twice is once.
   */
  close(): void
}

/** Maps memory. @throws ERR_INVALID_ARGUMENT for a length below 1; ERR_SYSTEM_CALL, ERR_PERMISSION when the kernel refuses. */
export function mapMemory(libc: Libc, options: MapOptions): MappedMemory {
  const { fd, byteLength, offset = 0, write = fd === undefined, shared = false, populate = false } = options
  if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw new InvalidArgumentError(`map memory: byteLength ${byteLength} is no length; give a whole number of bytes from 1`, {
      byteLength,
    })
  }
  const flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (fd === undefined ? MAP_ANONYMOUS : 0) | (populate ? MAP_POPULATE : 0)
  const address = libc.mmap(null, byteLength, PROT_READ | (write ? PROT_WRITE : 0), flags, fd ?? -1, offset)
  if (address === MAP_FAILED) throw systemError(`map ${byteLength} bytes`, lastErrno(), { byteLength, offset })

  let open = true
  return {
    buffer: koffi.view(address, byteLength),
    address,
    close() {
      if (!open) return
      open = false
      releaseMemory(libc, address, byteLength)
    },
  }
}

/** Lays empty pages over what is mapped there. @throws ERR_SYSTEM_CALL */
export function releaseMemory(libc: Libc, address: bigint, byteLength: number): void {
  const over = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
  if (libc.mmap(address, byteLength, PROT_READ | PROT_WRITE, over, -1, 0) === MAP_FAILED) {
    throw systemError(`release ${byteLength} mapped bytes`, lastErrno(), { byteLength })
  }
}
