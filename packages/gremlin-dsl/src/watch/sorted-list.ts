const CHUNK = 256

/** Negative when `a` comes first; 0 only for the same item. */
export type Comparator<T> = (a: T, b: T) => number

/** A list that stays sorted: short runs in order, so that a change moves few items whatever the length. */
export class SortedList<T> {
  private readonly chunks: T[][] = []
  private readonly compare: Comparator<T>

  constructor(compare: Comparator<T>) {
    this.compare = compare
  }

  insert(item: T): void {
    const at = this.chunkOf(item)
    const chunk = this.chunks[at]
    if (!chunk) {
      const last = this.chunks.at(-1)
      if (last && last.length < CHUNK) last.push(item)
      else this.chunks.push([item])
      return
    }
    chunk.splice(this.placeIn(chunk, item), 0, item)
    if (chunk.length > CHUNK) this.chunks.splice(at + 1, 0, chunk.splice(CHUNK >> 1))
  }

  /** Takes an item out; one that is not there is ignored. */
  remove(item: T): void {
    const at = this.chunkOf(item)
    const chunk = this.chunks[at]
    if (!chunk) return
    const place = this.placeIn(chunk, item)
    if (place >= chunk.length || this.compare(chunk[place]!, item) !== 0) return
    chunk.splice(place, 1)
    if (chunk.length === 0) this.chunks.splice(at, 1)
  }

  /** In order, until the visitor answers `false`. */
  walk(visit: (item: T) => boolean): void {
    for (const chunk of this.chunks) for (const item of chunk) if (!visit(item)) return
  }

  /** The first chunk whose last item does not come before the item. */
  private chunkOf(item: T): number {
    let low = 0
    let high = this.chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.compare(this.chunks[middle]!.at(-1)!, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  private placeIn(chunk: readonly T[], item: T): number {
    let low = 0
    let high = chunk.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.compare(chunk[middle]!, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
