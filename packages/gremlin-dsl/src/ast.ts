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

/** One step. `name` is the canonical spelling; a bare `G` is a step too. */
export interface Step {
  readonly name: StepName
  readonly start: number
  readonly end: number
  readonly params: readonly Param[]
}

/** A parsed query: immutable, so it may be kept and run as often as wanted. */
export interface GremlinQuery {
  readonly text: string
  readonly steps: readonly Step[]
}
