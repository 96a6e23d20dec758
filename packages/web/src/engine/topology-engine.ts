import type { GraphEdge, GraphNode, GraphView, MetadataValue, ReplicaChange } from '@skydive/contracts'
import { createGraph, firstNodeWith, type Graph, viewOf } from '@skydive/graph'
import { FoldModel } from './fold-model.ts'
import type { ConnectionState, ElementDetails, EngineUpdate, SearchHit } from './messages.ts'
import { MetricSeries } from './metric-series.ts'
import type { SceneLine } from './scene.ts'
import type { SavedLayout } from './slot-layout.ts'
import { wayThrough } from './way-through.ts'

/** Scene changes are told at most this often: several updates of one element within a frame are one. */
const FLUSH_EVERY_MS = 16
const MOST_HITS = 30
/** Metadata keys are offered for completion up to this many. */
const MOST_KEYS = 500
/** Marked elements whose containers are opened: a query for everything must not unfold everything. */
const MOST_REVEALED = 200

/** What the engine needs of its surroundings. */
export interface EngineSurroundings {
  post(update: EngineUpdate): void
  /** Runs once after a delay. */
  later(callback: () => void, delayMs: number): void
  now(): number
}

/**
 * The page's copy of the graph and everything made of it: what is drawn, what is selected, what a search finds. Runs in a worker, and as
 * well without one.
 */
export class TopologyEngine {
  readonly #surroundings: EngineSurroundings
  #graph: Graph = createGraph({ retention: { bytes: 0 } })
  #model: FoldModel
  #unsubscribe = (): void => {}
  /** The graph of the time shown, when that is not now. */
  #past: GraphView | undefined
  #flushPending = false
  #selected: string | undefined
  #hovered: string | undefined
  #highlighted: readonly string[] = []
  /** The way of a followed flow: the relations that it runs along. */
  #way: readonly SceneLine[] = []
  #metrics = new MetricSeries()
  readonly #keys = new Set<string>()

  constructor(surroundings: EngineSurroundings, saved?: SavedLayout) {
    this.#surroundings = surroundings
    this.#model = new FoldModel(saved)
  }

  /** Takes a whole graph, as sent on connection. */
  snapshot(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): void {
    this.snapshotPart(nodes, edges, 0, 1)
  }

  /**
   * Takes one part of a graph that comes in several. The page shows the graph before until the last part is here; work is done as the parts
   * arrive, so that little is left to do then.
   */
  snapshotPart(nodes: readonly GraphNode[], edges: readonly GraphEdge[], part: number, parts: number): void {
    if (part === 0) {
      this.#unsubscribe()
      this.#unsubscribe = (): void => {}
      this.#graph = createGraph({ retention: { bytes: 0 } })
    }
    this.#graph
      .replica('')
      .apply([
        ...nodes.map((node) => ({ kind: 'node-added', node }) as const),
        ...edges.map((edge) => ({ kind: 'edge-added', edge }) as const),
      ])
    for (const node of nodes) this.#collectKeys(node)
    if (part < parts - 1) return
    this.#unsubscribe = this.#graph.subscribe((batch) => {
      if (this.#past) return
      this.#model.apply(batch)
      for (const event of batch.events) {
        if (event.kind === 'node-added' || event.kind === 'node-updated') this.#collectKeys(event.node)
        if (event.kind === 'node-updated' && event.node.id === this.#selected) this.#metrics.add(event.node)
      }
      this.#scheduleFlush()
    })
    if (!this.#past) this.#show(this.#graph.view)
  }

  /** Takes changes, in order. */
  changes(changes: readonly ReplicaChange[]): void {
    this.#graph.replica('').apply(changes)
  }

  connection(connection: ConnectionState): void {
    this.#surroundings.post({ kind: 'connection', connection })
  }

  /** Shows a graph of the past, or with `undefined` the present again. Slots stay. */
  showPast(
    atMs: number | undefined,
    past?: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] },
  ): void {
    this.#past =
      atMs === undefined || !past
        ? undefined
        : viewOf({ nodes: past.nodes, edges: past.edges, slice: { startMs: atMs, lastMs: atMs } })
    this.#show(this.#view)
    this.#surroundings.post({ kind: 'time', atMs, error: undefined })
  }

  /** The graph of another time can't be had; what is shown stays. */
  timeError(error: string): void {
    this.#surroundings.post({ kind: 'time', atMs: this.#past?.slice?.startMs, error })
  }

  #show(view: GraphView): void {
    this.#model.reset(view)
    this.#flush()
  }

  #scheduleFlush(): void {
    if (this.#flushPending) return
    this.#flushPending = true
    this.#surroundings.later(() => this.#flush(), FLUSH_EVERY_MS)
  }

  #flush(): void {
    this.#flushPending = false
    const delta = this.#model.flush()
    if (
      delta.whole ||
      delta.elements.length + delta.removedElements.length + delta.edges.length + delta.removedEdges.length > 0
    ) {
      this.#surroundings.post({ kind: 'scene', delta })
    }
    const view = this.#view
    this.#surroundings.post({ kind: 'counts', nodes: view.nodeCount, edges: view.edgeCount })
    this.#tellSelection()
    this.#tellEmphasis([])
    if (this.#hovered !== undefined) this.hover(this.#hovered)
  }

  setOpen(id: string, open: boolean): void {
    this.#model.setOpen(id, open)
    this.#flush()
  }

  select(id: string | undefined): void {
    this.#selected = id
    this.#metrics = new MetricSeries()
    const node = id === undefined ? undefined : this.#model.node(id)
    if (node) this.#metrics.add(node)
    this.#tellSelection()
    this.#tellEmphasis([])
  }

  /** Tells the lines of the element under the pointer. */
  hover(id: string | undefined): void {
    this.#hovered = id
    this.#surroundings.post({ kind: 'hover', id, lines: id === undefined ? [] : this.#model.linesOf(id) })
  }

  /** Opens what hides an element and brings it into the middle. */
  reveal(id: string): void {
    this.#model.reveal(id)
    this.#flush()
    this.#tellEmphasis([id])
  }

  /** Marks elements given by id or by `TID`. With `reveal` the containers around them are opened, and they come into sight. */
  highlight(ids: readonly string[], reveal: boolean): void {
    this.#way = []
    this.#mark(
      ids.flatMap((id) => (this.#model.node(id) ? [id] : this.#withTid(id))),
      reveal,
    )
  }

  /**
   * Marks where a flow runs between the first and the last node with these `TID`s: the shortest ways, over relations other than ownership,
   * along the nodes between them, the nearest first. Where the way breaks off it goes on at the next node.
   */
  follow(tids: readonly string[]): void {
    const found = wayThrough(
      this.#view,
      tids.flatMap((tid) => firstNodeWith(this.#view, 'TID', tid)?.id ?? []),
    )
    this.#way = found.steps.flatMap(([from, to]) => this.#relationBetween(from, to))
    this.#mark(found.nodes, true)
  }

  /** One relation between two nodes, as it is drawn. */
  #relationBetween(a: string, b: string): SceneLine[] {
    const found = this.#model.edgesOf(a).find(({ from, to }) => from === b || to === b)
    return found ? [found] : []
  }

  #withTid(tid: string): string[] {
    const found: string[] = []
    this.#view.forEachNodeWith('TID', tid, (ordinal) => {
      found.push(this.#view.node(ordinal).id)
      return true
    })
    return found
  }

  #mark(ids: readonly string[], reveal: boolean): void {
    this.#highlighted = ids
    const revealed = reveal ? ids.slice(0, MOST_REVEALED) : []
    for (const id of revealed) this.#model.reveal(id)
    if (revealed.length > 0) this.#flush()
    this.#tellEmphasis(revealed)
  }

  /** The graph of the time shown. */
  get #view(): GraphView {
    return this.#past ?? this.#graph.view
  }

  search(text: string): void {
    this.#surroundings.post({ kind: 'search', text, hits: this.#find(text.trim().toLowerCase()) })
  }

  saveLayout(): void {
    this.#surroundings.post({ kind: 'layout', layout: this.#model.layout.save() })
  }

  #find(wanted: string): SearchHit[] {
    if (wanted === '') return []
    const best: { rank: number; hit: SearchHit }[] = []
    const view = this.#view
    view.forEachNode((ordinal) => {
      const node = view.node(ordinal)
      const rank = matchRank(node, wanted)
      if (rank > 0) {
        const hit = { id: node.id, label: nameOf(node), type: String(node.metadata['Type'] ?? ''), where: '' }
        best.push({ rank, hit })
      }
      return true
    })
    return best
      .sort((a, b) => b.rank - a.rank || a.hit.label.localeCompare(b.hit.label))
      .slice(0, MOST_HITS)
      .map(({ hit }) => ({ ...hit, where: this.#whereIs(hit.id) }))
  }

  #pathOf(id: string): { id: string; label: string }[] {
    const path: { id: string; label: string }[] = []
    for (let at: string | undefined = id; at && path.length < 64; at = this.#model.ownerOf(at)) {
      const node = this.#model.node(at)
      if (!node) break
      path.unshift({ id: at, label: nameOf(node) })
    }
    return path
  }

  /** The containers around a node, from the outermost, such as `alpha ⊃ web`. */
  #whereIs(id: string): string {
    return this.#pathOf(id)
      .slice(0, -1)
      .map(({ label }) => label)
      .join(' ⊃ ')
  }

  #tellSelection(): void {
    const node = this.#selected === undefined ? undefined : this.#model.node(this.#selected)
    this.#surroundings.post({ kind: 'details', details: node && this.#detailsOf(node), metrics: this.#metrics.points })
  }

  #detailsOf(node: GraphNode): ElementDetails {
    const { id, metadata, host, origin, createdAtMs, updatedAtMs, revision } = node
    const neighbors = this.#model.edgesOf(id).flatMap(({ from, to, relation }) => {
      const outgoing = from === id
      const other = this.#model.node(outgoing ? to : from)
      return other ? [{ id: other.id, label: nameOf(other), relation, outgoing, where: this.#whereIs(other.id) }] : []
    })
    return { id, metadata, host, origin, createdAtMs, updatedAtMs, revision, path: this.#pathOf(id), neighbors }
  }

  #tellEmphasis(focus: readonly string[]): void {
    const shown = (id: string): string[] => {
      const representative = this.#model.representative(id)
      return representative === undefined ? [] : [representative]
    }
    const way = this.#way.flatMap(({ from, to, relation }) =>
      shown(from).flatMap((a) => shown(to).flatMap((b) => (a === b ? [] : [{ from: a, to: b, relation }]))),
    )
    this.#surroundings.post({
      kind: 'emphasis',
      highlighted: [...new Set(this.#highlighted.flatMap(shown))],
      lines: this.#selected === undefined ? [] : this.#model.linesOf(this.#selected),
      way,
      focus: [...new Set(focus.flatMap(shown))],
    })
  }

  #collectKeys(node: GraphNode): void {
    if (this.#keys.size >= MOST_KEYS) return
    const before = this.#keys.size
    for (const [key, value] of Object.entries(node.metadata)) {
      this.#keys.add(key)
      if (isObject(value)) for (const inner of Object.keys(value)) this.#keys.add(`${key}.${inner}`)
    }
    if (this.#keys.size > before) this.#surroundings.post({ kind: 'keys', keys: [...this.#keys].sort() })
  }
}

function isObject(value: MetadataValue): value is { readonly [key: string]: MetadataValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(node: GraphNode): string {
  return String(node.metadata['Name'] ?? node.id)
}

/** 4: the name is it; 3: the name begins so; 2: the name has it; 1: an address, a MAC, the type or the id has it; 0: nothing. */
function matchRank(node: GraphNode, wanted: string): number {
  const name = nameOf(node).toLowerCase()
  if (name === wanted) return 4
  if (name.startsWith(wanted)) return 3
  if (name.includes(wanted)) return 2
  const { MAC, Type, IPV4, IPV6, TID } = node.metadata
  const texts = [MAC, Type, TID, node.id, ...(Array.isArray(IPV4) ? IPV4 : []), ...(Array.isArray(IPV6) ? IPV6 : [])]
  return texts.some((text) => typeof text === 'string' && text.toLowerCase().includes(wanted)) ? 1 : 0
}
