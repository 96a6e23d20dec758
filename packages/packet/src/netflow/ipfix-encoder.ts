import { IP_PROTOCOL } from '../constants.ts'
import { INFORMATION_ELEMENT_NUMBERS } from './elements.ts'
import { ExportDatagram, type RecordEncoderOptions } from './export-datagram.ts'
import type { ExportedFlow } from './exported-flow.ts'

/** Options of {@link IpfixEncoder}. */
export interface IpfixEncoderOptions extends RecordEncoderOptions {
  /** Observation domain: sequence numbers and templates are its own. 32 bits. */
  readonly domainId: number
  /** The longest message. @default 1400 */
  readonly maxMessageBytes?: number
  /**
   * Templates are sent again with the first message after so long and after so many messages: a collector that began later, or lost a
   * datagram, learns them. @default 30000 and 64
   */
  readonly templatePeriodMs?: number
  readonly templateMessages?: number
}

const VERSION = 10
const HEADER_BYTES = 16
const SET_HEADER_BYTES = 4
const TEMPLATE_SET = 2
const DEFAULT_MESSAGE_BYTES = 1400
/** Room for the templates and a record. */
const LEAST_MESSAGE_BYTES = 512
const MOST_MESSAGE_BYTES = 65_507
const DEFAULT_TEMPLATE_PERIOD_MS = 30_000
const DEFAULT_TEMPLATE_MESSAGES = 64
const TWO_TO_32 = 0x100000000

type Field = readonly [element: string, bytes: number]

const TIMES: readonly Field[] = [
  ['flowStartMilliseconds', 8],
  ['flowEndMilliseconds', 8],
]
const ADDRESSES: Readonly<Record<4 | 6, readonly Field[]>> = {
  4: [
    ['sourceIPv4Address', 4],
    ['destinationIPv4Address', 4],
  ],
  6: [
    ['sourceIPv6Address', 16],
    ['destinationIPv6Address', 16],
  ],
}
const PORTS: readonly Field[] = [
  ['sourceTransportPort', 2],
  ['destinationTransportPort', 2],
  ['tcpControlBits', 1],
]
const REST: readonly Field[] = [
  ['protocolIdentifier', 1],
  ['flowEndReason', 1],
  ['packetDeltaCount', 8],
  ['octetDeltaCount', 8],
  ['sourceMacAddress', 6],
  ['destinationMacAddress', 6],
  ['vlanId', 2],
]

/** The templates: the number of each, by version of IP and by whether records tell of ICMP instead of ports. */
const TEMPLATES: readonly { readonly id: number; readonly fields: readonly Field[]; readonly bytes: number }[] = [
  [256, [...TIMES, ...ADDRESSES[4], ...PORTS, ...REST]],
  [257, [...TIMES, ...ADDRESSES[4], ['icmpTypeCodeIPv4', 2], ...REST]],
  [258, [...TIMES, ...ADDRESSES[6], ...PORTS, ...REST]],
  [259, [...TIMES, ...ADDRESSES[6], ['icmpTypeCodeIPv6', 2], ...REST]],
].map(([id, fields]) => ({
  id: id as number,
  fields: fields as readonly Field[],
  bytes: (fields as readonly Field[]).reduce((sum, [, bytes]) => sum + bytes, 0),
}))

/**
 * Flow records to messages of IPFIX (RFC 7011) for a collector that is reached by UDP. Pure: the messages go to `send`, in order, when they
 * are full and at {@link IpfixEncoder.flush}. A record costs no memory.
 *
 * Each record tells of one direction. There are four templates: of IPv4 and of IPv6, each with ports and with the type of ICMP. The
 * sequence number of a message is that of the data records sent before it (RFC 7011, chapter 3.1); templates are sent again in time
 * (chapter 8.4).
 */
export class IpfixEncoder {
  readonly #now: () => number
  readonly #templatePeriodMs: number
  readonly #templateMessages: number
  readonly #datagram: ExportDatagram
  #end = 0
  /** Where the set that is being written begins, and its number; 0 when there is none. */
  #setAt = 0
  #setId = 0
  #messages = 0
  #templatesAtMs = Number.NEGATIVE_INFINITY

  constructor({ domainId, now, send, ...options }: IpfixEncoderOptions) {
    const { maxMessageBytes = DEFAULT_MESSAGE_BYTES } = options
    this.#now = now
    this.#templatePeriodMs = options.templatePeriodMs ?? DEFAULT_TEMPLATE_PERIOD_MS
    this.#templateMessages = options.templateMessages ?? DEFAULT_TEMPLATE_MESSAGES
    this.#datagram = new ExportDatagram(
      VERSION,
      Math.max(LEAST_MESSAGE_BYTES, Math.min(MOST_MESSAGE_BYTES, maxMessageBytes)),
      send,
    )
    this.#datagram.view.setUint32(12, domainId)
  }

  /** Adds a record; answers how many were made of it: 0 for one without packets, else 1. */
  add(flow: ExportedFlow): number {
    if (flow.packets <= 0) return 0
    const isIcmp = flow.protocol === (flow.ipVersion === 4 ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6)
    const template = TEMPLATES[(flow.ipVersion === 4 ? 0 : 2) + (isIcmp ? 1 : 0)]!
    const needed = template.bytes + (this.#setId === template.id ? 0 : SET_HEADER_BYTES)
    if (this.#end + needed > this.#datagram.bytes.length) this.flush()
    if (this.#end === 0) this.#begin()
    if (this.#setId !== template.id) this.#openSet(template.id)
    this.#write(flow, isIcmp)
    this.#datagram.records++
    return 1
  }

  /** Sends what is gathered; nothing when there is nothing. */
  flush(): void {
    const end = this.#end
    if (end === 0) return
    this.#closeSet()
    const { view, sequence } = this.#datagram
    view.setUint16(2, end)
    view.setUint32(4, Math.floor(this.#now() / 1000))
    view.setUint32(8, sequence)
    this.#messages++
    this.#end = 0
    this.#datagram.send(end)
  }

  #begin(): void {
    this.#end = HEADER_BYTES
    const nowMs = this.#now()
    if (this.#messages < this.#templateMessages && nowMs - this.#templatesAtMs < this.#templatePeriodMs) return
    this.#templatesAtMs = nowMs
    this.#messages = 0
    this.#openSet(TEMPLATE_SET)
    for (const { id, fields } of TEMPLATES) {
      this.#u16(id)
      this.#u16(fields.length)
      for (const [element, bytes] of fields) {
        this.#u16(INFORMATION_ELEMENT_NUMBERS.get(element)!)
        this.#u16(bytes)
      }
    }
    this.#closeSet()
  }

  #openSet(id: number): void {
    this.#closeSet()
    this.#setAt = this.#end
    this.#setId = id
    this.#u16(id)
    this.#u16(0)
  }

  #closeSet(): void {
    if (this.#setId !== 0) this.#datagram.view.setUint16(this.#setAt + 2, this.#end - this.#setAt)
    this.#setId = 0
  }

  /** In the order of the template's fields. */
  #write(flow: ExportedFlow, isIcmp: boolean): void {
    const { view } = this.#datagram
    let at = this.#end
    setUint64(view, at, flow.startMs)
    setUint64(view, at + 8, flow.lastMs)
    at += 16
    const words = flow.ipVersion === 4 ? 1 : 4
    for (let word = 0; word < words; word++, at += 4) view.setInt32(at, flow.addresses[word]!)
    for (let word = 0; word < words; word++, at += 4) view.setInt32(at, flow.addresses[4 + word]!)
    if (isIcmp) {
      view.setUint16(at, (flow.icmpType << 8) | flow.icmpCode)
      at += 2
    } else {
      view.setUint16(at, flow.sourcePort)
      view.setUint16(at + 2, flow.destinationPort)
      view.setUint8(at + 4, flow.tcpFlags)
      at += 5
    }
    view.setUint8(at, flow.protocol)
    view.setUint8(at + 1, flow.endReason)
    setUint64(view, at + 2, flow.packets)
    setUint64(view, at + 10, flow.bytes)
    setUint48(view, at + 18, flow.sourceMac)
    setUint48(view, at + 24, flow.destinationMac)
    view.setUint16(at + 30, flow.vlanId)
    this.#end = at + 32
  }

  #u16(value: number): void {
    this.#datagram.view.setUint16(this.#end, value)
    this.#end += 2
  }
}

function setUint48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / TWO_TO_32))
  view.setUint32(at + 2, value % TWO_TO_32)
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_TO_32))
  view.setUint32(at + 4, value % TWO_TO_32)
}
