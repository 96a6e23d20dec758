import type { GraphTransaction, MetadataObject } from '@skydive/contracts'
import type { Link } from './decode-link.ts'
import { Aspect } from './namespace-mirror.ts'
import { type EdgeRole, type Published, placeOf, type WatchedNamespace } from './watched-namespace.ts'

/** An interface where it is now. */
export interface WatchedInterface {
  readonly namespace: WatchedNamespace
  readonly index: number
}

/** The other end of an edge, when it is in the graph. */
interface OtherEnd {
  readonly namespace: WatchedNamespace
  readonly item: Published
}

/**
 * The `layer2` edges of interfaces: to their master, to the device below them and to the other end of their cable. The ends of an edge may
 * be in two namespaces, and only one of them is told when the other moves.
 */
export class LinkEdges {
  readonly #resolve: (namespace: WatchedNamespace, netnsid: number) => WatchedNamespace | undefined

  /** `resolve` answers the namespace that another one knows by a number; `undefined` when it is not watched. */
  constructor(resolve: (namespace: WatchedNamespace, netnsid: number) => WatchedNamespace | undefined) {
    this.#resolve = resolve
  }

  /** Brings the edges of what changed into the graph. Answers the peers that don't know of it: they have to be read again. */
  write(tx: GraphTransaction, namespace: WatchedNamespace): WatchedInterface[] {
    const stale: WatchedInterface[] = []
    for (const [index, aspects] of namespace.mirror.changed) {
      const link = namespace.mirror.interfaces.get(index)?.link
      const item = namespace.published.get(index)
      if (!(aspects & Aspect.link) || !link || !item) continue
      const master = namespace.published.get(link.master)
      this.#setEdge(tx, item, 'master', master && [master.nodeId, item.nodeId], {})
      const other = this.#otherEnd(namespace, link)
      const isVlan = link.kind === 'vlan'
      const isVeth = item.metadata['Type'] === 'veth'
      this.#setEdge(tx, item, 'lower', isVlan && other ? [other.item.nodeId, item.nodeId] : undefined, { Type: 'vlan' })
      if (isVeth && other && !this.#pointsBack(other, namespace, index))
        stale.push({ namespace: other.namespace, index: link.link })
      const higherFirst = other && (index > link.link || (index === link.link && item.nodeId < other.item.nodeId))
      const ends: readonly [string, string] | undefined = other && [
        higherFirst ? item.nodeId : other.item.nodeId,
        higherFirst ? other.item.nodeId : item.nodeId,
      ]
      this.#setEdge(tx, item, 'peer', isVeth ? ends : undefined, { Type: 'veth' })
    }
    return stale
  }

  /**
   * Interfaces whose lower device (of a macvlan or VLAN) or peer has gone to another namespace: they say so when asked, and nobody tells.
   */
  standingOnMoved(all: readonly WatchedNamespace[], changed: readonly WatchedNamespace[]): WatchedInterface[] {
    const moved = changed.flatMap((from) =>
      from.mirror.departed.flatMap(({ link, to }) => (to ? [{ from, index: link.index }] : [])),
    )
    if (moved.length === 0) return []
    const places = new Set(moved.map(({ from, index }) => placeOf(from, index)))
    const indexes = new Set(moved.map(({ index }) => index))
    return all.flatMap((namespace) =>
      [...namespace.mirror.interfaces.values()].flatMap(({ link }) => {
        if (!indexes.has(link.link)) return []
        const where = this.#linkNamespace(namespace, link)
        return where && places.has(placeOf(where, link.link)) ? [{ namespace, index: link.index }] : []
      }),
    )
  }

  #setEdge(
    tx: GraphTransaction,
    item: Published,
    role: EdgeRole,
    ends: readonly [parent: string, child: string] | undefined,
    metadata: MetadataObject,
  ): void {
    const before = item.edges.get(role)
    const after = ends && tx.putEdge({ parent: ends[0], child: ends[1], metadata: { RelationType: 'layer2', ...metadata } }).id
    if (before !== undefined && before !== after) tx.deleteEdge(before)
    if (after === undefined) item.edges.delete(role)
    else item.edges.set(role, after)
  }

  /** Where the lower device or the peer of a link is, when it is in the graph. */
  #otherEnd(namespace: WatchedNamespace, link: Link): OtherEnd | undefined {
    if (link.link === 0) return undefined
    const where = this.#linkNamespace(namespace, link)
    const item = where?.published.get(link.link)
    return where && item && { namespace: where, item }
  }

  /** Whether what is known of the peer says that its peer is here. */
  #pointsBack(peer: OtherEnd, namespace: WatchedNamespace, index: number): boolean {
    const link = peer.namespace.mirror.interfaces.get(Number(peer.item.metadata['IfIndex']))?.link
    if (!link || link.link !== index) return false
    return this.#linkNamespace(peer.namespace, link) === namespace
  }

  /** The namespace in which the index `link.link` counts. */
  #linkNamespace(namespace: WatchedNamespace, link: Link): WatchedNamespace | undefined {
    return link.linkNetnsid === undefined ? namespace : this.#resolve(namespace, link.linkNetnsid)
  }
}
