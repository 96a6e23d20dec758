import type { FlowRecord, FlowRecordSink, MetadataObject } from '@skydive/contracts'
import { IP_PROTOCOL, ipv4Text, ipv6Text } from '@skydive/packet'
import { FIELD, NetflowDecoder, type NetflowLimits, type NetflowRecord } from '@skydive/packet/netflow'

/** Exporters that are shown on the node; of the others the sum. */
const MAX_SHOWN_EXPORTERS = 64

/** Of `flowDirection`. */
const EGRESS = 1

/** A {@link FlowRecord} that is filled anew for each record. */
type Filled = { -readonly [K in keyof FlowRecord]: FlowRecord[K] }

/**
 * Turns datagrams of NetFlow and IPFIX into flow records, with sampling rates applied. Pure: the datagrams come from whoever calls.
 * Exporters are told apart by the address that datagrams come from.
 */
export class NetflowCollector {
  readonly #decoder: NetflowDecoder
  readonly #record: Filled = {
    observer: 0,
    exporterAddress: '',
    inputIndex: 0,
    outputIndex: 0,
    isEgress: false,
    ipVersion: 0,
    addresses: new Int32Array(8),
    protocol: 0,
    sourcePort: 0,
    destinationPort: 0,
    icmpType: 0,
    icmpCode: 0,
    packets: 0,
    bytes: 0,
    reversePackets: 0,
    reverseBytes: 0,
    isTotal: false,
    startMs: 0,
    lastMs: 0,
    tcpFlags: 0,
    sourceMac: 0,
    destinationMac: 0,
    vlanId: 0,
  }
  #sink: FlowRecordSink = () => true
  readonly #senderWords = new Int32Array(5)
  #sender = ''
  /** Records without addresses, and those that no flow took because another side of the exporter had told of the packets. */
  #withoutAddresses = 0
  #repeated = 0

  constructor(limits: NetflowLimits = {}) {
    this.#decoder = new NetflowDecoder({ record: (record) => this.#fill(record) }, limits)
  }

  /** Flow records that were handed over since it was made. */
  get records(): number {
    return this.#decoder.counts.records
  }

  /**
   * Reads a datagram that came at `nowMs` from the address of `senderVersion` (4 or 6) that lies in `view` at `senderOffset`; its records
   * go into `sink` before it returns.
   */
  consume(
    view: DataView,
    offset: number,
    byteLength: number,
    senderVersion: number,
    senderOffset: number,
    nowMs: number,
    sink: FlowRecordSink,
  ): void {
    this.#sink = sink
    this.#decoder.decode(view, offset, byteLength, this.#senderText(view, senderVersion, senderOffset), nowMs)
  }

  /**
   * `NetFlow` of the node: who sends, and what could not be used, by its cause; members that are 0 are left out. `truncated` is how many
   * datagrams were longer than what is received of one.
   */
  metadata(truncated = 0): MetadataObject {
    const { counts } = this.#decoder
    const unused = {
      TruncatedDatagrams: truncated,
      ForeignVersions: counts.foreignVersions,
      MalformedSets: counts.malformedSets,
      RefusedTemplates: counts.refusedTemplates,
      EvictedTemplates: counts.evictedTemplates,
      EvictedDomains: counts.evictedDomains,
      EvictedExporters: counts.evictedExporters,
      UnknownTemplateSets: counts.unknownTemplateSets,
      DroppedSets: counts.droppedSets,
      RefusedSamplers: counts.refusedSamplers,
      RecordsWithoutAddresses: this.#withoutAddresses,
      RepeatedRecords: this.#repeated,
    }
    const shown = Object.fromEntries(Object.entries(unused).filter(([, value]) => value !== 0))
    const exporters = this.#decoder.exporters()
    return {
      Datagrams: counts.datagrams,
      Records: counts.records,
      Templates: counts.templates,
      Lost: counts.lost,
      // The ones heard last: of a flood of senders nothing but the count is kept.
      Exporters: Object.fromEntries(
        exporters
          .slice(-MAX_SHOWN_EXPORTERS)
          .map(({ name, id, datagrams, records, lost, samplingRate }) => [
            name,
            { ID: id, Datagrams: datagrams, Records: records, Lost: lost, SamplingRate: samplingRate },
          ]),
      ),
      ...(Object.keys(shown).length > 0 && { Unused: shown }),
    }
  }

  #fill({ values, addresses, ipVersion, samplingRate, exporter }: NetflowRecord): void {
    if (ipVersion === 0) {
      this.#withoutAddresses++
      return
    }
    const record = this.#record
    const protocol = values[FIELD.PROTOCOL]!
    const destinationPort = values[FIELD.DESTINATION_PORT]!
    record.observer = exporter.id
    record.exporterAddress = exporter.name
    record.inputIndex = values[FIELD.INPUT_INDEX]!
    record.outputIndex = values[FIELD.OUTPUT_INDEX]!
    record.isEgress = values[FIELD.DIRECTION] === EGRESS
    record.ipVersion = ipVersion
    record.addresses = addresses
    record.protocol = protocol
    record.sourcePort = values[FIELD.SOURCE_PORT]!
    record.destinationPort = destinationPort
    // Type and code come as one number or two, or in the place of the port of destination, where NetFlow 5 has them.
    const isIcmp = protocol === IP_PROTOCOL.ICMP || protocol === IP_PROTOCOL.ICMPV6
    const typeCode = isIcmp ? values[FIELD.ICMP_TYPE_CODE]! || destinationPort : 0
    record.icmpType = values[FIELD.ICMP_TYPE]! || typeCode >>> 8
    record.icmpCode = values[FIELD.ICMP_CODE]! || typeCode & 0xff
    const packets = values[FIELD.PACKETS]!
    const bytes = values[FIELD.BYTES]!
    const totalPackets = values[FIELD.TOTAL_PACKETS]!
    const totalBytes = values[FIELD.TOTAL_BYTES]!
    record.isTotal = packets === 0 && bytes === 0 && totalPackets + totalBytes > 0
    record.packets = (record.isTotal ? totalPackets : packets) * samplingRate
    record.bytes = (record.isTotal ? totalBytes : bytes) * samplingRate
    record.reversePackets = values[FIELD.REVERSE_PACKETS]! * samplingRate
    record.reverseBytes = values[FIELD.REVERSE_BYTES]! * samplingRate
    record.startMs = values[FIELD.START_MS]!
    record.lastMs = values[FIELD.END_MS]!
    record.tcpFlags = protocol === IP_PROTOCOL.TCP ? values[FIELD.TCP_FLAGS]! | values[FIELD.REVERSE_TCP_FLAGS]! : 0
    record.sourceMac = values[FIELD.SOURCE_MAC]!
    record.destinationMac = values[FIELD.DESTINATION_MAC]!
    record.vlanId = values[FIELD.VLAN_ID]!
    if (!this.#sink(record)) this.#repeated++
  }

  /** The address as text; made only when another one than before sends. */
  #senderText(view: DataView, version: number, offset: number): string {
    const words = this.#senderWords
    let isSame = words[4] === version
    for (let i = 0; i < 4; i++) {
      const word = i === 0 || version === 6 ? view.getInt32(offset + i * 4) : 0
      isSame &&= words[i] === word
      words[i] = word
    }
    words[4] = version
    if (!isSame) this.#sender = version === 4 ? ipv4Text(words[0]!) : ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!)
    return this.#sender
  }
}
