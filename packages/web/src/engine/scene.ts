// What the engine's worker tells the page to draw. Plain data: it crosses a thread.

/**
 * Colour of an element: a link that is up is white, one that is down red, one that waits for something else amber (`LOWERLAYERDOWN`,
 * `DORMANT` and the like), everything without a known state grey.
 */
export type SceneState = 'up' | 'down' | 'waiting' | 'none'

/** One thing to draw: an interface or other leaf, a folded container (a circle with a count) or an opened one (an area). */
export interface SceneElement {
  readonly id: string
  /** The id of the opened container around it; `''` at the top. */
  readonly parent: string
  readonly kind: 'leaf' | 'folded' | 'open'
  readonly label: string
  readonly type: string
  readonly state: SceneState
  /** How many elements a folded container hides; 0 otherwise. */
  readonly hidden: number
  /** Whether a capture runs on it. */
  readonly captured: boolean
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A line between two drawn elements, by their ids. */
export interface SceneLine {
  readonly from: string
  readonly to: string
  readonly relation: string
}

/** A line between two drawn elements: one relation, or several of one type merged. */
export interface SceneEdge {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly relation: string
  /** Drawn with an arrow at `to`. */
  readonly directed: boolean
  readonly count: number
}

/** What changed since the delta before. `whole` means: forget everything first. */
export interface SceneDelta {
  readonly whole: boolean
  readonly elements: readonly SceneElement[]
  readonly removedElements: readonly string[]
  readonly edges: readonly SceneEdge[]
  readonly removedEdges: readonly string[]
}
