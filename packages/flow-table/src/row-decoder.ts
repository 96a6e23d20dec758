import { ABSENT, Dissector, ICMP_ECHO, LINK_TYPE, TCP_FLAG, TRANSPORT } from '@skydive/packet'
import type { AddressPairs } from './address-pairs.ts'
import { finish } from './flow-columns.ts'
import { KEY, KIND, ROW, ROW_FLAG, ROW_SHIFT } from './layout.ts'

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
  readonly dissector: Dissector
  readonly #pairs: AddressPairs
  readonly #keysLink: boolean
  /** Odd multipliers of the hash, random so that nobody can aim at one slot from outside. */
  readonly #factors: Int32Array

  constructor(capacity: number, mode: LayerKeyMode, pairs: AddressPairs, factors: Int32Array) {
    this.rows = new Int32Array(capacity << ROW_SHIFT)
    this.dissector = new Dissector()
    this.#pairs = pairs
    this.#keysLink = mode === 'L2'
    this.#factors = factors
  }

  /** Fills row `row`. Times are integers: a double handed to a function that is not inlined costs an allocation. */
  decode(
    view: DataView,
    offset: number,
    capturedBytes: number,
    wireBytes: number,
    seconds: number,
    nanoseconds: number,
    linkType: number,
    strippedTag: number,
    row: number,
  ): void {
    const rows = this.rows
    const at = row << ROW_SHIFT
    rows[at + ROW.SECONDS] = seconds
    rows[at + ROW.NANOSECONDS] = nanoseconds
    rows[at + ROW.OFFSET] = offset
    rows[at + ROW.CAPTURED_BYTES] = capturedBytes
    rows[at + ROW.STRIPPED_TAG] = strippedTag
    rows[at + KEY.PARENT] = 0
    if (linkType === LINK_TYPE.ETHERNET && capturedBytes >= 42) {
      rows[at + ROW.COUNTED_BYTES] = (wireBytes === 0 ? capturedBytes : wireBytes) + (strippedTag === ABSENT ? 0 : VLAN_BYTES)
      const end = offset + capturedBytes
      let etherType = view.getUint16(offset + 12)
      let ip = offset + 14
      if (etherType === 0x8100) {
        etherType = view.getUint16(offset + 16)
        ip = offset + 18
      }
      if (etherType === 0x0800) {
        // 20 bytes of header without options, then what the datagram has of TCP or UDP.
        const available = Math.min(end, ip + view.getUint16(ip + 2)) - ip - 20
        if (view.getUint8(ip) === 0x45 && available >= 8 && (view.getUint16(ip + 6) & 0x3fff) === 0) {
          const protocol = view.getUint8(ip + 9)
          if (protocol === 6 && available >= 20) {
            this.#ipv4(view, at, offset, ip, TRANSPORT.TCP | KIND.IPV4, view.getUint8(ip + 33))
            return
          }
          if (protocol === 17) {
            this.#ipv4(view, at, offset, ip, TRANSPORT.UDP | KIND.IPV4, 0)
            return
          }
        }
      } else if (etherType === 0x86dd && end >= ip + 48) {
        const payload = view.getUint16(ip + 4)
        const available = payload === 0 ? end - ip - 40 : Math.min(end - ip - 40, payload)
        const protocol = view.getUint8(ip + 6)
        if (protocol === 6 && available >= 20) {
          this.#ipv6(view, at, offset, ip, TRANSPORT.TCP | KIND.IPV6, view.getUint8(ip + 53))
          return
        }
        if (protocol === 17 && available >= 8) {
          this.#ipv6(view, at, offset, ip, TRANSPORT.UDP | KIND.IPV6, 0)
          return
        }
      }
    }
    this.#slow(view, at, offset, capturedBytes, wireBytes, linkType, strippedTag)
  }

  /** Ethernet, IPv4 without options, ports at `ip + 20`. */
  #ipv4(view: DataView, at: number, link: number, ip: number, kind: number, tcpFlags: number): void {
    const rows = this.rows
    const source = view.getInt32(ip + 12)
    const destination = view.getInt32(ip + 16)
    const ports = view.getInt32(ip + 20)
    let flags = ROW_FLAG.HAS_LINK | tcpFlags | (view.getUint8(ip + 8) << ROW_FLAG.TTL_SHIFT)
    if ((tcpFlags & TCP_EVENTS) !== 0) flags |= ROW_FLAG.TCP_EVENT

    const order = this.#keysLink ? this.#link(view, at, link) : this.#noLink(at)
    let swapped = order > 0
    if (order === 0) {
      if (source !== destination) swapped = source >>> 0 > destination >>> 0
      else {
        flags |= ROW_FLAG.SAME_ENDS
        swapped = ports >>> 16 > (ports & 0xffff)
      }
    }
    if (swapped) {
      rows[at + KEY.ADDRESS_FIRST] = destination
      rows[at + KEY.ADDRESS_SECOND] = source
      rows[at + KEY.TRANSPORT] = (ports << 16) | (ports >>> 16)
      flags |= ROW_FLAG.SWAPPED
    } else {
      rows[at + KEY.ADDRESS_FIRST] = source
      rows[at + KEY.ADDRESS_SECOND] = destination
      rows[at + KEY.TRANSPORT] = ports
    }
    rows[at + KEY.KIND] = this.#keysLink ? kind | KIND.LINK : kind
    rows[at + ROW.FLAGS] = flags
    this.hash(at)
  }

  /** Ethernet, IPv6 without extension headers, ports at `ip + 40`. */
  #ipv6(view: DataView, at: number, link: number, ip: number, kind: number, tcpFlags: number): void {
    const rows = this.rows
    const ports = view.getInt32(ip + 40)
    let flags = ROW_FLAG.HAS_LINK | tcpFlags | (view.getUint8(ip + 7) << ROW_FLAG.TTL_SHIFT)
    if ((tcpFlags & TCP_EVENTS) !== 0) flags |= ROW_FLAG.TCP_EVENT

    const order = this.#keysLink ? this.#link(view, at, link) : this.#noLink(at)
    let swapped = order > 0
    if (order === 0) {
      const addresses = compare(view, ip + 8, ip + 24)
      if (addresses === 0) flags |= ROW_FLAG.SAME_ENDS
      swapped = addresses === 0 ? ports >>> 16 > (ports & 0xffff) : addresses > 0
    }
    if (swapped) flags |= ROW_FLAG.SWAPPED
    rows[at + KEY.ADDRESS_FIRST] = swapped ? this.#pairs.number(view, ip + 24, ip + 8) : this.#pairs.number(view, ip + 8, ip + 24)
    rows[at + KEY.ADDRESS_SECOND] = 0
    rows[at + KEY.TRANSPORT] = swapped ? (ports << 16) | (ports >>> 16) : ports
    rows[at + KEY.KIND] = this.#keysLink ? kind | KIND.LINK : kind
    rows[at + ROW.FLAGS] = flags
    this.hash(at)
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
      rows[at + KEY.MAC_FIRST] = destinationHigh
      rows[at + KEY.MAC_LOWS] = (destinationLow << 16) | sourceLow
      rows[at + KEY.MAC_SECOND] = sourceHigh
    } else {
      rows[at + KEY.MAC_FIRST] = sourceHigh
      rows[at + KEY.MAC_LOWS] = (sourceLow << 16) | destinationLow
      rows[at + KEY.MAC_SECOND] = destinationHigh
    }
    return order
  }

  #noLink(at: number): number {
    const rows = this.rows
    rows[at + KEY.MAC_FIRST] = 0
    rows[at + KEY.MAC_LOWS] = 0
    rows[at + KEY.MAC_SECOND] = 0
    return 0
  }

  /** Everything that is not the common case, by the general dissector and the rules of spec flows 1.8 as they are written. */
  #slow(
    view: DataView,
    at: number,
    offset: number,
    capturedBytes: number,
    wireBytes: number,
    linkType: number,
    strippedTag: number,
  ): void {
    const rows = this.rows
    const packet = this.dissector
    packet.dissect(view, offset, capturedBytes, linkType, strippedTag)
    const hasLink = packet.linkOffset !== ABSENT
    const hasIp = packet.ipVersion !== 0
    if (!hasLink && !hasIp) {
      rows[at + ROW.FLAGS] = ROW_FLAG.IGNORED
      return
    }
    const frameBytes = (wireBytes === 0 ? capturedBytes : wireBytes) + (strippedTag === ABSENT ? 0 : VLAN_BYTES)
    rows[at + ROW.COUNTED_BYTES] = hasLink ? frameBytes : packet.ipBytes

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
    let kind = packet.transport | (keysLink ? KIND.LINK : 0)
    if (packet.ipVersion === 4) kind |= KIND.IPV4
    else if (packet.ipVersion === 6) kind |= KIND.IPV6
    rows[at + KEY.KIND] = kind
    rows[at + KEY.TRANSPORT] = isPorted
      ? swapped
        ? (packet.destinationPort << 16) | packet.sourcePort
        : (packet.sourcePort << 16) | packet.destinationPort
      : (packet.icmpType << 24) | (packet.icmpCode << 16) | packet.icmpId
    rows[at + ROW.FLAGS] = this.#slowFlags(hasLink, swapped, sameEnds)
    this.hash(at)
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
    this.rows[at + KEY.ADDRESS_FIRST] = first
    this.rows[at + KEY.ADDRESS_SECOND] = second
  }

  #slowFlags(hasLink: boolean, swapped: boolean, sameEnds: boolean): number {
    const { tcpFlags, ttl, transport, ipVersion, icmpWireType } = this.dissector
    let flags = tcpFlags | (ttl << ROW_FLAG.TTL_SHIFT)
    if ((tcpFlags & TCP_EVENTS) !== 0) flags |= ROW_FLAG.TCP_EVENT
    if (hasLink) flags |= ROW_FLAG.HAS_LINK
    if (sameEnds) flags |= ROW_FLAG.SAME_ENDS
    if (swapped) flags |= ROW_FLAG.SWAPPED
    if (transport === TRANSPORT.ICMP) {
      if (icmpWireType === (ipVersion === 4 ? ICMP_ECHO.REQUEST_V4 : ICMP_ECHO.REQUEST_V6)) flags |= ROW_FLAG.ECHO_REQUEST
      else if (icmpWireType === (ipVersion === 4 ? ICMP_ECHO.REPLY_V4 : ICMP_ECHO.REPLY_V6)) flags |= ROW_FLAG.ECHO_REPLY
    }
    return flags
  }

  /** A sum of products (all independent of one another, so they run at once), then the finalizer of MurmurHash3. */
  hash(at: number): void {
    const rows = this.rows
    const factors = this.#factors
    const sum =
      Math.imul(rows[at]!, factors[0]!) +
      Math.imul(rows[at + 1]!, factors[1]!) +
      Math.imul(rows[at + 2]!, factors[2]!) +
      Math.imul(rows[at + 3]!, factors[3]!) +
      Math.imul(rows[at + 4]!, factors[4]!) +
      Math.imul(rows[at + 5]!, factors[5]!) +
      Math.imul(rows[at + 6]!, factors[6]!) +
      Math.imul(rows[at + 7]!, factors[7]!)
    rows[at + ROW.HASH] = finish(sum | 0)
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
