import type { SceneLine } from '../engine/scene.ts'

/** What the user looks at in particular. */
export interface Emphasis {
  readonly selected: string | undefined
  readonly hovered: string | undefined
  readonly highlighted: ReadonlySet<string>
  /** Unmerged lines of the selected and of the hovered element, between drawn elements. */
  readonly lines: readonly SceneLine[]
  /** The way of a followed flow. */
  readonly way: readonly SceneLine[]
}
