import { growInt32 } from './grow.ts'

const { imul } = Math
/** So that nobody can choose ids whose hashes meet. */
const SEED = (Math.random() * 1e9) | 0
const INITIAL = 64
/** So many ids may have one hash until more of each is read. */
const MOST_ALIKE = 16
const GONE = 1
/** What a slot holds is the row and this. */
const FIRST = 2

/**
 * The living rows by id. A `Map` looks at the text of every id that it passes, each in memory of its own, which is half of a bulk insert. Here
 * the hashes stand side by side, and a text is looked at where they are the same. They are made of the last six characters of an id; where these don't tell
 * ids apart, of twice as many from then on, until they do. 4 bytes a slot, at most two thirds of which are taken, and 12 for each row.
 */
export class IdTable {
  /** 0 where nothing was yet; an id is in the first such slot from its hash on. */
  #slots = new Int32Array(INITIAL)
  /** How many slots are not 0. */
  #taken = 0
  /** By what slots hold, as the ids are. */
  #hashes = new Int32Array(INITIAL)
  readonly #ids: (string | undefined)[] = [undefined, undefined]
  #charactersRead = 6
  /** What was looked for last, as who adds an id has asked for it before. */
  #asked: string | undefined
  #askedHash = 0
  /** How many ids there are. */
  size = 0

  /** `undefined` for an id that is not there. O(1). */
  get(id: string): number | undefined {
    const slot = this.#slots[this.#find(id, this.#hash(id))]!
    return slot === 0 ? undefined : slot - FIRST
  }

  has(id: string): boolean {
    return this.get(id) !== undefined
  }

  /** The id of a row that is there, the same text for all who ask. */
  idOf(row: number): string {
    return this.#ids[row + FIRST]!
  }

  /** Only for an id that is not there. Amortised O(1). */
  add(id: string, row: number): void {
    const at = this.#find(id, id === this.#asked ? this.#askedHash : this.#hash(id))
    const slot = row + FIRST
    while (slot >= this.#hashes.length) this.#hashes = growInt32(this.#hashes)
    this.#hashes[slot] = this.#askedHash
    this.#ids[slot] = id
    this.#slots[at] = slot
    this.size++
    if (++this.#taken * 3 > this.#slots.length * 2) this.#rebuild()
  }

  /** Only for an id that is there. */
  delete(id: string): void {
    const at = this.#find(id, this.#hash(id))
    this.#ids[this.#slots[at]!] = undefined
    this.#slots[at] = GONE
    this.size--
  }

  /** Where an id is, or else where it would be. */
  #find(id: string, hash: number): number {
    const slots = this.#slots
    const hashes = this.#hashes
    const mask = slots.length - 1
    let alike = 0
    let at = hash & mask
    for (let slot = slots[at]!; slot !== 0; slot = slots[at]!) {
      if (hashes[slot] === hash) {
        if (this.#ids[slot] === id) break
        if (++alike > MOST_ALIKE && this.#charactersRead < id.length) {
          this.#charactersRead *= 2
          for (const other of slots) if (other >= FIRST) hashes[other] = this.#hash(this.#ids[other]!)
          this.#rebuild()
          return this.#find(id, this.#hash(id))
        }
      }
      at = (at + 1) & mask
    }
    this.#asked = id
    this.#askedHash = hash
    return at
  }

  /** Without what is gone, in twice the length where that is little. */
  #rebuild(): void {
    const { length } = this.#slots
    const slots = new Int32Array(this.size * 3 > length ? length * 2 : length)
    const mask = slots.length - 1
    for (const slot of this.#slots) {
      if (slot < FIRST) continue
      let at = this.#hashes[slot]! & mask
      while (slots[at] !== 0) at = (at + 1) & mask
      slots[at] = slot
    }
    this.#slots = slots
    this.#taken = this.size
  }

  #hash(id: string): number {
    let hash = SEED ^ id.length
    for (let i = Math.max(0, id.length - this.#charactersRead); i < id.length; i++)
      hash = imul(hash ^ id.charCodeAt(i), 0x9e37_79b1)
    hash = imul(hash ^ (hash >>> 15), 0x9e37_79b1)
    return hash ^ (hash >>> 13)
  }
}
