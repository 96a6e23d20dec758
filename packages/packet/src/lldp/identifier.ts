import { ipv4Text, ipv6Text, macText } from '../address-text.ts'
import type { LldpIdentifier } from './message.ts'

const CHASSIS_TYPES: readonly string[] = [
  'Reserved',
  'Chassis Component',
  'Interface Alias',
  'Port Component',
  'MAC Address',
  'Network Address',
  'Interface Name',
  'Local',
]
const PORT_TYPES: readonly string[] = [
  'Reserved',
  'Interface Alias',
  'Port Component',
  'MAC Address',
  'Network Address',
  'Interface Name',
  'Agent Circuit ID',
  'Local',
]
const MAC_BYTES = 6
const FAMILY_IPV4 = 1
const FAMILY_IPV6 = 2
const FAMILY_MAC = 6
const FAMILY_DNS = 16

const decoder = new TextDecoder()

/** The value of a chassis id TLV (IEEE 802.1AB 8.5.2). */
export function chassisIdentifier(bytes: Uint8Array): LldpIdentifier {
  return identifier(bytes, CHASSIS_TYPES)
}

/** The value of a port id TLV (IEEE 802.1AB 8.5.3). */
export function portIdentifier(bytes: Uint8Array): LldpIdentifier {
  return identifier(bytes, PORT_TYPES)
}

function identifier(bytes: Uint8Array, types: readonly string[]): LldpIdentifier {
  const type = types[bytes[0] ?? 0] ?? 'Reserved'
  const value = bytes.subarray(1)
  if (type === 'MAC Address' && value.length === MAC_BYTES) return { type, text: addressText(FAMILY_MAC, value) }
  if (type === 'Network Address' && value.length > 1) return { type, text: addressText(value[0]!, value.subarray(1)) }
  return { type, text: textOf(value) }
}

/** An address by its IANA family; bytes that are no such address in hexadecimal. */
export function addressText(family: number, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (family === FAMILY_IPV4 && bytes.length === 4) return ipv4Text(view.getUint32(0))
  if (family === FAMILY_IPV6 && bytes.length === 16) {
    return ipv6Text(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12))
  }
  if (family === FAMILY_MAC && bytes.length === MAC_BYTES) return macText(view.getUint32(0), view.getUint16(4))
  if (family === FAMILY_DNS) return textOf(bytes)
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Text without the zero bytes that some switches put at its end. */
export function textOf(bytes: Uint8Array): string {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return decoder.decode(bytes.subarray(0, end))
}
