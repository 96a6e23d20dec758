import {
  AT_COLD,
  AT_HAS_TCP_METRIC,
  AT_LENGTH,
  AT_ORIGIN,
  AT_ORIGIN_BYTES,
  AT_OUTPUT,
  AT_PAIRS,
  AT_RECORDS,
  AT_REFERENCES,
  AT_TCP,
  AT_TEXTS,
  AT_TID_BYTES,
  AT_UUID_INPUT,
  AT_WIDE,
  ENCODER_ROWS,
  MAX_ORIGIN_BYTES,
  MAX_TID_BYTES,
  PAIR_SHIFT,
  REFERENCE_SHIFT,
  TEXTS_BYTES,
} from './encoder-layout.ts'
import { ENCODER_PROGRAM } from './encoder-program.ts'
import type { FlowExporterInit } from './flow-export.ts'
import {
  COLD_APPLICATION,
  COLD_PATH,
  COLD_SHIFT,
  KEY_ADDRESS_FIRST,
  KEY_KIND,
  KIND_IPV6,
  KIND_LIVE,
  RECORD_SHIFT,
  TCP_SHIFT,
  WIDE_RTT_NS,
  WIDE_SHIFT,
  WIDE_START_MS,
} from './layout.ts'

const FLOW = { LAYERS_PATH: 2, APPLICATION: 3, NODE_TID: 33, CAPTURE_ID: 34 } as const
const WIRE_BYTES = 2
const UUID_START_BYTES = 8

/** Where a field that stands ready lies in the program's memory. */
interface Reference {
  readonly at: number
  readonly byteLength: number
}

/** What a sequence of layers is called, as `LayersPath` and as `Application`. */
interface PathReferences {
  readonly path: Reference
  readonly lastLayer: Reference
}

/** The exports of `assembly/flow-encoder.ts`. */
interface EncoderExports {
  readonly memory: WebAssembly.Memory
  /** Writes the first `count` rows that were handed over; answers how many it went through. */
  encode(count: number): number
}

/**
 * Writes flows as protobuf straight from the columns, each with its length before it: the very bytes that the objects of `FlowExporter`
 * would give. The work is done by a small WebAssembly program that is handed rows of the columns, {@link ENCODER_ROWS} at a time: it is
 * quick from the first flow on, where JavaScript would be compiled for longer than ten thousand flows take, and its hashes are products of
 * 64-bit numbers. Some 0.3 µs a flow.
 */
export class FlowEncoder {
  readonly #init: FlowExporterInit
  readonly #program: EncoderExports
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #wide: Float64Array
  readonly #paths: PathReferences[] = []
  readonly #applications: Reference[] = []
  #textsEnd = AT_TEXTS

  private constructor(init: FlowExporterInit, program: EncoderExports) {
    this.#init = init
    this.#program = program
    this.#bytes = new Uint8Array(program.memory.buffer)
    this.#words = new Int32Array(program.memory.buffer)
    this.#wide = new Float64Array(program.memory.buffer)
  }

  /**
   * `undefined` where it can't be had: no WebAssembly, a page that forbids it (`wasm-unsafe-eval`), no memory for it, or names of node and
   * capture of a kilobyte and more.
   */
  static create(init: FlowExporterInit): FlowEncoder | undefined {
    const tid = new TextEncoder().encode(init.nodeTid)
    const origin = [...stringField(FLOW.NODE_TID, init.nodeTid), ...stringField(FLOW.CAPTURE_ID, init.captureId)]
    if (tid.length > MAX_TID_BYTES || origin.length > MAX_ORIGIN_BYTES) return undefined
    const program = loadProgram()
    if (!program) return undefined
    const encoder = new FlowEncoder(init, program)
    encoder.#bytes.set(tid, AT_UUID_INPUT + UUID_START_BYTES)
    encoder.#bytes.set(origin, AT_ORIGIN)
    encoder.#words[AT_TID_BYTES >> 2] = tid.length
    encoder.#words[AT_ORIGIN_BYTES >> 2] = origin.length
    encoder.#words[AT_HAS_TCP_METRIC >> 2] = init.hasTcpMetric ? 1 : 0
    return encoder
  }

  /**
   * Appends the live flows from number `id` on until the memory is full; answers the number to go on with. When that is `id` itself although
   * nothing is left to be taken, the flow's names are too long for this memory: write it another way.
   */
  append(id: number): number {
    const { columns } = this.#init
    for (;;) {
      const rows = Math.min(ENCODER_ROWS, columns.limit - id)
      if (rows === 0) return id
      const handed = this.#hand(id, rows)
      const written = this.#program.encode(handed)
      id += written
      if (written < rows) return id
    }
  }

  /** A copy of what was appended since the last call, some 300 KiB at most. */
  take(): Uint8Array {
    const at = AT_LENGTH >> 2
    const taken = this.#bytes.slice(AT_OUTPUT, AT_OUTPUT + this.#words[at]!)
    this.#words[at] = 0
    return taken
  }

  /** Copies rows into the program's memory; answers how many: it stops before one that the program can't write. */
  #hand(id: number, rows: number): number {
    const { columns } = this.#init
    const { records, cold, starts, rtts, wide, tcp } = columns
    const words = this.#words
    words.set(records.subarray(id << RECORD_SHIFT, (id + rows) << RECORD_SHIFT), AT_RECORDS >> 2)
    words.set(cold.subarray(id << COLD_SHIFT, (id + rows) << COLD_SHIFT), AT_COLD >> 2)
    this.#wide.set(wide.subarray(id << WIDE_SHIFT, (id + rows) << WIDE_SHIFT), AT_WIDE >> 3)
    if (this.#init.hasTcpMetric) this.#wide.set(tcp.subarray(id << TCP_SHIFT, (id + rows) << TCP_SHIFT), AT_TCP >> 3)
    for (let row = 0; row < rows; row++) {
      const kind = records[((id + row) << RECORD_SHIFT) + KEY_KIND]!
      if ((kind & KIND_LIVE) === 0) continue
      // The program sees the record alone.
      if (columns.hasWrapped(id + row)) return row
      const wideAt = (AT_WIDE >> 3) + (row << WIDE_SHIFT)
      this.#wide[wideAt + WIDE_START_MS] = starts[id + row]!
      this.#wide[wideAt + WIDE_RTT_NS] = rtts[id + row]!
      const base = (id + row) << COLD_SHIFT
      const path = this.#paths[cold[base + COLD_PATH]!] ?? this.#learnPath(cold[base + COLD_PATH]!)
      const named = cold[base + COLD_APPLICATION]!
      const application = named === 0 ? path?.lastLayer : (this.#applications[named] ?? this.#learnApplication(named))
      if (!path || !application) return row
      const at = (AT_REFERENCES >> 2) + (row << REFERENCE_SHIFT)
      words[at] = path.path.at
      words[at + 1] = path.path.byteLength
      words[at + 2] = application.at
      words[at + 3] = application.byteLength
      if ((kind & KIND_IPV6) !== 0) this.#handPair(row, records[((id + row) << RECORD_SHIFT) + KEY_ADDRESS_FIRST]!)
    }
    return rows
  }

  #handPair(row: number, pair: number): void {
    const { pairs } = this.#init
    for (let i = 0; i < 8; i++) this.#words[(AT_PAIRS >> 2) + (row << PAIR_SHIFT) + i] = pairs.word(pair, i)
  }

  #learnPath(path: number): PathReferences | undefined {
    const { paths } = this.#init
    const text = this.#place(stringField(FLOW.LAYERS_PATH, paths.text(path)))
    const lastLayer = this.#place(stringField(FLOW.APPLICATION, paths.lastLayer(path)))
    if (!text || !lastLayer) return undefined
    this.#paths[path] = { path: text, lastLayer }
    return this.#paths[path]
  }

  /** `named` is the application's number, from 1. */
  #learnApplication(named: number): Reference | undefined {
    const placed = this.#place(stringField(FLOW.APPLICATION, this.#init.applications[named - 1]!))
    if (placed) this.#applications[named] = placed
    return placed
  }

  /** Puts bytes beside the texts; `undefined` when they find no room. */
  #place(field: Uint8Array): Reference | undefined {
    const at = this.#textsEnd
    if (at + field.length > AT_TEXTS + TEXTS_BYTES) return undefined
    this.#bytes.set(field, at)
    this.#textsEnd += field.length
    return { at, byteLength: field.length }
  }
}

/** A program of its own for each encoder: 512 KiB and under a millisecond. */
function loadProgram(): EncoderExports | undefined {
  try {
    const code = Uint8Array.from(atob(ENCODER_PROGRAM), (character) => character.charCodeAt(0))
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code))
    return exports as unknown as EncoderExports
  } catch {
    return undefined
  }
}

/** A string field of protobuf, or nothing for an empty string. */
function stringField(field: number, text: string): Uint8Array {
  if (text === '') return new Uint8Array(0)
  const encoded = new TextEncoder().encode(text)
  return new Uint8Array([...varint((field << 3) | WIRE_BYTES), ...varint(encoded.length), ...encoded])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}
