import {
  FLOW_PROTOCOLS,
  type Flow,
  type FlowExporter,
  type FlowFinishType,
  type FlowLayer,
  type FlowMetric,
  type FlowProtocol,
  ICMP_TYPES,
  type IcmpLayer,
  type IpMetric,
  type RawPacket,
  type TcpMetric,
  type TransportLayer,
} from '@skydive/contracts'
import { readExtraLayer, writeExtraLayers } from './extra-layers.ts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

const PROTOCOL_NUMBERS = new Map(FLOW_PROTOCOLS.map((name, number) => [name, number]))
const ICMP_NUMBERS = new Map(ICMP_TYPES.map((name, number) => [name, number]))

/** Members of a TCPMetric by field number minus 1 (spec flows 1.2). */
const TCP_MEMBERS = [
  'ABSynStart',
  'BASynStart',
  'ABSynTTL',
  'BASynTTL',
  'ABFinStart',
  'BAFinStart',
  'ABRstStart',
  'BARstStart',
  'ABSegmentOutOfOrder',
  'ABSegmentSkipped',
  'ABSegmentSkippedBytes',
  'ABPackets',
  'ABBytes',
  'ABSawStart',
  'ABSawEnd',
  'BASegmentOutOfOrder',
  'BASegmentSkipped',
  'BASegmentSkippedBytes',
  'BAPackets',
  'BABytes',
  'BASawStart',
  'BASawEnd',
] as const satisfies readonly (keyof TcpMetric)[]

/** Members of a FlowMetric by field number minus 2. */
const METRIC_MEMBERS = [
  'ABPackets',
  'ABBytes',
  'BAPackets',
  'BABytes',
  'Start',
  'Last',
  'RTT',
] as const satisfies readonly (keyof FlowMetric)[]

/** A field that the original does not have and skips. */
const EXPORTER = 1100

/** Writes the fields of a flow; the caller frames them. */
export function writeFlow(writer: WireWriter, flow: Flow): void {
  writer.string(1, flow.UUID)
  writer.string(2, flow.LayersPath ?? '')
  writer.string(3, flow.Application ?? '')
  writer.string(6, flow.ParentUUID)
  writer.integer(10, flow.Start)
  writer.integer(11, flow.Last)
  if (flow.Link) writeLayer(writer, 20, flow.Link)
  if (flow.Network) writeLayer(writer, 21, flow.Network)
  if (flow.Transport) writeTransport(writer, flow.Transport)
  if (flow.ICMP) writeIcmp(writer, flow.ICMP)
  if (flow.LastUpdateMetric) writeMetric(writer, 31, flow.LastUpdateMetric)
  if (flow.Metric) writeMetric(writer, 32, flow.Metric)
  writer.string(33, flow.NodeTID ?? '')
  writer.string(34, flow.CaptureID ?? '')
  for (const packet of flow.LastRawPackets ?? []) writeRawPacket(writer, packet)
  writer.integer(37, flow.RawPacketsCaptured)
  if (flow.TCPMetric) writeTcpMetric(writer, flow.TCPMetric)
  if (flow.IPMetric) {
    const start = writer.begin(39)
    writer.integer(1, flow.IPMetric.Fragments)
    writer.integer(2, flow.IPMetric.FragmentErrors)
    writer.end(start)
  }
  writer.string(50, flow.TrackingID ?? '')
  writer.string(51, flow.L3TrackingID ?? '')
  writer.integer(60, flow.FinishType ?? 0)
  writeExtraLayers(writer, flow)
  if (flow.Exporter) {
    const start = writer.begin(EXPORTER)
    writer.string(1, flow.Exporter.Address)
    writer.integer(2, flow.Exporter.Input)
    writer.integer(3, flow.Exporter.Output)
    writer.end(start)
  }
}

function writeLayer(writer: WireWriter, field: number, layer: FlowLayer): void {
  const start = writer.begin(field)
  writer.integer(1, PROTOCOL_NUMBERS.get(layer.Protocol)!)
  writer.string(3, layer.A ?? '')
  writer.string(4, layer.B ?? '')
  writer.integer(5, layer.ID)
  writer.end(start)
}

function writeTransport(writer: WireWriter, layer: TransportLayer): void {
  const start = writer.begin(22)
  writer.integer(1, PROTOCOL_NUMBERS.get(layer.Protocol)!)
  writer.integer(2, layer.A)
  writer.integer(3, layer.B)
  writer.integer(4, layer.ID)
  writer.end(start)
}

function writeIcmp(writer: WireWriter, layer: IcmpLayer): void {
  const start = writer.begin(23)
  writer.integer(1, ICMP_NUMBERS.get(layer.Type)!)
  writer.integer(2, layer.Code ?? 0)
  writer.integer(3, layer.ID ?? 0)
  writer.end(start)
}

function writeMetric(writer: WireWriter, field: number, metric: FlowMetric): void {
  const start = writer.begin(field)
  writer.integer(2, metric.ABPackets)
  writer.integer(3, metric.ABBytes)
  writer.integer(4, metric.BAPackets)
  writer.integer(5, metric.BABytes)
  writer.integer(6, metric.Start)
  writer.integer(7, metric.Last)
  writer.integer(8, metric.RTT ?? 0)
  writer.end(start)
}

function writeTcpMetric(writer: WireWriter, metric: TcpMetric): void {
  const start = writer.begin(38)
  for (const [index, member] of TCP_MEMBERS.entries()) writer.integer(index + 1, metric[member] ?? 0)
  writer.end(start)
}

function writeRawPacket(writer: WireWriter, packet: RawPacket): void {
  const start = writer.begin(36)
  writer.integer(1, packet.Timestamp)
  writer.integer(2, packet.Index)
  writer.bytes(3, packet.Data)
  writer.integer(4, packet.LinkType)
  writer.end(start)
}

type Draft<T> = { -readonly [K in keyof T]?: T[K] }

/** Reads the fields of a flow with the presence rules of spec flows 1.1: what is always in JSON is always there. */
export function readFlow(reader: WireReader): Flow {
  const draft: Draft<Flow> & { UUID: string; Start: number; Last: number; ParentUUID: string; RawPacketsCaptured: number } = {
    UUID: '',
    Start: 0,
    Last: 0,
    ParentUUID: '',
    RawPacketsCaptured: 0,
  }
  const rawPackets: RawPacket[] = []
  reader.message((field) => {
    switch (field) {
      case 1:
        draft.UUID = reader.string()
        break
      case 2:
        draft.LayersPath = reader.string()
        break
      case 3:
        draft.Application = reader.string()
        break
      case 6:
        draft.ParentUUID = reader.string()
        break
      case 10:
        draft.Start = reader.integer()
        break
      case 11:
        draft.Last = reader.integer()
        break
      case 20:
        draft.Link = readLayer(reader)
        break
      case 21:
        draft.Network = readLayer(reader)
        break
      case 22:
        draft.Transport = readTransport(reader)
        break
      case 23:
        draft.ICMP = readIcmp(reader)
        break
      case 31:
        draft.LastUpdateMetric = readMetric(reader)
        break
      case 32:
        draft.Metric = readMetric(reader)
        break
      case 33:
        draft.NodeTID = reader.string()
        break
      case 34:
        draft.CaptureID = reader.string()
        break
      case 36:
        rawPackets.push(readRawPacket(reader))
        break
      case 37:
        draft.RawPacketsCaptured = reader.integer()
        break
      case 38:
        draft.TCPMetric = readTcpMetric(reader)
        break
      case 39:
        draft.IPMetric = readIpMetric(reader)
        break
      case 50:
        draft.TrackingID = reader.string()
        break
      case 51:
        draft.L3TrackingID = reader.string()
        break
      case 60: {
        const finish = reader.integer()
        if (finish >= 1 && finish <= 3) draft.FinishType = finish as FlowFinishType
        break
      }
      case EXPORTER:
        draft.Exporter = readExporter(reader)
        break
      default:
        if (!readExtraLayer(reader, field, draft)) reader.skip()
    }
  })
  if (rawPackets.length > 0) draft.LastRawPackets = rawPackets
  return draft
}

function readExporter(reader: WireReader): FlowExporter {
  const exporter = { Address: '', Input: 0, Output: 0 }
  reader.message((field) => {
    if (field === 1) exporter.Address = reader.string()
    else if (field === 2) exporter.Input = reader.integer()
    else if (field === 3) exporter.Output = reader.integer()
    else reader.skip()
  })
  return exporter
}

function readLayer(reader: WireReader): FlowLayer {
  const layer: Draft<FlowLayer> & { Protocol: FlowProtocol; ID: number } = { Protocol: 'ETHERNET', ID: 0 }
  reader.message((field) => {
    if (field === 1) layer.Protocol = FLOW_PROTOCOLS[reader.integer()] ?? 'ETHERNET'
    else if (field === 3) layer.A = reader.string()
    else if (field === 4) layer.B = reader.string()
    else if (field === 5) layer.ID = reader.integer()
    else reader.skip()
  })
  return layer
}

function readTransport(reader: WireReader): TransportLayer {
  const values = readIntegers(reader, 4)
  return { Protocol: FLOW_PROTOCOLS[values[1]!] ?? 'ETHERNET', A: values[2]!, B: values[3]!, ID: values[4]! }
}

function readIcmp(reader: WireReader): IcmpLayer {
  const values = readIntegers(reader, 3)
  return {
    Type: ICMP_TYPES[values[1]!] ?? 'UNKNOWN',
    ...(values[2] !== 0 && { Code: values[2]! }),
    ...(values[3] !== 0 && { ID: values[3]! }),
  }
}

function readMetric(reader: WireReader): FlowMetric {
  const values = readIntegers(reader, 8)
  const metric = Object.fromEntries(METRIC_MEMBERS.map((member, index) => [member, values[index + 2]!]))
  if (metric['RTT'] === 0) delete metric['RTT']
  return metric as unknown as FlowMetric
}

function readTcpMetric(reader: WireReader): TcpMetric {
  const values = readIntegers(reader, TCP_MEMBERS.length)
  const metric = Object.fromEntries(TCP_MEMBERS.map((member, index) => [member, values[index + 1]!]))
  for (const optional of ['ABSynTTL', 'BASynTTL']) if (metric[optional] === 0) delete metric[optional]
  return metric as unknown as TcpMetric
}

function readIpMetric(reader: WireReader): IpMetric {
  const values = readIntegers(reader, 2)
  return { Fragments: values[1]!, FragmentErrors: values[2]! }
}

function readRawPacket(reader: WireReader): RawPacket {
  const packet = { Timestamp: 0, Index: 0, Data: new Uint8Array(0) as Uint8Array, LinkType: 0 }
  reader.message((field) => {
    if (field === 1) packet.Timestamp = reader.integer()
    else if (field === 2) packet.Index = reader.integer()
    else if (field === 3) packet.Data = reader.bytes()
    else if (field === 4) packet.LinkType = reader.integer()
    else reader.skip()
  })
  return packet
}

/** The integer fields of an inner message: `values[field]`, 0 where absent. */
function readIntegers(reader: WireReader, last: number): number[] {
  const values = new Array<number>(last + 1).fill(0)
  reader.message((field) => {
    if (field <= last) values[field] = reader.integer()
    else reader.skip()
  })
  return values
}
