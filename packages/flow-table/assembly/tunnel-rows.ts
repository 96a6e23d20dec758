// Packets in the tunnels of overlay networks to rows, one for each sequence of layers (spec flows 1.6): VXLAN, Geneve and GRE over IPv4.

import {
  FLAG_CARRIES,
  FLAG_HAS_LINK,
  FLAG_PLAIN,
  FLAG_SAME_ENDS,
  FLAG_SEQUENCE_SHIFT,
  FLAG_SWAPPED,
  FLAG_TTL_MASK,
  KEY_KIND,
  KEY_TRANSPORT,
  KIND_IPV4,
  KIND_LINK,
  KIND_PORT_SHIFT,
  KIND_VNI,
  PROTOCOL_UDP,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_SECONDS,
  ROW_STRIPPED_TAG,
} from '../src/layout'
import { AT_MODE, LOOP_LINK_KEY, LOOP_OVERLAY_PORTS } from '../src/loop-layout'
import { ipv6Row } from './ipv6-rows'
import { be16, be32, hashOf, NO_TAG, ROW_BYTES, setWord, word } from './memory'
import { FRAGMENT_FIELDS, fillKey, plainIpv4 } from './plain-rows'

/** Tunnels in one another; deeper ones are the table's. */
const MAX_TUNNELS = 4
const VLAN_BYTES = 4
const IPV4_BYTES = 20
const UDP_BYTES = 8
const PROTOCOL_GRE = 47
const VXLAN_PORT = 4789
const VXLAN_LINUX_PORT = 8472
const GENEVE_PORT = 6081
/** Of VXLAN, and of Geneve without options. */
const OVERLAY_BYTES = 8
const GRE_BYTES = 4
const GRE_CHECKSUM = 0x80
const GRE_ROUTING = 0x40
const GRE_KEY = 0x20
const GRE_SEQUENCE = 0x10
const GRE_VERSION = 0x07
const GRE_ACKNOWLEDGMENT = 0x80
/** Transparent Ethernet and IPv4 as EtherTypes, read as little endian; version 4 and a header of five words. */
const TYPE_ETHERNET = 0x5865
const TYPE_IPV4 = 0x0008
const IPV4_PLAIN = 0x45

/**
 * Fills the row of an Ethernet packet, which tells already where it lies, and those after it with what it carries. Answers how many it took
 * besides; 0 when the packet is of another kind, or cut: then it is the table's, and nothing that was written counts.
 */
export function tunnelRows(first: i32, offset: i32, capturedBytes: i32): i32 {
  const linkMask: i32 = (load<i32>(AT_MODE) & LOOP_LINK_KEY) !== 0 ? -1 : 0
  let row = first
  let end = offset + capturedBytes
  /** Where the sequence begins: with Ethernet, or with IP. */
  let start = offset
  let isEthernet = true
  let ip = plainIpv4(offset)
  if (ip === 0) return 0
  /** What the sequence counts for, and where the bytes of its headers begin: a tag that the kernel took off is one of them. */
  let bytes = word(first, ROW_COUNTED_BYTES)
  let head = word(first, ROW_STRIPPED_TAG) === NO_TAG ? offset : offset - VLAN_BYTES

  for (let more = 0; more <= MAX_TUNNELS; more++) {
    const mask = isEthernet ? linkMask : 0
    const isPlain = ip === 0 ? isEthernet && ipv6Row(row, start, end - start) : fillKey(row, start, ip, end - start, mask)
    if (isPlain) {
      const foreign = isEthernet ? FLAG_PLAIN : FLAG_PLAIN | FLAG_HAS_LINK
      setWord(row, ROW_FLAGS, (word(row, ROW_FLAGS) & ~foreign) | (more << FLAG_SEQUENCE_SHIFT))
      // Known when the flow of the row before is.
      setWord(row, ROW_HASH, 0)
      return more
    }
    if (ip === 0 || (load<i32>(ip, 6) & FRAGMENT_FIELDS) !== 0) return 0
    const datagramBytes = be16(ip + 2)
    if (datagramBytes < IPV4_BYTES) return 0
    end = min(end, ip + datagramBytes)

    const at = ip + IPV4_BYTES
    const protocol = <i32>load<u8>(ip, 9)
    let carried = 0
    let type = TYPE_ETHERNET
    let kind = 0
    let transport = 0
    if (protocol === PROTOCOL_GRE) {
      type = <i32>load<u16>(at, 2)
      carried = at + greBytes(at, end)
    } else if (protocol === PROTOCOL_UDP && (load<i32>(AT_MODE) & LOOP_OVERLAY_PORTS) !== 0) {
      const port = be16(at + 2)
      const declared = be16(at + 4)
      if (declared !== 0) end = min(end, at + declared)
      const header = at + UDP_BYTES
      carried = header + OVERLAY_BYTES
      if (port === GENEVE_PORT) {
        const versionAndLength = <i32>load<u8>(header)
        if (versionAndLength >>> 6 !== 0) return 0
        carried += (versionAndLength & 0x3f) << 2
        type = <i32>load<u16>(header, 2)
      } else if (port !== VXLAN_PORT && port !== VXLAN_LINUX_PORT) return 0
      kind = KIND_VNI | (port << KIND_PORT_SHIFT)
      transport = be32(header + 4) >>> 8
    } else return 0
    if (carried > end) return 0

    setWord(row, KEY_KIND, kind | KIND_IPV4 | (mask & KIND_LINK))
    setWord(row, KEY_TRANSPORT, transport)
    const told = word(row, ROW_FLAGS) & (FLAG_SWAPPED | FLAG_SAME_ENDS | FLAG_TTL_MASK)
    setWord(row, ROW_FLAGS, told | FLAG_CARRIES | (isEthernet ? FLAG_HAS_LINK : 0) | (more << FLAG_SEQUENCE_SHIFT))
    setWord(row, ROW_HASH, more === 0 ? hashOf(row) : 0)

    bytes -= carried - head
    start = carried
    head = carried
    isEthernet = type === TYPE_ETHERNET
    if (isEthernet) ip = plainIpv4(carried)
    else if (type === TYPE_IPV4 && <i32>load<u8>(carried) === IPV4_PLAIN) ip = carried
    else return 0
    // What all rows of a packet have in common, and what of its length is left (spec flows 1.7).
    v128.store(row, v128.load(row, ROW_HASH << 2), ROW_BYTES + (ROW_HASH << 2))
    v128.store(row, v128.load(row, ROW_SECONDS << 2), ROW_BYTES + (ROW_SECONDS << 2))
    row += ROW_BYTES
    const countsDatagram = !isEthernet && (linkMask !== 0 || bytes <= 0)
    setWord(row, ROW_COUNTED_BYTES, countsDatagram ? be16(ip + 2) : max(0, bytes))
  }
  return 0
}

/** Bytes of a GRE header without source routes (RFC 2784, 2890; version 1: RFC 2637), or more than there are up to `end`. */
function greBytes(at: i32, end: i32): i32 {
  const flags = <i32>load<u8>(at)
  const version = <i32>load<u8>(at, 1)
  if ((flags & GRE_ROUTING) !== 0) return end - at + 1
  let bytes = GRE_BYTES
  if ((flags & GRE_CHECKSUM) !== 0) bytes += GRE_BYTES
  if ((flags & GRE_KEY) !== 0) bytes += GRE_BYTES
  if ((flags & GRE_SEQUENCE) !== 0) bytes += GRE_BYTES
  if ((version & GRE_VERSION) === 1 && (version & GRE_ACKNOWLEDGMENT) !== 0) bytes += GRE_BYTES
  return bytes
}
