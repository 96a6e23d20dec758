import type { Metadata } from '@skydive/contracts'
import type { SceneDelta, SceneLine } from './scene.ts'
import type { SavedLayout } from './slot-layout.ts'

// What the page and the engine's worker say to each other. Plain data.

/** What the page asks of the engine. */
export type EngineCommand =
  | {
      readonly kind: 'connect'
      readonly url: string
      readonly token: string | undefined
      readonly layout: SavedLayout | undefined
    }
  | { readonly kind: 'set-open'; readonly id: string; readonly open: boolean }
  | { readonly kind: 'select'; readonly id: string | undefined }
  | { readonly kind: 'hover'; readonly id: string | undefined }
  | { readonly kind: 'reveal'; readonly id: string }
  /** Marks elements by id or `TID`, and reveals the first. */
  | { readonly kind: 'highlight'; readonly ids: readonly string[]; readonly reveal: boolean }
  /** Marks the shortest way through the network along the given `TID`s, in order. */
  | { readonly kind: 'follow'; readonly tids: readonly string[] }
  | { readonly kind: 'search'; readonly text: string }
  /** `undefined`: back to now. */
  | { readonly kind: 'time'; readonly atMs: number | undefined }
  | { readonly kind: 'save-layout' }

/** Whether the page shows what is. `lost` says since when, and that it is being tried again. */
export interface ConnectionState {
  readonly state: 'connecting' | 'live' | 'lost'
  readonly detail: string
}

/** Everything about one element, for the panel. */
export interface ElementDetails {
  readonly id: string
  readonly metadata: Metadata
  readonly host: string
  readonly origin: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly revision: number
  /** From the outermost container to the element itself. */
  readonly path: readonly { readonly id: string; readonly label: string }[]
  /** What it is joined to, by relations other than ownership. */
  readonly neighbors: readonly {
    readonly id: string
    readonly label: string
    readonly relation: string
    readonly outgoing: boolean
    /** The containers around it, from the outermost, such as `alpha ⊃ web`. */
    readonly where: string
  }[]
}

/** One point of the small plot: bytes and packets per second since the point before. */
export interface MetricPoint {
  readonly timeMs: number
  readonly rxBytesPerSecond: number
  readonly txBytesPerSecond: number
}

/** An element that a search found. */
export interface SearchHit {
  readonly id: string
  readonly label: string
  readonly type: string
  readonly where: string
}

/** What the engine tells the page. */
export type EngineUpdate =
  | { readonly kind: 'scene'; readonly delta: SceneDelta }
  | { readonly kind: 'connection'; readonly connection: ConnectionState }
  | { readonly kind: 'counts'; readonly nodes: number; readonly edges: number }
  | { readonly kind: 'details'; readonly details: ElementDetails | undefined; readonly metrics: readonly MetricPoint[] }
  /** Drawn elements that stand for what is highlighted, the lines of the selected element, and the way of a followed flow. */
  | {
      readonly kind: 'emphasis'
      readonly highlighted: readonly string[]
      readonly lines: readonly SceneLine[]
      readonly way: readonly SceneLine[]
      /** Drawn elements that must come into sight; empty: the view stays. */
      readonly focus: readonly string[]
    }
  /** The lines of the hovered element. */
  | { readonly kind: 'hover'; readonly id: string | undefined; readonly lines: readonly SceneLine[] }
  | { readonly kind: 'search'; readonly text: string; readonly hits: readonly SearchHit[] }
  | { readonly kind: 'time'; readonly atMs: number | undefined; readonly error: string | undefined }
  | { readonly kind: 'layout'; readonly layout: SavedLayout }
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
