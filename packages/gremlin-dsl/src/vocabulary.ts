import { isLetter } from './characters.ts'

/** Every step of the language, as it is spelt in documents; keywords are read without regard to case. */
export const STEP_NAMES = [
  'G',
  'Context',
  'At',
  'V',
  'E',
  'Has',
  'HasKey',
  'HasNot',
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
  'Dedup',
  'ShortestPathTo',
  'SubGraph',
  'Count',
  'Range',
  'Limit',
  'Sort',
  'Values',
  'ValueMap',
  'Keys',
  'Sum',
  'As',
  'Select',
  'Flows',
  'Hops',
  'Nodes',
  'CaptureNode',
  'Node',
  'Group',
  'MoreThan',
  'Metrics',
  'Aggregates',
  'RawPackets',
  'BPF',
  'Sockets',
  'NextHop',
  'Descendants',
  'Ascendants',
  'Neighbors',
  'Workflow',
] as const

/** The name of a step, as documents spell it. */
export type StepName = (typeof STEP_NAMES)[number]

/** The predicates with how many arguments they take. */
export const PREDICATES = {
  NE: 1,
  NEE: 1,
  LT: 1,
  GT: 1,
  LTE: 1,
  GTE: 1,
  Regex: 1,
  IPV4Range: 1,
  IPV6Range: 1,
  Inside: 2,
  Between: 2,
  Outside: 2,
  Within: 'any',
  Without: 'any',
} as const

/** The name of a predicate, as documents spell it. */
export type PredicateName = keyof typeof PREDICATES

/** A word that stands for a value: an order, a time or a boolean. */
export type Constant = 'ASC' | 'DESC' | 'NOW' | 'FOREVER' | 'TRUE' | 'FALSE'

/** What a result of a step is. */
export type Kind =
  | 'graph'
  | 'nodes'
  | 'edges'
  | 'paths'
  | 'number'
  | 'values'
  | 'flows'
  | 'metrics'
  | 'metric'
  | 'rawpackets'
  | 'sockets'
  | 'groups'
  | 'elementgroups'
  | 'nexthops'

/** What a keyword of the language is. */
export type Keyword =
  | { readonly kind: 'step'; readonly name: StepName }
  | { readonly kind: 'predicate'; readonly name: PredicateName }
  | { readonly kind: 'constant'; readonly name: Constant }
  | { readonly kind: 'metadata'; readonly name: 'Metadata' }

interface Spelling {
  readonly meaning: Keyword
  readonly letters: number
  /** Another in the same bucket. */
  readonly next: Spelling | undefined
}

/** Without what tells a small letter from a capital. */
const CAPITAL = ~32
/** So many letters of five bits tell a word from every other. */
const EXACT = 6
const BUCKETS = 256

/** The keywords by what is left of their letters. */
const KEYWORDS = new Array<Spelling | undefined>(BUCKETS).fill(undefined)

for (const meaning of [
  ...STEP_NAMES.map((name): Keyword => ({ kind: 'step', name })),
  ...(Object.keys(PREDICATES) as PredicateName[]).map((name): Keyword => ({ kind: 'predicate', name })),
  ...(['ASC', 'DESC', 'NOW', 'FOREVER', 'TRUE', 'FALSE'] as const).map((name): Keyword => ({ kind: 'constant', name })),
  { kind: 'metadata', name: 'Metadata' } as const,
]) {
  const letters = lettersOf(meaning.name)
  const bucket = bucketOf(letters)
  KEYWORDS[bucket] = { meaning, letters, next: KEYWORDS[bucket] }
}

/** The last letters of a word, five bits each, capitals as small ones; a digit or an underscore leaves its place empty. */
function lettersOf(word: string): number {
  let letters = 0
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i)
    letters = (letters << 5) | (isLetter(code) ? code & 31 : 0)
  }
  return letters
}

function bucketOf(letters: number): number {
  return (letters ^ (letters >> 7)) & (BUCKETS - 1)
}

/** What the word between two offsets means, whose {@link lettersOf} is known, or `undefined` when it is no keyword. Makes no text of it. */
export function keywordOf(letters: number, text: string, start: number, end: number): Keyword | undefined {
  for (let known = KEYWORDS[bucketOf(letters)]; known !== undefined; known = known.next) {
    const { meaning } = known
    const { length } = meaning.name
    if (known.letters !== letters || length !== end - start) continue
    let i = length > EXACT ? 0 : length
    while (i < length && ((text.charCodeAt(start + i) ^ meaning.name.charCodeAt(i)) & CAPITAL) === 0) i++
    if (i === length) return meaning
  }
  return undefined
}

/** What a word means, or `undefined` when it is no keyword. */
export function keyword(word: string): Keyword | undefined {
  return keywordOf(lettersOf(word), word, 0, word.length)
}
