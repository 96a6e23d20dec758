import { LAYER } from './layers.ts'

const NONE = -1
const DNS_HEADER_BYTES = 12
const NTP_BYTES = 48
const DHCPV4_BYTES = 240
const DHCPV6_BYTES = 4
/** Labels of one name and records of one message that are looked at: more than a datagram can hold. */
const MAX_LABELS = 128

/**
 * The layer that a UDP payload `[offset, end)` carries, told by the destination port first and then the source port (spec flows 1.5 rule
 * 2) and by whether the bytes hold such a message whole; -1 when they do not.
 */
export function looksLikeApplication(
  view: DataView,
  offset: number,
  end: number,
  sourcePort: number,
  destinationPort: number,
): number {
  const layer = layerOfPort(destinationPort)
  return layerIfWhole(view, offset, end, layer === NONE ? layerOfPort(sourcePort) : layer)
}

function layerOfPort(port: number): number {
  switch (port) {
    case 53:
      return LAYER.DNS
    case 67:
    case 68:
      return LAYER.DHCPv4
    case 123:
      return LAYER.NTP
    case 546:
    case 547:
      return LAYER.DHCPv6
    default:
      return NONE
  }
}

function layerIfWhole(view: DataView, offset: number, end: number, layer: number): number {
  const available = end - offset
  switch (layer) {
    case LAYER.DNS:
      return isDnsMessage(view, offset, end) ? layer : NONE
    case LAYER.NTP:
      return available >= NTP_BYTES ? layer : NONE
    case LAYER.DHCPv4:
      return available >= DHCPV4_BYTES ? layer : NONE
    case LAYER.DHCPv6:
      return available >= DHCPV6_BYTES ? layer : NONE
    default:
      return NONE
  }
}

/** Whether `[offset, end)` is a DNS message with all the questions and records that its header counts (RFC 1035 section 4.1). */
function isDnsMessage(view: DataView, offset: number, end: number): boolean {
  if (offset + DNS_HEADER_BYTES > end) return false
  const questions = view.getUint16(offset + 4)
  const records = view.getUint16(offset + 6) + view.getUint16(offset + 8) + view.getUint16(offset + 10)
  let at = offset + DNS_HEADER_BYTES
  for (let i = 0; i < questions; i++) {
    at = skipName(view, at, end)
    if (at < 0 || at + 4 > end) return false
    at += 4
  }
  for (let i = 0; i < records; i++) {
    at = skipName(view, at, end)
    if (at < 0 || at + 10 > end) return false
    at += 10 + view.getUint16(at + 8)
    if (at > end) return false
  }
  return true
}

/** The offset after a name: labels up to the root or a compression pointer (RFC 1035 section 4.1.4); -1 when it is cut. */
function skipName(view: DataView, offset: number, end: number): number {
  let at = offset
  for (let labels = 0; labels < MAX_LABELS && at < end; labels++) {
    const length = view.getUint8(at)
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2 <= end ? at + 2 : NONE
    if (length >= 0x40) return NONE
    at += 1 + length
  }
  return NONE
}
