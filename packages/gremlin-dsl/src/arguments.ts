import type { Filter } from '@skydive/contracts'
import { allOf, anyOf, isPresent } from '@skydive/filter'
import type { Param, Step } from './ast.ts'
import { GremlinError, type GremlinErrorCode, type GremlinErrorDetail } from './error.ts'
import { type Fail, filterOf, pairFilters } from './predicate.ts'
import { showParams } from './show.ts'
import { usageOf } from './usage.ts'

/** The arguments of one step, read with the stable error texts of the language. */
export class StepArguments {
  readonly step: Step
  readonly params: readonly Param[]
  readonly #text: string
  /** Raises `ERR_GREMLIN_ARGUMENT` at an argument. */
  readonly fail: Fail

  constructor(text: string, step: Step) {
    this.#text = text
    this.step = step
    this.params = step.params
    this.fail = (summary, at) =>
      this.error('ERR_GREMLIN_ARGUMENT', summary, at.start, {
        expected: usageOf(step.name),
        found: at.end === undefined ? undefined : text.slice(at.start, at.end),
      })
  }

  error(code: GremlinErrorCode, summary: string, offset = this.step.start, detail: GremlinErrorDetail = {}): GremlinError {
    return new GremlinError(code, summary, this.#text, offset, detail)
  }

  /** An error about the arguments as a whole. */
  wrong(summary: string, suggestion?: string): GremlinError {
    const { name, start, end } = this.step
    return this.error('ERR_GREMLIN_ARGUMENT', summary, start, {
      expected: usageOf(name),
      found: this.#text.slice(start, end),
      suggestion,
    })
  }

  /** The step as it is written. */
  written(): string {
    return this.#text.slice(this.step.start, this.step.end)
  }

  shown(): string {
    return showParams(this.params)
  }

  /** @throws unless there are none. */
  none(): void {
    if (this.params.length > 0) throw this.wrong(`${this.step.name} accepts no parameter : ${this.shown()}`)
  }

  /** @throws unless there are so many. */
  exactly(count: number): void {
    if (this.params.length === count) return
    throw this.wrong(`${this.step.name} requires ${count} parameter${count > 1 ? 's' : ''} : ${this.shown()}`)
  }

  /** @throws unless there is a key and a value. */
  atLeastTwo(): void {
    if (this.params.length < 2) throw this.wrong('At least two parameters must be provided')
  }

  string(index: number, summary: string): string {
    const param = this.params[index]
    if (param?.kind !== 'string') throw this.fail(summary, param ?? this.step)
    return param.value
  }

  strings(summary: string): readonly string[] {
    return this.params.map((_, index) => this.string(index, summary))
  }

  /** A whole number that is not negative. */
  index(position: number): number {
    const param = this.params[position]!
    if (param.kind === 'number' && Number.isInteger(param.value) && param.value >= 0) return param.value
    throw this.fail(`${showParams([param]).slice(1, -1)} is not an integer`, param)
  }

  /** `k, v, …` as one filter a pair; a single `k` means that it exists. */
  filters(key: (name: string) => string): readonly Filter[] {
    const { params } = this
    if (params.length === 0) throw this.wrong('At least one parameter must be provided')
    if (params.length === 1) return [isPresent(key(this.string(0, 'Key must be a string')))]
    if (params.length % 2 !== 0) throw this.wrong('params should be a list of key,value')
    return this.pairs(params, key)
  }

  /** Keys and values in turn, whose count is known to be even. */
  pairs(params: readonly Param[], key: (name: string) => string): readonly Filter[] {
    return pairFilters(params, this.fail, (name, value) => filterOf(key(name), value, this.fail))
  }

  /** The pairs of `HasEither`: any of them. */
  either(key: (name: string) => string): Filter {
    return anyOf(this.filters(key))
  }

  /** Optional pairs: no argument means no filter. */
  optionalFilters(key: (name: string) => string): readonly Filter[] {
    return this.params.length === 0 ? [] : this.filters(key)
  }

  /** `Metadata(k, v, …)` as one filter; anything else can't be executed. */
  metadata(index: number, key: (name: string) => string): Filter | undefined {
    const param = this.params[index]
    if (param === undefined) return undefined
    if (param.kind !== 'metadata') throw this.fail('Error while executing the query', param)
    return allOf(this.pairs(param.args, key))
  }
}

/** The name of an element's field without the prefix that may stand before metadata, so that an index is recognised. */
export function elementKey(name: string): string {
  return name.startsWith('Metadata.') ? name.slice('Metadata.'.length) : name
}
