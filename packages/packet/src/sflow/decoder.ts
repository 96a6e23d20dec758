// Source: sFlow Version 5, https://sflow.org/sflow_version_5.txt, chapter 5 "sFlow Datagram Format". XDR: everything is big-endian and a
// multiple of four bytes long.

/** What a raw header begins with, of the specification's `header_protocol`. */
export const SFLOW_HEADER_PROTOCOL = { ETHERNET: 1, IPV4: 11, IPV6: 12 } as const

/** What a decoder met since it was made. Everything that it could not use is under one of the later names. */
export interface SFlowCounts {
  datagrams: number
  flowSamples: number
  counterSamples: number
  /** Headers and counter records that were handed over. */
  packetHeaders: number
  counterRecords: number
  /** Datagrams of another version than 5. */
  foreignVersions: number
  /** Datagrams that end before what they announce, or whose agent has an address of no known kind; what came before was handed over. */
  malformedDatagrams: number
  /** Samples whose records lead out of them; the next sample is read all the same. */
  truncatedSamples: number
  /** Samples of a format that is not of the specification. */
  unknownSamples: number
  /** Records of flow samples other than raw headers: switch and router data, which are skipped by their length, and foreign ones. */
  skippedRecords: number
}

/**
 * Takes what a datagram holds. The fields and methods of the decoder say what it is about and are valid until the method returns, as are the bytes.
 * The methods must not throw.
 */
export interface SFlowVisitor {
  /** A sampled packet: `headerOffset`, `headerBytes`, `frameBytes`, `samplingRate` of the decoder. */
  packetHeader(view: DataView, decoder: SFlowDecoder): void
  /** Counters by their format, see `readSFlowCounters`; also formats without a name. */
  counters(view: DataView, decoder: SFlowDecoder, format: number, offset: number, byteLength: number): void
}

const VERSION = 5
const SAMPLE = { FLOW: 1, COUNTER: 2, EXPANDED_FLOW: 3, EXPANDED_COUNTER: 4 } as const
const RAW_PACKET_HEADER = 1
const FLOW_HEAD_BYTES = 32
const EXPANDED_FLOW_HEAD_BYTES = 44
const COUNTER_HEAD_BYTES = 12
const EXPANDED_COUNTER_HEAD_BYTES = 16
const RAW_HEAD_BYTES = 16

/**
 * Reads datagrams of sFlow version 5 in place. One object serves any number of agents: it keeps nothing between datagrams but its counts.
 * Never throws, never reads past `byteLength`, allocates nothing for a flow sample; time is linear in the datagram's length.
 */
export class SFlowDecoder {
  readonly counts: SFlowCounts = {
    datagrams: 0,
    flowSamples: 0,
    counterSamples: 0,
    packetHeaders: 0,
    counterRecords: 0,
    foreignVersions: 0,
    malformedDatagrams: 0,
    truncatedSamples: 0,
    unknownSamples: 0,
    skippedRecords: 0,
  }
  /** Of the agent's address: 4 or 6, 0 when it does not say one. The address itself is at `agentOffset`. */
  agentVersion = 0
  agentOffset = 0
  subAgentId = 0
  /** Of the datagram, counted by each sub-agent. */
  sequence = 0
  /** Since the agent started. */
  uptimeMs = 0
  /** One packet in so many was taken; at least 1. */
  samplingRate = 1
  /** One of {@link SFLOW_HEADER_PROTOCOL}, or another number of the specification. */
  headerProtocol = 0
  /** The length of the packet on the wire, and how much of its end had been taken off before it was sampled. */
  frameBytes = 0
  strippedBytes = 0
  headerOffset = 0
  headerBytes = 0
  /** ifIndex of the interface that a sampled packet came in by; 0 when not known, or when it is not a single one. */
  inputIndex = 0
  /** ifIndex of the interface that a sampled packet goes out by; 0 when not known, or when it is not a single one. */
  outputIndex = 0
  // Where the sample is: what hardly anybody asks for is read when it is asked for, from the datagram as it is then.
  #view: DataView = new DataView(new ArrayBuffer(0))
  #start = 0
  #isExpanded = false
  readonly #visitor: SFlowVisitor

  constructor(visitor: SFlowVisitor) {
    this.#visitor = visitor
  }

  get sampleSequence(): number {
    return this.#view.getUint32(this.#start)
  }

  /** The data source of the sample: 0 an interface by ifIndex, 1 a VLAN, 2 a physical entity. */
  get sourceType(): number {
    const word = this.#view.getUint32(this.#start + 4)
    return this.#isExpanded ? word : word >>> 24
  }

  /** The number of the data source, of its type. */
  get sourceIndex(): number {
    return this.#isExpanded ? this.#view.getUint32(this.#start + 8) : this.#view.getUint32(this.#start + 4) & 0xffffff
  }

  /** Packets of a flow sample's source that could have been sampled, as the agent counts them. */
  get samplePool(): number {
    return this.#view.getUint32(this.#start + (this.#isExpanded ? 16 : 12))
  }

  /** Flow samples lost for want of resources, as the agent counts them. */
  get drops(): number {
    return this.#view.getUint32(this.#start + (this.#isExpanded ? 20 : 16))
  }

  /** Reads one datagram. */
  decode(view: DataView, offset: number, byteLength: number): void {
    const { counts } = this
    const end = offset + byteLength
    counts.datagrams++
    if (byteLength < 8) {
      counts.malformedDatagrams++
      return
    }
    if (view.getUint32(offset) !== VERSION) {
      counts.foreignVersions++
      return
    }
    const addressType = view.getUint32(offset + 4)
    const addressBytes = addressType === 1 ? 4 : addressType === 2 ? 16 : 0
    let at = offset + 8 + addressBytes
    if (addressType > 2 || at + 16 > end) {
      counts.malformedDatagrams++
      return
    }
    this.#view = view
    this.agentVersion = addressBytes === 4 ? 4 : addressBytes === 16 ? 6 : 0
    this.agentOffset = offset + 8
    this.subAgentId = view.getUint32(at)
    this.sequence = view.getUint32(at + 4)
    this.uptimeMs = view.getUint32(at + 8)
    const samples = view.getUint32(at + 12)
    at += 16
    for (let sample = 0; sample < samples; sample++) {
      if (at + 8 > end) {
        counts.malformedDatagrams++
        return
      }
      const format = view.getUint32(at)
      const start = at + 8
      const sampleBytes = view.getUint32(at + 4)
      if (sampleBytes > end - start) {
        counts.malformedDatagrams++
        return
      }
      this.#sample(view, format, start, start + sampleBytes)
      at = start + sampleBytes
    }
  }

  #sample(view: DataView, format: number, start: number, end: number): void {
    switch (format) {
      case SAMPLE.FLOW:
        this.#flowSample(view, start, end, false)
        break
      case SAMPLE.EXPANDED_FLOW:
        this.#flowSample(view, start, end, true)
        break
      case SAMPLE.COUNTER:
        this.#counterSample(view, start, end, false)
        break
      case SAMPLE.EXPANDED_COUNTER:
        this.#counterSample(view, start, end, true)
        break
      default:
        this.counts.unknownSamples++
    }
  }

  #flowSample(view: DataView, start: number, end: number, isExpanded: boolean): void {
    const { counts } = this
    counts.flowSamples++
    let at = start + (isExpanded ? EXPANDED_FLOW_HEAD_BYTES : FLOW_HEAD_BYTES)
    if (at > end) {
      counts.truncatedSamples++
      return
    }
    this.#start = start
    this.#isExpanded = isExpanded
    const samplingRate = view.getUint32(start + (isExpanded ? 12 : 8))
    this.samplingRate = samplingRate === 0 ? 1 : samplingRate
    this.inputIndex = isExpanded ? expandedIndex(view, start + 24) : compactIndex(view, start + 20)
    this.outputIndex = isExpanded ? expandedIndex(view, start + 32) : compactIndex(view, start + 24)
    const records = view.getUint32(at - 4)
    for (let record = 0; record < records; record++) {
      if (at + 8 > end) {
        counts.truncatedSamples++
        return
      }
      const recordBytes = view.getUint32(at + 4)
      const data = at + 8
      if (recordBytes > end - data) {
        counts.truncatedSamples++
        return
      }
      if (view.getUint32(at) === RAW_PACKET_HEADER) this.#rawHeader(view, data, recordBytes)
      else counts.skippedRecords++
      at = data + recordBytes
    }
  }

  #rawHeader(view: DataView, data: number, recordBytes: number): void {
    const headerBytes = recordBytes < RAW_HEAD_BYTES ? 0 : view.getUint32(data + 12)
    if (recordBytes < RAW_HEAD_BYTES || headerBytes > recordBytes - RAW_HEAD_BYTES) {
      this.counts.truncatedSamples++
      return
    }
    this.headerProtocol = view.getUint32(data)
    this.frameBytes = view.getUint32(data + 4)
    this.strippedBytes = view.getUint32(data + 8)
    this.headerOffset = data + RAW_HEAD_BYTES
    this.headerBytes = headerBytes
    this.counts.packetHeaders++
    this.#visitor.packetHeader(view, this)
  }

  #counterSample(view: DataView, start: number, end: number, isExpanded: boolean): void {
    const { counts } = this
    counts.counterSamples++
    let at = start + (isExpanded ? EXPANDED_COUNTER_HEAD_BYTES : COUNTER_HEAD_BYTES)
    if (at > end) {
      counts.truncatedSamples++
      return
    }
    this.#start = start
    this.#isExpanded = isExpanded
    const records = view.getUint32(at - 4)
    for (let record = 0; record < records; record++) {
      if (at + 8 > end) {
        counts.truncatedSamples++
        return
      }
      const recordBytes = view.getUint32(at + 4)
      const data = at + 8
      if (recordBytes > end - data) {
        counts.truncatedSamples++
        return
      }
      counts.counterRecords++
      this.#visitor.counters(view, this, view.getUint32(at), data, recordBytes)
      at = data + recordBytes
    }
  }
}

/** An interface in one word: its upper two bits say what the number is of, 0 a single one, the others a reason for a discard or a count. */
function compactIndex(view: DataView, at: number): number {
  const value = view.getInt32(at)
  return value >= 0 && value < 0x3fffffff ? value : 0
}

/** The same in two words, of which the first says what the second is of. */
function expandedIndex(view: DataView, at: number): number {
  const value = view.getUint32(at + 4)
  return view.getUint32(at) !== 0 || value === 0x3fffffff || value === 0xffffffff ? 0 : value
}
