import type { NetflowCounts } from './counts.ts'
import type { Domain, ExporterState } from './exporter-state.ts'
import { Template } from './template.ts'
import type { TemplateField } from './template-actions.ts'

/** The least number of a template; below it are the sets that define. */
export const FIRST_TEMPLATE_ID = 256
const ENTERPRISE_BIT = 0x8000
const IPFIX = 10
/** In a withdrawal: every template of the set's kind. */
const ALL_TEMPLATES = 2
const ALL_OPTIONS = 3

/** What a definition says. */
interface Definition {
  readonly fields: readonly TemplateField[]
  readonly end: number
}

/** Reads the sets that define templates (RFC 3954, chapters 5.2 and 6.1; RFC 7011, chapter 3.4). */
export class TemplateReader {
  readonly #maxFields: number
  readonly #counts: NetflowCounts
  readonly #onDefined: (state: ExporterState, domain: Domain, templateId: number, template: Template) => void

  constructor(
    maxFields: number,
    counts: NetflowCounts,
    onDefined: (state: ExporterState, domain: Domain, templateId: number, template: Template) => void,
  ) {
    this.#maxFields = maxFields
    this.#counts = counts
    this.#onDefined = onDefined
  }

  /** Reads the definitions from `start` to `end`; what leads beyond it is counted. */
  read(view: DataView, start: number, end: number, state: ExporterState, domain: Domain, isOptions: boolean): void {
    let at = start
    // Less than a definition's head is padding.
    while (at + 4 <= end) {
      const templateId = view.getUint16(at)
      const second = view.getUint16(at + 2)
      if (templateId === 0 && second === 0) return
      if (domain.version === IPFIX && second === 0) {
        this.#withdraw(state, domain, templateId, isOptions)
        at += 4
        continue
      }
      const definition = isOptions ? this.#options(view, at, end, domain.version) : this.#plain(view, at, end, domain.version)
      if (!definition) {
        this.#counts.malformedSets++
        return
      }
      this.#define(view, at, templateId, definition, state, domain, isOptions)
      at = definition.end
    }
  }

  #define(
    view: DataView,
    start: number,
    templateId: number,
    { fields, end }: Definition,
    state: ExporterState,
    domain: Domain,
    isOptions: boolean,
  ): void {
    const known = domain.templates.get(templateId)
    if (known && known.isOptions === isOptions && isSame(view, start, end, known.definition)) {
      state.use(known)
      return
    }
    const template =
      templateId >= FIRST_TEMPLATE_ID && fields.length > 0 && fields.length <= this.#maxFields
        ? new Template(fields, isOptions, new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice())
        : undefined
    // Records of no length would never end.
    if (!template || template.recordBytes === 0) {
      this.#counts.refusedTemplates++
      return
    }
    this.#counts.templates++
    state.define(domain, templateId, template)
    this.#onDefined(state, domain, templateId, template)
  }

  #plain(view: DataView, at: number, end: number, version: number): Definition | undefined {
    return this.#fields(view, at + 4, end, view.getUint16(at + 2), 0, version)
  }

  #options(view: DataView, at: number, end: number, version: number): Definition | undefined {
    if (at + 6 > end) return undefined
    if (version === IPFIX) {
      const scopes = view.getUint16(at + 4)
      const all = view.getUint16(at + 2)
      return scopes > all ? undefined : this.#fields(view, at + 6, end, all, 0, version)
    }
    // NetFlow 9 gives lengths in bytes, and scopes have numbers of their own.
    const scopes = view.getUint16(at + 2) >> 2
    const options = view.getUint16(at + 4) >> 2
    return this.#fields(view, at + 6, end, scopes + options, scopes, version)
  }

  #fields(view: DataView, start: number, end: number, count: number, scopes: number, version: number): Definition | undefined {
    if (count * 4 > end - start) return undefined
    const fields: TemplateField[] = []
    let at = start
    for (let i = 0; i < count; i++) {
      if (at + 4 > end) return undefined
      const number = view.getUint16(at)
      const bytes = view.getUint16(at + 2)
      at += 4
      let enterprise = 0
      if (version === IPFIX && (number & ENTERPRISE_BIT) !== 0) {
        if (at + 4 > end) return undefined
        enterprise = view.getUint32(at)
        at += 4
      }
      const element = version === IPFIX ? number & 0x7fff : number
      fields.push({ element, enterprise, bytes, ...(i < scopes && { isForeignScope: true }) })
    }
    return { fields, end: at }
  }

  /** RFC 7011, chapter 8.1: the number of the set itself stands for all of its kind. */
  #withdraw(state: ExporterState, domain: Domain, templateId: number, isOptions: boolean): void {
    if (templateId < FIRST_TEMPLATE_ID && templateId !== (isOptions ? ALL_OPTIONS : ALL_TEMPLATES)) {
      this.#counts.refusedTemplates++
      return
    }
    this.#counts.withdrawals++
    if (templateId >= FIRST_TEMPLATE_ID) {
      state.withdraw(domain, templateId)
      return
    }
    for (const [id, template] of [...domain.templates]) if (template.isOptions === isOptions) state.withdraw(domain, id)
  }
}

function isSame(view: DataView, start: number, end: number, definition: Uint8Array): boolean {
  if (end - start !== definition.length) return false
  for (let i = 0; i < definition.length; i++) if (view.getUint8(start + i) !== definition[i]) return false
  return true
}
