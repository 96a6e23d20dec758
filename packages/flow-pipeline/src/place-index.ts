import type {
  EnhancedFlow,
  Flow,
  FlowExporter,
  FlowExporterPlace,
  FlowPlace,
  FlowPlaces,
  GraphBatch,
  GraphEdge,
  GraphEvents,
  GraphNode,
  GraphView,
  MetadataValue,
} from '@skydive/contracts'

/**
 * How long a node that is gone is still found: a flow is reported up to an update interval after its last packet, and at its expiry later
 * still, when the namespace it ran in may have been deleted.
 */
const REMEMBER_MS = 15 * 60_000

interface Known {
  readonly id: string
  readonly place: FlowPlace
  readonly mac: string
  readonly peerMac: string
  readonly addresses: readonly string[]
  /** `IfIndex`; 0 without one. */
  readonly ifIndex: number
  /** The id of the node that owns it: the namespace or host it lives in. */
  owner: string
  goneAtMs: number | undefined
}

/** Nodes by what flows name them by: `TID`, MAC, address. Follows the graph; a look-up costs the number of nodes that share the key. */
export class PlaceIndex {
  readonly #byId = new Map<string, Known>()
  readonly #byTid = new Map<string, Known>()
  readonly #byMac = new Map<string, Set<Known>>()
  readonly #byPeerMac = new Map<string, Set<Known>>()
  readonly #byAddress = new Map<string, Set<Known>>()
  /** By host and `IfIndex`, see {@link interfaceKey}. */
  readonly #byInterface = new Map<string, Set<Known>>()
  /** Owner by child, also for children that have no place. */
  readonly #owners = new Map<string, string>()
  readonly #gone: Known[] = []

  /** Takes what is there and follows from then on; answers how to stop. */
  follow(graph: GraphEvents & { readonly view: GraphView }): () => void {
    const { view } = graph
    view.forEachNode((ordinal) => {
      this.#put(view.node(ordinal))
      return true
    })
    view.forEachEdge((ordinal) => {
      this.#own(view.edge(ordinal))
      return true
    })
    return graph.subscribe((batch) => this.#apply(batch))
  }

  #apply({ events, timeMs }: GraphBatch): void {
    for (const event of events) {
      if (event.kind === 'node-added' || event.kind === 'node-updated') this.#put(event.node)
      else if (event.kind === 'node-deleted') this.#bury(event.node.id, timeMs)
      else if (event.kind === 'edge-added' || event.kind === 'edge-updated') this.#own(event.edge)
      // An owner that is gone is remembered: it says where the child was.
    }
    while (this.#gone[0] !== undefined && timeMs - this.#gone[0].goneAtMs! > REMEMBER_MS) this.#forget(this.#gone.shift()!)
  }

  #put(node: GraphNode): void {
    const { metadata } = node
    const tid = textOf(metadata['TID'])
    const before = this.#byId.get(node.id)
    const mac = textOf(metadata['MAC']).toLowerCase()
    const peerMac = textOf(metadata['PeerIntfMAC']).toLowerCase()
    const addresses = [...listOf(metadata['IPV4']), ...listOf(metadata['IPV6'])].map(withoutPrefix)
    const name = textOf(metadata['Name'])
    const ifIndex = typeof metadata['IfIndex'] === 'number' ? metadata['IfIndex'] : 0
    if (
      before &&
      before.place.tid === tid &&
      before.place.name === name &&
      before.mac === mac &&
      before.peerMac === peerMac &&
      before.ifIndex === ifIndex &&
      sameList(before.addresses, addresses)
    )
      return
    if (before) this.#forget(before)
    if (tid === '') return
    const place = { tid, name, type: textOf(metadata['Type']), host: node.host }
    const known: Known = {
      id: node.id,
      place,
      mac,
      peerMac,
      addresses,
      ifIndex,
      owner: this.#owners.get(node.id) ?? '',
      goneAtMs: undefined,
    }
    this.#byId.set(node.id, known)
    this.#byTid.set(tid, known)
    if (mac !== '') addTo(this.#byMac, mac, known)
    if (peerMac !== '') addTo(this.#byPeerMac, peerMac, known)
    for (const address of addresses) addTo(this.#byAddress, address, known)
    if (ifIndex !== 0) addTo(this.#byInterface, interfaceKey(node.host, ifIndex), known)
  }

  #own({ metadata, parent, child }: GraphEdge): void {
    if (metadata['RelationType'] !== 'ownership') return
    this.#owners.set(child, parent)
    const known = this.#byId.get(child)
    if (known) known.owner = parent
  }

  #bury(id: string, timeMs: number): void {
    this.#owners.delete(id)
    const known = this.#byId.get(id)
    if (!known) return
    this.#byId.delete(id)
    known.goneAtMs = timeMs
    this.#gone.push(known)
  }

  #forget(known: Known): void {
    if (this.#byId.get(known.id) === known) this.#byId.delete(known.id)
    if (this.#byTid.get(known.place.tid) === known) this.#byTid.delete(known.place.tid)
    removeFrom(this.#byMac, known.mac, known)
    removeFrom(this.#byPeerMac, known.peerMac, known)
    for (const address of known.addresses) removeFrom(this.#byAddress, address, known)
    removeFrom(this.#byInterface, interfaceKey(known.place.host, known.ifIndex), known)
  }

  /** Where a flow was captured and between what it runs, as of its last packet (design, "Enhancement"). What can't be told is left out. */
  placesOf(flow: Flow): FlowPlaces {
    const capture = flow.NodeTID === undefined ? undefined : this.#byTid.get(flow.NodeTID)
    const a = this.#end(capture, flow.Link?.A, flow.Network?.A, flow.Last)
    const b = this.#end(capture, flow.Link?.B, flow.Network?.B, flow.Last)
    return {
      ...(capture && { capture: capture.place }),
      ...(a && { a: a.place }),
      ...(b && { b: b.place }),
      ...(flow.Exporter && { exporter: this.#exporter(flow.Exporter, capture, flow.Last) }),
    }
  }

  /** A flow with its places, in which the exporter is from then on. */
  enhance(flow: Flow): EnhancedFlow {
    const places = this.placesOf(flow)
    if (!flow.Exporter) return { flow, places }
    const { Exporter: _, ...rest } = flow
    return { flow: rest, places }
  }

  /** The interfaces of the host and the namespace of which the exporter's address is. */
  #exporter(
    { Address: address, Input: inputIndex, Output: outputIndex }: FlowExporter,
    capture: Known | undefined,
    atMs: number,
  ): FlowExporterPlace {
    const candidates = this.#byAddress.get(address)
    // Every host has these addresses, and every namespace of it: who sends from one is where the collector listens.
    const home = nearest(isLoopback(address) ? sameNamespace(candidates, capture) : candidates, capture, atMs)
    const of = (ifIndex: number): FlowPlace | undefined => {
      if (!home || ifIndex === 0) return undefined
      const known = this.#byInterface.get(interfaceKey(home.place.host, ifIndex))
      return nearest(sameNamespace(known, home), home, atMs)?.place
    }
    const [input, output] = [of(inputIndex), of(outputIndex)]
    return {
      address,
      inputIndex,
      outputIndex,
      ...(home && { node: home.place }),
      ...(input && { input }),
      ...(output && { output }),
    }
  }

  #end(capture: Known | undefined, mac: string | undefined, address: string | undefined, atMs: number): Known | undefined {
    return (
      nearest(mac === undefined ? undefined : this.#byMac.get(mac), capture, atMs) ??
      nearest(mac === undefined ? undefined : this.#byPeerMac.get(mac), capture, atMs) ??
      nearest(sameTree(address === undefined ? undefined : this.#byAddress.get(address), capture), capture, atMs)
    )
  }
}

function sameNamespace(candidates: ReadonlySet<Known> | undefined, other: Known | undefined): readonly Known[] {
  return [...(candidates ?? [])].filter(({ owner, place }) => owner === other?.owner && place.host === other.place.host)
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

function interfaceKey(host: string, ifIndex: number): string {
  return `${ifIndex}@${host}`
}

/** The addresses of one host mean nothing on another: only nodes of the capture's own host count, in its own namespace if there are any. */
function sameTree(candidates: ReadonlySet<Known> | undefined, capture: Known | undefined): readonly Known[] {
  const onHost = [...(candidates ?? [])].filter(({ place }) => capture === undefined || place.host === capture.place.host)
  const inNamespace = onHost.filter(({ owner }) => owner === capture?.owner)
  return inNamespace.length > 0 ? inNamespace : onHost
}

/** Of several nodes with one MAC (a bridge and its port, both ends of a tunnel) the one that is closest to where the flow was seen. */
function nearest(candidates: Iterable<Known> | undefined, capture: Known | undefined, atMs: number): Known | undefined {
  let best: Known | undefined
  let bestRank = -1
  for (const candidate of candidates ?? []) {
    const rank =
      (candidate.goneAtMs === undefined || candidate.goneAtMs >= atMs ? 8 : 0) +
      (candidate === capture ? 4 : 0) +
      (candidate.place.host === capture?.place.host ? 2 : 0) +
      (candidate.owner === capture?.owner ? 1 : 0)
    if (rank > bestRank) {
      best = candidate
      bestRank = rank
    }
  }
  return best
}

function textOf(value: MetadataValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function listOf(value: MetadataValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function withoutPrefix(cidr: string): string {
  const slash = cidr.indexOf('/')
  return slash < 0 ? cidr : cidr.slice(0, slash)
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

function addTo(map: Map<string, Set<Known>>, key: string, known: Known): void {
  const set = map.get(key)
  if (set) set.add(known)
  else map.set(key, new Set([known]))
}

function removeFrom(map: Map<string, Set<Known>>, key: string, known: Known): void {
  const set = map.get(key)
  set?.delete(known)
  if (set?.size === 0) map.delete(key)
}
