import { ABSENT, applicationOfPort, type Dissector, TRANSPORT } from '@skydive/packet'
import { type BlockPackets, timeMs } from './block-packets.ts'
import type { FlowColumns } from './flow-columns.ts'
import type { PortNames } from './flow-table.ts'
import {
  COLD_ADDRESS_A,
  COLD_ADDRESS_B,
  COLD_APPLICATION,
  COLD_DESTINATION_MAC_HIGH,
  COLD_MAC_LOWS,
  COLD_PATH,
  COLD_PORTS,
  COLD_SERIAL,
  COLD_SHIFT,
  COLD_SHOWN,
  COLD_SOURCE_MAC_HIGH,
  COLD_TUNNEL_ID,
  FLAG_CARRIES,
  FLAG_PLAIN,
  FLAG_SWAPPED,
  INTERFACE_INPUT,
  INTERFACE_OUTPUT,
  INTERFACE_SHIFT,
  KEY_KIND,
  KIND_FIRST_SWAPPED,
  KIND_HAS_LINK,
  KIND_IPV6,
  KIND_TCP,
  KIND_TRANSPORT_MASK,
  RECORD_SHIFT,
  ROW_OFFSET,
  ROW_STRIPPED_TAG,
  SHOWN_ADDRESSES,
  SHOWN_IP_METRIC,
  SHOWN_PORTS,
  SHOWN_TCP,
  TYPE_DOT1Q,
  WIDE_SHIFT,
  WIDE_VLAN_ID,
} from './layout.ts'
import { AT_PLAIN_PATHS, AT_SERIAL, PLAIN_IPV6, PLAIN_TCP } from './loop-layout.ts'
import { TPACKET3 } from './tpacket.ts'

const ETHER_TYPE = 12
const ETHERNET_BYTES = 14
const VLAN_BYTES = 4
const VLAN_MASK = 0x0fff
const IPV4_BYTES = 20
const IPV6_BYTES = 40
const SEQUENCE_TAGGED = 1
const SEQUENCE_TCP = 2
const SEQUENCE_IPV6 = 4
/** A sequence of layers that was not met yet. */
const UNKNOWN = -1

/** What a new flow is told by its first packet, beyond its key. */
export class NewFlows {
  /** Names that port maps give, by number minus 1. */
  readonly applications: string[] = []
  readonly #columns: FlowColumns
  readonly #packets: BlockPackets
  readonly #countsFragments: boolean
  readonly #tcpNames: ReadonlyMap<number, number>
  readonly #udpNames: ReadonlyMap<number, number>
  /** The sequences of layers of the common kind: tagged or not, TCP or UDP, IPv6 or IPv4. */
  readonly #plainPaths = new Int32Array(8).fill(UNKNOWN)

  constructor(
    columns: FlowColumns,
    packets: BlockPackets,
    countsFragments: boolean,
    ports: { readonly tcp?: PortNames; readonly udp?: PortNames } = {},
  ) {
    this.#columns = columns
    this.#packets = packets
    this.#countsFragments = countsFragments
    this.#tcpNames = this.#numberNames(ports.tcp)
    this.#udpNames = this.#numberNames(ports.udp)
  }

  /** The flow that was made last; set back when flows were made that nobody may know of. */
  get serial(): number {
    return this.#columns.memory.words[AT_SERIAL >> 2]!
  }

  set serial(serial: number) {
    this.#columns.memory.words[AT_SERIAL >> 2] = serial
  }

  /**
   * How many flows of the common kind the packet loop may make by itself before it asks: as many as fit behind all others, and none where
   * flows are told more than that, such as the name of a port.
   */
  plainRoom(maxFlows: number): number {
    const columns = this.#columns
    if (this.#countsFragments || this.applications.length > 0 || this.#packets.tellsInterfaces || columns.hasFreeIds) return 0
    return Math.min(maxFlows, columns.memory.capacity) - columns.limit
  }

  /** Fills the columns of a flow that has its key already, which are empty. */
  fill(id: number, rows: Int32Array, at: number, flags: number): void {
    const columns = this.#columns
    const kindAt = (id << RECORD_SHIFT) + KEY_KIND
    if ((flags & FLAG_SWAPPED) !== 0) columns.records[kindAt]! |= KIND_FIRST_SWAPPED
    columns.cold[(id << COLD_SHIFT) + COLD_SERIAL] = ++this.serial
    columns.starts[id] = timeMs(rows, at)
    if (this.#packets.tellsInterfaces) this.#interfaces(id, rows[at + ROW_OFFSET]!)
    if ((flags & FLAG_PLAIN) === 0 || !this.#fillPlain(id, rows, at)) this.#fillDissected(id, rows, at, flags)
  }

  /**
   * What the first packet tells when it is of the common kind: nothing needs to be dissected but for the first of each sequence of layers.
   * `false` when it is not that simple.
   */
  #fillPlain(id: number, rows: Int32Array, at: number): boolean {
    if (rows[at + ROW_STRIPPED_TAG] !== ABSENT) return false
    const { view } = this.#packets
    const link = rows[at + ROW_OFFSET]!
    const isTagged = view.getUint16(link + ETHER_TYPE) === TYPE_DOT1Q
    const kind = rows[at + KEY_KIND]!
    const isTcp = (kind & KIND_TRANSPORT_MASK) === KIND_TCP
    const isIpv6 = (kind & KIND_IPV6) !== 0
    const ip = link + (isTagged ? ETHERNET_BYTES + VLAN_BYTES : ETHERNET_BYTES)
    const ports = view.getInt32(ip + (isIpv6 ? IPV6_BYTES : IPV4_BYTES))
    if (!isTcp && (applicationOfPort(ports >>> 16) !== ABSENT || applicationOfPort(ports & 0xffff) !== ABSENT)) return false
    const sequence = (isTagged ? SEQUENCE_TAGGED : 0) | (isTcp ? SEQUENCE_TCP : 0) | (isIpv6 ? SEQUENCE_IPV6 : 0)
    const path = this.#plainPaths[sequence]!
    if (path === UNKNOWN) {
      this.#learnPath(sequence, this.#packets.again(rows, at).path)
      return false
    }
    const { cold, wide, records } = this.#columns
    const coldBase = id << COLD_SHIFT
    records[(id << RECORD_SHIFT) + KEY_KIND]! |= KIND_HAS_LINK
    this.#macs(coldBase, view, link)
    cold[coldBase + COLD_PATH] = path
    const names = isTcp ? this.#tcpNames : this.#udpNames
    if (names.size > 0) cold[coldBase + COLD_APPLICATION] = nameByPort(names, ports >>> 16, ports & 0xffff)
    if (this.#countsFragments && !isIpv6) cold[coldBase + COLD_SHOWN] = SHOWN_IP_METRIC
    if (isTagged) wide[(id << WIDE_SHIFT) + WIDE_VLAN_ID] = view.getUint16(link + ETHERNET_BYTES) & VLAN_MASK
    return true
  }

  /** From then on the packet loop makes such flows by itself, see {@link NewFlows.plainRoom}. */
  #learnPath(sequence: number, path: number): void {
    this.#plainPaths[sequence] = path
    if ((sequence & SEQUENCE_TAGGED) !== 0) return
    const which = ((sequence & SEQUENCE_TCP) !== 0 ? PLAIN_TCP : 0) | ((sequence & SEQUENCE_IPV6) !== 0 ? PLAIN_IPV6 : 0)
    this.#columns.memory.words[(AT_PLAIN_PATHS >> 2) + which] = path + 1
  }

  #fillDissected(id: number, rows: Int32Array, at: number, flags: number): void {
    const columns = this.#columns
    const packet = this.#packets.again(rows, at)
    const { cold, wide } = columns
    const coldBase = id << COLD_SHIFT
    if (packet.linkOffset !== ABSENT) {
      columns.records[(id << RECORD_SHIFT) + KEY_KIND]! |= KIND_HAS_LINK
      this.#macs(coldBase, packet.view, packet.linkOffset)
    }
    cold[coldBase + COLD_PATH] = packet.path
    cold[coldBase + COLD_TUNNEL_ID] = packet.tunnelId
    this.#show(coldBase, packet)
    const isIpv4 = packet.ipVersion === 4 || packet.ipv4InIpv6Offset !== ABSENT
    if (this.#countsFragments && isIpv4 && (flags & FLAG_CARRIES) === 0) cold[coldBase + COLD_SHOWN]! |= SHOWN_IP_METRIC
    const { sourcePort, destinationPort } = packet
    if (packet.transport === TRANSPORT.TCP)
      cold[coldBase + COLD_APPLICATION] = nameByPort(this.#tcpNames, sourcePort, destinationPort)
    else if (packet.transport === TRANSPORT.UDP) {
      cold[coldBase + COLD_APPLICATION] = nameByPort(this.#udpNames, sourcePort, destinationPort)
    }
    wide[(id << WIDE_SHIFT) + WIDE_VLAN_ID] = packet.vlanId
  }

  /** Those of the packet as it came, whichever of its sequences of layers the flow is of. */
  #interfaces(id: number, offset: number): void {
    const { interfaces } = this.#columns
    const { view } = this.#packets
    const base = id << INTERFACE_SHIFT
    interfaces[base + INTERFACE_INPUT] = view.getInt32(offset + TPACKET3.INPUT_BEFORE_PACKET, true)
    interfaces[base + INTERFACE_OUTPUT] = view.getInt32(offset + TPACKET3.OUTPUT_BEFORE_PACKET, true)
  }

  #macs(coldBase: number, view: DataView, link: number): void {
    const { cold } = this.#columns
    cold[coldBase + COLD_DESTINATION_MAC_HIGH] = view.getInt32(link)
    cold[coldBase + COLD_SOURCE_MAC_HIGH] = view.getInt32(link + 6)
    cold[coldBase + COLD_MAC_LOWS] = (view.getUint16(link + 10) << 16) | view.getUint16(link + 4)
  }

  /** What a flow shows that is not in its key. */
  #show(coldBase: number, packet: Dissector): void {
    const { cold } = this.#columns
    if (packet.ipv4InIpv6Offset !== ABSENT) {
      cold[coldBase + COLD_SHOWN]! |= SHOWN_ADDRESSES
      cold[coldBase + COLD_ADDRESS_A] = packet.view.getInt32(packet.ipv4InIpv6Offset + 12)
      cold[coldBase + COLD_ADDRESS_B] = packet.view.getInt32(packet.ipv4InIpv6Offset + 16)
    }
    if (packet.tcpPortsInUdp !== 0) {
      cold[coldBase + COLD_SHOWN]! |= SHOWN_PORTS | SHOWN_TCP
      cold[coldBase + COLD_PORTS] = packet.tcpPortsInUdp
    } else if (packet.isVniKeyed) {
      cold[coldBase + COLD_SHOWN]! |= SHOWN_PORTS
      cold[coldBase + COLD_PORTS] = (packet.sourcePort << 16) | packet.destinationPort
    }
  }

  #numberNames(names: Readonly<Record<number, string>> | undefined): ReadonlyMap<number, number> {
    return new Map(Object.entries(names ?? {}).map(([port, name]) => [Number(port), this.applications.push(name.toUpperCase())]))
  }
}

/** The source port comes first (spec flows 1.16). */
function nameByPort(names: ReadonlyMap<number, number>, sourcePort: number, destinationPort: number): number {
  return names.get(sourcePort) ?? names.get(destinationPort) ?? 0
}
