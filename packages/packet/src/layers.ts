/**
 * The layers that {@link Dissector} tells apart, with the spelling that `LayersPath` has (spec flows 1.5). The index is the layer's code.
 */
export const LAYER_NAMES = [
  'Ethernet',
  'Dot1Q',
  'ARP',
  'LLC',
  'SNAP',
  'STP',
  'EAPOL',
  'LinkLayerDiscovery',
  'LinkLayerDiscoveryInfo',
  'IPv4',
  'IPv6',
  'IPv6HopByHop',
  'IPv6Routing',
  'IPv6Fragment',
  'IPv6Destination',
  'Fragment',
  'IPSecAH',
  'IPSecESP',
  'GRE',
  'ICMPv4',
  'ICMPv6',
  'ICMPv6Echo',
  'ICMPv6RouterSolicitation',
  'ICMPv6RouterAdvertisement',
  'ICMPv6NeighborSolicitation',
  'ICMPv6NeighborAdvertisement',
  'ICMPv6Redirect',
  'MLDv1MulticastListenerQuery',
  'MLDv1MulticastListenerReport',
  'MLDv1MulticastListenerDone',
  'MLDv2MulticastListenerQuery',
  'MLDv2MulticastListenerReport',
  'IGMP',
  'OSPF',
  'VRRP',
  'TCP',
  'UDP',
  'UDPLite',
  'SCTP',
  'SCTPData',
  'SCTPInit',
  'SCTPInitAck',
  'SCTPSack',
  'SCTPHeartbeat',
  'SCTPHeartbeatAck',
  'SCTPAbort',
  'SCTPShutdown',
  'SCTPShutdownAck',
  'SCTPError',
  'SCTPCookieEcho',
  'SCTPCookieAck',
  'SCTPShutdownComplete',
  'SCTPUnknownChunkType',
  'DNS',
  'NTP',
  'DHCPv4',
  'DHCPv6',
  'EAP',
  'EthernetCTP',
  'CiscoDiscovery',
  'CiscoDiscoveryInfo',
  'NortelDiscovery',
  'PPPoE',
  'PPP',
  'MPLS',
  'EtherIP',
  'RUDP',
  'VXLAN',
  'Geneve',
  'GTPv1U',
  'SIP',
  'SFlow',
  'BFD',
] as const

/** A name of {@link LAYER_NAMES}. */
export type LayerName = (typeof LAYER_NAMES)[number]

const MAX_LAYERS = 128

/** Layer codes by name: `LAYER.IPv4`. */
export const LAYER = Object.fromEntries(LAYER_NAMES.map((name, code) => [name, code])) as Readonly<Record<LayerName, number>>

/**
 * Interns sequences of layers as small integers, so that a packet's path costs no string. `EMPTY_PATH` is the sequence of none.
 *
 * The number of paths is bounded (`maxPaths`): beyond it a path stops growing, which keeps hostile stacks of tags from filling memory.
 */
export class LayerPaths {
  readonly #maxPaths: number
  /** `#next[path * MAX_LAYERS + layer]`: the longer path, or 0 when it is not interned yet. */
  #next = new Uint16Array(MAX_LAYERS * 32)
  readonly #texts: string[] = ['']
  readonly #lastLayers: string[] = ['']

  constructor(maxPaths = 4096) {
    this.#maxPaths = Math.min(maxPaths, 65535)
  }

  /** The path that is `path` plus one layer. O(1), allocates only for a sequence never seen before. */
  append(path: number, layer: number): number {
    const at = path * MAX_LAYERS + layer
    const known = this.#next[at]!
    return known !== 0 ? known : this.#intern(path, layer, at)
  }

  /** The names joined with `/`: `'Ethernet/IPv4/TCP'`. */
  text(path: number): string {
    return this.#texts[path]!
  }

  /** The last name of the path: what `Application` says unless a port map knows better. Empty for the empty path. */
  lastLayer(path: number): string {
    return this.#lastLayers[path]!
  }

  #intern(path: number, layer: number, at: number): number {
    const created = this.#texts.length
    if (created >= this.#maxPaths) return path
    const name = LAYER_NAMES[layer]!
    this.#texts.push(path === EMPTY_PATH ? name : `${this.#texts[path]}/${name}`)
    this.#lastLayers.push(name)
    if ((created + 1) * MAX_LAYERS > this.#next.length) {
      const grown = new Uint16Array(this.#next.length * 2)
      grown.set(this.#next)
      this.#next = grown
    }
    this.#next[at] = created
    return created
  }
}

/** The path of no layer. */
export const EMPTY_PATH = 0
