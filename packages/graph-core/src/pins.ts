import type { LiveView } from './live-view.ts'

interface Pin {
  readonly version: number
  readonly view: WeakRef<LiveView>
}

const SPARE_PINS = 64

/** The views that somebody may still hold, so that nothing they need is forgotten. Oldest first; cheap however many there were. */
export class Pins {
  #held: Pin[] = []
  /** What is before has been let go. */
  #head = 0
  #compactAt = SPARE_PINS
  #newest: LiveView | undefined

  /** The one view of the present version; made when it is first asked for. */
  view(version: number, make: () => LiveView): LiveView {
    if (this.#newest?.version === version) return this.#newest
    const view = make()
    this.#newest = view
    this.#held.push({ version, view: new WeakRef(view) })
    if (this.#held.length > this.#compactAt) this.#compact()
    return view
  }

  /** The oldest version that a view in use shows; infinity when there is none. */
  oldest(presentVersion: number): number {
    // Nobody will be given this view again: from now on only its readers keep it.
    if (this.#newest !== undefined && this.#newest.version < presentVersion) this.#newest = undefined
    while (this.#head < this.#held.length && this.#held[this.#head]!.view.deref() === undefined) this.#head++
    return this.#held[this.#head]?.version ?? Number.POSITIVE_INFINITY
  }

  get count(): number {
    this.#compact()
    return this.#held.length
  }

  /** Drops all that nobody holds, once for each doubling. */
  #compact(): void {
    this.#held = this.#held.filter(({ view }, i) => i >= this.#head && view.deref() !== undefined)
    this.#head = 0
    this.#compactAt = this.#held.length * 2 + SPARE_PINS
  }
}
