import type { GraphBatch, GraphEdge, GraphEvent, GraphNode, GraphView } from '@skydive/contracts'
import { EdgeBundler } from './edge-bundler.ts'
import { MOST_OWNERS, type OwnedNode, OwnershipTree } from './ownership-tree.ts'
import type { SceneDelta, SceneElement, SceneLine, SceneState } from './scene.ts'
import { CELL_HEIGHT, CELL_WIDTH, ROOT, regionFor, type SavedLayout, SlotLayout } from './slot-layout.ts'

/** Containers open by themselves while no more than this many elements are visible; beyond, the user opens what matters. */
const AUTO_OPEN_VISIBLE = 2_500

/** A container with more members counts as one cell when room is made for it inside another: it is opened alone, if at all. */
const LARGE_CONTAINER = 200

/** Lines told of one element: more could not be told apart. */
const MOST_LINES = 400
/** Members of a container that are looked at for them. */
const MOST_MEMBERS = 20_000

const OWNERSHIP = 'ownership'

/**
 * Turns a graph into what is drawn: nested containers by ownership, folded or open, each element in its slot, the other relations as lines
 * between what is visible. Costs follow what changed: {@link FoldModel.flush} tells only that.
 */
export class FoldModel {
  readonly layout: SlotLayout
  readonly #tree: OwnershipTree
  readonly #open = new Set<string>()
  /** Containers that the user opened or folded: nothing decides about these by itself any more. */
  readonly #decided = new Set<string>()
  readonly #visible = new Map<string, SceneElement>()
  readonly #dirty = new Set<string>()
  readonly #removed = new Set<string>()
  readonly #edges: EdgeBundler
  #whole = true

  constructor(saved?: SavedLayout) {
    this.layout = new SlotLayout(saved)
    this.#tree = new OwnershipTree({
      onChanged: (id) => void this.#dirty.add(id),
      onMoved: (node) => this.#touchSubtree(node),
    })
    this.#edges = new EdgeBundler({
      representative: (id) => this.representative(id),
      owner: (id) => this.#tree.get(id)?.owner,
    })
  }

  /** Takes a whole graph in place of what was there; slots and foldings are kept for what is in both. */
  reset(view: GraphView): void {
    const present = new Set<string>()
    view.forEachNode((ordinal) => {
      present.add(view.node(ordinal).id)
      return true
    })
    for (const id of [...this.#tree.ids()]) if (!present.has(id)) this.#removeNode(id)
    this.#edges.clear()
    view.forEachNode((ordinal) => {
      this.#tree.put(view.node(ordinal))
      return true
    })
    const ownership: GraphEdge[] = []
    view.forEachEdge((ordinal) => {
      const edge = view.edge(ordinal)
      const relation = relationOf(edge)
      if (relation === OWNERSHIP) ownership.push(edge)
      else this.#edges.put(edge, relation)
      return true
    })
    this.#tree.replaceEdges(ownership)
    this.#whole = true
    this.#visible.clear()
  }

  /** Follows the graph. */
  apply(batch: GraphBatch): void {
    for (const event of batch.events) this.#applyEvent(event)
  }

  #applyEvent(event: GraphEvent): void {
    if (event.kind === 'node-added' || event.kind === 'node-updated') this.#tree.put(event.node)
    else if (event.kind === 'node-deleted') this.#removeNode(event.node.id)
    else if (event.kind === 'edge-added' || event.kind === 'edge-updated') this.#putEdge(event.edge)
    else this.#removeEdge(event.edge)
  }

  #removeNode(id: string): void {
    if (!this.#tree.remove(id)) return
    this.#open.delete(id)
    this.#decided.delete(id)
    this.#dirty.delete(id)
    this.layout.remove(id)
    this.#removed.add(id)
    this.#edges.touchNode(id)
  }

  #putEdge(edge: GraphEdge): void {
    const relation = relationOf(edge)
    if (relation === OWNERSHIP) this.#tree.putEdge(edge)
    else this.#edges.put(edge, relation)
  }

  #removeEdge(edge: GraphEdge): void {
    if (!this.#tree.removeEdge(edge)) this.#edges.remove(edge.id)
  }

  /** Marks an element and what is shown of it below. */
  #touchSubtree(entry: OwnedNode, depth = 0): void {
    this.#dirty.add(entry.id)
    this.#edges.touchNode(entry.id)
    if (depth < MOST_OWNERS) for (const child of entry.children) this.#touchSubtree(this.#tree.get(child)!, depth + 1)
  }

  isOpen(id: string): boolean {
    return this.#open.has(id)
  }

  /** Opens or folds a container, as the user asked. */
  setOpen(id: string, open: boolean): void {
    const entry = this.#tree.get(id)
    if (!entry || entry.children.size === 0) return
    this.#decided.add(id)
    this.#setOpen(entry, open)
  }

  #setOpen(entry: OwnedNode, open: boolean): void {
    if (this.#open.has(entry.id) === open) return
    if (open) this.#open.add(entry.id)
    else this.#open.delete(entry.id)
    this.#touchSubtree(entry)
  }

  /** Opens every container around an element, so that it can be seen. */
  reveal(id: string): void {
    for (let entry = this.#tree.get(this.#tree.get(id)?.owner ?? ROOT); entry; entry = this.#tree.get(entry.owner))
      this.setOpen(entry.id, true)
  }

  /** What stands for an element on the page: itself, or the outermost folded container around it; `undefined` when unknown. */
  representative(id: string): string | undefined {
    let entry = this.#tree.get(id)
    if (!entry) return undefined
    let shown = id
    for (let depth = 0; entry.owner !== ROOT && depth < MOST_OWNERS; depth++) {
      if (!this.#open.has(entry.owner)) shown = entry.owner
      const owner = this.#tree.get(entry.owner)
      if (!owner) break
      entry = owner
    }
    return shown
  }

  /** Where an element is drawn, or what hides it. */
  elementFor(id: string): SceneElement | undefined {
    const shown = this.representative(id)
    return shown === undefined ? undefined : this.#visible.get(shown)
  }

  node(id: string): GraphNode | undefined {
    return this.#tree.get(id)?.node
  }

  ownerOf(id: string): string | undefined {
    return this.#tree.get(id)?.owner
  }

  /** What changed since the last call. */
  flush(): SceneDelta {
    const whole = this.#whole
    this.#whole = false
    if (whole) for (const id of this.#tree.ids()) this.#dirty.add(id)
    this.#openByThemselves()

    const elements: SceneElement[] = []
    const removedElements = [...this.#removed].filter((id) => this.#visible.delete(id))
    // Containers before what is inside them, so that regions are there when members want a slot.
    const changed = [...this.#dirty].map((id) => ({ id, depth: this.#tree.depth(id) })).sort((a, b) => a.depth - b.depth)
    for (const { id } of changed) this.#place(id)
    for (const id of this.#regionsMoved(changed.map(({ id }) => id))) {
      const element = this.#present(id)
      const known = this.#visible.get(id)
      if (element && (!known || !sameElement(known, element))) {
        this.#visible.set(id, element)
        elements.push(element)
      } else if (!element && this.#visible.delete(id)) {
        removedElements.push(id)
      }
    }
    this.#dirty.clear()
    this.#removed.clear()
    const { edges, removedEdges } = this.#edges.flush(whole)
    return { whole, elements, removedElements, edges, removedEdges }
  }

  /** Opens containers nobody decided about, outermost first, while the page stays readable. */
  #openByThemselves(): void {
    const undecided = [...this.#dirty]
      .map((id) => this.#tree.get(id))
      .filter(
        (entry) => entry !== undefined && entry.children.size > 0 && !this.#open.has(entry.id) && !this.#decided.has(entry.id),
      )
      .map((entry) => ({ entry: entry!, depth: this.#tree.depth(entry!.id) }))
      .sort((a, b) => a.depth - b.depth)
    if (undecided.length === 0) return
    let visible = this.#visible.size
    if (visible === 0) for (const entry of this.#tree.nodes()) if (entry.owner === ROOT) visible += 1
    for (const { entry } of undecided) {
      if (visible + entry.children.size > AUTO_OPEN_VISIBLE) continue
      if (!this.#isShown(entry)) continue
      visible += entry.children.size
      this.#setOpen(entry, true)
    }
  }

  #isShown(entry: OwnedNode): boolean {
    return this.representative(entry.id) === entry.id
  }

  #place(id: string): void {
    const entry = this.#tree.get(id)
    if (!entry || !this.#isShown(entry)) return
    if (this.#open.has(id) && entry.children.size > 0) this.layout.openContainer(id, entry.owner, this.#cellsOf(entry))
    else if (!this.layout.hasRegion(id)) this.layout.addLeaf(id, entry.owner)
  }

  /** How many cells the inside of a container will want: one a leaf, a region a container that will probably be open as well. */
  #cellsOf(entry: OwnedNode): number {
    let cells = 0
    for (const id of entry.children) {
      const child = this.#tree.get(id)
      const members = child?.children.size ?? 0
      if (members === 0 || members > LARGE_CONTAINER) cells += 1
      else {
        const { columns, rows } = regionFor(members)
        cells += columns * rows
      }
    }
    return cells
  }

  /** The ids to look at: those that changed, and what lies inside a container that had to move. */
  #regionsMoved(ids: readonly string[]): Set<string> {
    const affected = new Set(ids)
    const looked = new Set<string>([ROOT])
    const containers = ids.map((id) => this.#tree.get(id)?.owner ?? ROOT)
    for (let i = 0; i < containers.length; i++) {
      const container = containers[i]!
      if (looked.has(container)) continue
      looked.add(container)
      const known = this.#visible.get(container)
      const rect = this.layout.rectOf(container)
      if (known && rect) {
        affected.add(container)
        if (known.x !== rect.x || known.y !== rect.y) this.#addShownBelow(container, affected)
      }
      containers.push(this.#tree.get(container)?.owner ?? ROOT)
    }
    return affected
  }

  #addShownBelow(container: string, into: Set<string>): void {
    for (const child of this.#tree.get(container)?.children ?? []) {
      into.add(child)
      if (this.#open.has(child)) this.#addShownBelow(child, into)
    }
  }

  /** How an element is drawn now; `undefined` when a folded container hides it. */
  #present(id: string): SceneElement | undefined {
    const entry = this.#tree.get(id)
    if (!entry || !this.#isShown(entry)) return undefined
    const rect = this.layout.rectOf(id)
    if (!rect) return undefined
    const kind = entry.children.size === 0 ? 'leaf' : this.#open.has(id) ? 'open' : 'folded'
    const { metadata } = entry.node
    return {
      id,
      parent: entry.owner,
      kind,
      label: String(metadata['Name'] ?? id),
      type: String(metadata['Type'] ?? ''),
      state: stateOf(metadata['State']),
      hidden: kind === 'folded' ? entry.descendants : 0,
      captured: Array.isArray(metadata['Captures']) && metadata['Captures'].length > 0,
      x: rect.x,
      y: rect.y,
      width: kind === 'open' ? rect.width : CELL_WIDTH,
      height: kind === 'open' ? rect.height : CELL_HEIGHT,
    }
  }

  /** The relations of a node itself, but ownership. */
  edgesOf(id: string): { readonly from: string; readonly to: string; readonly relation: string }[] {
    return this.#edges.edgesOf(id)
  }

  /**
   * The relations that leave an element, or anything inside it, as lines between what is drawn: never merged between containers. Told
   * when the element is hovered or selected. Bounded by {@link MOST_LINES}.
   */
  linesOf(id: string): SceneLine[] {
    const entry = this.#tree.get(id)
    if (!entry) return []
    const inside = new Set<string>()
    this.#collectSubtree(entry, inside)
    const lines = new Map<string, SceneLine>()
    for (const member of inside) {
      for (const { from: parent, to: child, relation } of this.#edges.edgesOf(member)) {
        if (inside.has(parent) && inside.has(child)) continue
        const from = this.representative(parent)
        const to = this.representative(child)
        if (from === undefined || to === undefined || from === to) continue
        lines.set(`${from}|${to}|${relation}`, { from, to, relation })
        if (lines.size === MOST_LINES) return [...lines.values()]
      }
    }
    return [...lines.values()]
  }

  #collectSubtree(entry: OwnedNode, into: Set<string>): void {
    if (into.size >= MOST_MEMBERS || into.has(entry.id)) return
    into.add(entry.id)
    for (const child of entry.children) this.#collectSubtree(this.#tree.get(child)!, into)
  }
}

/** Operational states of RFC 2863 (`operState`), as the kernel spells them. `UNKNOWN` is what loopback and tunnels say all their life. */
function relationOf(edge: GraphEdge): string {
  return String(edge.metadata['RelationType'] ?? '')
}

const STATES: ReadonlyMap<unknown, SceneState> = new Map([
  ['UP', 'up'],
  ['DOWN', 'down'],
  ['LOWERLAYERDOWN', 'waiting'],
  ['DORMANT', 'waiting'],
  ['TESTING', 'waiting'],
  ['NOTPRESENT', 'waiting'],
])

function stateOf(value: unknown): SceneState {
  return STATES.get(value) ?? 'none'
}

function sameElement(a: SceneElement, b: SceneElement): boolean {
  return (
    a.x === b.x &&
    a.y === b.y &&
    a.kind === b.kind &&
    a.state === b.state &&
    a.label === b.label &&
    a.hidden === b.hidden &&
    a.captured === b.captured &&
    a.parent === b.parent &&
    a.width === b.width &&
    a.height === b.height &&
    a.type === b.type
  )
}
