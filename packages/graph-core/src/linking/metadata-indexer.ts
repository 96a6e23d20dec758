import type { GraphNode, MetadataValue } from '@skydive/contracts'
import { InvalidArgumentError, LimitError } from '@skydive/contracts'
import { elementField, type FieldReader } from '@skydive/filter'
import type { NodeTest } from '../lookup.ts'
import { type IndexEntry, Indexer } from './indexer.ts'
import type { NodeEventSource } from './node-events.ts'

/** A node with more tuples is refused: a mistake in the choice of paths, or an attack. */
const MAX_TUPLES = 10_000

/** How an index over metadata is made. */
export interface MetadataIndexerOptions {
  /** The nodes that it is about; `nodeEventsOf` makes one of a graph. */
  readonly source: NodeEventSource
  /** Metadata paths or `@` names; at least one. A node without one of them is not in the index. */
  readonly paths: readonly string[]
  /** Which nodes take part; absent: all. */
  readonly matches?: NodeTest
  /** See `IndexerOptions`. @default false */
  readonly appendOnly?: boolean
}

/**
 * Nodes by the values of metadata paths (spec graph 1.12, MetadataIndexer). Of an array each element is a value; with several paths each
 * combination is a key. Shape: `new MetadataIndexer({ source: nodeEventsOf(graph), paths: ['MAC'] }).get('02:00:00:00:00:01')`.
 */
export class MetadataIndexer extends Indexer<readonly MetadataValue[]> {
  /** Follows nothing until `start`. @throws ERR_INVALID_ARGUMENT without a path. */
  constructor({ source, paths, matches, appendOnly }: MetadataIndexerOptions) {
    if (paths.length === 0) throw new InvalidArgumentError('an index needs at least one metadata path', { paths })
    const fields = paths.map(elementField)
    super({
      source,
      entriesOf: (node) => (matches && !matches(node) ? [] : tuplesOf(node, fields)),
      ...(appendOnly !== undefined && { appendOnly }),
    })
  }
}

function tuplesOf(node: GraphNode, fields: readonly FieldReader<GraphNode>[]): readonly IndexEntry<readonly MetadataValue[]>[] {
  let tuples: readonly (readonly MetadataValue[])[] = [[]]
  for (const read of fields) {
    const values = scalars(read(node))
    if (values.length === 0) return []
    if (tuples.length * values.length > MAX_TUPLES) {
      throw new LimitError(`node "${node.id}" has more than ${MAX_TUPLES} combinations of indexed values`, 'tuples', {
        id: node.id,
      })
    }
    tuples = tuples.flatMap((tuple) => values.map((value) => [...tuple, value]))
  }
  return tuples.map((key) => ({ key, value: key }))
}

function scalars(value: MetadataValue | undefined): readonly MetadataValue[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap(scalars)
  return typeof value === 'object' ? [] : [value]
}
