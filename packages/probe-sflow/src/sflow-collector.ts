import type { CaptureStats, MetadataObject, PacketBlockSink, PacketFormat } from '@skydive/contracts'
import { ipv4Text, ipv6Text, LINK_TYPE, type PacketFilter } from '@skydive/packet'
import { readSFlowCounters, SFLOW_HEADER_PROTOCOL, SFlowDecoder } from '@skydive/packet/sflow'
import { SampleBlock } from './sample-block.ts'
import { type SFlowAgent, SFlowAgents, UNKNOWN_AGENT } from './sflow-agents.ts'
import { SFlowMetric } from './sflow-metric.ts'

/** How the samples lie in the blocks: Ethernet packets, each with the interfaces of the switch that it passed. */
export const SAMPLE_FORMAT: PacketFormat = {
  layout: { format: 'tpacket-v3', tellsInterfaces: true },
  linkType: LINK_TYPE.ETHERNET,
}

/** Where the agent's address lies in a datagram whose head was not read. */
const NO_HEAD = -1

/**
 * Turns datagrams of sFlow into blocks of packets, and counters into metadata. Pure: the datagrams come from whoever calls. Writes over the
 * datagrams that it is given. Its blocks are of {@link SAMPLE_FORMAT}.
 */
export class SFlowCollector {
  readonly #decoder: SFlowDecoder
  readonly #filter: PacketFilter | undefined
  readonly #snapLength: number
  readonly #block = new SampleBlock()
  readonly #metric = new SFlowMetric()
  readonly #agents = new SFlowAgents()
  #sink: PacketBlockSink = () => {}
  #nowMs = 0
  #packets = 0
  #foreignHeaders = 0
  #filtered = 0
  /** Who sent last, and whether the datagram is counted there. */
  #agent: SFlowAgent | undefined
  #isCounted = false
  readonly #agentWords = new Int32Array(5)

  /** Packets that `filter` answers 0 for are left out; of the others `snapLength` bytes are handed over at most. */
  constructor(filter: PacketFilter | undefined, snapLength: number) {
    this.#filter = filter
    this.#snapLength = snapLength
    this.#decoder = new SFlowDecoder({
      packetHeader: (view, decoder) => this.#packetHeader(view, decoder),
      counters: (view, decoder, format, offset, byteLength) => {
        const counters = readSFlowCounters(view, format, offset, byteLength)
        if (counters) this.#metric.count(this.#sender(view).name, decoder.sourceIndex, format, counters, this.#nowMs)
      },
    })
  }

  /**
   * Reads a datagram that came at `nowMs` and answers how many packets it holds. They are gathered in place: the datagram must stay as it is
   * until {@link SFlowCollector.flush}, or earlier, has handed them to `sink`.
   */
  gather(view: DataView, offset: number, byteLength: number, nowMs: number, sink: PacketBlockSink): number {
    const before = this.#packets
    this.#sink = sink
    this.#nowMs = nowMs
    this.#isCounted = false
    this.#block.begin(view, offset, byteLength, nowMs, sink)
    this.#decoder.agentOffset = NO_HEAD
    this.#decoder.decode(view, offset, byteLength)
    // One without a sample that is of use was sent all the same: it is no loss.
    if (!this.#isCounted && this.#decoder.agentOffset !== NO_HEAD) this.#sender(view)
    return this.#packets - before
  }

  /** Hands over what was gathered. */
  flush(): void {
    this.#block.flush(this.#sink)
  }

  /** {@link SFlowCollector.gather} and {@link SFlowCollector.flush} of one datagram. */
  consume(view: DataView, offset: number, byteLength: number, nowMs: number, sink: PacketBlockSink): number {
    const packets = this.gather(view, offset, byteLength, nowMs, sink)
    this.flush()
    return packets
  }

  /** Samples that went into blocks. */
  stats(): CaptureStats {
    return { packetsReceived: this.#packets, packetsDropped: 0, packetsIfDropped: 0 }
  }

  /**
   * `SFlow` of the node: counters (spec flows 3.7), who sends, and what could not be used, by its cause. `truncated` is how many datagrams were
   * longer than what is received of one.
   */
  metadata(truncated = 0): MetadataObject {
    const { counts } = this.#decoder
    const unused = {
      TruncatedDatagrams: truncated,
      ForeignVersions: counts.foreignVersions,
      MalformedDatagrams: counts.malformedDatagrams,
      TruncatedSamples: counts.truncatedSamples,
      UnknownSamples: counts.unknownSamples,
      ForeignHeaders: this.#foreignHeaders,
      Filtered: this.#filtered,
      RefusedCounters: this.#metric.refused,
    }
    const shown = Object.fromEntries(Object.entries(unused).filter(([, value]) => value !== 0))
    return {
      ...this.#metric.metadata(),
      Agents: this.#agents.metadata(),
      ...(Object.keys(shown).length > 0 && { Unused: shown }),
    }
  }

  #packetHeader(view: DataView, decoder: SFlowDecoder): void {
    const { headerOffset, frameBytes, strippedBytes, samplingRate } = decoder
    const agent = this.#sender(view)
    if (decoder.headerProtocol !== SFLOW_HEADER_PROTOCOL.ETHERNET) {
      this.#foreignHeaders++
      return
    }
    const wireBytes = frameBytes > strippedBytes ? frameBytes - strippedBytes : decoder.headerBytes
    if (this.#filter && this.#filter(view, headerOffset, decoder.headerBytes, wireBytes) === 0) {
      this.#filtered++
      return
    }
    this.#packets++
    agent.samples++
    agent.samplingRate = samplingRate
    const { headerBytes, inputIndex, outputIndex } = decoder
    // Both are small, which the compiler does not know: it would go on with a double.
    const capturedBytes = Math.min(headerBytes | 0, this.#snapLength | 0)
    this.#block.add(headerOffset, capturedBytes, wireBytes, samplingRate, inputIndex, outputIndex, this.#sink)
  }

  /** Before anything of the datagram is written over: the first to ask is the first sample, or nothing of it was of use. */
  #sender(view: DataView): SFlowAgent {
    if (this.#isCounted && this.#agent) return this.#agent
    const { agentVersion, agentOffset, subAgentId, sequence } = this.#decoder
    const words = this.#agentWords
    const count = agentVersion === 4 ? 1 : agentVersion === 6 ? 4 : 0
    let isSame = words[4] === agentVersion
    for (let i = 0; i < count; i++) {
      const word = view.getInt32(agentOffset + i * 4)
      isSame &&= words[i] === word
      words[i] = word
    }
    words[4] = agentVersion
    // Text is only made when another agent than the last one sends.
    if (!isSame || !this.#agent) this.#agent = this.#agents.of(addressText(words, agentVersion))
    this.#isCounted = true
    this.#agent.follow(subAgentId, sequence)
    this.#block.from(this.#agent.address, this.#sink)
    return this.#agent
  }
}

function addressText(words: Int32Array, version: number): string {
  if (version === 4) return ipv4Text(words[0]!)
  return version === 6 ? ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!) : UNKNOWN_AGENT
}
