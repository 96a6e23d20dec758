import { type CaptureTarget, SkydiveError } from '@skydive/contracts'
import type { Kernel } from '@skydive/kernel'

// linux/netlink.h, linux/rtnetlink.h
const AF_NETLINK = 16
const SOCK_RAW = 3
const NETLINK_ROUTE = 0
const NLM_F_REQUEST = 1
const RTM_NEWSTATS = 92
const RTM_GETSTATS = 94
/** struct nlmsghdr: length, type, flags, sequence number, port. */
const HEADER_BYTES = 16
const TYPE = 4
const SEQUENCE = 8
// linux/if_link.h: struct if_stats_msg, then one attribute, the counters of struct rtnl_link_stats64.
const STATS_BYTES = 12
const STATS_INDEX = 4
const STATS_FILTER = 8
const STATS_LINK_64 = 1
const ATTRIBUTE_BYTES = 4
/** Places of the counters of which libpcap makes its own figure: no room in the ring of the card, no room in its memory. */
const FIFO_ERRORS = 14
const MISSED_ERRORS = 15
const COUNTER_BYTES = 8
const LEAST_BYTES = ATTRIBUTE_BYTES + (MISSED_ERRORS + 1) * COUNTER_BYTES
/** The kernel has 24 counters or a few more. */
const ANSWER_BYTES = 1024

/**
 * Opens the counters of a target's interface, in its namespace; `undefined` where the host allows no such socket: a capture is worth having without
 * them. Before Linux 4.7 there are no answers, and none are dropped.
 */
export function openInterfaceDrops(kernel: Kernel, { ifindex, netns }: CaptureTarget): InterfaceDrops | undefined {
  let fd: number
  try {
    fd = kernel.socket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: NETLINK_ROUTE, ...(netns !== undefined && { netns }) })
  } catch (error) {
    if (SkydiveError.isInstance(error, 'ERR_UNSUPPORTED') || SkydiveError.isInstance(error, 'ERR_PERMISSION')) return undefined
    throw error
  }
  return new InterfaceDrops(kernel, fd, ifindex)
}

/** Packets that an interface dropped before any capture could see them, from when this was made. The descriptor is its own from then on. */
export class InterfaceDrops {
  readonly #kernel: Kernel
  readonly #fd: number
  readonly #request = new DataView(new ArrayBuffer(HEADER_BYTES + STATS_BYTES))
  readonly #answer = new DataView(new ArrayBuffer(ANSWER_BYTES))
  #sequence = 0
  /** What the interface told last; `undefined` until it did. */
  #told: number | undefined
  #count = 0

  /** `fd` is a socket of rtnetlink in the namespace of the interface. */
  constructor(kernel: Kernel, fd: number, ifindex: number) {
    this.#kernel = kernel
    this.#fd = fd
    const request = this.#request
    request.setUint32(0, request.byteLength, true)
    request.setUint16(TYPE, RTM_GETSTATS, true)
    request.setUint16(TYPE + 2, NLM_F_REQUEST, true)
    request.setInt32(HEADER_BYTES + STATS_INDEX, ifindex, true)
    request.setUint32(HEADER_BYTES + STATS_FILTER, 1 << (STATS_LINK_64 - 1), true)
    this.#told = this.#ask()
  }

  /** How many so far, as the driver says now. One question to the kernel, which answers at once. Never less than before. */
  count(): number {
    const now = this.#ask()
    if (now === undefined) return this.#count
    // A counter that fell began anew: with a driver that was loaded again, or a reset of the card.
    if (this.#told !== undefined) this.#count += now >= this.#told ? now - this.#told : now
    this.#told = now
    return this.#count
  }

  close(): void {
    this.#kernel.close(this.#fd)
  }

  /** What the interface dropped since it was made; `undefined` when it is gone, or the kernel knows no such question. */
  #ask(): number | undefined {
    this.#sequence++
    this.#request.setUint32(SEQUENCE, this.#sequence, true)
    if (this.#kernel.send(this.#fd, this.#request) < 0) return undefined
    const answer = this.#answer
    for (;;) {
      const byteLength = this.#kernel.receive(this.#fd, answer)
      if (byteLength < HEADER_BYTES) return undefined
      if (answer.getUint32(SEQUENCE, true) !== this.#sequence) continue
      return answer.getUint16(TYPE, true) === RTM_NEWSTATS ? readDrops(answer, byteLength) : undefined
    }
  }
}

/** Looks for the counters among the attributes: before them there may be one that only fills up to a multiple of 8 bytes. */
function readDrops(answer: DataView, byteLength: number): number | undefined {
  for (let at = HEADER_BYTES + STATS_BYTES; at + ATTRIBUTE_BYTES <= byteLength; ) {
    const attributeBytes = answer.getUint16(at, true)
    if (attributeBytes < ATTRIBUTE_BYTES || at + attributeBytes > byteLength) return undefined
    if (answer.getUint16(at + 2, true) === STATS_LINK_64) {
      if (attributeBytes < LEAST_BYTES) return undefined
      const counter = (place: number) => Number(answer.getBigUint64(at + ATTRIBUTE_BYTES + place * COUNTER_BYTES, true))
      return counter(FIFO_ERRORS) + counter(MISSED_ERRORS)
    }
    at += (attributeBytes + 3) & ~3
  }
  return undefined
}
