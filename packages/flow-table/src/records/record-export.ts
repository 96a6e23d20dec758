import { type Flow, type FlowFinishType, type FlowMetric, type FlowProtocol, ICMP_TYPES } from '@skydive/contracts'
import { IP_PROTOCOL, ipv4Text, ipv6Text, macText } from '@skydive/packet'
import { Xxh64 } from '../xxh64.ts'
import {
  COUNTERS,
  coldOf,
  DESTINATION_MAC,
  INPUT_INDEX,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_OBSERVER,
  KEY_TRANSPORT,
  LAST_MS,
  OUTPUT_INDEX,
  type RecordColumns,
  SOURCE_MAC,
  START_MS,
  STATE,
  STATE_FIRST_SWAPPED,
  TCP_FLAGS,
  UPDATE,
  UPDATE_LAST_MS,
  UPDATE_START_MS,
  VLAN_ID,
  wideOf,
  wordOf,
} from './record-columns.ts'

/** What `Application` says, by protocol number (spec flows 3.9, and the names of 1.5 for the others). */
const APPLICATIONS: ReadonlyMap<number, string> = new Map([
  [1, 'ICMPv4'],
  [2, 'IGMP'],
  [4, 'IPV4'],
  [6, 'TCP'],
  [17, 'UDP'],
  [41, 'IPV6'],
  [47, 'GRE'],
  [50, 'IPSecESP'],
  [51, 'IPSecAH'],
  [58, 'ICMPv6'],
  [89, 'OSPF'],
  [112, 'VRRP'],
  [132, 'SCTP'],
  [136, 'UDPLite'],
])
/** Protocols with ports, and the number of their end point type in the hash (spec flows 1.8). */
const TRANSPORTS: ReadonlyMap<number, { readonly name: FlowProtocol; readonly endPoint: number }> = new Map([
  [IP_PROTOCOL.TCP, { name: 'TCP', endPoint: 4 }],
  [IP_PROTOCOL.UDP, { name: 'UDP', endPoint: 5 }],
  [IP_PROTOCOL.SCTP, { name: 'SCTP', endPoint: 6 }],
])
const END_POINT_IPV4 = 1
const END_POINT_IPV6 = 2
const FIN = 1
const RST = 4
const TWO_TO_32 = 0x100000000

/** Whether records of a protocol tell of ICMP. */
export function isIcmp(protocol: number): boolean {
  return protocol === IP_PROTOCOL.ICMP || protocol === IP_PROTOCOL.ICMPV6
}

/** Whether records of a protocol have ports. */
export function hasPorts(protocol: number): boolean {
  return protocol === IP_PROTOCOL.TCP || protocol === IP_PROTOCOL.UDP || protocol === IP_PROTOCOL.SCTP
}

/** How the flow ended, as its TCP flags tell it: 0 when they do not. */
export function finishOf(tcpFlags: number): FlowFinishType {
  return (tcpFlags & RST) !== 0 ? 3 : (tcpFlags & FIN) !== 0 ? 2 : 0
}

/** A flow that is being put together. */
type Draft = { -readonly [K in keyof Flow]?: Flow[K] }

/**
 * Makes {@link Flow} objects of rows. Tracking ids are those that packets of the conversation get in mode `L3` (spec flows 1.8), so that
 * what an exporter tells and what a capture sees can be joined.
 */
export class RecordExporter {
  readonly #columns: RecordColumns
  readonly #nodeTid: string
  readonly #captureId: string
  readonly #hash = new Xxh64()
  readonly #key = new DataView(new ArrayBuffer(64))
  readonly #uuid: DataView
  /** Addresses of exporters by observer, of those that flows are of. */
  #names = new Map<number, string>()

  constructor(columns: RecordColumns, nodeTid: string, captureId: string) {
    this.#columns = columns
    this.#nodeTid = nodeTid
    this.#captureId = captureId
    const tid = new TextEncoder().encode(nodeTid)
    const uuid = new Uint8Array(8 + tid.length)
    uuid.set(tid, 8)
    this.#uuid = new DataView(uuid.buffer)
  }

  /** Says which exporter an observer is; none with an empty address. */
  name(observer: number, address: string): void {
    if (address !== '') this.#names.set(observer, address)
  }

  /** Forgets exporters of which no flow is left. One pass over all flows. */
  forgetUnusedNames(): void {
    const columns = this.#columns
    const used = new Map<number, string>()
    for (let id = 0; id < columns.limit; id++) {
      const observer = columns.words[wordOf(id, KEY_OBSERVER)]!
      const name = columns.isLive(id) ? this.#names.get(observer) : undefined
      if (name !== undefined) used.set(observer, name)
    }
    this.#names = used
  }

  /** The flow as it is now. `finish` overrides how it ended. */
  flow(id: number, finish?: FlowFinishType): Flow {
    const { words, wide, cold } = this.#columns
    const kind = words[wordOf(id, KEY_KIND)]!
    const protocol = kind & 0xff
    const isSwapped = (words[wordOf(id, STATE)]! & STATE_FIRST_SWAPPED) !== 0
    const startMs = wide[wideOf(id, START_MS)]!
    const lastMs = wide[wideOf(id, LAST_MS)]!
    const { uuid, trackingId } = this.#identify(id, kind, startMs)
    const transport = TRANSPORTS.get(protocol)
    const item = words[wordOf(id, KEY_TRANSPORT)]!
    const [first, second] = [this.#address(id, kind, KEY_ADDRESS_FIRST), this.#address(id, kind, KEY_ADDRESS_SECOND)]
    const flow: Draft = { UUID: uuid, Application: APPLICATIONS.get(protocol) ?? `IP-${protocol}` }
    const sourceMac = cold[coldOf(id, SOURCE_MAC)]!
    const destinationMac = cold[coldOf(id, DESTINATION_MAC)]!
    if (sourceMac !== 0 || destinationMac !== 0) {
      flow.Link = { Protocol: 'ETHERNET', A: mac(sourceMac), B: mac(destinationMac), ID: cold[coldOf(id, VLAN_ID)]! }
    }
    flow.Network = {
      Protocol: kind >>> 8 === 4 ? 'IPV4' : 'IPV6',
      A: isSwapped ? second : first,
      B: isSwapped ? first : second,
      ID: 0,
    }
    if (transport) {
      const [a, b] = isSwapped ? [item & 0xffff, item >>> 16] : [item >>> 16, item & 0xffff]
      flow.Transport = { Protocol: transport.name, A: a, B: b, ID: 0 }
    } else if (isIcmp(protocol)) {
      const code = (item >>> 16) & 0xff
      flow.ICMP = { Type: ICMP_TYPES[item >>> 24]!, ...(code !== 0 && { Code: code }) }
    }
    if (cold[coldOf(id, UPDATE_LAST_MS)]! !== 0)
      flow.LastUpdateMetric = metric(
        cold,
        coldOf(id, UPDATE),
        cold[coldOf(id, UPDATE_START_MS)]!,
        cold[coldOf(id, UPDATE_LAST_MS)]!,
      )
    flow.Metric = metric(wide, wideOf(id, COUNTERS), startMs, lastMs)
    flow.Start = startMs
    flow.Last = lastMs
    flow.TrackingID = trackingId
    flow.L3TrackingID = trackingId
    flow.ParentUUID = ''
    if (this.#nodeTid !== '') flow.NodeTID = this.#nodeTid
    if (this.#captureId !== '') flow.CaptureID = this.#captureId
    flow.RawPacketsCaptured = 0
    const address = this.#names.get(words[wordOf(id, KEY_OBSERVER)]!)
    if (address !== undefined) {
      flow.Exporter = { Address: address, Input: cold[coldOf(id, INPUT_INDEX)]!, Output: cold[coldOf(id, OUTPUT_INDEX)]! }
    }
    const finishType = finishOf(words[wordOf(id, TCP_FLAGS)]!) || finish || 0
    if (finishType !== 0) flow.FinishType = finishType
    return flow as Flow
  }

  #address(id: number, kind: number, word: number): string {
    const { words } = this.#columns
    const at = wordOf(id, word)
    return kind >>> 8 === 4 ? ipv4Text(words[at]!) : ipv6Text(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!)
  }

  #identify(id: number, kind: number, startMs: number): { readonly uuid: string; readonly trackingId: string } {
    const { words } = this.#columns
    const view = this.#key
    const hash = this.#hash
    const protocol = kind & 0xff
    const addressWords = kind >>> 8 === 4 ? 1 : 4
    let at = 0
    for (const word of [KEY_ADDRESS_FIRST, KEY_ADDRESS_SECOND]) {
      for (let i = 0; i < addressWords; i++, at += 4) view.setInt32(at, words[wordOf(id, word + i)]!)
    }
    at = endPoint(view, at, addressWords === 1 ? END_POINT_IPV4 : END_POINT_IPV6)
    const transport = TRANSPORTS.get(protocol)
    if (transport || isIcmp(protocol)) {
      view.setInt32(at, words[wordOf(id, KEY_TRANSPORT)]!)
      at = endPoint(view, at + 4, transport?.endPoint ?? 0)
    }
    hash.hash(view, at)
    const trackingId = hash.text()
    const observer = words[wordOf(id, KEY_OBSERVER)]!
    if (observer !== 0) {
      // Where the enclosing flow of a packet stands: what two exporters tell of a conversation are two flows.
      view.setInt32(at, observer)
      hash.hash(view, at + 4)
    }
    this.#uuid.setUint32(0, Math.floor(startMs / TWO_TO_32))
    this.#uuid.setUint32(4, startMs >>> 0)
    hash.hash(this.#uuid, this.#uuid.byteLength, hash.high, hash.low)
    return { uuid: hash.text(), trackingId }
  }
}

function endPoint(view: DataView, at: number, type: number): number {
  view.setUint32(at, 0)
  view.setUint32(at + 4, type)
  return at + 8
}

function mac(address: number): string {
  return macText(Math.floor(address / 65536) | 0, address % 65536)
}

/** Four counters that begin at `at`: packets of both ways, then bytes. */
function metric(numbers: Float64Array, at: number, startMs: number, lastMs: number): FlowMetric {
  return {
    ABPackets: Math.round(numbers[at]!),
    ABBytes: Math.round(numbers[at + 2]!),
    BAPackets: Math.round(numbers[at + 1]!),
    BABytes: Math.round(numbers[at + 3]!),
    Start: startMs,
    Last: lastMs,
  }
}
