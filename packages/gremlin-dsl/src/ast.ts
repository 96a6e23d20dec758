import type { PredicateName, StepName } from './vocabulary.ts'

/** An argument as it was written. `start` and `end` are offsets in the query. */
export type Param = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'string'; readonly value: string }
  /** `text` keeps the digits as they were. */
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'order'; readonly value: 'ASC' | 'DESC' }
  | { readonly kind: 'now' | 'forever' }
  | { readonly kind: 'predicate'; readonly name: PredicateName; readonly args: readonly Param[] }
  | { readonly kind: 'metadata'; readonly args: readonly Param[] }
)

/** One step; a bare `G` is a step too. */
export interface Step {
  /** As documents spell it: `has(…)` is `Has`. */
  readonly name: StepName
  /** Offset of its name in the query. */
  readonly start: number
  /** Offset behind it, its parenthesis included. */
  readonly end: number
  /** Its arguments, in order; none for a bare `G`. */
  readonly params: readonly Param[]
}

/** A parsed query: immutable, so it may be kept and run as often as wanted. */
export interface GremlinQuery {
  /** As it was written. */
  readonly text: string
  /** From the `G` on. */
  readonly steps: readonly Step[]
}
