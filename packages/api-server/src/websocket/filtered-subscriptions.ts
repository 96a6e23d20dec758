import type { GraphBatch, GraphEvent, Logger } from '@skydive/contracts'
import { encodeGraphEvent, GRAPH_NAMESPACE, OutgoingMessage, type UpdatePolicy } from '@skydive/protocol'
import { type FilteredGraph, type FilterFeed, type FilterFeedOptions, openFilterFeed } from './filter-feed.ts'
import type { ServerConnection } from './server-connection.ts'

export type { FilteredGraph } from './filter-feed.ts'

/** One filter and everybody who has it: followed once for all of them. */
interface Group {
  readonly members: Set<ServerConnection>
  readonly feed: Promise<FilterFeed>
  /** Set when the feed is open. */
  open: FilterFeed | undefined
}

/** Closing code for a subscription that can't go on (RFC 6455 section 7.4.1, internal error). */
const INTERNAL_ERROR = 1011

/** Subscriptions through a Gremlin filter (spec platform 2.4 point 3). Equal filters share their work and each message is encoded once. */
export class FilteredSubscriptions {
  readonly #options: FilterFeedOptions
  readonly #logger: Logger
  readonly #groups = new Map<string, Group>()

  constructor(options: FilterFeedOptions) {
    this.#options = options
    this.#logger = options.logger
  }

  /**
   * Subscribes, and hands over the filter's graph as of now in the moment in which the subscription begins.
   *
   * @throws ERR_INVALID_ARGUMENT when the filter does not parse, fails or gives no graph.
   */
  async join(connection: ServerConnection, filter: string, onGraph: (graph: FilteredGraph) => void = () => {}): Promise<void> {
    for (;;) {
      const group = this.#groups.get(filter) ?? this.#open(filter)
      const feed = await group.feed
      if (!connection.isOpen) {
        this.#closeIfEmpty(filter, group)
        return
      }
      // The last member may have left, and the feed with it, while this one waited.
      if (this.#groups.get(filter) !== group) continue
      group.members.add(connection)
      onGraph(feed.graph())
      return
    }
  }

  leave(connection: ServerConnection): void {
    for (const [filter, group] of this.#groups) {
      if (group.members.delete(connection)) this.#closeIfEmpty(filter, group)
    }
  }

  publish(batch: GraphBatch): void {
    for (const group of this.#groups.values()) group.open?.publish(batch)
  }

  #open(filter: string): Group {
    const members = new Set<ServerConnection>()
    const feed = openFilterFeed(filter, this.#options, {
      events: (events) => send(members, events),
      failed: (error) => this.#fail(filter, group, error),
    })
    const group: Group = { members, feed, open: undefined }
    this.#groups.set(filter, group)
    feed.then(
      (open) => {
        group.open = open
      },
      () => this.#forget(filter, group),
    )
    return group
  }

  #fail(filter: string, group: Group, error: unknown): void {
    this.#logger.warn({ filter, reason: (error as Error).message }, 'filter of a subscription failed')
    this.#forget(filter, group)
    for (const connection of group.members) connection.close(INTERNAL_ERROR, 'the Gremlin filter failed')
  }

  #closeIfEmpty(filter: string, group: Group): void {
    if (group.members.size > 0) return
    group.open?.close()
    this.#forget(filter, group)
  }

  #forget(filter: string, group: Group): void {
    if (this.#groups.get(filter) === group) this.#groups.delete(filter)
  }
}

function send(members: ReadonlySet<ServerConnection>, events: readonly GraphEvent[]): void {
  const encoded: Partial<Record<UpdatePolicy, OutgoingMessage[]>> = {}
  for (const connection of members) {
    const policy = connection.handshake.updatePolicy
    encoded[policy] ??= events.map(
      (event) => new OutgoingMessage({ namespace: GRAPH_NAMESPACE, ...encodeGraphEvent(event, policy) }),
    )
    for (const message of encoded[policy]) connection.send(message)
  }
}
