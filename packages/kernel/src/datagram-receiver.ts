import { InvalidArgumentError } from '@skydive/contracts'
import { DatagramSlots } from './datagram-slots.ts'
import { Errno } from './errno.ts'
import type { Kernel } from './kernel.ts'
import { AF_INET6, socketAddress } from './socket-address.ts'

/** Where datagrams come in. Shape: `{ address: '0.0.0.0', port: 6343 }`. */
export interface DatagramOptions {
  /** An IPv4 or IPv6 address without brackets. `::` takes IPv4 as well. */
  readonly address: string
  /** 0 lets the kernel choose. */
  readonly port: number
  /** The namespace it lives in, by a path of its handle; absent: that of the thread. */
  readonly netns?: string
  /** What the kernel holds until it is read; it may grant less. Default 8 MiB. */
  readonly bufferBytes?: number
  /** Longer datagrams are cut, counted and left out. Default 16 KiB. */
  readonly maxDatagramBytes?: number
}

/** Counts since it was opened. */
export interface DatagramStats {
  readonly received: number
  /** For want of room in the socket's buffer, as the kernel counts them. */
  readonly dropped: number
  /** Longer than `maxDatagramBytes`. */
  readonly truncated: number
}

/**
 * Consumes a datagram in place: `view` may be written to and is valid only until it returns, or until the end of the batch for those who
 * are told of it. It must not throw. `senderVersion` is 4 or 6;
 * the address lies in `view` at `senderOffset` as the network writes it.
 */
export type DatagramVisitor = (
  view: DataView,
  offset: number,
  byteLength: number,
  senderVersion: number,
  senderOffset: number,
) => void

/** A UDP socket that is read in batches: a system call for up to 64 datagrams. Belongs to the thread of its kernel. */
export interface DatagramReceiver {
  /** Becomes readable when there is something. */
  readonly fd: number
  /** The port it listens on. */
  readonly port: number
  /**
   * Hands over what is there and answers how many; never blocks and stops after 16 batches, so that other work gets its turn. Datagrams of a
   * batch lie one behind the other, in 1.5 KiB each, longer ones behind all of them; they stay as they are until `endBatch` has returned, which
   * must not throw either.
   */
  receive(visit: DatagramVisitor, endBatch?: () => void): number
  stats(): DatagramStats
  close(): void
}

const SOCK_DGRAM = 2
const SOL_SOCKET = 1
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
/** Answers an array of counters of the socket, the ninth of which is its drops (linux/sock_diag.h, SK_MEMINFO_DROPS). */
const SO_MEMINFO = 55
const MEMINFO_WORDS = 9
const MEMINFO_DROPS = 8
const MSG_DONTWAIT = 0x40
const RECVMMSG = process.arch === 'arm64' ? 243 : 299
const GETSOCKNAME = process.arch === 'arm64' ? 204 : 51

const DEFAULT_BUFFER_BYTES = 8 * 1024 * 1024
const DEFAULT_DATAGRAM_BYTES = 16 * 1024
const BATCH = 64
const BATCHES = 16
const NAME_BYTES = 32

/**
 * Opens a socket for datagrams of UDP.
 * @throws ERR_INVALID_ARGUMENT for an address or a port that is none, ERR_SYSTEM_CALL when it is taken or not of this host (`errno` is
 * `EADDRINUSE` or `EADDRNOTAVAIL`), ERR_PERMISSION for a port below 1024, ERR_NOT_FOUND for the namespace.
 */
export function openDatagramReceiver(kernel: Kernel, options: DatagramOptions): DatagramReceiver {
  const { address, port, netns, bufferBytes = DEFAULT_BUFFER_BYTES, maxDatagramBytes = DEFAULT_DATAGRAM_BYTES } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError(`listen for datagrams: port ${port} is none; give 0 to 65535`, { port })
  }
  const name = socketAddress('listen for datagrams', address, port)
  const fd = kernel.socket({ domain: name[0]!, type: SOCK_DGRAM, protocol: 0, ...(netns !== undefined && { netns }) })
  try {
    growBuffer(kernel, fd, bufferBytes)
    // Whatever net.ipv6.bindv6only says.
    if (name[0] === AF_INET6) kernel.setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    kernel.bind(fd, name)
    return receiverOf(kernel, fd, maxDatagramBytes)
  } catch (error) {
    kernel.close(fd)
    throw error
  }
}

/** Beyond what the system allows everyone with CAP_NET_ADMIN, otherwise as far as it allows. */
function growBuffer(kernel: Kernel, fd: number, bufferBytes: number): void {
  try {
    kernel.setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes)
  } catch {
    kernel.setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, bufferBytes)
  }
}

function receiverOf(kernel: Kernel, fd: number, maxDatagramBytes: number): DatagramReceiver {
  const slots = new DatagramSlots(kernel, BATCH, maxDatagramBytes)
  const counters = new Uint32Array(MEMINFO_WORDS)
  let received = 0
  let truncated = 0
  let dropped = 0
  let isOpen = true
  const readDrops = () => {
    if (isOpen) {
      kernel.getSocketOption(fd, SOL_SOCKET, SO_MEMINFO, counters)
      dropped = counters[MEMINFO_DROPS]!
    }
    return dropped
  }

  const batch = (visit: DatagramVisitor): number => {
    slots.prepare()
    const count = kernel.systemCall(RECVMMSG, fd, slots.address, BATCH, MSG_DONTWAIT, 0)
    for (let i = 0; i < count; i++) {
      if (slots.isCut(i)) truncated++
      else visit(slots.view, slots.offset(i), slots.byteLength(i), slots.senderVersion(i), slots.senderOffset(i))
    }
    return count
  }

  return {
    fd,
    port: portOf(kernel, fd),
    receive(visit, endBatch) {
      let total = 0
      for (let turn = 0; turn < BATCHES && isOpen; turn++) {
        const count = batch(visit)
        if (count > 0) {
          total += count
          endBatch?.()
        }
        // An error of the socket (a port of a sender that is closed) is told once and is no datagram.
        if (count < BATCH && count !== -Errno.EINTR) break
      }
      received += total
      return total
    },
    stats: () => ({ received: received - truncated, dropped: readDrops(), truncated }),
    close() {
      if (!isOpen) return
      readDrops()
      isOpen = false
      kernel.close(fd)
      slots.close()
    },
  }
}

function portOf(kernel: Kernel, fd: number): number {
  const name = new Uint8Array(NAME_BYTES)
  kernel.systemCall(GETSOCKNAME, fd, name, Uint32Array.of(NAME_BYTES))
  return new DataView(name.buffer).getUint16(2)
}
