import type { GraphTransaction, GraphWriter, MetadataObject, MetadataValue, NodeIds } from '@skydive/contracts'
import { childTid } from '@skydive/topology'
import type { Link } from './decode-link.ts'
import { type DeviceInfo, UNKNOWN_DEVICE } from './ethtool.ts'
import { LinkEdges, type WatchedInterface } from './link-edges.ts'
import { counterGrowth, LINK_KEYS, linkMetadata, metricMetadata } from './link-metadata.ts'
import { isSameValue } from './metadata-equality.ts'
import { Aspect, type Departure, type Interface } from './namespace-mirror.ts'
import { neighborList, routingTables } from './table-metadata.ts'
import { interfaceKey, type Published, placeOf, type WatchedNamespace } from './watched-namespace.ts'

/** How long an interface on its way between namespaces may be in neither: the kernel waits for its readers meanwhile. */
const MOVE_TIMEOUT_MS = 2000

/** What {@link GraphSync} asks of the kernel. */
export interface KernelQueries {
  /** What ethtool says of these interfaces of a namespace, by index. */
  devices(namespace: WatchedNamespace, links: readonly Link[]): ReadonlyMap<number, DeviceInfo>
  /** The namespace that `namespace` calls `netnsid`; `undefined` when it is not watched. */
  resolve(namespace: WatchedNamespace, netnsid: number): WatchedNamespace | undefined
  /** Reads one interface anew. */
  link(namespace: WatchedNamespace, index: number): Link | undefined
}

/** Limits of the lists in the metadata of one node. */
export interface ListLimits {
  readonly maxRoutes: number
  readonly maxNeighbors: number
}

/** What was written to the graph: interfaces by node id with what their ids were made from, and ids of `layer2` edges. */
export interface Written {
  readonly nodes: ReadonlyMap<string, string>
  readonly edges: ReadonlySet<string>
}

/** Brings what the mirrors learnt into the graph, one transaction a time. */
export class GraphSync {
  readonly #graph: GraphWriter
  readonly #ids: NodeIds
  readonly #queries: KernelQueries
  readonly #limits: ListLimits
  readonly #edges: LinkEdges
  readonly #now: () => number
  /** Interfaces that left one namespace and have not shown up in the other, by where they are expected. */
  readonly #moving = new Map<string, { readonly item: Published; readonly sinceMs: number }>()

  constructor(graph: GraphWriter, ids: NodeIds, queries: KernelQueries, limits: ListLimits, now: () => number) {
    this.#graph = graph
    this.#ids = ids
    this.#queries = queries
    this.#limits = limits
    this.#edges = new LinkEdges((namespace, netnsid) => queries.resolve(namespace, netnsid))
    this.#now = now
  }

  /** Whether {@link flush} should be called again before {@link MOVE_TIMEOUT_MS} is over, for interfaces that never arrived. */
  get moving(): boolean {
    return this.#moving.size > 0
  }

  /** Writes all changes of these namespaces. What it finds to be stale meanwhile is read again and written too. */
  flush(namespaces: Iterable<WatchedNamespace>): void {
    const all = [...namespaces]
    let changed = all.filter(hasChanges)
    const overdue = this.#overdue()
    if (changed.length === 0 && overdue.length === 0) return
    // Reading a stale peer may show that its own peer is stale; pairs end it after the second round.
    for (let round = 0; round < 3 && (changed.length > 0 || round === 0); round++) {
      const devices = new Map(changed.map((namespace) => [namespace, this.#readDevices(namespace)]))
      // Asked before the departed are forgotten.
      const stale = this.#edges.standingOnMoved(all, changed)
      this.#graph.transaction((tx) => {
        for (const item of round === 0 ? overdue : []) this.#deleteNode(tx, item)
        for (const namespace of changed) this.#depart(tx, namespace)
        for (const namespace of changed) this.#writeNodes(tx, namespace, devices.get(namespace)!)
        for (const namespace of changed) stale.push(...this.#edges.write(tx, namespace))
      })
      for (const namespace of changed) {
        namespace.mirror.changed.clear()
        namespace.mirror.departed = []
      }
      changed = this.#reread(stale)
    }
  }

  /** Takes a namespace out of the graph: all of its interfaces, not the node of the namespace. */
  remove(namespace: WatchedNamespace): void {
    this.#graph.transaction((tx) => {
      for (const item of namespace.published.values()) this.#deleteNode(tx, item)
      for (const [place, { item }] of this.#moving) {
        if (!place.startsWith(`${namespace.info.key}/`)) continue
        this.#moving.delete(place)
        this.#deleteNode(tx, item)
      }
    })
    namespace.published.clear()
  }

  /** What stands in the graph because of this one, for {@link deleteLeftovers} of its successor. */
  written(namespaces: Iterable<WatchedNamespace>): Written {
    const items = [...namespaces].flatMap(({ published }) => [...published.values()])
    items.push(...[...this.#moving.values()].map(({ item }) => item))
    return {
      nodes: new Map(items.map((item) => [item.nodeId, item.idKey])),
      edges: new Set(items.flatMap((item) => [...item.edges.values()])),
    }
  }

  /** Deletes what a predecessor wrote and this one, having read everything, did not find again. */
  deleteLeftovers(predecessor: Written, namespaces: Iterable<WatchedNamespace>): void {
    const { nodes, edges } = this.written(namespaces)
    const keys = new Set(nodes.values())
    this.#graph.transaction((tx) => {
      for (const edge of predecessor.edges) if (!edges.has(edge)) tx.deleteEdge(edge)
      for (const [node, idKey] of predecessor.nodes) {
        if (nodes.has(node)) continue
        tx.deleteNode(node)
        if (!keys.has(idKey)) this.#ids.forget(idKey)
      }
    })
  }

  /** Has interfaces looked at again of which ethtool says something new by now. */
  touchChangedDevices(namespace: WatchedNamespace, links: readonly Link[]): void {
    for (const [index, device] of this.#queries.devices(namespace, links)) {
      const item = namespace.published.get(index)
      if (item && !sameDevice(device, item.device)) namespace.mirror.touch(index, Aspect.link)
    }
  }

  /**
   * Writes the counters that have changed since the last time, in one transaction. `read` calls its argument with those of each interface
   * in the order of `COUNTER_NAMES`; the array may be the same each time.
   */
  updateCounters(namespace: WatchedNamespace, read: (visit: (index: number, counters: Float64Array) => void) => void): void {
    const nowMs = this.#now()
    const changed = new Map<Published, readonly number[]>()
    read((index, counters) => {
      const item = namespace.published.get(index)
      if (item && counters.some((value, i) => value !== (item.counters[i] ?? 0))) changed.set(item, [...counters])
    })
    if (changed.size > 0) {
      this.#graph.transaction((tx) => {
        for (const [item, counters] of changed) this.#writeMetric(tx, item, counters, nowMs)
      })
    }
    for (const item of namespace.published.values()) item.countedAtMs = nowMs
  }

  #writeMetric(tx: GraphTransaction, item: Published, counters: readonly number[], nowMs: number): void {
    const growth = counterGrowth(item.counters, counters)
    item.counters = counters
    const metric = { ...metricMetadata(counters), Last: nowMs }
    const lastUpdate = { ...metricMetadata(growth), Start: item.countedAtMs, Last: nowMs }
    Object.assign(item.metadata, { Metric: metric, LastUpdateMetric: lastUpdate })
    tx.patchNode(item.nodeId, { Metric: metric, LastUpdateMetric: lastUpdate })
  }

  #overdue(): readonly Published[] {
    const limit = this.#now() - MOVE_TIMEOUT_MS
    return [...this.#moving].flatMap(([place, { item, sinceMs }]) => {
      if (sinceMs > limit) return []
      this.#moving.delete(place)
      return [item]
    })
  }

  #readDevices(namespace: WatchedNamespace): ReadonlyMap<number, DeviceInfo> {
    const links = [...namespace.mirror.changed].flatMap(([index, aspects]) => {
      const known = aspects & Aspect.link ? namespace.mirror.interfaces.get(index) : undefined
      return known ? [known.link] : []
    })
    return links.length === 0 ? new Map() : this.#queries.devices(namespace, links)
  }

  #depart(tx: GraphTransaction, namespace: WatchedNamespace): void {
    for (const departure of namespace.mirror.departed) {
      const { link, to } = departure
      const place = placeOf(namespace, link.index)
      // One that only passed through has arrived nowhere yet.
      const item = namespace.published.get(link.index) ?? this.#moving.get(place)?.item
      namespace.published.delete(link.index)
      namespace.unresolved.delete(link.index)
      this.#moving.delete(place)
      if (!item) continue
      const target = to && this.#queries.resolve(namespace, to.netnsid)
      if (to && target) this.#startMove(item, departure, target, to.index)
      else this.#deleteNode(tx, item)
    }
  }

  #startMove(item: Published, { link }: Departure, target: WatchedNamespace, index: number): void {
    const idKey = interfaceKey(target, index, link.kind)
    this.#ids.rename(item.idKey, idKey)
    item.idKey = idKey
    this.#moving.set(placeOf(target, index), { item, sinceMs: this.#now() })
  }

  #deleteNode(tx: GraphTransaction, item: Published): void {
    tx.deleteNode(item.nodeId)
    this.#ids.forget(item.idKey)
  }

  #writeNodes(tx: GraphTransaction, namespace: WatchedNamespace, devices: ReadonlyMap<number, DeviceInfo>): void {
    for (const [index, aspects] of namespace.mirror.changed) {
      const known = namespace.mirror.interfaces.get(index)
      if (!known) continue
      const item = namespace.published.get(index)
      const place = placeOf(namespace, index)
      const arriving = this.#moving.get(place)?.item
      if (item) this.#update(tx, namespace, item, known, aspects, devices.get(index) ?? item.device)
      else if (arriving) {
        this.#moving.delete(place)
        this.#arrive(tx, namespace, arriving, known, devices.get(index) ?? arriving.device)
      } else this.#create(tx, namespace, known, devices.get(index) ?? UNKNOWN_DEVICE)
    }
  }

  #create(tx: GraphTransaction, namespace: WatchedNamespace, known: Interface, device: DeviceInfo): void {
    const { link } = known
    const idKey = interfaceKey(namespace, link.index, link.kind)
    const metadata: Record<string, MetadataValue> = {
      ...this.#sections(namespace, known, Aspect.all, device),
      Metric: metricMetadata(link.counters),
    }
    const tid = childTid(namespace.info.tid, link.name, String(metadata['Type']))
    const item: Published = {
      nodeId: this.#ids.idOf(idKey),
      idKey,
      tid,
      metadata: { ...metadata, TID: tid },
      device,
      edges: new Map(),
      counters: link.counters,
      countedAtMs: this.#now(),
    }
    tx.putNode({ id: item.nodeId, metadata: { ...item.metadata } })
    tx.own(namespace.info.nodeId, item.nodeId)
    namespace.published.set(link.index, item)
  }

  #arrive(tx: GraphTransaction, namespace: WatchedNamespace, item: Published, known: Interface, device: DeviceInfo): void {
    namespace.published.set(known.link.index, item)
    tx.own(namespace.info.nodeId, item.nodeId)
    this.#update(tx, namespace, item, known, Aspect.all, device)
    item.tid = childTid(namespace.info.tid, known.link.name, String(item.metadata['Type']))
    item.metadata['TID'] = item.tid
    tx.patchNode(item.nodeId, { TID: item.tid })
  }

  #update(
    tx: GraphTransaction,
    namespace: WatchedNamespace,
    item: Published,
    known: Interface,
    aspects: number,
    device: DeviceInfo,
  ): void {
    item.device = device
    const wanted = this.#sections(namespace, known, aspects, device)
    const patch: Record<string, MetadataValue | undefined> = {}
    for (const key of keysOf(aspects)) {
      const value = wanted[key]
      if (isSameValue(value, item.metadata[key])) continue
      patch[key] = value
      if (value === undefined) delete item.metadata[key]
      else item.metadata[key] = value
    }
    if (Object.keys(patch).length > 0) tx.patchNode(item.nodeId, patch)
  }

  /** The metadata of the given aspects. */
  #sections(namespace: WatchedNamespace, known: Interface, aspects: number, device: DeviceInfo): Record<string, MetadataValue> {
    const { link } = known
    const sections: Record<string, MetadataValue> = {}
    const put = (key: string, value: MetadataValue | undefined) => {
      if (value !== undefined) sections[key] = value
    }
    if (aspects & Aspect.link) {
      const peer = link.linkNetnsid === undefined ? undefined : this.#queries.resolve(namespace, link.linkNetnsid)
      if (link.linkNetnsid !== undefined && !peer) namespace.unresolved.add(link.index)
      else namespace.unresolved.delete(link.index)
      Object.assign(sections, linkMetadata(link, device, peer?.foreign ? peer.info.name : '') satisfies MetadataObject)
    }
    if (aspects & Aspect.addresses) {
      put('IPV4', known.ipv4.length === 0 ? undefined : [...known.ipv4])
      put('IPV6', known.ipv6.length === 0 ? undefined : [...known.ipv6])
    }
    if (aspects & Aspect.routes) {
      put('RoutingTables', routingTables(namespace.mirror.routes.routesOf(link.index), link.index, this.#limits.maxRoutes))
    }
    if (aspects & Aspect.neighbors) put('Neighbors', neighborList(known.neighbors, this.#limits.maxNeighbors))
    if (aspects & Aspect.forwarding) put('FDB', neighborList(known.forwarding, this.#limits.maxNeighbors))
    return sections
  }

  #reread(stale: readonly WatchedInterface[]): WatchedNamespace[] {
    for (const { namespace, index } of stale) {
      const link = namespace.mirror.interfaces.has(index) ? this.#queries.link(namespace, index) : undefined
      if (link) namespace.mirror.applyLink(link)
    }
    return [...new Set(stale.map(({ namespace }) => namespace))].filter(hasChanges)
  }
}

function hasChanges({ mirror }: WatchedNamespace): boolean {
  return mirror.changed.size > 0 || mirror.departed.length > 0
}

function sameDevice(a: DeviceInfo, b: DeviceInfo): boolean {
  return a.driver === b.driver && a.busInfo === b.busInfo && a.speedMbps === b.speedMbps && a.features === b.features
}

function keysOf(aspects: number): readonly string[] {
  return [
    ...(aspects & Aspect.link ? LINK_KEYS : []),
    ...(aspects & Aspect.addresses ? ['IPV4', 'IPV6'] : []),
    ...(aspects & Aspect.routes ? ['RoutingTables'] : []),
    ...(aspects & Aspect.neighbors ? ['Neighbors'] : []),
    ...(aspects & Aspect.forwarding ? ['FDB'] : []),
  ]
}
