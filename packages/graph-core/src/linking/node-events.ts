import type { GraphEvents, GraphNode, GraphView, Unsubscribe } from '@skydive/contracts'

/** What happened to a node, as those see it who make links. A deleted node is its last revision. */
export interface NodeEvent {
  /** What happened. */
  readonly kind: 'added' | 'updated' | 'deleted'
  /** The revision that came of it; of a deletion the last one. */
  readonly node: GraphNode
}

/** Takes the events of one transaction, in order. */
export type NodeListener = (events: readonly NodeEvent[]) => void

/** Nodes that come, change and go: those of a graph, or those that an indexer holds. */
export interface NodeEventSource {
  /** Calls the listener with what happens from now on, until the function that it answers is called. */
  subscribe(listener: NodeListener): Unsubscribe
  /** The nodes that are there now. */
  nodes(): Iterable<GraphNode>
}

/** A graph with its present, as `createGraph` gives it. */
export interface ObservableGraph extends GraphEvents {
  /** The present. */
  readonly view: GraphView
}

/** Every node of a graph as a source. */
export function nodeEventsOf(graph: ObservableGraph): NodeEventSource {
  return {
    subscribe: (listener) =>
      graph.subscribe((batch) => {
        const events: NodeEvent[] = []
        for (const event of batch.events) {
          if (event.kind === 'node-added') events.push({ kind: 'added', node: event.node })
          else if (event.kind === 'node-updated') events.push({ kind: 'updated', node: event.node })
          else if (event.kind === 'node-deleted') events.push({ kind: 'deleted', node: event.node })
        }
        if (events.length > 0) listener(events)
      }),
    nodes() {
      const { view } = graph
      const nodes: GraphNode[] = []
      view.forEachNode((row) => {
        nodes.push(view.node(row))
        return true
      })
      return nodes
    },
  }
}

/** Hands events on to any number of listeners, which may come and go meanwhile. */
export class NodeEventHub {
  private listeners: readonly NodeListener[] = []

  /** Adds a listener, until the function that it answers is called. */
  subscribe(listener: NodeListener): Unsubscribe {
    // A listener of its own for each subscription: the same function may be there twice.
    const own: NodeListener = (events) => listener(events)
    this.listeners = [...this.listeners, own]
    return () => {
      this.listeners = this.listeners.filter((other) => other !== own)
    }
  }

  /** Hands events to everybody who listens. */
  publish(events: readonly NodeEvent[]): void {
    if (events.length === 0) return
    for (const listener of this.listeners) if (this.listeners.includes(listener)) listener(events)
  }
}
