import type { Draft } from './decoder.ts'
import { textOf } from './identifier.ts'

const OUI_BYTES = 3
const HEADER_BYTES = 4
const IEEE_8021 = '00:80:c2'
const IEEE_8023 = '00:12:0f'
/** Of one frame of at most 1,500 bytes; a bound all the same. */
const MAX_OTHER_TLVS = 64

const SUPPORTED = 0x01
const ENABLED = 0x02
const PROTOCOL_VLAN_SUPPORTED = 0x02
const PROTOCOL_VLAN_ENABLED = 0x04

/** Adds an organisationally specific TLV (IEEE 802.1AB 8.6): those of IEEE 802.1 and 802.3 that describe a port, others as they are. */
export function takeOrganizationTlv(draft: Draft, value: Uint8Array, view: DataView): void {
  if (value.length < HEADER_BYTES) return
  const oui = Array.from(value.subarray(0, OUI_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join(':')
  const subtype = value[OUI_BYTES]!
  const isKnown =
    (oui === IEEE_8021 && takeIeee8021(draft, subtype, value, view)) ||
    (oui === IEEE_8023 && takeIeee8023(draft, subtype, value, view))
  if (!isKnown && draft.otherTlvs.length < MAX_OTHER_TLVS) {
    draft.otherTlvs.push({ oui, subtype, bytes: value.subarray(HEADER_BYTES) })
  }
}

/** IEEE 802.1Q annex D. */
function takeIeee8021(draft: Draft, subtype: number, value: Uint8Array, view: DataView): boolean {
  const room = value.length - HEADER_BYTES
  switch (subtype) {
    case 1:
      if (room < 2) return false
      draft.portVlanId = view.getUint16(HEADER_BYTES)
      return true
    case 2: {
      if (room < 3) return false
      const flags = value[HEADER_BYTES]!
      draft.protocolVlans.push({
        id: view.getUint16(HEADER_BYTES + 1),
        isSupported: (flags & PROTOCOL_VLAN_SUPPORTED) !== 0,
        isEnabled: (flags & PROTOCOL_VLAN_ENABLED) !== 0,
      })
      return true
    }
    case 3: {
      if (room < 3) return false
      const nameBytes = Math.min(value[HEADER_BYTES + 2]!, room - 3)
      const name = textOf(value.subarray(HEADER_BYTES + 3, HEADER_BYTES + 3 + nameBytes))
      draft.vlanNames.push({ id: view.getUint16(HEADER_BYTES), name })
      return true
    }
    case 5:
      if (room < 4) return false
      draft.vidUsageDigest = view.getUint32(HEADER_BYTES)
      return true
    case 6:
      if (room < 2) return false
      draft.managementVlanId = view.getUint16(HEADER_BYTES)
      return true
    case 7:
      return takeLinkAggregation(draft, value, view)
    default:
      return false
  }
}

/** IEEE 802.3 clause 79. */
function takeIeee8023(draft: Draft, subtype: number, value: Uint8Array, view: DataView): boolean {
  if (subtype === 3) return takeLinkAggregation(draft, value, view)
  if (subtype !== 4 || value.length < HEADER_BYTES + 2) return false
  draft.maxFrameBytes = view.getUint16(HEADER_BYTES)
  return true
}

function takeLinkAggregation(draft: Draft, value: Uint8Array, view: DataView): boolean {
  if (value.length < HEADER_BYTES + 5) return false
  const status = value[HEADER_BYTES]!
  draft.linkAggregation = {
    isSupported: (status & SUPPORTED) !== 0,
    isEnabled: (status & ENABLED) !== 0,
    portId: view.getUint32(HEADER_BYTES + 1),
  }
  return true
}
