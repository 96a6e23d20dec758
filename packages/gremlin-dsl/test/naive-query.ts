/* Queries as data, for generators: what a step is, and how it is written. */

/** A condition on one field, as it is generated and as it is written. */
export interface Condition {
  readonly key: string
  readonly predicate: Predicate
}

export type Plain = string | number | boolean
export type Predicate =
  | { readonly name: 'exists' }
  | { readonly name: 'is' | 'NE' | 'NEE'; readonly value: Plain }
  | { readonly name: 'LT' | 'GT' | 'LTE' | 'GTE'; readonly value: number }
  | { readonly name: 'Inside' | 'Between' | 'Outside'; readonly from: number; readonly to: number }
  | { readonly name: 'Within' | 'Without'; readonly values: readonly Plain[] }
  | { readonly name: 'Regex'; readonly pattern: string }

type Direction = 'Out' | 'In' | 'Both'

/** A step as data. */
export type NaiveStep =
  | { readonly step: 'V' | 'E'; readonly id?: string }
  | { readonly step: 'Has' | 'HasEither'; readonly conditions: readonly Condition[] }
  | { readonly step: 'HasNot'; readonly key: string }
  | { readonly step: 'neighbors' | 'edges' | 'ends'; readonly direction: Direction; readonly conditions: readonly Condition[] }
  | { readonly step: 'Dedup'; readonly keys: readonly string[] }
  | { readonly step: 'Range'; readonly from: number; readonly to: number }
  | { readonly step: 'Sort'; readonly key: string; readonly descending: boolean }
  | { readonly step: 'SubGraph' }
  | { readonly step: 'reach'; readonly name: 'Descendants' | 'Ascendants' | 'Neighbors'; readonly depth: number }
  | { readonly step: 'Count' | 'Keys' }
  | { readonly step: 'Values' | 'Sum'; readonly key: string }
  | { readonly step: 'ValueMap'; readonly keys: readonly string[] }
  | { readonly step: 'path'; readonly target: Condition }

function written(value: Plain): string {
  return typeof value === 'string' ? `'${value}'` : typeof value === 'boolean' ? String(value).toUpperCase() : String(value)
}

function writtenCondition({ key, predicate }: Condition): string {
  switch (predicate.name) {
    case 'exists':
      throw new Error('written as HasKey')
    case 'is':
      return `'${key}',${written(predicate.value)}`
    case 'Inside':
    case 'Between':
    case 'Outside':
      return `'${key}',${predicate.name}(${predicate.from},${predicate.to})`
    case 'Within':
    case 'Without':
      return `'${key}',${predicate.name}(${predicate.values.map(written).join()})`
    case 'Regex':
      return `'${key}',Regex('${predicate.pattern}')`
    default:
      return `'${key}',${predicate.name}(${written(predicate.value)})`
  }
}

function writtenStep(step: NaiveStep): string {
  const conditions = 'conditions' in step ? step.conditions.map(writtenCondition).join() : ''
  switch (step.step) {
    case 'V':
      return `V(${step.id === undefined ? '' : `'${step.id}'`})`
    case 'E':
    case 'Count':
    case 'Keys':
    case 'SubGraph':
      return `${step.step}()`
    case 'Has':
    case 'HasEither':
      return `${step.step}(${conditions})`
    case 'HasNot':
      return `HasNot('${step.key}')`
    case 'neighbors':
      return `${step.direction}(${conditions})`
    case 'edges':
      return `${step.direction}E(${conditions})`
    case 'ends':
      return `${step.direction}V(${conditions})`
    case 'Dedup':
    case 'ValueMap':
      return `${step.step}(${step.keys.map((key) => `'${key}'`).join()})`
    case 'Range':
      return step.from === 0 ? `Limit(${step.to})` : `Range(${step.from},${step.to})`
    case 'Sort':
      return `Sort(${step.descending ? 'DESC' : 'ASC'},'${step.key}')`
    case 'reach':
      return `${step.name}(${step.depth})`
    case 'Values':
    case 'Sum':
      return `${step.step}('${step.key}')`
    case 'path':
      return `ShortestPathTo(Metadata(${writtenCondition(step.target)}))`
  }
}

/** The steps as a query. */
export function writtenQuery(steps: readonly NaiveStep[]): string {
  return `G.${steps.map(writtenStep).join('.')}`
}
