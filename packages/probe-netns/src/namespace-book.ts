import type { GraphWriter, NamespaceFeed, NamespaceListener, NetworkNamespace, NodeIds } from '@skydive/contracts'
import { netnsTid } from '@skydive/topology'
import type { NamespaceIdentity } from './namespace-handle.ts'

/** Prefix of the keys under which ids of namespaces are kept. */
const ID_PREFIX = 'netns/'

/** A namespace and the paths at which its handle lies. */
class Entry implements NetworkNamespace {
  readonly key: string
  readonly name: string
  readonly nodeId: string
  readonly tid: string
  readonly paths: Set<string>
  constructor(key: string, name: string, nodeId: string, tid: string, firstPath: string) {
    this.key = key
    this.name = name
    this.nodeId = nodeId
    this.tid = tid
    this.paths = new Set([firstPath])
  }

  get path(): string {
    return [...this.paths][0] ?? ''
  }
}

/** A path at which a namespace was found. `tidPath` replaces the path in the TID where that is worth nothing, as with processes. */
export interface Sighting {
  readonly path: string
  readonly name: string
  readonly identity: NamespaceIdentity
  readonly tidPath?: string
}

/** Keeps one node for each namespace, however many paths lead to it, and tells those who follow. */
export class NamespaceBook implements NamespaceFeed {
  readonly #graph: GraphWriter
  readonly #ids: NodeIds
  readonly #host: { readonly nodeId: string; readonly tid: string; readonly key: string }
  readonly #entries = new Map<string, Entry>()
  readonly #keyByPath = new Map<string, string>()
  readonly #listeners = new Set<NamespaceListener>()

  constructor(graph: GraphWriter, ids: NodeIds, host: { nodeId: string; tid: string; key: string }) {
    this.#graph = graph
    this.#ids = ids
    this.#host = host
  }

  follow(listener: NamespaceListener): () => void {
    this.#listeners.add(listener)
    if (this.#entries.size > 0) listener.added([...this.#entries.values()])
    return () => {
      this.#listeners.delete(listener)
    }
  }

  get paths(): Iterable<string> {
    return this.#keyByPath.keys()
  }

  keyAt(path: string): string | undefined {
    return this.#keyByPath.get(path)
  }

  /** Whether this namespace has a node already; the agent's own always has. */
  knows(key: string): boolean {
    return key === this.#host.key || this.#entries.has(key)
  }

  /** The node of a namespace that is known. */
  nodeIdOf(key: string): string | undefined {
    return key === this.#host.key ? this.#host.nodeId : this.#entries.get(key)?.nodeId
  }

  /** Writes down where namespaces were seen; new ones get their nodes in one transaction. */
  add(sightings: readonly Sighting[]): void {
    const fresh: { entry: Entry; identity: NamespaceIdentity }[] = []
    // Another namespace took the place of the one that was there.
    this.remove(
      sightings
        .filter(({ path, identity }) => (this.#keyByPath.get(path) ?? identity.key) !== identity.key)
        .map(({ path }) => path),
    )
    for (const { path, name, identity, tidPath } of sightings) {
      if (this.#keyByPath.has(path)) continue
      this.#keyByPath.set(path, identity.key)
      const known = this.#entries.get(identity.key)
      if (known) known.paths.add(path)
      if (this.knows(identity.key)) continue
      const nodeId = this.#ids.idOf(ID_PREFIX + identity.key)
      const entry = new Entry(identity.key, name, nodeId, netnsTid(this.#host.tid, tidPath ?? path), path)
      this.#entries.set(identity.key, entry)
      fresh.push({ entry, identity })
    }
    if (fresh.length === 0) return
    this.#graph.transaction((tx) => {
      for (const { entry, identity } of fresh) {
        const { nodeId: id, name, tid, path } = entry
        const metadata = { Name: name, Type: 'netns', Path: path, Inode: identity.inode, Device: identity.device, TID: tid }
        tx.putNode({ id, metadata })
        tx.own(this.#host.nodeId, id)
      }
    })
    for (const listener of this.#listeners) listener.added(fresh.map(({ entry }) => entry))
  }

  /** The handles at these paths are gone; a namespace goes with its last one. */
  remove(paths: readonly string[]): void {
    const gone: Entry[] = []
    for (const path of paths) {
      const entry = this.#entries.get(this.#keyByPath.get(path) ?? '')
      this.#keyByPath.delete(path)
      if (!entry) continue
      // The last path stays on the entry, for those who are about to be told.
      if (entry.paths.size > 1) entry.paths.delete(path)
      else if (this.#entries.delete(entry.key)) gone.push(entry)
    }
    if (gone.length === 0) return
    for (const listener of this.#listeners) listener.removed(gone)
    this.#graph.transaction((tx) => {
      for (const { nodeId } of gone) {
        // What other probes have put into the namespace goes with it.
        for (const owned of this.#ownedBy(nodeId)) if (tx.node(owned)?.origin === this.#graph.origin) tx.deleteNode(owned)
        tx.deleteNode(nodeId)
      }
    })
    for (const { key } of gone) this.#ids.forget(ID_PREFIX + key)
  }

  /** Forgets the ids of namespaces that went while nobody watched. */
  forgetOthers(): void {
    this.#ids.retain(ID_PREFIX, new Set([...this.#entries.keys()].map((key) => ID_PREFIX + key)))
  }

  /** Nodes below a node by ownership, deepest first. */
  #ownedBy(nodeId: string): readonly string[] {
    const { view } = this.#graph
    const found: string[] = []
    const visit = (ordinal: number) => {
      view.forEachOut(ordinal, (edge, node) => {
        const id = node < 0 ? undefined : view.node(node).id
        if (id !== undefined && view.edgeValue(edge, 'RelationType') === 'ownership' && !found.includes(id)) {
          found.push(id)
          visit(node)
        }
        return true
      })
    }
    const root = view.nodeOrdinal(nodeId)
    if (root >= 0) visit(root)
    return found.reverse()
  }
}
