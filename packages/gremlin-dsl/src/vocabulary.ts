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
  Inside: 2,
  Between: 2,
  Outside: 2,
  Within: 'any',
  Without: 'any',
} as const

export type PredicateName = keyof typeof PREDICATES

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

export type Keyword =
  | { readonly kind: 'step'; readonly name: StepName }
  | { readonly kind: 'predicate'; readonly name: PredicateName }
  | { readonly kind: 'constant'; readonly name: Constant }
  | { readonly kind: 'metadata' }

const CANONICAL: readonly (readonly [string, Keyword])[] = [
  ...STEP_NAMES.map((name) => [name, { kind: 'step', name }] as const),
  ...(Object.keys(PREDICATES) as PredicateName[]).map((name) => [name, { kind: 'predicate', name }] as const),
  ...(['ASC', 'DESC', 'NOW', 'FOREVER', 'TRUE', 'FALSE'] as const).map((name) => [name, { kind: 'constant', name }] as const),
  ['Metadata', { kind: 'metadata' }],
]

/** As documents spell them, which saves most look-ups the conversion, and in capitals. */
const KEYWORDS: ReadonlyMap<string, Keyword> = new Map([
  ...CANONICAL,
  ...CANONICAL.map(([name, meaning]) => [name.toUpperCase(), meaning] as const),
])

/** What a word means, or `undefined` when it is no keyword. */
export function keyword(word: string): Keyword | undefined {
  return KEYWORDS.get(word) ?? KEYWORDS.get(word.toUpperCase())
}
