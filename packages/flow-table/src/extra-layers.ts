import { EXTRA_LAYERS, type FlowDhcpv4, type FlowDns, type FlowVrrpv2 } from '@skydive/contracts'
import { decodeDhcpv4, decodeDns, decodeVrrpv2, type PacketWalk } from '@skydive/packet'
import { formatTimestamp } from '@skydive/protocol/flow'

/** A message as it was on the wire: it is decoded when the flow is exported. */
interface Message {
  readonly layer: string
  bytes: Uint8Array
  byteLength: number
  seconds: number
  nanoseconds: number
}

/** Members of a flow that tell of its application. */
export interface ExtraLayerMembers {
  readonly DHCPv4?: FlowDhcpv4
  readonly DNS?: FlowDns
  readonly VRRPv2?: FlowVrrpv2
}

/** Keeps of each flow the message that its extra layers are made of: the latest of DNS, the first of DHCPv4 and VRRP (spec flows 1.17). */
export class ExtraLayers {
  readonly #mask: number
  readonly #messages = new Map<number, Message>()

  /** `mask` is a sum of {@link EXTRA_LAYERS}. */
  constructor(mask: number) {
    this.#mask = mask
  }

  get followsDns(): boolean {
    return (this.#mask & EXTRA_LAYERS.DNS) !== 0
  }

  /** Looks at what a dissected packet ends with. `layer` is the name of its last layer. */
  keep(id: number, packet: PacketWalk, layer: string, isFirst: boolean, seconds: number, nanoseconds: number): void {
    if (packet.messageOffset < 0 || !this.#wants(layer, isFirst)) return
    const { messageView: view, messageOffset: at, messageEnd: end } = packet
    const found = new Uint8Array(view.buffer, view.byteOffset + at, end - at)
    const kept = this.#messages.get(id)
    if (kept && kept.bytes.length >= found.length) {
      kept.bytes.set(found)
      kept.byteLength = found.length
      kept.seconds = seconds
      kept.nanoseconds = nanoseconds
    } else this.#messages.set(id, { layer, bytes: found.slice(), byteLength: found.length, seconds, nanoseconds })
  }

  /** The members that a flow has. */
  members(id: number): ExtraLayerMembers {
    const message = this.#messages.get(id)
    if (!message) return {}
    const { layer, bytes, byteLength } = message
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    if (layer === 'DNS') {
      const dns = decodeDns(view, 0, byteLength)
      return dns ? { DNS: { ...dns, timestamp: formatTimestamp(message.seconds >>> 0, message.nanoseconds) } } : {}
    }
    const dhcp = layer === 'DHCPv4' ? decodeDhcpv4(view, 0, byteLength) : undefined
    if (dhcp) return { DHCPv4: dhcp }
    const vrrp = layer === 'VRRP' ? decodeVrrpv2(view, 0, byteLength) : undefined
    return vrrp ? { VRRPv2: vrrp } : {}
  }

  forget(id: number): void {
    this.#messages.delete(id)
  }

  #wants(layer: string, isFirst: boolean): boolean {
    if (layer === 'DNS') return this.followsDns
    if (!isFirst) return false
    return (
      (layer === 'DHCPv4' && (this.#mask & EXTRA_LAYERS.DHCPv4) !== 0) ||
      (layer === 'VRRP' && (this.#mask & EXTRA_LAYERS.VRRP) !== 0)
    )
  }
}
