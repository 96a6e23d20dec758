import {
  type DiffOptions,
  type ElementChange,
  type GraphDiff,
  type GraphEdge,
  type GraphNode,
  type MetadataValue,
  NOISY_KEYS,
  type SliceCoverage,
} from '@skydive/contracts'
import { type ChangeColumns, DISTANCE, KEY, REVISION } from './change-columns.ts'
import { ChangedRow } from './changed-row.ts'
import { assembleDiff, type DiffParts, elementChange } from './element-change.ts'
import type { EventLog } from './event-log.ts'
import type { GraphState } from './graph-state.ts'
import { IgnoredKeys, valueChanges } from './key-changes.ts'
import { MANY_KEYS, NO_KEY } from './path-codes.ts'
import { asOf, revisionAt } from './revision-at.ts'
import type { RowTable } from './row-table.ts'
import { TouchedRows } from './touched-rows.ts'

/** So many rows are looked at together: their lines of memory are asked for before one is waited for. */
const BATCH = 32

interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Differences between two times from the log: the changes that show in between are collapsed to one row each, and only these rows, and of these
 * only the keys that were written, are looked at. What lies before the log's memory is not guessed: the window is cut, and the coverage says so.
 */
export class LogDiffer {
  readonly #state: GraphState
  readonly #log: EventLog
  readonly #touchedNodes = new TouchedRows()
  readonly #touchedEdges = new TouchedRows()

  constructor(state: GraphState, log: EventLog) {
    this.#state = state
    this.#log = log
  }

  diff(fromMs: number, toMs: number, { ignoreKeys = NOISY_KEYS }: DiffOptions): GraphDiff {
    const state = this.#state
    const log = this.#log
    const { knownFromMs } = log
    const coverage: SliceCoverage = fromMs >= knownFromMs ? { complete: true } : { complete: false, knownFromMs }
    const window = { fromMs: Math.max(fromMs, knownFromMs), toMs }
    const numbers = window.fromMs <= toMs ? log.changesIn(window.fromMs, toMs) : new Float64Array(0)
    // Lent, as revisions are made from them when somebody reads them.
    const columns = log.columns.lend(numbers[0] ?? log.columns.end)
    const scene = { columns, numbers, window, ignored: new IgnoredKeys(ignoreKeys) }
    const parts: DiffParts = { nodes: [], edges: [], transient: [] }
    new Collector(scene, state.nodes, this.#touchedNodes, parts.nodes, parts.transient).collect()
    new Collector(scene, state.edges, this.#touchedEdges, parts.edges, parts.transient).collect()
    return assembleDiff(fromMs, toMs, parts, coverage)
  }
}

/** What the two kinds of elements have in common. */
interface Scene {
  readonly columns: ChangeColumns
  /** Those of the changes that show in the window, in order of commit. */
  readonly numbers: Float64Array
  readonly window: Window
  readonly ignored: IgnoredKeys
}

/** Makes rows that changed into what a diff tells of their ids. */
class Collector<E extends GraphNode | GraphEdge> {
  readonly #scene: Scene
  readonly #table: RowTable<E>
  readonly #touched: TouchedRows
  readonly #changes: ElementChange<E>[]
  readonly #transient: (GraphNode | GraphEdge)[]
  /** Of the row that is looked at: the top-level keys that were written, and their values before and after. Used again for each. */
  readonly #words: string[] = []
  readonly #befores: (MetadataValue | undefined)[] = []
  readonly #afters: (MetadataValue | undefined)[] = []
  /** Of the rows that are looked at together: the number of the row, of its last change in the window and of its newest one; the newest revision. */
  readonly #rows = new Int32Array(BATCH)
  readonly #lasts = new Float64Array(BATCH)
  readonly #newestChanges = new Float64Array(BATCH)
  readonly #newests: E[] = []
  /** When it began; never, for what is deleted. */
  readonly #begunMs = new Float64Array(BATCH)
  readonly #others = new Set<string>()

  constructor(
    scene: Scene,
    table: RowTable<E>,
    touched: TouchedRows,
    changes: ElementChange<E>[],
    transient: (GraphNode | GraphEdge)[],
  ) {
    this.#scene = scene
    this.#table = table
    this.#touched = touched
    this.#changes = changes
    this.#transient = transient
  }

  collect(): void {
    const table = this.#table
    const { columns, numbers, window } = this.#scene
    let count = 0
    this.#touched.forEach(columns, numbers, table, window.fromMs, (row, last) => {
      this.#rows[count] = row
      this.#lasts[count++] = last
      if (count < BATCH) return
      this.#tellRows(count)
      count = 0
    })
    this.#tellRows(count)
    this.#changes.reverse()
    for (const id of this.#others) this.#tellLives(id)
  }

  #tellRows(count: number): void {
    const table = this.#table
    for (let i = 0; i < count; i++) {
      const row = this.#rows[i]!
      this.#newests[i] = table.elements[row]!
      this.#newestChanges[i] = table.lastChange[row]!
    }
    for (let i = 0; i < count; i++) {
      const { createdAtMs, deletedAtMs } = this.#newests[i]!
      this.#begunMs[i] = deletedAtMs === null ? createdAtMs : Number.POSITIVE_INFINITY
    }
    for (let i = 0; i < count; i++) {
      const { id } = this.#newests[i]!
      if (table.backdated.has(this.#rows[i]!) || !table.hasOneLife(id) || !this.#tellUpdates(i)) this.#others.add(id)
    }
  }

  /**
   * What is told of a row that was there all the time and had single keys set: every change is one revision and has both values of its key, so that
   * nothing has to be made. `false` where there is more to it.
   */
  #tellUpdates(place: number): boolean {
    const { columns, window, ignored } = this.#scene
    if (this.#begunMs[place]! > window.fromMs) return false
    const last = this.#lasts[place]!
    const words = this.#words
    const befores = this.#befores
    const afters = this.#afters
    let count = 0
    let made = 0
    let first = last
    let revision = 0
    for (let change = last; change >= columns.first; ) {
      const { ints, floats, values } = columns.chunkOf(change)
      const slot = columns.slotOf(change)
      if (floats[slot * 4]! <= window.fromMs) break
      const code = ints[slot * 8 + KEY]!
      if (code === MANY_KEYS || code === NO_KEY) return false
      const word = columns.top(code)
      let at = 0
      while (at < count && words[at] !== word) at++
      if (at === count) {
        words[count++] = word
        afters[at] = values[slot * 2 + 1] as MetadataValue | undefined
      }
      befores[at] = values[slot * 2] as MetadataValue | undefined
      first = change
      revision = ints[slot * 8 + REVISION]!
      made++
      change -= ints[slot * 8 + DISTANCE]!
    }
    const keys = valueChanges(words, befores, afters, count, ignored)
    if (keys.length === 0) return true
    const revisions = numbersFrom(revision, made)
    const newest = this.#newests[place]!
    this.#changes.push(new ChangedRow(columns, newest, this.#newestChanges[place]!, first, last, keys, revisions))
    return true
  }

  #tellLives(id: string): void {
    const table = this.#table
    const { window, ignored } = this.#scene
    const lives = table.lives(id)
    const from = youngest(table, lives, window.fromMs)
    const to = youngest(table, lives, window.toMs)
    if (!from && !to) {
      const last = lives
        .map((row) => table.elements[row]!)
        .findLast(({ deletedAtMs }) => deletedAtMs !== null && deletedAtMs >= window.fromMs && deletedAtMs < window.toMs)
      if (last) this.#transient.push(last)
      return
    }
    const ends = {
      id,
      from: from && asOf(from.element, window.toMs),
      to: to && asOf(to.element, window.toMs),
      last: from && table.elements[from.row]!,
      revisions: lives.flatMap((row) => numbersOf(table, row, window)),
    }
    const change = elementChange(ends, ignored)
    if (change) this.#changes.push(change)
  }
}

function numbersFrom(first: number, count: number): readonly number[] {
  if (count === 1) return [first]
  const numbers = new Array<number>(count)
  for (let i = 0; i < count; i++) numbers[i] = first + i
  return numbers
}

/** What held at an instant: of the lives that reach to it, the youngest. */
function youngest<E extends GraphNode | GraphEdge>(
  table: RowTable<E>,
  lives: readonly number[],
  timeMs: number,
): { readonly row: number; readonly element: E } | undefined {
  for (let i = lives.length - 1; i >= 0; i--) {
    const walk = revisionAt(table, lives[i]!, timeMs)
    if (walk) return { row: lives[i]!, element: walk.element() }
  }
  return undefined
}

/**
 * Numbers of the revisions of one life that were made in the window, oldest first. What was announced for a time after the end of its life never
 * held.
 */
function numbersOf<E extends GraphNode | GraphEdge>(
  table: RowTable<E>,
  row: number,
  { fromMs, toMs }: Window,
): readonly number[] {
  const numbers: number[] = []
  const lastMs = Math.min(toMs, table.elements[row]!.deletedAtMs ?? toMs)
  const isBackdated = table.backdated.has(row)
  const walk = table.walk(row)
  do {
    const isMade = walk.deletedAtMs === null && walk.updatedAtMs > fromMs && walk.updatedAtMs <= lastMs
    if (isMade) numbers.push(walk.revision)
  } while ((isBackdated || walk.updatedAtMs > fromMs) && walk.back())
  return numbers.reverse()
}
