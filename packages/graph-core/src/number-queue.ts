const CHUNK_BITS = 10
const CHUNK = 1 << CHUNK_BITS

/** Numbers by position, taken in at the end and let go at the beginning. 8 bytes each; growing copies nothing. */
export class NumberQueue {
  readonly #chunks: Float64Array[] = []
  /** The position of the first number of the first chunk. */
  #base = 0
  /** The first position that is held, and the one after the last. */
  first = 0
  end = 0

  push(value: number): void {
    const index = (this.end - this.#base) >> CHUNK_BITS
    if (index === this.#chunks.length) this.#chunks.push(new Float64Array(CHUNK))
    this.#chunks[index]![(this.end++ - this.#base) & (CHUNK - 1)] = value
  }

  at(position: number): number {
    const place = position - this.#base
    return this.#chunks[place >> CHUNK_BITS]![place & (CHUNK - 1)]!
  }

  /** Lets go of the first number. */
  shift(): void {
    this.first++
    if (this.first - this.#base < CHUNK) return
    this.#chunks.shift()
    this.#base += CHUNK
  }
}
