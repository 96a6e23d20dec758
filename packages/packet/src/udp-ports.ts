import { TUNNEL_PORT } from './constants.ts'
import { LAYER } from './layers.ts'
import { STEP } from './steps.ts'

/** The payload of a UDP port that is an application: a layer's code, or `NONE`. */
const NONE = -1

/**
 * UDP ports whose payload is a tunnel: VXLAN (4789, 8472), Geneve (6081), GTP-U (2152), and MPLS where it is registered.
 * A port wins over the registered meaning of the other one when it is the destination (spec flows 1.5 rule 2).
 */
export class TunnelPorts {
  readonly #mpls: ReadonlySet<number>
  readonly #all: ReadonlySet<number>

  /** `mplsPorts`: UDP ports that carry MPLS, such as OpenContrail's 51234. */
  constructor(mplsPorts: Iterable<number> = []) {
    this.#mpls = new Set(mplsPorts)
    this.#all = new Set([...Object.values(TUNNEL_PORT), ...this.#mpls])
  }

  /** All of them, in no order. */
  get all(): Iterable<number> {
    return this.#all
  }

  /** Whether the ports of VXLAN, Geneve and GTP-U mean these, and not MPLS. */
  get areUsual(): boolean {
    return Object.values(TUNNEL_PORT).every((port) => !this.#mpls.has(port))
  }

  /** What is to be decoded below UDP: one of `STEP`; `END` when the port is that of no tunnel. */
  step(port: number): number {
    if (this.#mpls.has(port)) return STEP.MPLS
    switch (port) {
      case TUNNEL_PORT.VXLAN:
      case TUNNEL_PORT.VXLAN_LINUX:
        return STEP.VXLAN
      case TUNNEL_PORT.GENEVE:
        return STEP.GENEVE
      case TUNNEL_PORT.GTP_U:
        return STEP.GTP_U
      default:
        return STEP.END
    }
  }
}

/** The UDP ports for which {@link applicationOfPort} knows an application. */
export const APPLICATION_PORTS: readonly number[] = [53, 67, 68, 123, 546, 547, 3784, 5060, 6343]

/** The application of a UDP port as a layer's code of `LAYER`, or `ABSENT`: what a packet to or from it may show as its last layer. */
export function applicationOfPort(port: number): number {
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
    case 3784:
      return LAYER.BFD
    case 5060:
      return LAYER.SIP
    case 6343:
      return LAYER.SFlow
    default:
      return NONE
  }
}
