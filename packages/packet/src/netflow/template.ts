import { readField } from './field-reader.ts'
import { ADDRESS_WORDS, FIELD, FIELD_COUNT, type NetflowRecord } from './record.ts'
import type { RecordRows } from './record-rows.ts'
import {
  actionOf,
  FIRST_SPECIAL,
  FLOAT_PROBABILITY,
  isReadable,
  SAMPLING,
  SKIP,
  SOURCE_IPV4,
  SOURCE_IPV6,
  type TemplateField,
  VARIABLE_LENGTH,
  VERSIONS,
} from './template-actions.ts'

const TWO_TO_32 = 0x100000000
/** Of an object with its arrays, besides what is in them. */
const OBJECT_BYTES = 1000

/** How records of a template are read: its fields as programs of a few numbers each. */
export class Template {
  readonly isOptions: boolean
  /** The definition as it came: the same again changes nothing. */
  readonly definition: Uint8Array
  /** Whether a field says its length in the record. */
  readonly isVariable: boolean
  /** Of a record; with variable fields the least it can be. */
  readonly recordBytes: number
  /** Whether times are relative to the start of the exporter. */
  readonly hasUptimes: boolean
  /** Whether records tell by themselves how they were sampled. */
  readonly hasSampling: boolean
  /** When it was last used, in uses of the decoder's templates. */
  lastUse = 0
  /** Action, offset (of a fixed record) and length of all fields, for one record at a time. Fixed records: only of those that are read. */
  readonly #program: Int32Array
  /** What of it no list below has. */
  readonly #special: Int32Array
  /** Place and offset of the numbers of fixed records, by their length, and of the words of addresses: loops that test nothing. */
  readonly #bytes: Int32Array
  readonly #halves: Int32Array
  readonly #words: Int32Array
  readonly #macs: Int32Array
  readonly #doubles: Int32Array
  readonly #addressWords: Int32Array
  /** Places that a record is completed in because the template does not have them. */
  readonly #completed: Int32Array
  /** Of the addresses, when all records have those of one version: 4 or 6. */
  readonly #ipVersion: number
  readonly #memoryBytes: number

  constructor(fields: readonly TemplateField[], isOptions: boolean, definition: Uint8Array) {
    this.isOptions = isOptions
    this.definition = definition
    this.isVariable = fields.some(({ bytes }) => bytes === VARIABLE_LENGTH)
    const actions = fields.map(actionOf)
    const versions = new Set(actions.flatMap((action) => VERSIONS.get(action) ?? []))
    const [ipVersion = 0] = versions.size === 1 ? versions : []
    const program: number[] = []
    const special: number[] = []
    const addressWords: number[] = []
    const byLength = new Map<number, number[]>([1, 2, 4, 6, 8].map((bytes) => [bytes, []]))
    let offset = 0
    fields.forEach(({ bytes }, i) => {
      const action = actions[i]!
      if (this.isVariable || action !== SKIP) program.push(action, offset, bytes)
      const sameLength = action < FIRST_SPECIAL ? byLength.get(bytes) : undefined
      if (sameLength) sameLength.push(action, offset)
      else if (ipVersion !== 0 && VERSIONS.has(action)) {
        const first = action === SOURCE_IPV4 || action === SOURCE_IPV6 ? 0 : 4
        for (let word = 0; word < bytes / 4; word++) addressWords.push(first + word, offset + word * 4)
      } else if (action !== SKIP) special.push(action, offset, bytes)
      offset += bytes === VARIABLE_LENGTH ? 1 : bytes
    })
    this.recordBytes = offset
    this.#ipVersion = ipVersion
    this.#program = Int32Array.from(program)
    this.#special = Int32Array.from(special)
    this.#bytes = Int32Array.from(byLength.get(1)!)
    this.#halves = Int32Array.from(byLength.get(2)!)
    this.#words = Int32Array.from(byLength.get(4)!)
    this.#macs = Int32Array.from(byLength.get(6)!)
    this.#doubles = Int32Array.from(byLength.get(8)!)
    this.#addressWords = Int32Array.from(addressWords)
    this.#completed = Int32Array.from([FIELD.START_MS, FIELD.END_MS].filter((field) => !actions.includes(field)))
    const lists = [program, special, addressWords, ...byLength.values()]
    this.#memoryBytes = OBJECT_BYTES + definition.byteLength + lists.reduce((sum, { length }) => sum + length * 4, 0)
    this.hasUptimes = actions.some((action) => action === FIELD.START_UPTIME_MS || action === FIELD.END_UPTIME_MS)
    this.hasSampling = actions.some((action) => action === FLOAT_PROBABILITY || SAMPLING.has(action))
  }

  /** Memory that the template takes, about. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /**
   * Reads one record that begins at `start` into a cleared `record`; answers where the next one begins, or -1 when this one leads beyond
   * `end`. With a fixed length the caller has made sure that it does not. `exportMs` is what relative times go back from.
   */
  read(view: DataView, start: number, end: number, exportMs: number, record: NetflowRecord): number {
    const program = this.#program
    if (!this.isVariable) {
      for (let i = 0; i < program.length; i += 3) {
        readField(view, program[i]!, start + program[i + 1]!, program[i + 2]!, exportMs, record)
      }
      return start + this.recordBytes
    }
    let at = start
    for (let i = 0; i < program.length; i += 3) {
      let bytes = program[i + 2]!
      if (bytes === VARIABLE_LENGTH) {
        if (at + 1 > end) return -1
        bytes = view.getUint8(at++)
        if (bytes === 255) {
          if (at + 2 > end) return -1
          bytes = view.getUint16(at)
          at += 2
        }
      }
      if (bytes > end - at) return -1
      const action = program[i]!
      if (action !== SKIP && isReadable(action, bytes)) readField(view, action, at, bytes, exportMs, record)
      at += bytes
    }
    return at
  }

  /**
   * Reads `count` records of a fixed length, the first of which begins at `start`, into the rows: field by field, so that each loop does
   * one thing to all records. The caller has made sure that they do not lead out of the set.
   */
  readRows(view: DataView, start: number, count: number, exportMs: number, rows: RecordRows): void {
    rows.begin(this, count)
    const { values, addresses, records } = rows
    const step = this.recordBytes | 0
    const end = (count * FIELD_COUNT) | 0
    const bytes = this.#bytes
    for (let i = 0; i < bytes.length; i += 2) {
      let at = (start + bytes[i + 1]!) | 0
      for (let to = bytes[i]!; to < end; to += FIELD_COUNT, at += step) values[to] = view.getUint8(at)
    }
    const halves = this.#halves
    for (let i = 0; i < halves.length; i += 2) {
      let at = (start + halves[i + 1]!) | 0
      for (let to = halves[i]!; to < end; to += FIELD_COUNT, at += step) values[to] = view.getUint16(at)
    }
    const words = this.#words
    for (let i = 0; i < words.length; i += 2) {
      let at = (start + words[i + 1]!) | 0
      for (let to = words[i]!; to < end; to += FIELD_COUNT, at += step) values[to] = view.getUint32(at)
    }
    const macs = this.#macs
    for (let i = 0; i < macs.length; i += 2) {
      let at = (start + macs[i + 1]!) | 0
      for (let to = macs[i]!; to < end; to += FIELD_COUNT, at += step) {
        values[to] = view.getUint16(at) * TWO_TO_32 + view.getUint32(at + 2)
      }
    }
    const doubles = this.#doubles
    for (let i = 0; i < doubles.length; i += 2) {
      let at = (start + doubles[i + 1]!) | 0
      for (let to = doubles[i]!; to < end; to += FIELD_COUNT, at += step) {
        values[to] = view.getUint32(at) * TWO_TO_32 + view.getUint32(at + 4)
      }
    }
    const addressWords = this.#addressWords
    for (let i = 0; i < addressWords.length; i += 2) {
      let at = (start + addressWords[i + 1]!) | 0
      let to = addressWords[i]!
      for (let row = 0; row < count; row++, to += ADDRESS_WORDS, at += step) addresses[to] = view.getInt32(at)
    }
    const completed = this.#completed
    for (let i = 0; i < completed.length; i++) {
      for (let to = completed[i]!; to < end; to += FIELD_COUNT) values[to] = 0
    }
    const ipVersion = this.#ipVersion
    for (let row = 0; row < count; row++) records[row]!.ipVersion = ipVersion
    if (this.#special.length > 0) this.#specialRows(view, start, count, exportMs, rows)
  }

  /** Fields that are more than a number, and addresses of templates that have them of both versions. */
  #specialRows(view: DataView, start: number, count: number, exportMs: number, { addresses, records }: RecordRows): void {
    const special = this.#special
    if (this.#ipVersion === 0) addresses.fill(0, 0, count * ADDRESS_WORDS)
    for (let row = 0; row < count; row++) {
      const at = start + row * this.recordBytes
      for (let i = 0; i < special.length; i += 3) {
        readField(view, special[i]!, at + special[i + 1]!, special[i + 2]!, exportMs, records[row]!)
      }
    }
  }
}
