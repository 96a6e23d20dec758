import { InvalidArgumentError } from '@skydive/contracts'
import { quoteString } from '../printer.ts'
import type { PredicateName } from '../vocabulary.ts'
import type { Scalar } from './fields.ts'

declare const ACCEPTS: unique symbol

/** A condition on the value of a key, such as `gt(1500)`. `T` is the type of value that it is about. */
export interface Condition<T> {
  /** Only for the types: there is no such property. */
  readonly [ACCEPTS]: (value: T) => void
  /** How a query writes it: `GT(1500)`. */
  toString(): string
}

/** The type of a value whose literal was written. */
type Widened<T> = T extends string ? string : T extends number ? number : boolean

class WrittenCondition<T> implements Condition<T> {
  declare readonly [ACCEPTS]: (value: T) => void
  private readonly text: string

  constructor(name: PredicateName, args: readonly Scalar[]) {
    this.text = `${name}(${args.map(writeScalar).join(', ')})`
  }

  toString(): string {
    return this.text
  }
}

/** A value as a query writes it. @throws ERR_INVALID_ARGUMENT for what the language can't write. */
export function writeScalar(value: Scalar): string {
  if (typeof value === 'string') return quoteString(value)
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  const text = String(value)
  if (/^-?\d+(\.\d+)?$/.test(text)) return text
  throw new InvalidArgumentError(`${text} can't be written in a query: use a finite number below 10^21`, { value: text })
}

/** A value or a condition as a query writes it. */
export function writeValue(value: Scalar | Condition<never>): string {
  return typeof value === 'object' ? value.toString() : writeScalar(value)
}

/** The field is there and different. */
export const ne = <T extends Scalar>(value: T): Condition<Widened<T>> => new WrittenCondition('NE', [value])
/** Different, or not there at all. */
export const nee = <T extends Scalar>(value: T): Condition<Widened<T>> => new WrittenCondition('NEE', [value])
/** Less than an integer. */
export const lt = (bound: number): Condition<number> => new WrittenCondition('LT', [bound])
/** Greater than an integer. */
export const gt = (bound: number): Condition<number> => new WrittenCondition('GT', [bound])
/** Not greater than an integer. */
export const lte = (bound: number): Condition<number> => new WrittenCondition('LTE', [bound])
/** Not less than an integer. */
export const gte = (bound: number): Condition<number> => new WrittenCondition('GTE', [bound])
/** from < value < to. */
export const inside = (from: number, to: number): Condition<number> => new WrittenCondition('Inside', [from, to])
/** from ≤ value < to. */
export const between = (from: number, to: number): Condition<number> => new WrittenCondition('Between', [from, to])
/** value < from or value > to. */
export const outside = (from: number, to: number): Condition<number> => new WrittenCondition('Outside', [from, to])
/** One of the values; of none nothing. */
export const within = <T extends Scalar>(...values: readonly T[]): Condition<Widened<T>> => new WrittenCondition('Within', values)
/** None of the values; what lacks the field passes. */
export const without = <T extends Scalar>(...values: readonly T[]): Condition<Widened<T>> =>
  new WrittenCondition('Without', values)
/** The whole text matches the pattern (RE2). */
export const regex = (pattern: string): Condition<string> => new WrittenCondition('Regex', [pattern])
/** An IPv4 address within a network, such as `10.0.0.0/8`. */
export const ipv4Range = (cidr: string): Condition<string> => new WrittenCondition('IPV4Range', [cidr])
/** An IPv6 address within a network, such as `2001:db8::/32`. */
export const ipv6Range = (cidr: string): Condition<string> => new WrittenCondition('IPV6Range', [cidr])
