import { IP_PROTOCOL, TCP_FLAG, TRANSPORT } from '@skydive/packet'
import type { FlowEnds } from '../flow-ends.ts'
import type { FlowExporterInit } from '../flow-export.ts'
import {
  COLD_DESTINATION_MAC_HIGH,
  COLD_FINISH,
  COLD_MAC_LOWS,
  COLD_PATH,
  COLD_SHIFT,
  COLD_SOURCE_MAC_HIGH,
  KEY_KIND,
  KEY_TRANSPORT,
  KIND_HAS_LINK,
  KIND_TRANSPORT_MASK,
  RECORD_SHIFT,
  TCP_FIN_START,
  TCP_RST_START,
  TCP_SHIFT,
  TCP_SYN_START,
  WIDE_SHIFT,
  WIDE_UPDATE,
  WIDE_UPDATE_START_MS,
  WIDE_VLAN_ID,
} from '../layout.ts'
import type { DirectionSink } from './direction-sink.ts'
import { DirectionTeller, endReasonOf } from './direction-teller.ts'
import { icmpNumbers } from './icmp-numbers.ts'
import { PathHeadersCache } from './path-headers.ts'

const VLAN_MASK = 0xfff
const TWO_TO_16 = 0x10000

/** Tells of flows as records of each direction, straight from the columns. */
export class FlowDirections {
  readonly #init: FlowExporterInit
  readonly #ends: FlowEnds
  readonly #paths: PathHeadersCache
  readonly #teller: DirectionTeller

  constructor(init: FlowExporterInit, ends: FlowEnds, sink: DirectionSink) {
    this.#init = init
    this.#ends = ends
    this.#paths = new PathHeadersCache(init.paths)
    this.#teller = new DirectionTeller(sink)
  }

  /** Tells what the last measurement of a flow found. `endReason` is one of `FLOW_END`; by default the flow's own. */
  tell(id: number, endReason?: number): void {
    const { columns } = this.#init
    const { records, cold, wide } = columns
    const row = id << COLD_SHIFT
    const wideRow = id << WIDE_SHIFT
    const kind = records[(id << RECORD_SHIFT) + KEY_KIND]!
    const { record } = this.#teller
    const ipVersion = this.#ends.readAddresses(id, record.addresses)
    if (ipVersion === 0) {
      this.#teller.skip()
      return
    }
    record.ipVersion = ipVersion
    record.endReason = endReason ?? endReasonOf(cold[row + COLD_FINISH]!)
    this.#setLink(id, (kind & KIND_HAS_LINK) !== 0)
    this.#teller.setTimes(columns.starts[id]!, columns.lastMs(id), wide[wideRow + WIDE_UPDATE_START_MS]!)
    const { linkBytes, protocol } = this.#paths.of(cold[row + COLD_PATH]!)
    const at = wideRow + WIDE_UPDATE
    if ((kind & KIND_TRANSPORT_MASK) === TRANSPORT.ICMP) {
      const message = records[(id << RECORD_SHIFT) + KEY_TRANSPORT]!
      record.protocol = ipVersion === 4 ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6
      record.icmpCode = (message >>> 16) & 0xff
      this.#setPorts(0)
      this.#teller.tell(wide, at, linkBytes, icmpNumbers(ipVersion, message >>> 24))
      return
    }
    record.icmpCode = 0
    const ported = protocolOf(this.#ends.transport(id))
    record.protocol = ported || protocol
    this.#setPorts(ported === 0 ? 0 : this.#ends.ports(id))
    this.#teller.tell(wide, at, linkBytes, undefined, this.#flags(id, kind, 0), this.#flags(id, kind, 1))
  }

  #setPorts(ports: number): void {
    const { record } = this.#teller
    record.sourcePort = ports >>> 16
    record.destinationPort = ports & 0xffff
  }

  #setLink(id: number, hasLink: boolean): void {
    const { cold, wide } = this.#init.columns
    const { record } = this.#teller
    const row = id << COLD_SHIFT
    const lows = cold[row + COLD_MAC_LOWS]!
    record.sourceMac = hasLink ? (cold[row + COLD_SOURCE_MAC_HIGH]! >>> 0) * TWO_TO_16 + (lows >>> 16) : 0
    record.destinationMac = hasLink ? (cold[row + COLD_DESTINATION_MAC_HIGH]! >>> 0) * TWO_TO_16 + (lows & 0xffff) : 0
    // The outermost tag is in the lowest bits.
    record.vlanId = hasLink ? wide[(id << WIDE_SHIFT) + WIDE_VLAN_ID]! % (VLAN_MASK + 1) : 0
  }

  /** Those of which the flow knows when they were seen, with `extraTcpMetric`. `side` is 0 for what A sent, 1 for B. */
  #flags(id: number, kind: number, side: number): number {
    if (!this.#init.hasTcpMetric || (kind & KIND_TRANSPORT_MASK) !== TRANSPORT.TCP) return 0
    const { tcp } = this.#init.columns
    const at = (id << TCP_SHIFT) + side
    return (
      (tcp[at + TCP_SYN_START]! > 0 ? TCP_FLAG.SYN : 0) |
      (tcp[at + TCP_FIN_START]! > 0 ? TCP_FLAG.FIN : 0) |
      (tcp[at + TCP_RST_START]! > 0 ? TCP_FLAG.RST : 0)
    )
  }
}

/** The number of a transport with ports in the IP header, else 0. */
function protocolOf(transport: number): number {
  switch (transport) {
    case TRANSPORT.TCP:
      return IP_PROTOCOL.TCP
    case TRANSPORT.UDP:
      return IP_PROTOCOL.UDP
    case TRANSPORT.SCTP:
      return IP_PROTOCOL.SCTP
    default:
      return 0
  }
}
