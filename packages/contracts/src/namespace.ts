/**
 * A network namespace of this host that has a node in the graph. Shape:
 * `{ key: '4:4026532247', path: '/var/run/netns/x', name: 'x', nodeId: '…', tid: '…' }`.
 */
export interface NetworkNamespace {
  /** What the kernel tells namespaces apart by: `<device>:<inode>` of the handle. Used again by the kernel once the namespace is gone. */
  readonly key: string
  /** A path at which the handle can be opened now. It changes when that goes and another remains: read it anew each time. */
  readonly path: string
  readonly name: string
  readonly nodeId: string
  readonly tid: string
}

/** Takes what comes and goes. Neither may throw. */
export interface NamespaceListener {
  /** The nodes are in the graph already. */
  added(namespaces: readonly NetworkNamespace[]): void
  /** The nodes are still in the graph: whoever put something under them takes it away now. */
  removed(namespaces: readonly NetworkNamespace[]): void
}

/** Tells which namespaces there are besides the host's own. */
export interface NamespaceFeed {
  /** Calls `added` at once with those that are known, then follows. Answers how to stop. */
  follow(listener: NamespaceListener): () => void
}

/**
 * Where probes of container runtimes announce the namespaces they know of. One namespace has one node whatever the number of paths; the
 * first path decides name and `Path`, and the node goes with the last one.
 */
export interface NamespaceRegistry {
  /**
   * Answers the id of the namespace's node, which is the host node for the agent's own namespace.
   * Rejects with `ERR_NOT_FOUND` when no namespace appears at `path` in time.
   */
  register(path: string, name: string): Promise<string>
  /** Unknown paths are ignored. */
  unregister(path: string): void
}
