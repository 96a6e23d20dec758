import { StepArguments } from './arguments.ts'
import { parseGremlin } from './parser.ts'
import { PlanBuilder } from './plan-builder.ts'
import { scanToken, type Token } from './scanner.ts'
import { bindStep, stepsAfter } from './steps.ts'
import { type Kind, keyword, PREDICATES } from './vocabulary.ts'

/** Something that can stand at the cursor. */
export interface Completion {
  /** `Has`, `Within`, `MTU`: what is shown. */
  readonly label: string
  /** What replaces the text between `from` and `to`, such as `'MTU'`. */
  readonly insert: string
  /** What it is; a key is one of `CompletionOptions.keys`. */
  readonly kind: 'step' | 'predicate' | 'constant' | 'key'
}

/** Candidates and the part of the text that they replace. */
export interface CompletionList {
  /** Offset of the first character that is replaced, in UTF-16 units from 0. */
  readonly from: number
  /** Offset behind the last one: where the cursor is. */
  readonly to: number
  /** What could stand there; empty where nothing is known. */
  readonly candidates: readonly Completion[]
}

/** What is known besides the language. */
export interface CompletionOptions {
  /** Fields that the elements have, in the order in which they are to be offered. */
  readonly keys?: readonly string[]
}

/** Steps whose first and every other argument is a field. */
const TAKES_PAIRS = new Set([
  'Has',
  'HasEither',
  'Out',
  'In',
  'Both',
  'OutE',
  'InE',
  'BothE',
  'OutV',
  'InV',
  'BothV',
  'Flows',
  'Hops',
  'Nodes',
  'CaptureNode',
  'SubGraph',
  'Descendants',
  'Ascendants',
  'Neighbors',
])
/** Steps of which every argument is a field. */
const TAKES_KEYS = new Set(['HasKey', 'HasNot', 'Dedup', 'Values', 'ValueMap', 'Sum'])

interface Call {
  readonly name: string
  arguments: number
  /** A predicate's parenthesis, not a step's. */
  readonly isPredicate: boolean
}

/** What can be written at `offset` (spec graph 4): steps, fields, predicates and constants that begin with what stands before it. Never throws. */
export function completeGremlin(text: string, offset: number, options: CompletionOptions = {}): CompletionList {
  const head = text.slice(0, offset)
  const tokens: Token[] = []
  for (let token = scanToken(head, 0); token.kind !== 'end'; token = scanToken(head, token.end)) tokens.push(token)
  const last = tokens.at(-1)
  const isPartial = last !== undefined && last.end === offset && (last.kind === 'word' || isOpenString(head, last))
  const from = isPartial ? last.start : offset
  const before = isPartial ? tokens.slice(0, -1) : tokens
  const prefix = isPartial ? last.text.toLowerCase() : ''
  const all = candidates(head, before, options)
  const found = all.filter(({ label }) => label.toLowerCase().startsWith(prefix))
  return {
    from,
    to: offset,
    candidates: isPartial && last.kind === 'string' ? found.filter(({ kind }) => kind === 'key') : found,
  }
}

/** A string that the cursor stands in: it has no closing quote yet. */
function isOpenString(text: string, token: Token): boolean {
  return token.kind === 'string' && (token.end - token.start === 1 || text[token.end - 1] !== text[token.start])
}

function candidates(text: string, before: readonly Token[], options: CompletionOptions): readonly Completion[] {
  const last = before.at(-1)
  if (last === undefined) return [{ label: 'G', insert: 'G', kind: 'step' }]
  const call = openCall(before)
  if (!call) return last.kind === '.' ? stepCandidates(text.slice(0, last.start)) : []
  if (call.isPredicate) return []
  const isKey = TAKES_KEYS.has(call.name) || (TAKES_PAIRS.has(call.name) && call.arguments % 2 === 0)
  if (isKey) return (options.keys ?? []).map((key) => ({ label: key, insert: quoted(key), kind: 'key' }))
  return valueCandidates(call.name)
}

function stepCandidates(head: string): readonly Completion[] {
  return stepsAfter(kindOf(head)).map((name) => ({ label: name, insert: name === 'G' ? 'G' : `${name}(`, kind: 'step' }))
}

/** What the query so far answers; nodes when it can't be told, as most queries are about them. */
function kindOf(head: string): Kind {
  try {
    const plan = new PlanBuilder(head, () => () => false)
    for (const step of parseGremlin(head).steps) bindStep(plan, new StepArguments(head, step))
    return plan.kind
  } catch {
    return 'nodes'
  }
}

function valueCandidates(step: string): readonly Completion[] {
  const constants =
    step === 'Sort' ? ['ASC', 'DESC'] : step === 'Context' || step === 'At' ? ['NOW', 'FOREVER'] : ['TRUE', 'FALSE']
  const predicates = TAKES_PAIRS.has(step) ? Object.keys(PREDICATES) : step === 'ShortestPathTo' ? ['Metadata'] : []
  return [
    ...predicates.map((name) => ({ label: name, insert: `${name}(`, kind: 'predicate' }) as const),
    ...constants.map((name) => ({ label: name, insert: name, kind: 'constant' }) as const),
  ]
}

function quoted(key: string): string {
  return key.includes("'") ? `"${key}"` : `'${key}'`
}

/** The innermost parenthesis that is still open, and how many arguments stand in it. */
function openCall(tokens: readonly Token[]): Call | undefined {
  const calls: Call[] = []
  for (const [i, token] of tokens.entries()) {
    if (token.kind === '(') {
      const name = keyword(tokens[i - 1]?.text ?? '')
      calls.push({ name: name && 'name' in name ? name.name : 'Metadata', arguments: 0, isPredicate: name?.kind === 'predicate' })
    } else if (token.kind === ')') {
      calls.pop()
      const outer = calls.at(-1)
      if (outer) outer.arguments++
    } else if (token.kind !== ',' && token.kind !== '.' && tokens[i + 1]?.kind !== '(') {
      const call = calls.at(-1)
      if (call) call.arguments++
    }
  }
  return calls.at(-1)
}
