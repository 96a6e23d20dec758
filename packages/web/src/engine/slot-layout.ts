/** A cell of the grid that everything lies on, in world units (CSS pixels at zoom 1). */
export const CELL_WIDTH = 96
export const CELL_HEIGHT = 72

/** The container that holds everything. */
export const ROOT = ''

/** Where an element lies, in world units. `x`, `y` is the upper left corner. */
export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A place in cells, relative to the inside of the container. */
export interface Place {
  readonly container: string
  readonly x: number
  readonly y: number
  readonly columns: number
  readonly rows: number
}

/** A saved layout: places by element id, and the insides of containers. Plain data for the browser's storage. */
export interface SavedLayout {
  readonly places: Readonly<Record<string, Place>>
  readonly insides: Readonly<Record<string, { readonly columns: number; readonly rows: number }>>
}

/** Row of the title, in cells, above the inside of an opened container. */
const TITLE_ROWS = 1
/** Columns of the root: what fits a screen at a readable zoom, before it goes on below. */
const ROOT_COLUMNS = 48
/** Full containers get half as many rows or columns again, so that growing stays rare. */
const GROWTH = 1.5
/** Places of elements that are gone are kept up to this many. */
const MOST_FORMER = 20_000

/** The size, in cells, of the region of a container that is to hold `expected` cells: a third to spare, wider than high, with a title. */
export function regionFor(expected: number): { readonly columns: number; readonly rows: number } {
  const slots = Math.max(6, Math.ceil(expected * 1.34))
  const columns = Math.min(ROOT_COLUMNS, Math.max(3, Math.ceil(Math.sqrt(slots * 1.5))))
  return { columns, rows: Math.ceil(slots / columns) + TITLE_ROWS }
}

interface Inside {
  columns: number
  rows: number
  /** `rows * columns` flags: taken or free. */
  taken: Uint8Array
  readonly members: Set<string>
}

/**
 * Slots with memory. Leaves and folded containers take one cell; an opened container takes a region with spare room. An element keeps its
 * place until it goes; nothing moves because something else came or went. Only a container that outgrows its region, and can't grow in
 * place, moves itself: its siblings stay. A folded container keeps its region for when it is opened again.
 */
export class SlotLayout {
  readonly #places = new Map<string, Place>()
  readonly #insides = new Map<string, Inside>()
  /** Where those were that went, oldest first: who comes back finds the old place, when it is still free. */
  readonly #former = new Map<string, Place>()

  constructor(saved?: SavedLayout) {
    this.#insides.set(ROOT, newInside(ROOT_COLUMNS, 8))
    if (saved) this.#restore(saved)
  }

  #restore(saved: SavedLayout): void {
    for (const [id, { columns, rows }] of Object.entries(saved.insides)) this.#insides.set(id, newInside(columns, rows))
    for (const [id, place] of Object.entries(saved.places)) {
      const inside = this.#insides.get(place.container)
      if (!inside || place.x + place.columns > inside.columns) continue
      growRows(inside, place.y + place.rows)
      mark(inside, place, 1)
      inside.members.add(id)
      this.#places.set(id, place)
    }
  }

  /** What to keep for the next visit. */
  save(): SavedLayout {
    return {
      places: Object.fromEntries(this.#places),
      insides: Object.fromEntries([...this.#insides].map(([id, { columns, rows }]) => [id, { columns, rows }])),
    }
  }

  /** Puts an element of one cell into a container; a no-op when it is there already. */
  addLeaf(id: string, container: string): void {
    if (this.#places.get(id)?.container === container) return
    this.remove(id)
    this.#put(id, container, 1, 1)
  }

  /**
   * Gives a container room for `expected` cells, with a third to spare; a no-op when it has a region already.
   * Its members are added afterwards.
   */
  openContainer(id: string, container: string, expected: number): void {
    const place = this.#places.get(id)
    if (this.#insides.has(id) && place?.container === container) return
    const wanted = regionFor(expected)
    const former = this.#former.get(id)
    const columns = Math.max(wanted.columns, former?.columns ?? 0)
    const rows = Math.max(wanted.rows, former?.rows ?? 0) - TITLE_ROWS
    this.remove(id)
    this.#insides.set(id, newInside(columns, rows))
    this.#put(id, container, columns, rows + TITLE_ROWS)
  }

  /** Takes an element out, and everything inside it; its cells are free for others. Its place is remembered for a while. */
  remove(id: string): void {
    const inside = this.#insides.get(id)
    if (inside && id !== ROOT) {
      for (const member of [...inside.members]) this.remove(member)
      this.#insides.delete(id)
    }
    const place = this.#places.get(id)
    if (!place) return
    const around = this.#insides.get(place.container)
    if (around) {
      mark(around, place, 0)
      around.members.delete(id)
    }
    this.#places.delete(id)
    this.#remember(id, place)
  }

  #remember(id: string, place: Place): void {
    this.#former.delete(id)
    this.#former.set(id, place)
    if (this.#former.size > MOST_FORMER) this.#former.delete(this.#former.keys().next().value!)
  }

  has(id: string): boolean {
    return this.#places.has(id)
  }

  /** Whether the container has a region (opened now or before). */
  hasRegion(id: string): boolean {
    return this.#insides.has(id)
  }

  /** Where an element lies now. O(depth). */
  rectOf(id: string): Rect | undefined {
    const place = this.#places.get(id)
    if (!place) return undefined
    let { x, y } = place
    for (let container = place.container; container !== ROOT; ) {
      const outer = this.#places.get(container)
      if (!outer) return undefined
      x += outer.x
      y += outer.y + TITLE_ROWS
      container = outer.container
    }
    return { x: x * CELL_WIDTH, y: y * CELL_HEIGHT, width: place.columns * CELL_WIDTH, height: place.rows * CELL_HEIGHT }
  }

  #put(id: string, container: string, columns: number, rows: number): void {
    const inside = this.#insides.get(container)
    if (!inside) throw new Error(`layout: ${container} was not opened before ${id} was put into it`)
    if (columns > inside.columns) this.#widen(container, columns)
    const slot = this.#formerSlot(id, container, inside, columns, rows) ?? this.#slotWithin(container, inside, columns, rows)
    if (slot.y + rows > inside.rows) this.#heighten(container, slot.y + rows)
    const place = { container, x: slot.x, y: slot.y, columns, rows }
    mark(inside, place, 1)
    inside.members.add(id)
    this.#places.set(id, place)
  }

  /**
   * A free slot in what a container has. A full one is widened first, where the cells beside it are free and it is higher than wide or can't
   * grow downwards: thousands of members make no strip, and what need not move stays.
   */
  #slotWithin(container: string, inside: Inside, columns: number, rows: number): { readonly x: number; readonly y: number } {
    const slot = freeSlot(inside, columns, rows)
    if (slot.y + rows <= inside.rows || container === ROOT) return slot
    const isHigh = inside.rows * CELL_HEIGHT > inside.columns * CELL_WIDTH
    const wider = Math.min(ROOT_COLUMNS, Math.ceil(inside.columns * GROWTH))
    if (wider <= inside.columns || (!isHigh && this.#isRoomBelow(container, rowsToGrow(inside, slot.y + rows)))) return slot
    if (!this.#makeRoom(container, wider)) return slot
    this.#widen(container, wider)
    return freeSlot(inside, columns, rows)
  }

  #isRoomBelow(container: string, rows: number): boolean {
    const place = this.#places.get(container)!
    return this.#isFreeFor(place, place.columns, rows + TITLE_ROWS)
  }

  /** Whether a place could have this size, were it not for itself. */
  #isFreeFor(place: Place, columns: number, rows: number): boolean {
    const around = this.#insides.get(place.container)!
    mark(around, place, 0)
    const isRoom = isFree(around, place.x, place.y, columns, rows)
    mark(around, place, 1)
    return isRoom
  }

  /** Whether a container can get wider in place; containers around it are widened when that is what it takes. */
  #makeRoom(container: string, columns: number): boolean {
    const place = this.#places.get(container)!
    const around = this.#insides.get(place.container)!
    const missing = place.x + columns - around.columns
    if (!this.#isFreeFor(place, Math.min(columns, around.columns - place.x), place.rows)) return false
    if (missing <= 0) return true
    if (place.container === ROOT || !this.#makeRoom(place.container, around.columns + missing)) return false
    this.#widen(place.container, around.columns + missing)
    return true
  }

  #formerSlot(id: string, container: string, inside: Inside, columns: number, rows: number): Place | undefined {
    const former = this.#former.get(id)
    if (!former) return undefined
    this.#former.delete(id)
    return former.container === container && isFree(inside, former.x, former.y, columns, rows) ? former : undefined
  }

  /** More rows for a container: in place where the cells below are free, else at another place of its own parent. */
  #heighten(container: string, neededRows: number): void {
    const inside = this.#insides.get(container)!
    const rows = container === ROOT ? neededRows : rowsToGrow(inside, neededRows)
    growRows(inside, rows)
    this.#resize(container, inside.columns, rows + TITLE_ROWS)
  }

  #widen(container: string, columns: number): void {
    const inside = this.#insides.get(container)!
    const taken = new Uint8Array(columns * inside.rows)
    for (let y = 0; y < inside.rows; y++)
      taken.set(inside.taken.subarray(y * inside.columns, (y + 1) * inside.columns), y * columns)
    inside.taken = taken
    inside.columns = columns
    this.#resize(container, columns, inside.rows + TITLE_ROWS)
  }

  #resize(container: string, columns: number, rows: number): void {
    const place = this.#places.get(container)
    if (!place) return
    const around = this.#insides.get(place.container)!
    mark(around, place, 0)
    const grown = { ...place, columns, rows }
    if (isFree(around, place.x, place.y, columns, rows)) {
      if (place.y + rows > around.rows) this.#heighten(place.container, place.y + rows)
      mark(around, grown, 1)
      this.#places.set(container, grown)
      return
    }
    around.members.delete(container)
    this.#put(container, place.container, columns, rows)
  }
}

function newInside(columns: number, rows: number): Inside {
  return { columns, rows, taken: new Uint8Array(columns * rows), members: new Set() }
}

function rowsToGrow(inside: Inside, neededRows: number): number {
  return Math.max(neededRows, Math.ceil(inside.rows * GROWTH))
}

function growRows(inside: Inside, rows: number): void {
  if (rows <= inside.rows) return
  const taken = new Uint8Array(inside.columns * rows)
  taken.set(inside.taken)
  inside.taken = taken
  inside.rows = rows
}

function mark(inside: Inside, place: Place, value: 0 | 1): void {
  for (let y = place.y; y < place.y + place.rows && y < inside.rows; y++) {
    const row = y * inside.columns
    inside.taken.fill(value, row + place.x, row + Math.min(place.x + place.columns, inside.columns))
  }
}

/** Rows below the last one are free. */
function isFree(inside: Inside, x: number, y: number, columns: number, rows: number): boolean {
  if (x + columns > inside.columns) return false
  for (let row = y; row < y + rows && row < inside.rows; row++) {
    const start = row * inside.columns
    for (let column = x; column < x + columns; column++) if (inside.taken[start + column] === 1) return false
  }
  return true
}

/** The first free place in reading order. */
function freeSlot(inside: Inside, columns: number, rows: number): { x: number; y: number } {
  if (columns === 1 && rows === 1) {
    const index = inside.taken.indexOf(0)
    if (index >= 0) return { x: index % inside.columns, y: Math.floor(index / inside.columns) }
    return { x: 0, y: inside.rows }
  }
  for (let y = 0; y < inside.rows; y++) {
    for (let x = 0; x + columns <= inside.columns; x++) if (isFree(inside, x, y, columns, rows)) return { x, y }
  }
  return { x: 0, y: inside.rows }
}
