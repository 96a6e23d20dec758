import type { Filter, GraphView, Metadata } from '@skydive/contracts'
import type { Plan } from './plan-builder.ts'

/** Elements whose keys are looked at when nobody names the known ones. */
const SAMPLED = 1000
/** Different keys looked at: more would only make a hint slower. */
const MAX_KEYS = 5000
const EDGE_ENDS = ['Parent', 'Child', 'RelationType']

/** What tells known keys from others. */
export interface KeyKnowledge {
  /** Keys that elements have; absent: those of the first ones of the live graph. */
  readonly knownKeys: (() => Iterable<string>) | undefined
  readonly elementFields: readonly string[]
  readonly flowFields: readonly string[]
  readonly listPaths: (metadata: Metadata) => Iterable<string>
  readonly suggest: (word: string, candidates: Iterable<string>) => string | undefined
}

/** Keys that the first elements of a graph have. */
function sampleKeys(view: GraphView, listPaths: KeyKnowledge['listPaths']): ReadonlySet<string> {
  const keys = new Set<string>()
  let left = SAMPLED
  view.forEachNode((row) => {
    for (const path of listPaths(view.node(row).metadata)) if (keys.size < MAX_KEYS) keys.add(path)
    return --left > 0
  })
  left = SAMPLED
  view.forEachEdge((row) => {
    for (const path of listPaths(view.edge(row).metadata)) if (keys.size < MAX_KEYS) keys.add(path)
    return --left > 0
  })
  return keys
}

/** The keys that a filter tests. */
export function keysOf(filter: Filter): readonly string[] {
  if (filter.BoolFilter) return (filter.BoolFilter.Filters ?? []).flatMap(keysOf)
  return Object.values(filter).flatMap((leaf) => (leaf && 'Key' in leaf ? [leaf.Key] : []))
}

/** One line for each key of the query that nothing is known to have. Never an error: what nobody has yet may come. */
export function keyHints(plan: Plan, view: GraphView | undefined, knowledge: KeyKnowledge): readonly string[] {
  const { knownKeys, elementFields, flowFields, listPaths, suggest } = knowledge
  const hints: string[] = []
  const hint = (key: string, owner: string, known: Iterable<string>): void => {
    const meant = suggest(key, known)
    hints.push(`no ${owner} is known to have the key "${key}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`)
  }
  const given = knownKeys ? new Set(knownKeys()) : view && sampleKeys(view, listPaths)
  if (given && given.size > 0) {
    const known = new Set([...elementFields, ...EDGE_ENDS, ...given])
    for (const key of plan.keys) if (key !== '*' && !known.has(key)) hint(key, 'element', known)
  }
  const fields = new Set(flowFields)
  for (const draft of plan.outline?.drafts ?? []) {
    for (const key of keysOf(draft?.query().Filter ?? {})) {
      // Layers such as DNS have more fields than are listed.
      if (!fields.has(key) && !key.startsWith('Place.') && !key.includes('.')) hint(key, 'flow', flowFields)
    }
  }
  return [...new Set(hints)]
}
