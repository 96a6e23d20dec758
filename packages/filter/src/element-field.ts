import type { GraphEdge, GraphNode, MetadataValue } from '@skydive/contracts'
import { compilePath } from './path.ts'

/** Reads one field of a subject; `undefined` when it has none. */
export type FieldReader<T> = (subject: T) => MetadataValue | undefined

/** Turns the name of a field into its reader. Called once for every key of a filter. */
export type FieldResolver<T> = (name: string) => FieldReader<T>

type Element = GraphNode | GraphEdge

/** The names that are no metadata, in the order in which `Keys()` tells them. */
export const ELEMENT_FIELDS = ['@ID', '@Host', '@Origin', '@CreatedAt', '@UpdatedAt', '@DeletedAt', '@Revision'] as const

const ELEMENT_READERS: ReadonlyMap<string, FieldReader<Element>> = new Map<string, FieldReader<Element>>([
  ['@ID', (element) => element.id],
  ['@Host', (element) => element.host],
  ['@Origin', (element) => element.origin],
  ['@CreatedAt', (element) => element.createdAtMs],
  ['@UpdatedAt', (element) => element.updatedAtMs],
  ['@DeletedAt', (element) => element.deletedAtMs ?? undefined],
  ['@Revision', (element) => element.revision],
])

/**
 * The fields of nodes and edges by the names of spec graph 1.5: `@ID`, `@Host`, `@Origin`, `@CreatedAt`, `@UpdatedAt`, `@DeletedAt` (absent
 * while it lives), `@Revision`; `Parent` and `Child` of edges; else a metadata path, with an optional leading `Metadata.`.
 */
export const elementField: FieldResolver<Element> = (name) => {
  const builtIn = ELEMENT_READERS.get(name)
  if (builtIn) return builtIn
  const path = compilePath(name.startsWith('Metadata.') ? name.slice('Metadata.'.length) : name)
  if (name === 'Parent') return (element) => (element.kind === 'edge' ? element.parent : path(element.metadata))
  if (name === 'Child') return (element) => (element.kind === 'edge' ? element.child : path(element.metadata))
  return (element) => path(element.metadata)
}
