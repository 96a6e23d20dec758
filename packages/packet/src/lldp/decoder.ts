import { addressText, chassisIdentifier, portIdentifier, textOf } from './identifier.ts'
import type { LldpAddress, LldpCapability, LldpIdentifier, LldpMessage } from './message.ts'
import { takeOrganizationTlv } from './organization-tlvs.ts'

const TLV = {
  END: 0,
  CHASSIS_ID: 1,
  PORT_ID: 2,
  TTL: 3,
  PORT_DESCRIPTION: 4,
  SYSTEM_NAME: 5,
  SYSTEM_DESCRIPTION: 6,
  CAPABILITIES: 7,
  MANAGEMENT_ADDRESS: 8,
  ORGANIZATION: 127,
} as const

const TLV_HEADER_BYTES = 2
const CAPABILITIES: readonly LldpCapability[] = [
  'Other',
  'Repeater',
  'Bridge',
  'WLANAccessPoint',
  'Router',
  'Telephone',
  'DOCSIS',
  'StationOnly',
  'C-VLAN',
  'S-VLAN',
  'TPMR',
]

/** A message that is being read. */
export type Draft = { -readonly [Key in keyof LldpMessage]?: LldpMessage[Key] } & {
  managementAddresses: LldpAddress[]
  protocolVlans: LldpMessage['protocolVlans'][number][]
  vlanNames: LldpMessage['vlanNames'][number][]
  otherTlvs: LldpMessage['otherTlvs'][number][]
}

/** A message, or why there is none. */
export type LldpDecoding =
  | { readonly message: LldpMessage }
  | { readonly problem: 'truncated' | 'chassis id is not first' | 'port id is not second' | 'time to live is not third' }

/**
 * The LLDPDU in `[offset, end)`, after the EtherType (IEEE 802.1AB clause 8). Never throws and reads nothing beyond `end`. The three TLVs that must
 * come first do so, or there is no message; of TLVs that may come once the last counts, and one that is too short for its kind is left out. A frame
 * that was cut within a TLV is `truncated`, one that was cut between two is what was there.
 */
export function decodeLldp(view: DataView, offset: number, end: number): LldpDecoding {
  const limit = Math.min(end, view.byteLength)
  const draft: Draft = { managementAddresses: [], protocolVlans: [], vlanNames: [], otherTlvs: [] }
  let at = offset
  for (let index = 0; at + TLV_HEADER_BYTES <= limit; index++) {
    const header = view.getUint16(at)
    const type = header >>> 9
    const bytes = header & 0x1ff
    at += TLV_HEADER_BYTES
    if (type === TLV.END) break
    if (at + bytes > limit) return { problem: 'truncated' }
    const value = new Uint8Array(view.buffer, view.byteOffset + at, bytes)
    if (index === 0 && type !== TLV.CHASSIS_ID) return { problem: 'chassis id is not first' }
    if (index === 1 && type !== TLV.PORT_ID) return { problem: 'port id is not second' }
    if (index === 2 && type !== TLV.TTL) return { problem: 'time to live is not third' }
    take(draft, type, value)
    at += bytes
  }
  const { chassisId, portId, ttlSeconds } = draft
  if (!chassisId || !portId || ttlSeconds === undefined) return { problem: 'truncated' }
  return { message: { ...draft, chassisId, portId, ttlSeconds } }
}

function take(draft: Draft, type: number, value: Uint8Array): void {
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  switch (type) {
    case TLV.CHASSIS_ID:
      keepIdentifier(value, chassisIdentifier, (found) => {
        draft.chassisId ??= found
      })
      break
    case TLV.PORT_ID:
      keepIdentifier(value, portIdentifier, (found) => {
        draft.portId ??= found
      })
      break
    case TLV.TTL:
      if (value.length >= 2) draft.ttlSeconds ??= view.getUint16(0)
      break
    case TLV.PORT_DESCRIPTION:
      draft.portDescription = textOf(value)
      break
    case TLV.SYSTEM_NAME:
      draft.systemName = textOf(value)
      break
    case TLV.SYSTEM_DESCRIPTION:
      draft.systemDescription = textOf(value)
      break
    case TLV.CAPABILITIES:
      if (value.length >= 4)
        draft.capabilities = { supported: capabilities(view.getUint16(0)), enabled: capabilities(view.getUint16(2)) }
      break
    case TLV.MANAGEMENT_ADDRESS: {
      const address = managementAddress(value, view)
      if (address) draft.managementAddresses.push(address)
      break
    }
    case TLV.ORGANIZATION:
      takeOrganizationTlv(draft, value, view)
      break
  }
}

/** An identifier has a subtype and at least one byte. */
function keepIdentifier(value: Uint8Array, read: (value: Uint8Array) => LldpIdentifier, keep: (found: LldpIdentifier) => void) {
  if (value.length >= 2) keep(read(value))
}

function capabilities(bits: number): LldpCapability[] {
  return CAPABILITIES.filter((_, bit) => (bits >>> bit) & 1)
}

/** IEEE 802.1AB 8.5.9: length of family and address, these, then how the interface is numbered and its number. */
function managementAddress(value: Uint8Array, view: DataView): LldpAddress | undefined {
  const length = value[0] ?? 0
  if (length < 2 || 1 + length + 5 > value.length) return undefined
  const family = value[1]!
  return {
    family,
    text: addressText(family, value.subarray(2, 1 + length)),
    numbering: value[1 + length]!,
    interfaceNumber: view.getUint32(2 + length),
  }
}
