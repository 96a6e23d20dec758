import { ABSENT, Dissector, ICMP_ECHO, LINK_TYPE, type PacketFilter, TCP_FLAG, TRANSPORT } from '@skydive/packet'
import type { AddressPairs } from './address-pairs.ts'
import { finish } from './flow-columns.ts'
import {
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_HAS_LINK,
  FLAG_IGNORED,
  FLAG_SAME_ENDS,
  FLAG_SWAPPED,
  FLAG_TCP_EVENT,
  FLAG_TTL_SHIFT,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_MAC_FIRST,
  KEY_MAC_LOWS,
  KEY_MAC_SECOND,
  KEY_PARENT,
  KEY_TRANSPORT,
  KIND_IPV4,
  KIND_IPV6,
  KIND_LINK,
  KIND_TCP,
  KIND_UDP,
  MAX_RECORD_BYTES,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  ROW_CAPTURED_BYTES,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_NANOSECONDS,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_SHIFT,
  ROW_STRIPPED_TAG,
  TYPE_DOT1Q,
  TYPE_IPV4_PLAIN,
  TYPE_IPV6,
} from './layout.ts'
import type { PacketBlock } from './packet-block.ts'

/** SYN, FIN and RST. */
const TCP_EVENTS = TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST
const VLAN_BYTES = 4

/** Which layers tell flows apart: `L2` everything, `L3` addresses from IP upwards where there is IP. */
export type LayerKeyMode = 'L2' | 'L3'

/**
 * Turns packets into rows: the flow's key (spec flows 1.8, as words), its hash, and what is counted. Ethernet with at most one tag over
 * IPv4 or IPv6 over TCP or UDP is decoded here in a straight line; everything else goes through the {@link Dissector}.
 */
export class RowDecoder {
  readonly rows: Int32Array
  readonly dissector = new Dissector()
  /** Packets seen, and those of them that the filter refused. */
  packets = 0
  filteredPackets = 0
  readonly #capacity: number
  readonly #pairs: AddressPairs
  readonly #keysLink: boolean
  readonly #factors: Int32Array
  readonly #filter: PacketFilter | undefined

  constructor(capacity: number, mode: LayerKeyMode, pairs: AddressPairs, factors: Int32Array, filter: PacketFilter | undefined) {
    this.rows = new Int32Array(capacity << ROW_SHIFT)
    this.#capacity = capacity
    this.#pairs = pairs
    this.#keysLink = mode === 'L2'
    this.#factors = factors
    this.#filter = filter
  }

  /**
   * Fills rows with the next packets of a block; answers how many, 0 at its end. Lengths that lead out of the block end it.
   *
   * One function for all formats and for all of the common case: no call is made for a packet of it. Fields are read by four bytes, and
   * nothing depends on a packet's direction but arithmetic, because a branch that goes either way costs more than both ways.
   */
  fill(view: DataView, block: PacketBlock): number {
    const { rows } = this
    const { isRing, littleEndian, nanosecondsPerUnit, end } = block
    const capacity = this.#capacity
    const filter = this.#filter
    const isEthernet = block.linkType === LINK_TYPE.ETHERNET
    const link = this.#keysLink ? -1 : 0
    const [f0, f1, f2, f3, f4, f5, f6] = this.#factors as unknown as readonly [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    let { position, left } = block
    let row = 0
    let refused = 0

    while (row < capacity) {
      // Where the packet is, when it came, how long it was.
      const at = row << ROW_SHIFT
      const header = position
      let offset = header + 16
      let capturedBytes = 0
      let countedBytes = 0
      let strippedTag = ABSENT
      if (isRing) {
        if (left === 0 || header + 48 > end) break
        offset = header + view.getUint16(header + 24, true)
        capturedBytes = view.getUint32(header + 12, true)
        if (offset + capturedBytes > end) break
        countedBytes = view.getInt32(header + 16, true)
        if ((view.getUint32(header + 20, true) & 0x10) !== 0) {
          strippedTag = view.getUint16(header + 32, true)
          countedBytes += VLAN_BYTES
        }
        const step = view.getUint32(header, true)
        left = step === 0 ? 0 : left - 1
        position = header + step
      } else {
        if (offset > end) break
        capturedBytes = view.getUint32(header + 8, littleEndian)
        if (capturedBytes > MAX_RECORD_BYTES || offset + capturedBytes > end) break
        countedBytes = view.getInt32(header + 12, littleEndian)
        if (countedBytes === 0) countedBytes = capturedBytes
        position = offset + capturedBytes
      }
      if (filter !== undefined && filter(view, offset, capturedBytes, countedBytes) === 0) {
        refused++
        continue
      }
      rows[at + ROW_SECONDS] = isRing ? view.getInt32(header + 4, true) : view.getInt32(header, littleEndian)
      rows[at + ROW_NANOSECONDS] = isRing
        ? view.getInt32(header + 8, true)
        : Math.imul(view.getInt32(header + 4, littleEndian), nanosecondsPerUnit)
      rows[at + ROW_OFFSET] = offset
      rows[at + ROW_CAPTURED_BYTES] = capturedBytes
      rows[at + ROW_COUNTED_BYTES] = countedBytes
      rows[at + ROW_STRIPPED_TAG] = strippedTag
      rows[at + KEY_PARENT] = 0
      row++

      // 46 bytes hold a tag and everything up to the ports.
      if (!isEthernet || capturedBytes < 46) {
        this.#slow(view, at, block.linkType)
        continue
      }
      let ip = offset + 14
      let type = view.getInt32(offset + 12)
      if (type >>> 16 === TYPE_DOT1Q) {
        type = view.getInt32(offset + 16)
        ip = offset + 18
      }
      if (type >>> 8 === TYPE_IPV4_PLAIN) {
        // Flags and fragment offset, time to live, protocol.
        const word = view.getInt32(ip + 6)
        const protocol = word & 0xff
        // What there is beyond the header: of the datagram, and of the capture.
        const available = Math.min(offset + capturedBytes, ip + view.getUint16(ip + 2)) - ip - 20
        const isTcp = protocol === PROTOCOL_TCP && available >= 20
        if ((word & 0x3fff0000) === 0 && (isTcp || (protocol === PROTOCOL_UDP && available >= 8))) {
          const source = view.getInt32(ip + 12)
          const destination = view.getInt32(ip + 16)
          const ports = view.getInt32(ip + 20)
          // Both MAC addresses, six bytes each, in three words.
          const macs0 = view.getInt32(offset) & link
          const macs1 = view.getInt32(offset + 4) & link
          const macs2 = view.getInt32(offset + 8) & link
          const sourceMac = (macs1 << 16) | (macs2 >>> 16)
          const sourceMacLow = macs2 & 0xffff
          const destinationMacLow = macs1 >>> 16
          const highOrder = (macs0 >>> 0) - (sourceMac >>> 0)
          const lowOrder = destinationMacLow - sourceMacLow
          const order =
            highOrder !== 0 ? highOrder : lowOrder !== 0 || link !== 0 ? lowOrder : (destination >>> 0) - (source >>> 0)
          if (order !== 0) {
            // All ones when the order of the key is the other way round.
            const swap = order < 0 ? -1 : 0
            const macDifference = (sourceMac ^ macs0) & swap
            const lowDifference = (sourceMacLow ^ destinationMacLow) & swap
            const addressDifference = (source ^ destination) & swap
            const k0 = sourceMac ^ macDifference
            const k1 = ((sourceMacLow ^ lowDifference) << 16) | (destinationMacLow ^ lowDifference)
            const k2 = macs0 ^ macDifference
            const k3 = source ^ addressDifference
            const k4 = destination ^ addressDifference
            const k5 = ports ^ ((ports ^ ((ports << 16) | (ports >>> 16))) & swap)
            const k6 = KIND_IPV4 | (link & KIND_LINK) | (isTcp ? KIND_TCP : KIND_UDP)
            const tcpFlags = isTcp ? view.getUint8(ip + 33) : 0
            const isEvent = (tcpFlags & TCP_EVENTS) !== 0
            rows[at] = k0
            rows[at + 1] = k1
            rows[at + 2] = k2
            rows[at + 3] = k3
            rows[at + 4] = k4
            rows[at + 5] = k5
            rows[at + 6] = k6
            const sum =
              Math.imul(k0, f0) +
              Math.imul(k1, f1) +
              Math.imul(k2, f2) +
              Math.imul(k3, f3) +
              Math.imul(k4, f4) +
              Math.imul(k5, f5) +
              Math.imul(k6, f6)
            rows[at + ROW_HASH] = finish(sum | 0)
            rows[at + ROW_FLAGS] =
              (swap & FLAG_SWAPPED) |
              FLAG_HAS_LINK |
              (isEvent ? FLAG_TCP_EVENT | tcpFlags : tcpFlags) |
              (((word >>> 8) & 0xff) << FLAG_TTL_SHIFT)
            continue
          }
        }
      } else if (type >>> 16 === TYPE_IPV6 && this.#ipv6(view, at, offset, ip, offset + capturedBytes)) continue
      this.#slow(view, at, block.linkType)
    }
    block.position = position
    block.left = left
    this.packets += row + refused
    this.filteredPackets += refused
    return row
  }

  /** Ethernet, IPv6 without extension headers, TCP or UDP; `false` when it is something else. */
  #ipv6(view: DataView, at: number, link: number, ip: number, end: number): boolean {
    if (end < ip + 48) return false
    const payloadBytes = view.getUint16(ip + 4)
    const available = payloadBytes === 0 ? end - ip - 40 : Math.min(end - ip - 40, payloadBytes)
    const protocol = view.getUint8(ip + 6)
    const isTcp = protocol === PROTOCOL_TCP && available >= 20
    if (!isTcp && (protocol !== PROTOCOL_UDP || available < 8)) return false

    const { rows } = this
    const ports = view.getInt32(ip + 40)
    const tcpFlags = isTcp ? view.getUint8(ip + 53) : 0
    let flags = FLAG_HAS_LINK | tcpFlags | (view.getUint8(ip + 7) << FLAG_TTL_SHIFT)
    if ((tcpFlags & TCP_EVENTS) !== 0) flags |= FLAG_TCP_EVENT
    let order = this.#keysLink ? this.#link(view, at, link) : this.#noLink(at)
    if (order === 0) order = compare(view, ip + 8, ip + 24)
    if (order === 0) {
      flags |= FLAG_SAME_ENDS
      order = (ports >>> 16) - (ports & 0xffff)
    }
    const isSwapped = order > 0
    if (isSwapped) flags |= FLAG_SWAPPED
    rows[at + KEY_ADDRESS_FIRST] = isSwapped
      ? this.#pairs.number(view, ip + 24, ip + 8)
      : this.#pairs.number(view, ip + 8, ip + 24)
    rows[at + KEY_ADDRESS_SECOND] = 0
    rows[at + KEY_TRANSPORT] = isSwapped ? (ports << 16) | (ports >>> 16) : ports
    rows[at + KEY_KIND] = KIND_IPV6 | (isTcp ? KIND_TCP : KIND_UDP) | (this.#keysLink ? KIND_LINK : 0)
    rows[at + ROW_FLAGS] = flags
    this.#hash(at)
    return true
  }

  /** Puts both MAC addresses into the key, the smaller first. Positive when they were swapped, 0 when they are equal. */
  #link(view: DataView, at: number, link: number): number {
    const rows = this.rows
    const destinationHigh = view.getInt32(link)
    const destinationLow = view.getUint16(link + 4)
    const sourceHigh = view.getInt32(link + 6)
    const sourceLow = view.getUint16(link + 10)
    const order =
      sourceHigh !== destinationHigh ? (sourceHigh >>> 0 > destinationHigh >>> 0 ? 1 : -1) : sourceLow - destinationLow
    if (order > 0) {
      rows[at + KEY_MAC_FIRST] = destinationHigh
      rows[at + KEY_MAC_LOWS] = (destinationLow << 16) | sourceLow
      rows[at + KEY_MAC_SECOND] = sourceHigh
    } else {
      rows[at + KEY_MAC_FIRST] = sourceHigh
      rows[at + KEY_MAC_LOWS] = (sourceLow << 16) | destinationLow
      rows[at + KEY_MAC_SECOND] = destinationHigh
    }
    return order
  }

  #noLink(at: number): number {
    const rows = this.rows
    rows[at + KEY_MAC_FIRST] = 0
    rows[at + KEY_MAC_LOWS] = 0
    rows[at + KEY_MAC_SECOND] = 0
    return 0
  }

  /** Everything that is not the common case, by the general dissector and the rules of spec flows 1.8 as they are written. */
  #slow(view: DataView, at: number, linkType: number): void {
    const rows = this.rows
    const packet = this.dissector
    packet.dissect(view, rows[at + ROW_OFFSET]!, rows[at + ROW_CAPTURED_BYTES]!, linkType, rows[at + ROW_STRIPPED_TAG])
    const hasLink = packet.linkOffset !== ABSENT
    const hasIp = packet.ipVersion !== 0
    if (!hasLink && !hasIp) {
      rows[at + ROW_FLAGS] = FLAG_IGNORED
      return
    }
    // The length of the frame is there already.
    if (!hasLink) rows[at + ROW_COUNTED_BYTES] = packet.ipBytes

    const keysLink = hasLink && (this.#keysLink || !hasIp)
    const isPorted = packet.transport !== TRANSPORT.NONE && packet.transport !== TRANSPORT.ICMP
    let order = keysLink ? this.#link(view, at, packet.linkOffset) : this.#noLink(at)
    let sameEnds = false
    if (order === 0) {
      if (hasIp) {
        const ip = packet.ipOffset
        order = packet.ipVersion === 4 ? view.getUint32(ip + 12) - view.getUint32(ip + 16) : compare(view, ip + 8, ip + 24)
      }
      if (order === 0) {
        sameEnds = true
        if (isPorted) order = packet.sourcePort - packet.destinationPort
      }
    }
    const swapped = order > 0
    this.#addresses(view, at, swapped)
    let kind = packet.transport | (keysLink ? KIND_LINK : 0)
    if (packet.ipVersion === 4) kind |= KIND_IPV4
    else if (packet.ipVersion === 6) kind |= KIND_IPV6
    rows[at + KEY_KIND] = kind
    rows[at + KEY_TRANSPORT] = isPorted
      ? swapped
        ? (packet.destinationPort << 16) | packet.sourcePort
        : (packet.sourcePort << 16) | packet.destinationPort
      : (packet.icmpType << 24) | (packet.icmpCode << 16) | packet.icmpId
    rows[at + ROW_FLAGS] = this.#slowFlags(hasLink, swapped, sameEnds)
    this.#hash(at)
  }

  #addresses(view: DataView, at: number, swapped: boolean): void {
    const { ipVersion, ipOffset } = this.dissector
    let first = 0
    let second = 0
    if (ipVersion === 4) {
      first = view.getInt32(ipOffset + (swapped ? 16 : 12))
      second = view.getInt32(ipOffset + (swapped ? 12 : 16))
    } else if (ipVersion === 6) {
      first = this.#pairs.number(view, ipOffset + (swapped ? 24 : 8), ipOffset + (swapped ? 8 : 24))
    }
    this.rows[at + KEY_ADDRESS_FIRST] = first
    this.rows[at + KEY_ADDRESS_SECOND] = second
  }

  #slowFlags(hasLink: boolean, swapped: boolean, sameEnds: boolean): number {
    const { tcpFlags, ttl, transport, ipVersion, icmpWireType } = this.dissector
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

  /** A sum of products (all independent of one another, so they run at once), then the finalizer of MurmurHash3. */
  #hash(at: number): void {
    const { rows } = this
    let sum = 0
    for (let word = 0; word < 8; word++) sum = (sum + Math.imul(rows[at + word]!, this.#factors[word]!)) | 0
    rows[at + ROW_HASH] = finish(sum)
  }
}

/** Compares 16 bytes as the network orders them: negative, 0 or positive. */
function compare(view: DataView, first: number, second: number): number {
  for (let i = 0; i < 16; i += 4) {
    const a = view.getUint32(first + i)
    const b = view.getUint32(second + i)
    if (a !== b) return a - b
  }
  return 0
}
