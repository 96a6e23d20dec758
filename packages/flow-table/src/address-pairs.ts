const WORDS_SHIFT = 3
const WORDS = 8

/**
 * Numbers pairs of IPv6 addresses, so that flow records stay one cache line: a key holds the number instead of 32 bytes.
 * Open addressing over a dense array. Numbers are given back by {@link AddressPairs.keepOnly}.
 */
export class AddressPairs {
  #words = new Int32Array(64 * WORDS)
  #index = new Int32Array(256)
  #mask = 255
  #count = 0
  readonly #free: number[] = []
  readonly #probe = new Int32Array(WORDS)

  /** Pairs numbered now. */
  get size(): number {
    return this.#count - this.#free.length
  }

  /** The number (from 1) of the pair whose addresses begin at these offsets, in this order. */
  number(view: DataView, first: number, second: number): number {
    const probe = this.#probe
    let hash = 0
    for (let i = 0; i < 4; i++) {
      const a = view.getInt32(first + i * 4)
      const b = view.getInt32(second + i * 4)
      probe[i] = a
      probe[i + 4] = b
      hash = Math.imul(hash ^ a, 0x9e3779b1)
      hash = Math.imul((hash ^ (hash >>> 15)) + b, 0x85ebca6b)
    }
    hash ^= hash >>> 13
    const words = this.#words
    let slot = hash & this.#mask
    for (;;) {
      const number = this.#index[slot]!
      if (number === 0) return this.#insert(slot)
      const base = (number - 1) << WORDS_SHIFT
      let i = 0
      while (i < WORDS && words[base + i] === probe[i]) i++
      if (i === WORDS) return number
      slot = (slot + 1) & this.#mask
    }
  }

  /** One of the 8 big-endian words of a pair: 0 to 3 of the first address, 4 to 7 of the second. */
  word(number: number, index: number): number {
    return this.#words[((number - 1) << WORDS_SHIFT) + index]!
  }

  /** Gives back every number for which `isUsed` says no. Costs one pass over all pairs. */
  keepOnly(isUsed: Uint8Array): void {
    const known = new Set(this.#free)
    for (let number = 1; number <= this.#count; number++) if (isUsed[number] !== 1 && !known.has(number)) this.#free.push(number)
    this.#rebuild(this.#mask + 1)
  }

  /** One more than the greatest number ever given: the length of an array over numbers. */
  get limit(): number {
    return this.#count + 1
  }

  #insert(slot: number): number {
    const number = this.#free.pop() ?? ++this.#count
    if (number * WORDS > this.#words.length) {
      const grown = new Int32Array(this.#words.length * 2)
      grown.set(this.#words)
      this.#words = grown
    }
    this.#words.set(this.#probe, (number - 1) << WORDS_SHIFT)
    this.#index[slot] = number
    if (this.size * 2 > this.#mask) this.#rebuild((this.#mask + 1) * 2)
    return number
  }

  #rebuild(slots: number): void {
    const free = new Set(this.#free)
    this.#index = new Int32Array(slots)
    this.#mask = slots - 1
    for (let number = 1; number <= this.#count; number++) {
      if (free.has(number)) continue
      let hash = 0
      for (let i = 0; i < 4; i++) {
        hash = Math.imul(hash ^ this.word(number, i), 0x9e3779b1)
        hash = Math.imul((hash ^ (hash >>> 15)) + this.word(number, i + 4), 0x85ebca6b)
      }
      hash ^= hash >>> 13
      let slot = hash & this.#mask
      while (this.#index[slot] !== 0) slot = (slot + 1) & this.#mask
      this.#index[slot] = number
    }
  }
}
