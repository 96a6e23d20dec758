import { ABSENT, type Dissector, ICMP_ECHO, type IpDefragmenter, TCP_FLAG, TRANSPORT } from '@skydive/packet'
import {
  FLAG_CARRIES,
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_HAS_LINK,
  FLAG_IGNORED,
  FLAG_REASSEMBLED,
  FLAG_SAME_ENDS,
  FLAG_SEQUENCE_SHIFT,
  FLAG_SWAPPED,
  FLAG_TCP_EVENT,
  FLAG_TTL_SHIFT,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_PARENT,
  KEY_TRANSPORT,
  KIND_IPV4,
  KIND_IPV6,
  KIND_LINK,
  KIND_PORT_SHIFT,
  KIND_VNI,
  MAX_SEQUENCES,
  ROW_CAPTURED_BYTES,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_NANOSECONDS,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_SHIFT,
  ROW_STRIPPED_TAG,
} from './layout.ts'
import { compareAddresses, type RowKeys } from './row-keys.ts'

/** SYN, FIN and RST. */
const TCP_EVENTS = TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST
const ROW_WORDS = 1 << ROW_SHIFT

/**
 * Rows of packets that are not the common case: by the general dissector and the rules of spec flows 1.8 as they are written. A packet in
 * tunnels takes a row for each of its sequences of layers.
 */
export class SequenceRows {
  readonly #keys: RowKeys
  readonly #dissector: Dissector
  readonly #keysLink: boolean
  readonly #defragmenter: IpDefragmenter | undefined

  constructor(keys: RowKeys, dissector: Dissector, keysLink: boolean, defragmenter: IpDefragmenter | undefined) {
    this.#keys = keys
    this.#dissector = dissector
    this.#keysLink = keysLink
    this.#defragmenter = defragmenter
  }

  /**
   * Fills the row at `at`, which holds what there is to know of the packet as a whole, and those after it with what the packet carries.
   * Answers how many rows it took besides: -1 when it took none at all.
   */
  fill(view: DataView, at: number, linkType: number): number {
    const { rows } = this.#keys
    const packet = this.#dissector
    if (this.#defragmenter) this.#defragmenter.nowSeconds = rows[at + ROW_SECONDS]!
    packet.dissect(view, rows[at + ROW_OFFSET]!, rows[at + ROW_CAPTURED_BYTES]!, linkType, rows[at + ROW_STRIPPED_TAG])
    if (packet.isSwallowed) return -1
    const hasLink = packet.linkOffset !== ABSENT
    if (!hasLink && packet.ipVersion === 0) {
      rows[at + ROW_FLAGS] = FLAG_IGNORED
      return 0
    }
    // The length of the frame is there already.
    if (!hasLink) rows[at + ROW_COUNTED_BYTES] = packet.ipBytes
    let sequenceBytes = rows[at + ROW_COUNTED_BYTES]!
    const reassembled = packet.isReassembled ? FLAG_REASSEMBLED : 0
    this.#key(at, reassembled)
    let more = 0
    for (;;) {
      const carriedBytes = packet.carriedBytes === ABSENT ? sequenceBytes - packet.headerBytes : packet.carriedBytes
      if (more + 1 === MAX_SEQUENCES || !packet.next()) return more
      const outer = at + more * ROW_WORDS
      const inner = outer + ROW_WORDS
      more++
      rows[outer + ROW_FLAGS]! |= FLAG_CARRIES
      for (const word of PACKET_WORDS) rows[inner + word] = rows[at + word]!
      sequenceBytes = carriedBytes
      rows[inner + ROW_COUNTED_BYTES] = this.#countedBytes(sequenceBytes)
      // Known when the flow of the outer row is: its hash, too.
      rows[inner + KEY_PARENT] = 0
      this.#key(inner, reassembled | (more << FLAG_SEQUENCE_SHIFT))
      rows[inner + ROW_HASH] = 0
    }
  }

  /** Spec flows 1.7 for what a tunnel carries. */
  #countedBytes(sequenceBytes: number): number {
    const { linkOffset, ipBytes } = this.#dissector
    const countsDatagram = linkOffset === ABSENT && (this.#keysLink || sequenceBytes <= 0)
    return countsDatagram ? ipBytes : Math.max(0, sequenceBytes)
  }

  #key(at: number, moreFlags: number): void {
    const keys = this.#keys
    const { rows } = keys
    const packet = this.#dissector
    const { view } = packet
    const hasLink = packet.linkOffset !== ABSENT
    const hasIp = packet.ipVersion !== 0
    const keysLink = hasLink && (this.#keysLink || !hasIp)
    const isPorted = packet.transport !== TRANSPORT.NONE && packet.transport !== TRANSPORT.ICMP
    let order = keysLink ? keys.link(view, at, packet.linkOffset) : keys.noLink(at)
    let sameEnds = false
    if (order === 0) {
      if (hasIp) {
        const ip = packet.ipOffset
        order =
          packet.ipVersion === 4 ? view.getUint32(ip + 12) - view.getUint32(ip + 16) : compareAddresses(view, ip + 8, ip + 24)
      }
      if (order === 0) {
        sameEnds = true
        if (isPorted) order = packet.sourcePort - packet.destinationPort
      }
    }
    const swapped = order > 0
    this.#addresses(view, at, swapped)
    let kind = keysLink ? KIND_LINK : 0
    if (packet.ipVersion === 4) kind |= KIND_IPV4
    else if (packet.ipVersion === 6) kind |= KIND_IPV6
    if (packet.isVniKeyed) kind |= KIND_VNI | (packet.destinationPort << KIND_PORT_SHIFT)
    else kind |= packet.transport
    rows[at + KEY_KIND] = kind
    rows[at + KEY_TRANSPORT] = this.#transport(isPorted, swapped)
    rows[at + ROW_FLAGS] = this.#flags(hasLink, swapped, sameEnds) | moreFlags
    keys.hash(at)
  }

  #transport(isPorted: boolean, swapped: boolean): number {
    const packet = this.#dissector
    if (packet.isVniKeyed) return packet.tunnelId
    if (!isPorted) return (packet.icmpType << 24) | (packet.icmpCode << 16) | packet.icmpId
    return swapped ? (packet.destinationPort << 16) | packet.sourcePort : (packet.sourcePort << 16) | packet.destinationPort
  }

  #addresses(view: DataView, at: number, swapped: boolean): void {
    const { ipVersion, ipOffset } = this.#dissector
    let first = 0
    let second = 0
    if (ipVersion === 4) {
      first = view.getInt32(ipOffset + (swapped ? 16 : 12))
      second = view.getInt32(ipOffset + (swapped ? 12 : 16))
    } else if (ipVersion === 6) {
      first = this.#keys.pairs.number(view, ipOffset + (swapped ? 24 : 8), ipOffset + (swapped ? 8 : 24))
    }
    this.#keys.rows[at + KEY_ADDRESS_FIRST] = first
    this.#keys.rows[at + KEY_ADDRESS_SECOND] = second
  }

  #flags(hasLink: boolean, swapped: boolean, sameEnds: boolean): number {
    const { tcpFlags, ttl, transport, ipVersion, icmpWireType } = this.#dissector
    let flags = tcpFlags | (ttl << FLAG_TTL_SHIFT)
    if ((tcpFlags & TCP_EVENTS) !== 0) flags |= FLAG_TCP_EVENT
    if (hasLink) flags |= FLAG_HAS_LINK
    if (sameEnds) flags |= FLAG_SAME_ENDS
    if (swapped) flags |= FLAG_SWAPPED
    if (transport === TRANSPORT.ICMP) {
      if (icmpWireType === (ipVersion === 4 ? ICMP_ECHO.REQUEST_V4 : ICMP_ECHO.REQUEST_V6)) flags |= FLAG_ECHO_REQUEST
      else if (icmpWireType === (ipVersion === 4 ? ICMP_ECHO.REPLY_V4 : ICMP_ECHO.REPLY_V6)) flags |= FLAG_ECHO_REPLY
    }
    return flags
  }
}

/** What all rows of a packet have in common. */
const PACKET_WORDS = [ROW_SECONDS, ROW_NANOSECONDS, ROW_OFFSET, ROW_CAPTURED_BYTES, ROW_STRIPPED_TAG] as const
