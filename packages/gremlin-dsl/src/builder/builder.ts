import { InvalidArgumentError } from '@skydive/contracts'
import { quoteString } from '../printer.ts'
import type { StepName } from '../vocabulary.ts'
import { type Condition, writeScalar, writeValue } from './conditions.ts'
import type { Scalar } from './fields.ts'
import type { GraphQueryBuilder, ReachOptions } from './queries.ts'

type Pairs = { readonly [key: string]: Scalar | Condition<never> | undefined }

function writePairs(pairs: Pairs | undefined): readonly string[] {
  const written: string[] = []
  for (const [key, value] of Object.entries(pairs ?? {})) {
    if (value !== undefined) written.push(quoteString(key), writeValue(value))
  }
  return written
}

/** The pairs of a step that needs at least one. */
function needPairs(pairs: Pairs, step: string): readonly string[] {
  const written = writePairs(pairs)
  if (written.length === 0) throw new InvalidArgumentError(`${step} needs at least one condition: { Type: 'host' }`, {})
  return written
}

function writeIndex(value: number, what: string): string {
  if (Number.isSafeInteger(value) && value >= 0) return String(value)
  throw new InvalidArgumentError(`${what} must be a whole number that is not negative, got ${value}`, { value })
}

function writeTime(time: Date | number | string): string {
  if (time instanceof Date) {
    const timeMs = time.getTime()
    if (Number.isNaN(timeMs)) throw new InvalidArgumentError('at() was given an invalid date', {})
    // Up to 2^31 the language takes seconds.
    return timeMs > 2_147_483_647 ? String(timeMs) : String(Math.trunc(timeMs / 1000))
  }
  return time === 'NOW' ? time : writeScalar(time)
}

/**
 * Every step of the language as a method; the interfaces of `queries.ts` show which of them follow which. Holds nothing but the text.
 */
class Builder {
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }

  V(id?: string): Builder {
    return this.step('V', id === undefined ? [] : [quoteString(id)])
  }

  E(id?: string): Builder {
    return this.step('E', id === undefined ? [] : [quoteString(id)])
  }

  g(): Builder {
    return new Builder(`${this.text}.G`)
  }

  at(time: Date | number | string, duration?: number | string): Builder {
    return this.step('At', [
      writeTime(time),
      ...(duration === undefined ? [] : [duration === 'FOREVER' ? duration : writeScalar(duration)]),
    ])
  }

  has(key: string, value?: Scalar | Condition<never>): Builder {
    return this.step('Has', value === undefined ? [quoteString(key)] : [quoteString(key), writeValue(value)])
  }

  where(conditions: Pairs): Builder {
    return this.step('Has', needPairs(conditions, 'where'))
  }

  whereAny(conditions: Pairs): Builder {
    return this.step('HasEither', needPairs(conditions, 'whereAny'))
  }

  hasKey(key: string): Builder {
    return this.step('HasKey', [quoteString(key)])
  }

  hasNot(key: string): Builder {
    return this.step('HasNot', [quoteString(key)])
  }

  out(pairs?: Pairs): Builder {
    return this.step('Out', writePairs(pairs))
  }

  in(pairs?: Pairs): Builder {
    return this.step('In', writePairs(pairs))
  }

  both(pairs?: Pairs): Builder {
    return this.step('Both', writePairs(pairs))
  }

  outE(pairs?: Pairs): Builder {
    return this.step('OutE', writePairs(pairs))
  }

  inE(pairs?: Pairs): Builder {
    return this.step('InE', writePairs(pairs))
  }

  bothE(pairs?: Pairs): Builder {
    return this.step('BothE', writePairs(pairs))
  }

  outV(pairs?: Pairs): Builder {
    return this.step('OutV', writePairs(pairs))
  }

  inV(pairs?: Pairs): Builder {
    return this.step('InV', writePairs(pairs))
  }

  bothV(pairs?: Pairs): Builder {
    return this.step('BothV', writePairs(pairs))
  }

  descendants(options?: ReachOptions): Builder {
    return this.reach('Descendants', options)
  }

  ascendants(options?: ReachOptions): Builder {
    return this.reach('Ascendants', options)
  }

  neighbors(options?: ReachOptions): Builder {
    return this.reach('Neighbors', options)
  }

  shortestPathTo(target: Pairs, edges?: Pairs): Builder {
    return this.step('ShortestPathTo', [
      `Metadata(${needPairs(target, 'shortestPathTo').join(', ')})`,
      ...(edges ? [`Metadata(${writePairs(edges).join(', ')})`] : []),
    ])
  }

  dedup(...keys: readonly string[]): Builder {
    return this.step('Dedup', keys.map(quoteString))
  }

  limit(count: number): Builder {
    return this.step('Limit', [writeIndex(count, 'limit')])
  }

  range(from: number, to: number): Builder {
    return this.step('Range', [writeIndex(from, 'range'), writeIndex(to, 'range')])
  }

  sort(key?: string, order: 'ASC' | 'DESC' = 'ASC'): Builder {
    return this.step('Sort', key === undefined ? (order === 'ASC' ? [] : [order]) : [order, quoteString(key)])
  }

  as(name: string): Builder {
    return this.step('As', [quoteString(name)])
  }

  select(...names: readonly string[]): Builder {
    return this.step('Select', names.map(quoteString))
  }

  subGraph(edges?: Pairs): Builder {
    return this.step('SubGraph', writePairs(edges))
  }

  count(): Builder {
    return this.step('Count', [])
  }

  sum(key?: string): Builder {
    return this.step('Sum', key === undefined ? [] : [quoteString(key)])
  }

  values(key: string): Builder {
    return this.step('Values', [quoteString(key)])
  }

  valueMap(...keys: readonly string[]): Builder {
    return this.step('ValueMap', keys.map(quoteString))
  }

  keys(): Builder {
    return this.step('Keys', [])
  }

  flows(pairs?: Pairs): Builder {
    return this.step('Flows', writePairs(pairs))
  }

  captureNode(pairs?: Pairs): Builder {
    return this.step('CaptureNode', writePairs(pairs))
  }

  hops(pairs?: Pairs): Builder {
    return this.step('Hops', writePairs(pairs))
  }

  nodes(pairs?: Pairs): Builder {
    return this.step('Nodes', writePairs(pairs))
  }

  group(key?: string): Builder {
    return this.step('Group', key === undefined ? [] : [quoteString(key)])
  }

  moreThan(count?: number): Builder {
    return this.step('MoreThan', count === undefined ? [] : [writeIndex(count, 'moreThan')])
  }

  metrics(field?: string): Builder {
    return this.step('Metrics', field === undefined ? [] : [quoteString(field)])
  }

  aggregates(seconds?: number): Builder {
    return this.step('Aggregates', seconds === undefined ? [] : [writeIndex(seconds, 'aggregates')])
  }

  rawPackets(): Builder {
    return this.step('RawPackets', [])
  }

  bpf(expression: string): Builder {
    return this.step('BPF', [quoteString(expression)])
  }

  sockets(): Builder {
    return this.step('Sockets', [])
  }

  nextHop(ip: string): Builder {
    return this.step('NextHop', [quoteString(ip)])
  }

  workflow(idOrName: string, ...args: readonly Scalar[]): Builder {
    return this.step('Workflow', [quoteString(idOrName), ...args.map(writeScalar)])
  }

  private step(name: StepName, args: readonly string[]): Builder {
    return new Builder(`${this.text}.${name}(${args.join(', ')})`)
  }

  private reach(name: StepName, { edges, depth }: ReachOptions = {}): Builder {
    return this.step(name, [...writePairs(edges), ...(depth === undefined ? [] : [writeIndex(depth, 'depth')])])
  }
}

/**
 * Where typed queries begin: `g.V().has('Type', 'host').out().where({ MTU: gt(1500) })`. The text of a query is `String(query)`; conditions
 * are checked by the types that `NodeFields` knows. @throws ERR_INVALID_ARGUMENT, in the step, for what the language can't write.
 */
export const g: GraphQueryBuilder = new Builder('G') as unknown as GraphQueryBuilder
