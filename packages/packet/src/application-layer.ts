import { isDhcpv4 } from './dhcpv4.ts'
import { LAYER } from './layers.ts'

const NONE = -1
const DNS_HEADER_BYTES = 12
const NTP_BYTES = 48
const DHCPV6_BYTES = 4
const BFD_BYTES = 24
const SIP_VERSION = 'SIP/2.0'
const MAX_SIP_LINE_BYTES = 1024
/** With an IPv4 agent address. */
const SFLOW_BYTES = 28
/** Labels of one name and records of one message that are looked at: more than a datagram can hold. */
const MAX_LABELS = 128

/** Whether `[offset, end)` holds a whole message of the application with this layer's code. */
export function isWholeMessage(view: DataView, offset: number, end: number, layer: number): boolean {
  const available = end - offset
  switch (layer) {
    case LAYER.DNS:
      return isDnsMessage(view, offset, end)
    case LAYER.NTP:
      return available >= NTP_BYTES
    case LAYER.DHCPv4:
      return isDhcpv4(view, offset, end)
    case LAYER.DHCPv6:
      return available >= DHCPV6_BYTES
    case LAYER.BFD:
      return isBfdPacket(view, offset, end)
    case LAYER.SIP:
      return isSipMessage(view, offset, end)
    case LAYER.SFlow:
      return isSflowDatagram(view, offset, end)
    default:
      return false
  }
}

/** RFC 5880 section 4.1: version 1 in the upper three bits, the length in the fourth byte. */
function isBfdPacket(view: DataView, offset: number, end: number): boolean {
  if (offset + BFD_BYTES > end || view.getUint8(offset) >>> 5 !== 1) return false
  const bytes = view.getUint8(offset + 3)
  return bytes >= BFD_BYTES && offset + bytes <= end
}

/** RFC 3261 section 7: the first line begins (a response) or ends (a request) with the version. */
function isSipMessage(view: DataView, offset: number, end: number): boolean {
  if (hasSipVersion(view, offset, end)) return true
  const lineEnd = Math.min(end, offset + MAX_SIP_LINE_BYTES)
  for (let at = offset; at + 1 < lineEnd; at++) {
    if (view.getUint16(at) === 0x0d0a) return hasSipVersion(view, at - SIP_VERSION.length, at)
  }
  return false
}

function hasSipVersion(view: DataView, at: number, end: number): boolean {
  if (at < 0 || at + SIP_VERSION.length > end) return false
  for (let i = 0; i < SIP_VERSION.length; i++) if (view.getUint8(at + i) !== SIP_VERSION.charCodeAt(i)) return false
  return true
}

/** sFlow version 5 (sflow.org/sflow_version_5.txt): all samples that the header counts are there. */
function isSflowDatagram(view: DataView, offset: number, end: number): boolean {
  if (offset + SFLOW_BYTES > end || view.getUint32(offset) !== 5) return false
  const addressType = view.getUint32(offset + 4)
  if (addressType !== 1 && addressType !== 2) return false
  let at = offset + SFLOW_BYTES + (addressType === 2 ? 12 : 0)
  if (at > end) return false
  for (let samples = view.getUint32(at - 4); samples > 0; samples--) {
    if (at + 8 > end) return false
    at += 8 + view.getUint32(at + 4)
    if (at > end) return false
  }
  return true
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
