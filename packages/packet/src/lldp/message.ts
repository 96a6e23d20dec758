/** An identifier of a chassis or a port: what kind it is, by the names of IEEE 802.1AB tables 8-2 and 8-3, and its text. */
export interface LldpIdentifier {
  /** Such as `MAC Address`; `Reserved` for numbers without a meaning. */
  readonly type: string
  /** A MAC or IP address as such; other bytes as text, without the zero bytes at its end. */
  readonly text: string
}

/** What a system can do (IEEE 802.1AB table 8-4). */
export type LldpCapability =
  | 'Other'
  | 'Repeater'
  | 'Bridge'
  | 'WLANAccessPoint'
  | 'Router'
  | 'Telephone'
  | 'DOCSIS'
  | 'StationOnly'
  | 'C-VLAN'
  | 'S-VLAN'
  | 'TPMR'

/** An address at which the system can be managed. */
export interface LldpAddress {
  /** Of the IANA address family numbers: 1 IPv4, 2 IPv6, 6 MAC, 16 DNS name. */
  readonly family: number
  /** An address or a name; bytes of other families in hexadecimal. */
  readonly text: string
  /** How `interfaceNumber` counts: 1 unknown, 2 ifIndex, 3 system port number. */
  readonly numbering: number
  readonly interfaceNumber: number
}

/** A port and protocol VLAN (IEEE 802.1Q annex D.2.2). */
export interface LldpProtocolVlan {
  readonly id: number
  readonly isSupported: boolean
  readonly isEnabled: boolean
}

/** A VLAN and its name (IEEE 802.1Q annex D.2.3). */
export interface LldpVlanName {
  readonly id: number
  readonly name: string
}

/** Whether the port can be, and is, part of an aggregate (IEEE 802.1Q annex D.2.7; before that IEEE 802.3 subtype 3). */
export interface LldpLinkAggregation {
  readonly isSupported: boolean
  readonly isEnabled: boolean
  /** The ifIndex of the aggregate; 0 when there is none. */
  readonly portId: number
}

/** A TLV of an organisation that is not decoded. `bytes` is a view of the frame. */
export interface LldpOrganizationTlv {
  /** Such as `00:12:bb`. */
  readonly oui: string
  readonly subtype: number
  readonly bytes: Uint8Array
}

/** One LLDPDU. Optional TLVs that were not sent are absent, lists are then empty. */
export interface LldpMessage {
  readonly chassisId: LldpIdentifier
  readonly portId: LldpIdentifier
  /** How long what is told holds, seconds; 0: the port says goodbye. */
  readonly ttlSeconds: number
  readonly portDescription?: string
  readonly systemName?: string
  readonly systemDescription?: string
  readonly capabilities?: { readonly supported: readonly LldpCapability[]; readonly enabled: readonly LldpCapability[] }
  readonly managementAddresses: readonly LldpAddress[]
  /** The VLAN of untagged frames; 0: none. */
  readonly portVlanId?: number
  readonly protocolVlans: readonly LldpProtocolVlan[]
  readonly vlanNames: readonly LldpVlanName[]
  readonly vidUsageDigest?: number
  readonly managementVlanId?: number
  readonly linkAggregation?: LldpLinkAggregation
  /** The longest frame that the port takes, header and checksum included. */
  readonly maxFrameBytes?: number
  readonly otherTlvs: readonly LldpOrganizationTlv[]
}
