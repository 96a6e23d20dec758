// Sources: RFC 3954 (NetFlow 9), RFC 7011 (IPFIX, version 10), and for version 5 "NetFlow Export Datagram Format", table B-3 and B-4, of
// the Cisco NetFlow Collection Engine user guide. Everything is big-endian.
import { type NetflowCounts, noCounts } from './counts.ts'
import { ExporterRegistry } from './exporter-registry.ts'
import { DEFAULT_LIMITS, type Domain, type ExporterState, type NetflowLimits } from './exporter-state.ts'
import { FIELD, type NetflowExporter, NetflowRecord } from './record.ts'
import { complete, rateOf } from './record-completion.ts'
import { MAX_ROWS, RecordRows } from './record-rows.ts'
import type { Template } from './template.ts'
import { FIRST_TEMPLATE_ID, TemplateReader } from './template-reader.ts'
import { readVersion5, V5_RECORD_BYTES } from './version5.ts'

/** Takes what datagrams hold. */
export interface NetflowVisitor {
  /** One flow. The record is filled anew for the next one. Must not throw. */
  record(record: NetflowRecord): void
}

const V5 = 5
const V9 = 9
const IPFIX = 10
const V5_HEAD_BYTES = 24
const V9_HEAD_BYTES = 20
const IPFIX_HEAD_BYTES = 16
const SET_HEAD_BYTES = 4
/** Sets that define: of NetFlow 9, then of IPFIX. */
const TEMPLATE_SET = [0, 2] as const
const OPTIONS_SET = [1, 3] as const

/** What a datagram's head says, for all that is in it. */
interface DatagramTimes {
  /** When it was sent, in ms since the epoch. */
  exportMs: number
  /** ms since the exporter started; -1 when it does not say. */
  uptimeMs: number
}

/**
 * Reads datagrams of NetFlow 5 and 9 and of IPFIX in place. Keeps templates, samplers and sequence numbers by exporter, within
 * {@link NetflowLimits}. Never throws, never reads past `byteLength`; allocates for a template and for a new exporter, not for a record.
 */
export class NetflowDecoder {
  readonly counts: NetflowCounts = noCounts()
  readonly #visitor: NetflowVisitor
  readonly #registry: ExporterRegistry
  readonly #templates: TemplateReader
  readonly #limits: Required<NetflowLimits>
  readonly #record = new NetflowRecord()
  readonly #rows = new RecordRows()
  readonly #times: DatagramTimes = { exportMs: 0, uptimeMs: -1 }
  #hasKept = false

  constructor(visitor: NetflowVisitor, limits: NetflowLimits = {}) {
    this.#visitor = visitor
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#registry = new ExporterRegistry(this.#limits, this.counts)
    this.#templates = new TemplateReader(this.#limits.maxFields, this.counts, (state, domain, templateId, template) => {
      this.#hasKept = true
      this.#replay(state, domain, templateId, template)
    })
  }

  /** The exporters that are known now. */
  exporters(): readonly NetflowExporter[] {
    return [...this.#registry.values()].map(({ info }) => info)
  }

  /** What all templates, sampling rates and held sets take, about. */
  get memoryBytes(): number {
    let bytes = 0
    for (const state of this.#registry.values()) bytes += state.bytes
    return bytes
  }

  /**
   * Reads one datagram. `exporter` names who sent it, such as its address: templates are only valid for the one who defined them.
   * `receivedMs` is the time now, in ms since the epoch.
   */
  decode(view: DataView, offset: number, byteLength: number, exporter: string, receivedMs: number): void {
    const { counts } = this
    counts.datagrams++
    const version = byteLength < 2 ? 0 : view.getUint16(offset)
    const head = version === V5 ? V5_HEAD_BYTES : version === V9 ? V9_HEAD_BYTES : version === IPFIX ? IPFIX_HEAD_BYTES : 0
    if (head === 0) {
      counts.foreignVersions++
      return
    }
    if (byteLength < head) {
      counts.malformedSets++
      return
    }
    const state = this.#registry.of(exporter)
    state.info.datagrams++
    state.dropOldSets(receivedMs)
    const end = offset + byteLength
    if (version === V5) this.#version5(view, offset, end, state)
    else if (version === V9) this.#version9(view, offset, end, state, receivedMs)
    else this.#ipfix(view, offset, end, state, receivedMs)
    if (this.#hasKept) {
      this.#hasKept = false
      this.#registry.bound()
    }
  }

  #version5(view: DataView, offset: number, end: number, state: ExporterState): void {
    const announced = view.getUint16(offset + 2)
    const uptimeMs = view.getUint32(offset + 4)
    const exportMs = view.getUint32(offset + 8) * 1000 + Math.floor(view.getUint32(offset + 12) / 1_000_000)
    const domain = state.domain(V5, view.getUint16(offset + 20))
    this.#lose(state, domain.follow(view.getUint32(offset + 16), announced))
    // The upper two bits say how packets are chosen.
    const samplingRate = view.getUint16(offset + 22) & 0x3fff || 1
    state.info.samplingRate = samplingRate
    const record = this.#record
    this.#address(record, state, domain)
    let at = offset + V5_HEAD_BYTES
    for (let i = 0; i < announced; i++, at += V5_RECORD_BYTES) {
      if (at + V5_RECORD_BYTES > end) {
        this.counts.malformedSets++
        return
      }
      record.clear()
      readVersion5(view, at, exportMs, uptimeMs, record)
      record.samplingRate = samplingRate
      this.#handOver(state)
    }
  }

  #version9(view: DataView, offset: number, end: number, state: ExporterState, receivedMs: number): void {
    this.#times.uptimeMs = view.getUint32(offset + 4)
    this.#times.exportMs = view.getUint32(offset + 8) * 1000
    const domain = state.domain(V9, view.getUint32(offset + 16))
    this.#lose(state, domain.follow(view.getUint32(offset + 12), 1))
    this.#sets(view, offset + V9_HEAD_BYTES, end, state, domain, receivedMs)
  }

  #ipfix(view: DataView, offset: number, end: number, state: ExporterState, receivedMs: number): void {
    const messageBytes = view.getUint16(offset + 2)
    if (messageBytes < IPFIX_HEAD_BYTES || messageBytes > end - offset) {
      this.counts.malformedSets++
      return
    }
    this.#times.uptimeMs = -1
    this.#times.exportMs = view.getUint32(offset + 4) * 1000
    const domain = state.domain(IPFIX, view.getUint32(offset + 12))
    const { records, optionsRecords } = this.counts
    this.#sets(view, offset + IPFIX_HEAD_BYTES, offset + messageBytes, state, domain, receivedMs)
    const plain = this.counts.records - records
    const all = plain + this.counts.optionsRecords - optionsRecords
    this.#lose(state, domain.follow(view.getUint32(offset + 8), all, plain))
  }

  #sets(view: DataView, start: number, end: number, state: ExporterState, domain: Domain, receivedMs: number): void {
    const kind = domain.version === V9 ? 0 : 1
    let at = start
    while (at + SET_HEAD_BYTES <= end) {
      const id = view.getUint16(at)
      const setBytes = view.getUint16(at + 2)
      if (setBytes < SET_HEAD_BYTES || setBytes > end - at) {
        this.counts.malformedSets++
        return
      }
      const body = at + SET_HEAD_BYTES
      at += setBytes
      if (id === TEMPLATE_SET[kind]) this.#templates.read(view, body, at, state, domain, false)
      else if (id === OPTIONS_SET[kind]) this.#templates.read(view, body, at, state, domain, true)
      else if (id >= FIRST_TEMPLATE_ID) this.#dataSet(view, id, body, at, state, domain, receivedMs)
      else this.counts.malformedSets++
    }
  }

  #dataSet(
    view: DataView,
    templateId: number,
    start: number,
    end: number,
    state: ExporterState,
    domain: Domain,
    receivedMs: number,
  ): void {
    const template = domain.templates.get(templateId)
    if (template) {
      state.use(template)
      this.#records(view, start, end, state, domain, template, this.#times)
      return
    }
    this.counts.unknownTemplateSets++
    this.#hasKept = true
    state.hold({
      domain,
      templateId,
      bytes: new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice(),
      exportMs: this.#times.exportMs,
      uptimeMs: this.#times.uptimeMs,
      receivedMs,
    })
  }

  /** Reads sets that waited for this template. */
  #replay(state: ExporterState, domain: Domain, templateId: number, template: Template): void {
    for (const held of state.takeHeld(domain, templateId)) {
      this.#records(new DataView(held.bytes.buffer), 0, held.bytes.length, state, domain, template, held)
    }
  }

  #records(
    view: DataView,
    start: number,
    end: number,
    state: ExporterState,
    domain: Domain,
    template: Template,
    { exportMs, uptimeMs }: Pick<DatagramTimes, 'exportMs' | 'uptimeMs'>,
  ): void {
    if (!(template.isVariable || template.isOptions)) {
      this.#fixedRecords(view, start, end, state, domain, template, exportMs, uptimeMs)
      return
    }
    const record = this.#record
    this.#address(record, state, domain)
    const { recordBytes } = template
    // What is left and shorter than a record is padding.
    for (let at = start; end - at >= recordBytes; ) {
      record.clear()
      const next = template.read(view, at, end, exportMs, record)
      if (next < 0) {
        // Padding of up to three bytes may look like the beginning of a record with variable fields.
        if (end - at > 3) this.counts.malformedSets++
        return
      }
      at = next
      if (template.isOptions) this.#learn(state, domain)
      else {
        complete(record, template, domain, exportMs, uptimeMs)
        this.#handOver(state)
      }
    }
  }

  /** Flow records of one length, as many at a time as there are rows. What is left and shorter than a record is padding. */
  #fixedRecords(
    view: DataView,
    start: number,
    end: number,
    state: ExporterState,
    domain: Domain,
    template: Template,
    exportMs: number,
    uptimeMs: number,
  ): void {
    const { recordBytes } = template
    const visitor = this.#visitor
    const rows = this.#rows
    let left = Math.floor((end - start) / recordBytes)
    for (let at = start; left > 0; ) {
      const count = Math.min(left, MAX_ROWS)
      template.readRows(view, at, count, exportMs, rows)
      this.counts.records += count
      state.info.records += count
      for (let row = 0; row < count; row++) {
        const record = rows.records[row]!
        this.#address(record, state, domain)
        complete(record, template, domain, exportMs, uptimeMs)
        visitor.record(record)
      }
      at += count * recordBytes
      left -= count
    }
  }

  /** Says from whom a record is. */
  #address(record: NetflowRecord, { info }: ExporterState, { version, id }: Domain): void {
    record.exporter = info
    record.exportVersion = version
    record.domainId = id
  }

  #handOver(state: ExporterState): void {
    this.counts.records++
    state.info.records++
    this.#visitor.record(this.#record)
  }

  /** Takes what an options record says of sampling and of the exporter's clock. */
  #learn(state: ExporterState, domain: Domain): void {
    this.counts.optionsRecords++
    const { values } = this.#record
    if (values[FIELD.SYSTEM_INIT_MS]! > 0) domain.systemInitMs = values[FIELD.SYSTEM_INIT_MS]!
    const rate = rateOf(values)
    if (rate <= 0) return
    this.#hasKept = true
    state.learnRate(domain, values[FIELD.SAMPLER_ID]!, rate)
  }

  #lose(state: ExporterState, lost: number): void {
    this.counts.lost += lost
    state.info.lost += lost
  }
}
