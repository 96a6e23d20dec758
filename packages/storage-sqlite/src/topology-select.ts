import type { ElementSelection, Filter, Metadata } from '@skydive/contracts'
import { elementField, type Predicate, prepareFilter } from '@skydive/filter'
import type { StoredRevision } from './messages.ts'

/** An element whose metadata is parsed when a condition first looks at it. */
class LazyElement {
  readonly kind: 'node' | 'edge'
  readonly id: string
  readonly parent: string
  readonly child: string
  readonly host: string
  readonly origin: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly deletedAtMs: number | null
  readonly revision: number
  readonly #text: string
  #metadata: Metadata | undefined

  constructor(stored: StoredRevision) {
    this.kind = stored.kind
    this.id = stored.id
    this.parent = stored.parent
    this.child = stored.child
    this.host = stored.host
    this.origin = stored.origin
    this.createdAtMs = stored.createdAtMs
    this.updatedAtMs = stored.updatedAtMs
    this.deletedAtMs = stored.deletedAtMs
    this.revision = stored.revision
    this.#text = stored.metadata
  }

  get metadata(): Metadata {
    this.#metadata ??= JSON.parse(this.#text) as Metadata
    return this.#metadata
  }
}

/** Fields of an element that are not in its metadata. */
function isOwnField(key: string): boolean {
  return key.startsWith('@') || key === 'Parent' || key === 'Child'
}

/**
 * Texts that the metadata of every match holds: those of the equalities that all have to be true. The metadata is what `JSON.stringify` wrote, so
 * a string stands in it as it would be written again; whether it stands at the right key is for the filter to say.
 */
function needlesOf(filter: Filter): readonly string[] {
  const { BoolFilter, TermStringFilter } = filter
  if (BoolFilter?.Op === 1) return (BoolFilter.Filters ?? []).flatMap(needlesOf)
  if (BoolFilter || !TermStringFilter || isOwnField(TermStringFilter.Key)) return []
  return [JSON.stringify(TermStringFilter.Value ?? '')]
}

/**
 * The revisions of a slice that a selection means, in the order of the slice. Metadata is parsed only where a condition needs it and a cheap
 * look at the text does not rule the element out. @throws ERR_INVALID_ARGUMENT for a filter that can't be compiled.
 */
export async function selectRevisions(
  revisions: readonly StoredRevision[],
  { kind, filter = {}, limit = Number.POSITIVE_INFINITY }: ElementSelection,
): Promise<readonly StoredRevision[]> {
  const matches = (await prepareFilter(filter, elementField)) as Predicate<unknown> as Predicate<LazyElement>
  const needles = needlesOf(filter)
  const found: StoredRevision[] = []
  for (const row of revisions) {
    if (found.length >= limit) break
    if (row.kind !== kind || !needles.every((needle) => row.metadata.includes(needle))) continue
    if (matches(new LazyElement(row))) found.push(row)
  }
  return found
}
