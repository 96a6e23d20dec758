import type { GraphEdge, GraphNode, MetadataValue } from '@skydive/contracts'
import { type FieldReader, type LateElements, splitPath } from '@skydive/filter'
import { ADDED, type ChangeColumns, DISTANCE, IS_EDGE, KEY, ROW, ROW_SHIFT } from './change-columns.ts'
import { MANY_KEYS, NO_KEY } from './path-codes.ts'
import { asOf, revisionAt } from './revision-at.ts'
import { undone } from './revision-walk.ts'
import type { RowTable } from './row-table.ts'

/** The instant that is looked at. */
export interface Instant {
  readonly timeMs: number
  /** The changes since, lent: all before show by then. `undefined`: not all that show later are remembered. */
  readonly since: ChangeColumns | undefined
}

/**
 * One kind of element as it was at an instant, in order of creation. What has changed since is made when somebody reads it, once; single keys
 * are read from the log. Opening it costs a look at each row and at each change since.
 */
export class PastRows<E extends GraphNode | GraphEdge> implements LateElements<E> {
  readonly elements: (E | undefined)[] = []
  readonly #since: ChangeColumns | undefined
  /** Of the rows that come late: their place in the lists below. */
  readonly #places: Int32Array
  readonly #newest: E[] = []
  /** From which change on, and down to which one, is undone. */
  readonly #lasts: number[] = []
  readonly #cuts: number[] = []
  #path = ''
  #top = ''

  constructor(table: RowTable<E>, { timeMs, since }: Instant) {
    this.#since = since
    this.#places = new Int32Array(table.count + table.graves.size)
    const cuts = since && new Cuts(since, table, timeMs)
    const rows = rowsOf(table)
    const buried = buriedAt(table, rows, timeMs)
    for (const row of rows) {
      const isBuried = table.deletedVersion[row] !== 0
      if (cuts && !isBuried && !table.backdated.has(row)) this.#add(table, row, cuts)
      else if (!isBuried || buried.has(row)) {
        const element = revisionAt(table, row, timeMs)?.element()
        if (element) this.elements.push(asOf(element, timeMs))
      }
    }
  }

  #add(table: RowTable<E>, row: number, { firsts, keys }: Cuts): void {
    const newest = table.elements[row]!
    const cut = firsts[row]! - 1
    if (cut < 0) this.elements.push(newest)
    else if (this.#since!.kind(cut) !== ADDED) {
      this.#places[this.elements.length] = this.#newest.length
      this.#newest.push(newest)
      // What one key had before the first of its changes is all it takes.
      this.#lasts.push(keys[row] === MANY_KEYS ? table.lastChange[row]! : cut)
      this.#cuts.push(cut)
      this.elements.push(undefined)
    }
  }

  element(row: number): E {
    const place = this.#places[row]!
    return undone(this.#since!, this.#newest[place]!, this.#lasts[place]!, this.#cuts[place]!)
  }

  value(row: number, path: string, read: FieldReader<E>): MetadataValue | undefined {
    const place = this.#places[row]!
    const newest = this.#newest[place]!
    // What a revision has of its own; id, host, origin, creation and ends are those of all.
    if (/^@[UDR]/.test(path)) return read(this.element(row))
    const top = this.#topOf(path)
    const since = this.#since!
    let old: MetadataValue | undefined
    let isOlder = false
    for (let number = this.#lasts[place]!; number >= this.#cuts[place]!; ) {
      const { ints, values } = since.chunkOf(number)
      const slot = since.slotOf(number)
      const key = ints[slot * 8 + KEY]!
      if (key === MANY_KEYS) return read(this.element(row))
      if (key !== NO_KEY && since.top(key) === top) {
        old = values[slot * 2] as MetadataValue | undefined
        isOlder = true
      }
      number -= ints[slot * 8 + DISTANCE]!
    }
    if (!isOlder) return read(newest)
    return read({ ...newest, metadata: old === undefined ? {} : { [top]: old } })
  }

  /** The top-level key of the path of a field; the last one is remembered, as it is asked for row by row. */
  #topOf(path: string): string {
    if (path !== this.#path) {
      this.#path = path
      this.#top = splitPath(path.replace(/^Metadata\./, ''))[0]!
    }
    return this.#top
  }
}

/** The changes that show after an instant, by row. */
class Cuts {
  /** One more than the number of the first of them; 0 where there is none. */
  readonly firsts: Float64Array
  /** The one key that they set; {@link MANY_KEYS} where it is not one. */
  readonly keys: Int32Array

  constructor(since: ChangeColumns, { ordinals, isEdges }: Pick<RowTable<GraphNode>, 'ordinals' | 'isEdges'>, timeMs: number) {
    this.firsts = new Float64Array(ordinals)
    this.keys = new Int32Array(ordinals)
    const flag = isEdges ? IS_EDGE : 0
    for (let number = since.end - 1; number >= since.first; number--) {
      const { ints, floats } = since.chunkOf(number)
      const slot = since.slotOf(number)
      const word = ints[slot * 8 + ROW]!
      if ((word & IS_EDGE) !== flag || floats[slot * 4]! <= timeMs) continue
      const row = word >> ROW_SHIFT
      const key = ints[slot * 8 + KEY]!
      this.keys[row] = this.firsts[row] === 0 || this.keys[row] === key ? key : MANY_KEYS
      this.firsts[row] = number + 1
    }
  }
}

/** Of the rows that are deleted by now those that were there: of several lives of an id the youngest stands. */
function buriedAt<E extends GraphNode | GraphEdge>(
  table: RowTable<E>,
  rows: readonly number[],
  timeMs: number,
): ReadonlySet<number> {
  const youngest = new Map<string, number>()
  for (const row of rows) {
    if (table.deletedVersion[row] !== 0 && revisionAt(table, row, timeMs)) youngest.set(table.elements[row]!.id, row)
  }
  for (const id of youngest.keys()) {
    const living = table.byId.get(id)
    if (living !== undefined && revisionAt(table, living, timeMs)) youngest.delete(id)
  }
  return new Set(youngest.values())
}

/** Every row that is remembered, in order of creation. */
export function rowsOf<E extends GraphNode | GraphEdge>(table: RowTable<E>): readonly number[] {
  const rows: number[] = [...table.graves]
  for (let row = table.first; row >= 0; row = table.after(row)) rows.push(row)
  return table.graves.size === 0 ? rows : rows.sort((a, b) => table.sequence[a]! - table.sequence[b]!)
}
