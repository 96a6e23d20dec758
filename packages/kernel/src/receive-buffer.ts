import type { Libc } from './libc.ts'
import { orErrno } from './libc.ts'
import { type MappedMemory, mapMemory } from './memory.ts'

// struct msghdr and struct iovec of a 64-bit machine (bits/socket.h), one after the other at the start of the map.
const MSG_NAME = 0
const MSG_NAMELEN = 8
const MSG_IOV = 16
const MSG_IOVLEN = 24
const MSG_CONTROL = 32
const MSG_CONTROLLEN = 40
const MSG_FLAGS = 48
const IOV = 64
const NAME_AT = 128
const NAME_BYTES = 128
const CONTROL_AT = 256
const CONTROL_BYTES = 256
const DATA_AT = 512
const MSG_TRUNC = 0x20
/** struct cmsghdr: size_t length, int level, int type; the next one begins at a multiple of 8. */
const CMSG_HEADER = 16

/**
 * Memory to receive datagrams into, with the sender's address and the control messages. One is enough for any number of sockets of a
 * thread: what it holds is valid until the next receive.
 */
export interface ReceiveBuffer {
  readonly data: Uint8Array
  /** The sender's address as the kernel wrote it. */
  readonly name: DataView
  /** Whether the last datagram did not fit. */
  readonly truncated: boolean
  /** The value of the first control message of this kind as an int; `undefined` when the last datagram had none. */
  controlInt(level: number, type: number): number | undefined
  close(): void
}

/** A {@link ReceiveBuffer} with what only this package may do. */
export interface OwnReceiveBuffer extends ReceiveBuffer {
  receive(fd: number, flags: number): number
}

/** Lays out a receive buffer of `dataBytes`. 64 KiB hold what the kernel sends in one netlink datagram. */
export function openReceiveBuffer(libc: Libc, dataBytes: number): OwnReceiveBuffer {
  const memory: MappedMemory = mapMemory(libc, { byteLength: DATA_AT + dataBytes })
  const view = new DataView(memory.buffer)
  view.setBigUint64(MSG_NAME, memory.address + BigInt(NAME_AT), true)
  view.setBigUint64(MSG_IOV, memory.address + BigInt(IOV), true)
  view.setBigUint64(MSG_IOVLEN, 1n, true)
  view.setBigUint64(MSG_CONTROL, memory.address + BigInt(CONTROL_AT), true)
  view.setBigUint64(IOV, memory.address + BigInt(DATA_AT), true)
  view.setBigUint64(IOV + 8, BigInt(dataBytes), true)

  return {
    data: new Uint8Array(memory.buffer, DATA_AT, dataBytes),
    name: new DataView(memory.buffer, NAME_AT, NAME_BYTES),
    get truncated() {
      return (view.getInt32(MSG_FLAGS, true) & MSG_TRUNC) !== 0
    },
    receive(fd, flags) {
      view.setUint32(MSG_NAMELEN, NAME_BYTES, true)
      view.setUint32(MSG_CONTROLLEN, CONTROL_BYTES, true)
      return orErrno(libc.recvmsg(fd, memory.address, flags))
    },
    controlInt(level, type) {
      const end = CONTROL_AT + view.getUint32(MSG_CONTROLLEN, true)
      for (let at = CONTROL_AT; at + CMSG_HEADER <= end; ) {
        const length = view.getUint32(at, true)
        if (length < CMSG_HEADER) return undefined
        if (view.getInt32(at + 8, true) === level && view.getInt32(at + 12, true) === type && length >= CMSG_HEADER + 4) {
          return view.getInt32(at + CMSG_HEADER, true)
        }
        at += (length + 7) & ~7
      }
      return undefined
    },
    close() {
      memory.close()
    },
  }
}
