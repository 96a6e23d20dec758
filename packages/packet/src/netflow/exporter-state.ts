import type { NetflowCounts } from './counts.ts'
import type { NetflowExporter } from './record.ts'
import type { Template } from './template.ts'

/** How much exporters may make a decoder keep. */
export interface NetflowLimits {
  /** Exporters whose templates are kept; beyond it the one that was silent the longest is forgotten. Default 1024. */
  readonly maxExporters?: number
  /** Observation domains of one exporter. Default 64. */
  readonly maxDomains?: number
  /** Templates of one exporter. Default 512. */
  readonly maxTemplates?: number
  /** Fields of one template. Default 256. */
  readonly maxFields?: number
  /** Memory of all templates, sampling rates and held sets, about. Default 32 MiB. */
  readonly maxBytes?: number
  /** Sets of one exporter that wait for their template, and for how long. Default 32 sets and 64 KiB, 10,000 ms. */
  readonly maxHeldSets?: number
  readonly maxHeldBytes?: number
  readonly maxHeldMs?: number
}

/** {@link NetflowLimits} with everything said. */
export const DEFAULT_LIMITS: Required<NetflowLimits> = {
  maxExporters: 1024,
  maxDomains: 64,
  maxTemplates: 512,
  maxFields: 256,
  maxBytes: 32 * 1024 * 1024,
  maxHeldSets: 32,
  maxHeldBytes: 64 * 1024,
  maxHeldMs: 10_000,
}

/** Samplers of one domain that are remembered. */
const MAX_SAMPLERS = 256
/** Of an entry of a map of numbers, about. */
const SAMPLER_BYTES = 48
/** Sequence numbers that jump farther than this tell of a restart, not of a loss. */
const LONGEST_GAP = 100_000

/** One stream of an exporter: templates, samplers and sequence numbers belong to it. */
export class Domain {
  readonly version: number
  readonly id: number
  readonly templates = new Map<number, Template>()
  /** Rates by sampler or selector; under 0 that of the whole domain. */
  readonly samplers = new Map<number, number>()
  /** When the exporter started, as its options say it; 0 when they don't. */
  systemInitMs = 0
  lastUse = 0
  #sequence = -1
  /** Of the datagram before: its records, and those of them that are no options. */
  #recordsBefore = 0
  #plainBefore = 0
  /** Losses by each reading of the sequence number, see {@link Domain.follow}. */
  readonly #lost = new Float64Array(4)

  constructor(version: number, id: number) {
    this.version = version
    this.id = id
  }

  /** Remembers a rate; answers whether there was room. 0 stands for the samplers without one. */
  setSampler(id: number, rate: number): boolean {
    if (this.samplers.size >= MAX_SAMPLERS && !this.samplers.has(id)) return false
    this.samplers.set(id, rate)
    return true
  }

  rateOf(samplerId: number): number {
    if (this.samplers.size === 0) return 1
    return this.samplers.get(samplerId) ?? this.samplers.get(0) ?? 1
  }

  /**
   * Takes the sequence number of a datagram of `records`, of which `plain` are no options; answers how many more are known to be lost.
   *
   * Exporters differ in what the number counts: what was sent before the datagram, as RFC 7011 has it, or with it, and options or not. Each
   * reading counts its losses; the one that fits the exporter has the fewest, and that is what counts.
   */
  follow(sequence: number, records: number, plain = records): number {
    const step = this.#sequence < 0 ? 0 : (sequence - this.#sequence) | 0
    // A datagram that comes late has been counted as lost already.
    if (step < 0 && step > -LONGEST_GAP) return 0
    if (step > 0 && step <= LONGEST_GAP) {
      const lost = this.#lost
      const before = least(lost)
      lost[0]! += Math.max(0, step - this.#recordsBefore)
      lost[1]! += Math.max(0, step - this.#plainBefore)
      lost[2]! += Math.max(0, step - records)
      lost[3]! += Math.max(0, step - plain)
      this.#remember(sequence, records, plain)
      return least(lost) - before
    }
    this.#remember(sequence, records, plain)
    return 0
  }

  #remember(sequence: number, records: number, plain: number): void {
    this.#sequence = sequence
    this.#recordsBefore = records
    this.#plainBefore = plain
  }
}

function least(losses: Float64Array): number {
  return Math.min(losses[0]!, losses[1]!, losses[2]!, losses[3]!)
}

/** A set that waits for its template, with what its datagram said. */
export interface HeldSet {
  readonly domain: Domain
  readonly templateId: number
  readonly bytes: Uint8Array
  readonly exportMs: number
  readonly uptimeMs: number
  readonly receivedMs: number
}

/** Everything that is kept of one exporter, within the limits. */
export class ExporterState {
  readonly info: NetflowExporter
  readonly domains = new Map<number, Domain>()
  /** Memory of templates, sampling rates and held sets, about. */
  bytes = 0
  templates = 0
  held: HeldSet[] = []
  heldBytes = 0
  readonly #limits: Required<NetflowLimits>
  readonly #counts: NetflowCounts
  #uses = 0
  /** The domain that sent last. */
  #last: Domain | undefined

  constructor(info: NetflowExporter, limits: Required<NetflowLimits>, counts: NetflowCounts) {
    this.info = info
    this.#limits = limits
    this.#counts = counts
  }

  /** The stream of a version and a domain's number; made when it is new. */
  domain(version: number, id: number): Domain {
    let domain = this.#last
    if (domain?.version !== version || domain.id !== id) {
      domain = this.#domainOf(version, id)
      this.#last = domain
    }
    domain.lastUse = ++this.#uses
    return domain
  }

  #domainOf(version: number, id: number): Domain {
    const key = version * 0x100000000 + id
    const known = this.domains.get(key)
    if (known) return known
    if (this.domains.size >= this.#limits.maxDomains) this.#evictDomain()
    const domain = new Domain(version, id)
    this.domains.set(key, domain)
    return domain
  }

  /** Makes a template's use known: those that are used stay the longest. */
  use(template: Template): void {
    template.lastUse = ++this.#uses
  }

  /** Remembers a sampling rate of a domain, or counts it as refused. */
  learnRate(domain: Domain, samplerId: number, rate: number): void {
    this.info.samplingRate = rate
    const { size } = domain.samplers
    if (domain.setSampler(samplerId, rate)) this.bytes += (domain.samplers.size - size) * SAMPLER_BYTES
    else this.#counts.refusedSamplers++
  }

  define(domain: Domain, templateId: number, template: Template): void {
    this.withdraw(domain, templateId)
    if (this.templates >= this.#limits.maxTemplates) this.#evictTemplate()
    this.use(template)
    domain.templates.set(templateId, template)
    this.templates++
    this.bytes += template.memoryBytes
  }

  /** Forgets a template; answers whether there was one. */
  withdraw(domain: Domain, templateId: number): boolean {
    const template = domain.templates.get(templateId)
    if (!template) return false
    domain.templates.delete(templateId)
    this.templates--
    this.bytes -= template.memoryBytes
    return true
  }

  /** Keeps a set for later, or counts it as dropped. */
  hold(set: HeldSet): void {
    const { maxHeldSets, maxHeldBytes } = this.#limits
    if (this.held.length >= maxHeldSets || this.heldBytes + set.bytes.length > maxHeldBytes) {
      this.#counts.droppedSets++
      return
    }
    this.held.push(set)
    this.heldBytes += set.bytes.length
    this.bytes += set.bytes.length
  }

  /** Takes out the sets that wait for a template. */
  takeHeld(domain: Domain, templateId: number): readonly HeldSet[] {
    return this.#takeHeld((set) => set.domain === domain && set.templateId === templateId)
  }

  /** Gives up what has waited too long. */
  dropOldSets(nowMs: number): void {
    const [oldest] = this.held
    if (!oldest || nowMs - oldest.receivedMs <= this.#limits.maxHeldMs) return
    this.#counts.droppedSets += this.#takeHeld(({ receivedMs }) => nowMs - receivedMs > this.#limits.maxHeldMs).length
  }

  /** Gives up everything that waits; answers how many bytes that were. */
  dropHeld(): number {
    const bytes = this.heldBytes
    this.#counts.droppedSets += this.#takeHeld(() => true).length
    return bytes
  }

  #takeHeld(isTaken: (set: HeldSet) => boolean): readonly HeldSet[] {
    if (this.held.length === 0) return []
    const taken = this.held.filter(isTaken)
    if (taken.length === 0) return taken
    this.held = this.held.filter((set) => !isTaken(set))
    const bytes = taken.reduce((sum, set) => sum + set.bytes.length, 0)
    this.heldBytes -= bytes
    this.bytes -= bytes
    return taken
  }

  #evictDomain(): void {
    let oldest: [number, Domain] | undefined
    for (const entry of this.domains) if (!oldest || entry[1].lastUse < oldest[1].lastUse) oldest = entry
    if (!oldest) return
    const [key, domain] = oldest
    for (const id of [...domain.templates.keys()]) this.withdraw(domain, id)
    this.#counts.droppedSets += this.#takeHeld((set) => set.domain === domain).length
    this.bytes -= domain.samplers.size * SAMPLER_BYTES
    this.domains.delete(key)
    if (this.#last === domain) this.#last = undefined
    this.#counts.evictedDomains++
  }

  #evictTemplate(): void {
    let oldest: { domain: Domain; id: number; lastUse: number } | undefined
    for (const domain of this.domains.values()) {
      for (const [id, { lastUse }] of domain.templates) {
        if (!oldest || lastUse < oldest.lastUse) oldest = { domain, id, lastUse }
      }
    }
    if (!oldest) return
    this.withdraw(oldest.domain, oldest.id)
    this.#counts.evictedTemplates++
  }
}
