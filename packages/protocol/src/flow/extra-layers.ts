import type { Flow, FlowDns } from '@skydive/contracts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** A field of a message: its number, its member, and what it holds; a list has one element. */
type Field = readonly [number: number, member: string, kind: 'integer' | 'text' | 'flag' | Message | readonly ['text' | Message]]
interface Message {
  readonly fields: readonly Field[]
}
type Values = Record<string, unknown>

// Field numbers of spec flows 1.17.
const QUESTION: Message = {
  fields: [
    [1, 'name', 'text'],
    [2, 'type', 'text'],
    [3, 'class', 'text'],
  ],
}
const SOA: Message = {
  fields: [
    [1, 'MName', 'text'],
    [2, 'RName', 'text'],
    [3, 'serial', 'integer'],
    [4, 'refresh', 'integer'],
    [5, 'retry', 'integer'],
    [6, 'expire', 'integer'],
    [7, 'minimum', 'integer'],
  ],
}
const SRV: Message = {
  fields: [
    [1, 'priority', 'integer'],
    [2, 'weight', 'integer'],
    [3, 'port', 'integer'],
    [4, 'name', 'text'],
  ],
}
const MX: Message = {
  fields: [
    [1, 'preference', 'integer'],
    [2, 'name', 'text'],
  ],
}
const OPT: Message = {
  fields: [
    [1, 'Code', 'text'],
    [2, 'Data', 'text'],
  ],
}
const RECORD: Message = {
  fields: [
    ...QUESTION.fields,
    [4, 'TTL', 'integer'],
    [5, 'data_length', 'integer'],
    [6, 'IP', 'text'],
    [7, 'NS', 'text'],
    [8, 'CNAME', 'text'],
    [9, 'PTR', 'text'],
    [10, 'TXTs', ['text']],
    [11, 'SOA', SOA],
    [12, 'SRV', SRV],
    [13, 'MX', MX],
    [14, 'OPT', [OPT]],
  ],
}
/** `google.protobuf.Timestamp`. */
const TIMESTAMP: Message = {
  fields: [
    [1, 'seconds', 'integer'],
    [2, 'nanos', 'integer'],
  ],
}
const DNS: Message = {
  fields: [
    [1, 'ID', 'integer'],
    [2, 'QR', 'flag'],
    [3, 'op_code', 'text'],
    [4, 'AA', 'flag'],
    [5, 'TC', 'flag'],
    [6, 'RD', 'flag'],
    [7, 'RA', 'flag'],
    [8, 'z', 'integer'],
    [9, 'response_code', 'text'],
    [10, 'QDCount', 'integer'],
    [11, 'ANCount', 'integer'],
    [12, 'NSCount', 'integer'],
    [13, 'ARCount', 'integer'],
    [14, 'questions', [QUESTION]],
    [15, 'answers', [RECORD]],
    [16, 'authorities', [RECORD]],
    [17, 'additionals', [RECORD]],
    [18, 'timestamp', TIMESTAMP],
  ],
}
const DHCPV4: Message = {
  fields: [
    [3, 'hardware_len', 'integer'],
    [4, 'hardware_opts', 'integer'],
    [5, 'xid', 'integer'],
    [6, 'secs', 'integer'],
    [7, 'flags', 'integer'],
    [8, 'server_name', 'text'],
    [9, 'file', 'text'],
  ],
}
const VRRPV2: Message = {
  fields: [
    [3, 'version', 'integer'],
    [4, 'VirtualRtrID', 'integer'],
    [5, 'priority', 'integer'],
    [6, 'CountIPAddr', 'integer'],
    [7, 'adver_int', 'integer'],
    [8, 'checksum', 'integer'],
  ],
}
const LAYER_FIELDS = { DHCPV4: 1000, DNS: 1001, VRRPV2: 1002 } as const
const NANOSECONDS = 1e9
/** Seconds of the years 1 to 9999: `google.protobuf.Timestamp` has no others, and RFC 3339 can't write them. */
const FIRST_SECOND = -62_135_596_800
const LAST_SECOND = 253_402_300_799

/** Writes the extra layers that a flow has (spec flows 1.17). */
export function writeExtraLayers(writer: WireWriter, { DHCPv4, DNS: dns, VRRPv2 }: Flow): void {
  if (DHCPv4) writeMessage(writer, LAYER_FIELDS.DHCPV4, DHCPV4, { ...DHCPv4 })
  if (dns) {
    const { timestamp, ...rest } = dns
    writeMessage(writer, LAYER_FIELDS.DNS, DNS, timestamp === undefined ? rest : { ...rest, timestamp: toParts(timestamp) })
  }
  if (VRRPv2) writeMessage(writer, LAYER_FIELDS.VRRPV2, VRRPV2, { ...VRRPv2 })
}

/** Reads one of the extra layers into `flow`; `false` for a field that is none of them. */
export function readExtraLayer(reader: WireReader, field: number, flow: { -readonly [K in keyof Flow]?: Flow[K] }): boolean {
  switch (field) {
    case LAYER_FIELDS.DHCPV4:
      flow.DHCPv4 = readMessage(reader, DHCPV4)
      return true
    case LAYER_FIELDS.DNS: {
      const { timestamp, ...rest } = readMessage(reader, DNS)
      flow.DNS = { ...rest, ...(timestamp !== undefined && { timestamp: timestampOf(timestamp as Values) }) } as FlowDns
      return true
    }
    case LAYER_FIELDS.VRRPV2:
      flow.VRRPv2 = readMessage(reader, VRRPV2)
      return true
    default:
      return false
  }
}

/** RFC 3339 with microseconds, or with nanoseconds where there are any: `2019-06-06T03:40:24.620570Z`. */
export function formatTimestamp(seconds: number, nanoseconds: number): string {
  const isMicro = nanoseconds % 1000 === 0
  const fraction = isMicro ? String(nanoseconds / 1000).padStart(6, '0') : String(nanoseconds).padStart(9, '0')
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fraction}Z`
}

/** The same from the parts that a timestamp has on the wire; times of other years than 1 to 9999 are the epoch. */
export function timestampOf({ seconds, nanos }: Readonly<Record<string, unknown>>): string {
  const whole = Math.floor(Number(seconds ?? 0))
  const isTime = whole >= FIRST_SECOND && whole <= LAST_SECOND
  const fraction = Number(nanos ?? 0)
  const isFraction = Number.isInteger(fraction) && fraction >= 0 && fraction < NANOSECONDS
  return formatTimestamp(isTime ? whole : 0, isFraction ? fraction : 0)
}

function toParts(timestamp: string): Values {
  const milliseconds = Date.parse(timestamp)
  if (Number.isNaN(milliseconds)) return {}
  const fraction = /\.(\d{1,9})/.exec(timestamp)?.[1] ?? ''
  return { seconds: Math.floor(milliseconds / 1000), nanos: Number(fraction.padEnd(9, '0')) }
}

function writeMessage(writer: WireWriter, field: number, { fields }: Message, values: Values): void {
  const start = writer.begin(field)
  for (const [number, member, kind] of fields) {
    const value = values[member]
    if (value === undefined) continue
    if (kind === 'integer') writer.integer(number, value as number)
    else if (kind === 'flag') writer.integer(number, value === true ? 1 : 0)
    else if (kind === 'text') writer.string(number, value as string)
    else if ('fields' in kind) writeMessage(writer, number, kind, value as Values)
    else for (const item of value as readonly unknown[]) writeItem(writer, number, kind[0], item)
  }
  writer.end(start)
}

/** Of a list an empty string counts, too. */
function writeItem(writer: WireWriter, field: number, kind: 'text' | Message, item: unknown): void {
  if (kind === 'text') writer.element(field, new TextEncoder().encode(item as string))
  else writeMessage(writer, field, kind, item as Values)
}

function readMessage(reader: WireReader, { fields }: Message): Values {
  const values: Values = {}
  reader.message((number) => {
    const field = fields.find(([known]) => known === number)
    if (!field) {
      reader.skip()
      return
    }
    const [, member, kind] = field
    if (kind === 'integer') values[member] = reader.integer()
    else if (kind === 'flag') values[member] = reader.integer() !== 0
    else if (kind === 'text') values[member] = reader.string()
    else if ('fields' in kind) values[member] = readMessage(reader, kind)
    else {
      const list = (values[member] ??= []) as unknown[]
      list.push(kind[0] === 'text' ? reader.string() : readMessage(reader, kind[0]))
    }
  })
  return values
}
