import type { GraphEdge, GraphNode } from '@skydive/contracts'
import type { Condition, NaiveStep, Plain, Predicate } from './naive-query.ts'

/*
 * The language evaluated on lists, straight from the tables of the chapter: no index, no laziness, no plan. It is slow and shares no code with
 * the engine, which is what it is for.
 */

type Element = GraphNode | GraphEdge

/** The graph as lists. */
export interface Lists {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

export type NaiveResult =
  | { readonly kind: 'elements'; readonly elements: readonly Element[] }
  | { readonly kind: 'graph'; readonly lists: Lists }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'paths'; readonly lengths: readonly number[] }

const ELEMENT_FIELDS = ['@ID', '@Host', '@Origin', '@CreatedAt', '@UpdatedAt', '@DeletedAt', '@Revision']

/** What a path leads to in a tree: through arrays all that their objects have; nothing at all is absence. */
function lookUp(value: unknown, keys: readonly string[]): unknown {
  const [first, ...rest] = keys
  if (first === undefined) return value
  if (Array.isArray(value)) {
    const found = value.map((item) => lookUp(item, keys)).filter((item) => item !== undefined)
    return found.length === 0 ? undefined : found.flat()
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return undefined
  return lookUp((value as Record<string, unknown>)[first], rest)
}

export function fieldOf(element: Element, key: string): unknown {
  switch (key) {
    case '@ID':
      return element.id
    case '@Host':
      return element.host
    case '@Revision':
      return element.revision
  }
  if (element.kind === 'edge' && key === 'Parent') return element.parent
  if (element.kind === 'edge' && key === 'Child') return element.child
  return lookUp(element.metadata, key.replace(/^Metadata\./, '').split('.'))
}

/** The typed integer read of section 1.5, as far as the generated values need it. */
function asInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.trunc(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === null) return 0
  return typeof value === 'string' && /^-?[1-9][0-9]*$|^0$/.test(value) ? Number(value) : undefined
}

/** A term on one scalar: integers by value, strings and booleans by type. */
function equals(scalar: unknown, wanted: Plain): boolean {
  return typeof wanted === 'number' ? asInteger(scalar) === Math.trunc(wanted) : scalar === wanted
}

function anyScalar(value: unknown, test: (scalar: unknown) => boolean): boolean {
  return Array.isArray(value) ? value.some(test) : value !== undefined && test(value)
}

function compared(value: unknown, test: (integer: number) => boolean): boolean {
  return anyScalar(value, (scalar) => {
    const integer = asInteger(scalar)
    return integer !== undefined && test(integer)
  })
}

function satisfies(value: unknown, predicate: Predicate): boolean {
  switch (predicate.name) {
    case 'exists':
      return value !== undefined
    case 'is':
      return anyScalar(value, (scalar) => equals(scalar, predicate.value))
    case 'NE':
      return value !== undefined && !anyScalar(value, (scalar) => equals(scalar, predicate.value))
    case 'NEE':
      return !anyScalar(value, (scalar) => equals(scalar, predicate.value))
    case 'LT':
      return compared(value, (integer) => integer < predicate.value)
    case 'GT':
      return compared(value, (integer) => integer > predicate.value)
    case 'LTE':
      return compared(value, (integer) => integer <= predicate.value)
    case 'GTE':
      return compared(value, (integer) => integer >= predicate.value)
    case 'Inside':
      // Each bound is a condition of its own, and each is existential over a list.
      return compared(value, (integer) => integer > predicate.from) && compared(value, (integer) => integer < predicate.to)
    case 'Between':
      return compared(value, (integer) => integer >= predicate.from) && compared(value, (integer) => integer < predicate.to)
    case 'Outside':
      return compared(value, (integer) => integer < predicate.from || integer > predicate.to)
    case 'Within':
      return predicate.values.some((wanted) => anyScalar(value, (scalar) => equals(scalar, wanted)))
    case 'Without':
      return !predicate.values.some((wanted) => anyScalar(value, (scalar) => equals(scalar, wanted)))
    case 'Regex':
      return anyScalar(value, (scalar) => typeof scalar === 'string' && new RegExp(`^(?:${predicate.pattern})$`).test(scalar))
  }
}

function passes(element: Element, conditions: readonly Condition[]): boolean {
  return conditions.every(({ key, predicate }) => satisfies(fieldOf(element, key), predicate))
}

function tuple(element: Element, keys: readonly string[]): string | undefined {
  const values = keys.map((key) => fieldOf(element, key))
  if (values.every((value) => value === undefined)) return undefined
  return JSON.stringify(values.map((value) => (value === undefined ? 'absent' : { value })))
}

function dedup(elements: readonly Element[], keys: readonly string[]): readonly Element[] {
  const seen = new Set<string>()
  return elements.filter((element) => {
    const mark = tuple(element, keys.length === 0 ? ['@ID'] : keys)
    if (mark === undefined) return true
    if (seen.has(mark)) return false
    seen.add(mark)
    return true
  })
}

/** The order of generated keys: ids are strings, the others integers or absent. */
function compare(a: unknown, b: unknown): number {
  const [left, right] = [asInteger(a ?? 0), asInteger(b ?? 0)]
  if (left !== undefined && right !== undefined) return left - right
  if (left !== undefined) return -1
  if (right !== undefined) return 1
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0
}

function reach({ nodes, edges }: Lists, start: readonly Element[], name: string, depth: number): readonly Element[] {
  const found = new Set(start.map(({ id }) => id))
  const levels = depth === 0 && name !== 'Neighbors' ? nodes.length : depth
  for (let level = 0; level < levels; level++) {
    const next: string[] = []
    for (const { parent, child, metadata } of edges) {
      if (metadata['RelationType'] !== 'ownership') continue
      if (name !== 'Ascendants' && found.has(parent)) next.push(child)
      if (name !== 'Descendants' && found.has(child)) next.push(parent)
    }
    for (const id of next) found.add(id)
  }
  return nodes.filter(({ id }) => found.has(id))
}

/** Nodes on the shortest way from a node to one that passes; 0 without a way. */
function distance({ nodes, edges }: Lists, from: string, target: Condition): number {
  const isTarget = (id: string): boolean => passes(nodes.find((node) => node.id === id)!, [target])
  const seen = new Set([from])
  for (let length = 1, front = [from]; front.length > 0; length++) {
    if (front.some(isTarget)) return length
    const next = edges.flatMap(({ parent, child }) => [
      ...(front.includes(parent) ? [child] : []),
      ...(front.includes(child) ? [parent] : []),
    ])
    front = [...new Set(next)].filter((id) => !seen.has(id))
    for (const id of front) seen.add(id)
  }
  return 0
}

function sum(elements: readonly Element[], key: string): number {
  return elements.reduce((total, element) => total + (asInteger(fieldOf(element, key) ?? 0) ?? 0), 0)
}

function paths(value: unknown, prefix: string, add: (path: string) => void): void {
  if (Array.isArray(value)) for (const item of value) paths(item, prefix, add)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, below] of Object.entries(value)) {
      add(prefix + key)
      paths(below, `${prefix}${key}.`, add)
    }
  }
}

function keysOf(elements: readonly Element[]): readonly string[] {
  const keys = new Set(elements.length > 0 ? ELEMENT_FIELDS : [])
  for (const { metadata } of elements) paths(metadata, '', (path) => keys.add(path))
  return [...keys]
}

function isEmptyTree(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function nodeOf({ nodes }: Lists, id: string): readonly GraphNode[] {
  return nodes.filter((node) => node.id === id)
}

/** One step on lists of elements. */
function onElements(input: readonly Element[], step: NaiveStep, lists: Lists): NaiveResult {
  const elements = (list: readonly Element[]): NaiveResult => ({ kind: 'elements', elements: list })
  switch (step.step) {
    case 'Has':
      return elements(input.filter((element) => passes(element, step.conditions)))
    case 'HasEither':
      return elements(input.filter((element) => step.conditions.some((condition) => passes(element, [condition]))))
    case 'HasNot':
      return elements(input.filter((element) => fieldOf(element, step.key) === undefined))
    case 'neighbors':
      return elements(
        input
          .flatMap(({ id }) =>
            lists.edges.flatMap(({ parent, child }) => [
              ...(step.direction !== 'In' && parent === id ? nodeOf(lists, child) : []),
              ...(step.direction !== 'Out' && child === id ? nodeOf(lists, parent) : []),
            ]),
          )
          .filter((node) => passes(node, step.conditions)),
      )
    case 'edges':
      return elements(
        input
          .flatMap(({ id }) =>
            lists.edges.filter(
              ({ parent, child }) => (step.direction !== 'In' && parent === id) || (step.direction !== 'Out' && child === id),
            ),
          )
          .filter((edge) => passes(edge, step.conditions)),
      )
    case 'ends':
      return elements(
        (input as readonly GraphEdge[])
          .flatMap(({ parent, child }) => [
            ...(step.direction !== 'Out' ? nodeOf(lists, parent) : []),
            ...(step.direction !== 'In' ? nodeOf(lists, child) : []),
          ])
          .filter((node) => passes(node, step.conditions)),
      )
    case 'Dedup':
      return elements(dedup(input, step.keys))
    case 'Range':
      return elements(input.slice(step.from, step.to))
    case 'Sort':
      return elements([...input].sort((a, b) => (step.descending ? -1 : 1) * compare(fieldOf(a, step.key), fieldOf(b, step.key))))
    case 'SubGraph':
      return { kind: 'graph', lists: subGraph(input, lists) }
    case 'reach':
      return elements(reach(lists, input, step.name, step.depth))
    case 'Count':
      return { kind: 'number', value: input.length }
    case 'Keys':
      return { kind: 'values', values: keysOf(input) }
    case 'Values':
      return {
        kind: 'values',
        values: input.map((element) => fieldOf(element, step.key)).filter((value) => value !== undefined && !isEmptyTree(value)),
      }
    case 'ValueMap':
      return { kind: 'values', values: input.map((element) => valueMap(element, step.keys)).filter((map) => !isEmptyTree(map)) }
    case 'Sum':
      return { kind: 'number', value: sum(input, step.key) }
    case 'path':
      return {
        kind: 'paths',
        lengths: input.map(({ id }) => distance(lists, id, step.target)).filter((length) => length > 0),
      }
    default:
      throw new Error(`no step on elements: ${step.step}`)
  }
}

function valueMap(element: Element, keys: readonly string[]): object {
  return Object.fromEntries(keys.map((key) => [key, fieldOf(element, key)]).filter(([, value]) => value !== undefined))
}

function subGraph(input: readonly Element[], { nodes, edges }: Lists): Lists {
  const ids = new Set(input.map(({ id }) => id))
  if (input[0]?.kind === 'edge') {
    const own = edges.filter(({ id }) => ids.has(id))
    const ends = new Set(own.flatMap(({ parent, child }) => [parent, child]))
    return { nodes: nodes.filter(({ id }) => ends.has(id)), edges: own }
  }
  return {
    nodes: nodes.filter(({ id }) => ids.has(id)),
    edges: edges.filter(({ parent, child }) => ids.has(parent) && ids.has(child)),
  }
}

/** The answer of a list of steps. */
export function evaluate(steps: readonly NaiveStep[], graph: Lists): NaiveResult {
  let lists = graph
  let result: NaiveResult = { kind: 'graph', lists }
  for (const step of steps) {
    if (result.kind === 'graph') lists = result.lists
    if (step.step === 'V') result = { kind: 'elements', elements: step.id === undefined ? lists.nodes : nodeOf(lists, step.id) }
    else if (step.step === 'E') result = { kind: 'elements', elements: lists.edges }
    else if (result.kind === 'elements') result = onElements(result.elements, step, lists)
    else throw new Error(`no step on ${result.kind}: ${step.step}`)
  }
  return result
}
