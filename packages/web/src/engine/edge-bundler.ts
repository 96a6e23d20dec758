import type { GraphEdge } from '@skydive/contracts'
import type { SceneEdge } from './scene.ts'

/** Above this many lines, those that leave a container are merged into one between the containers: a hairball tells nothing. */
const BUNDLE_ABOVE = 800
/** Below this many relations they are drawn one by one again; lower than the other, so that it does not flicker. */
const UNBUNDLE_BELOW = 600

/** What the bundler asks of the model. */
export interface EdgeSurroundings {
  /** The visible element that stands for a node; `undefined` when it is unknown. */
  representative(id: string): string | undefined
  owner(id: string): string | undefined
}

interface Relation {
  readonly id: string
  readonly parent: string
  readonly child: string
  readonly relation: string
  readonly directed: boolean
  /** The line that it is part of now; `''` when it is hidden. */
  line: string
}

interface Line {
  readonly from: string
  readonly to: string
  readonly relation: string
  readonly directed: boolean
  count: number
}

/** Relation types whose direction means something to the reader. */
const UNDIRECTED = new Set(['layer2', 'vlayer2', 'connected'])

/** Relations between nodes, merged into lines between what is visible. Re-reads only relations of nodes that were touched. */
export class EdgeBundler {
  readonly #surroundings: EdgeSurroundings
  readonly #relations = new Map<string, Relation>()
  readonly #byNode = new Map<string, Set<Relation>>()
  readonly #lines = new Map<string, Line>()
  readonly #touched = new Set<Relation>()
  readonly #changedLines = new Set<string>()
  #bundled = false

  constructor(surroundings: EdgeSurroundings) {
    this.#surroundings = surroundings
  }

  clear(): void {
    for (const id of [...this.#relations.keys()]) this.remove(id)
  }

  put(edge: GraphEdge, relation: string): void {
    this.remove(edge.id)
    const directed = edge.metadata['Directed'] === true || edge.metadata['Directed'] === 'true' || !UNDIRECTED.has(relation)
    const entry: Relation = { id: edge.id, parent: edge.parent, child: edge.child, relation, directed, line: '' }
    this.#relations.set(edge.id, entry)
    for (const node of [edge.parent, edge.child]) {
      let relations = this.#byNode.get(node)
      if (!relations) {
        relations = new Set()
        this.#byNode.set(node, relations)
      }
      relations.add(entry)
    }
    this.#touched.add(entry)
  }

  remove(id: string): void {
    const entry = this.#relations.get(id)
    if (!entry) return
    this.#leaveLine(entry)
    this.#relations.delete(id)
    this.#touched.delete(entry)
    for (const node of [entry.parent, entry.child]) {
      const relations = this.#byNode.get(node)
      relations?.delete(entry)
      if (relations?.size === 0) this.#byNode.delete(node)
    }
  }

  /** The node came, went, or is shown by something else now. */
  touchNode(id: string): void {
    for (const entry of this.#byNode.get(id) ?? []) this.#touched.add(entry)
  }

  edgesOf(id: string): { from: string; to: string; relation: string }[] {
    return [...(this.#byNode.get(id) ?? [])].map(({ parent, child, relation }) => ({ from: parent, to: child, relation }))
  }

  /** The lines that changed since the last call, or all of them. */
  flush(whole: boolean): { edges: SceneEdge[]; removedEdges: string[] } {
    for (const entry of this.#touched) this.#assign(entry)
    this.#touched.clear()
    const bundled = this.#bundled ? this.#relations.size > UNBUNDLE_BELOW : this.#lines.size > BUNDLE_ABOVE
    if (bundled !== this.#bundled) {
      this.#bundled = bundled
      for (const entry of this.#relations.values()) this.#assign(entry)
    }
    const edges: SceneEdge[] = []
    const removedEdges: string[] = []
    for (const key of whole ? new Set([...this.#lines.keys(), ...this.#changedLines]) : this.#changedLines) {
      const line = this.#lines.get(key)
      if (line) edges.push({ id: key, ...line })
      else removedEdges.push(key)
    }
    this.#changedLines.clear()
    return { edges, removedEdges }
  }

  #leaveLine(entry: Relation): void {
    if (entry.line === '') return
    const line = this.#lines.get(entry.line)!
    line.count -= 1
    if (line.count === 0) this.#lines.delete(entry.line)
    this.#changedLines.add(entry.line)
    entry.line = ''
  }

  #assign(entry: Relation): void {
    this.#leaveLine(entry)
    let from = this.#surroundings.representative(entry.parent)
    let to = this.#surroundings.representative(entry.child)
    if (from === undefined || to === undefined || from === to) return
    if (this.#bundled) {
      ;[from, to] = this.#siblings(from, to)
      if (from === to) return
    }
    const key = `${from}|${to}|${entry.relation}`
    const line = this.#lines.get(key)
    if (line) line.count += 1
    else this.#lines.set(key, { from, to, relation: entry.relation, directed: entry.directed, count: 1 })
    entry.line = key
    this.#changedLines.add(key)
  }

  /** The two elements that lie side by side in the innermost container around both ends. */
  #siblings(from: string, to: string): [string, string] {
    const fromPath = this.#path(from)
    const toPath = this.#path(to)
    let depth = 0
    while (depth < fromPath.length - 1 && depth < toPath.length - 1 && fromPath[depth] === toPath[depth]) depth += 1
    return [fromPath[depth]!, toPath[depth]!]
  }

  /** From the outermost container to the element. */
  #path(id: string): string[] {
    const path = [id]
    for (let owner = this.#surroundings.owner(id); owner && path.length < 64; owner = this.#surroundings.owner(owner))
      path.unshift(owner)
    return path
  }
}
