import type { GraphNode, GraphWriter, Metadata, MetadataValue } from '@skydive/contracts'
import type { Indexer } from './indexer.ts'
import { ResourceLinker, type WantedLink } from './resource-linker.ts'

/** How two indexes are joined. */
export interface MetadataLinkerOptions {
  /** Writes the links, and owns them. */
  readonly writer: GraphWriter
  /** The parents of links. The linker starts and stops both indexes. */
  readonly from: Indexer<readonly MetadataValue[]>
  /** The children. */
  readonly to: Indexer<readonly MetadataValue[]>
  /** What the links have, such as `{ RelationType: 'layer2' }`. */
  readonly metadata: Metadata
  /** Gets what was thrown or refused; see `ResourceLinkerOptions`. */
  readonly onError?: (error: unknown) => void
}

/**
 * Links every node of one index to every node of another that shares a key with it (spec graph 1.12, MetadataIndexerLinker): veth peers by
 * MAC, children by the name of their parent. Follows every change on both sides.
 */
export class MetadataLinker {
  private readonly options: MetadataLinkerOptions
  private readonly linker: ResourceLinker

  /** Links nothing until {@link MetadataLinker.start}. */
  constructor(options: MetadataLinkerOptions) {
    const { writer, from, to, metadata, onError } = options
    this.options = options
    this.linker = new ResourceLinker({
      writer,
      metadata,
      from: { source: from, linksOf: ({ id }) => partners(from, to, id, (other) => ({ parent: id, child: other.id })) },
      to: { source: to, linksOf: ({ id }) => partners(to, from, id, (other) => ({ parent: other.id, child: id })) },
      ...(onError && { onError }),
    })
  }

  /** Links what is there and follows both indexes. */
  start(): void {
    this.options.from.start()
    this.options.to.start()
    this.linker.start()
  }

  /** Stops following; links stay. */
  stop(): void {
    this.linker.stop()
    this.options.from.stop()
    this.options.to.stop()
  }

  /** How many links there are. */
  get size(): number {
    return this.linker.size
  }
}

/** The links to the nodes of another index that share a key; two that share several keys have one link. */
function partners(
  own: Indexer<readonly MetadataValue[]>,
  other: Indexer<readonly MetadataValue[]>,
  id: string,
  link: (other: GraphNode) => WantedLink,
): readonly WantedLink[] {
  const found = new Map<string, WantedLink>()
  for (const key of own.keysOf(id)) for (const node of other.nodesUnder(key)) found.set(node.id, link(node))
  return [...found.values()]
}
