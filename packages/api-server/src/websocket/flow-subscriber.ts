import {
  type Clock,
  type EnhancedFlow,
  type Flow,
  InvalidArgumentError,
  type Metrics,
  SkydiveError,
  type Unsubscribe,
  UnsupportedError,
} from '@skydive/contracts'
import { HEADER, type MessageInit, OutgoingMessage } from '@skydive/protocol'
import { flowSchema } from '@skydive/protocol/flow'
import type { FlowFeed } from '../options.ts'
import { FlowExport, isOwnExport } from './flow-export.ts'
import type { ServerEndpoint } from './hub.ts'
import type { ServerConnection } from './server-connection.ts'

const FLOW = 'flow'
const STATS = 'stats'

/** The endpoint `/ws/subscriber/flow`. */
export interface FlowSubscriberEndpoint extends ServerEndpoint {
  start(): void
  stop(): void
}

/** The code for a filter or a member that makes no sense: the peer must not come back with the same. */
const CLOSE_POLICY = 1008

/**
 * Makes the endpoint (spec flows 6.4). A client without namespaces gets `flow` and `stats`; `*` is everything. Ours: a Gremlin filter, fields, a rate and
 * flows as protobuf, by headers or parameters of the connection.
 */
export function createFlowSubscriberEndpoint(
  feed: FlowFeed,
  components: { readonly clock: Clock; readonly metrics?: Metrics },
): FlowSubscriberEndpoint {
  const connections = new Set<ServerConnection>()
  /** Those of connections that want flows in a way of their own. */
  const exports = new Map<ServerConnection, FlowExport>()
  const subscriptions: Unsubscribe[] = []

  const publish = (namespace: string, type: string, makeJson: () => string) => {
    let message: OutgoingMessage | undefined
    for (const connection of connections) {
      if (!wants(connection, namespace)) continue
      message ??= new OutgoingMessage({ namespace, type, json: makeJson() } satisfies MessageInit)
      connection.send(message)
    }
  }

  const publishStats = (stats: object) => {
    publish(STATS, 'stats', () => JSON.stringify(stats))
    for (const connection of exports.keys()) {
      if (wants(connection, STATS)) connection.send(new OutgoingMessage({ namespace: STATS, type: 'stats', body: stats }))
    }
  }

  const publishFlows = (namespace: string, flows: readonly EnhancedFlow[]) => {
    publish(namespace, 'store', () => flowsJson(flows))
    for (const [connection, own] of exports) if (wants(connection, namespace)) own.send(namespace, flows)
  }

  const selectorOf = (gremlin: string) => {
    if (!feed.selector)
      throw new UnsupportedError('flows are not filtered here: leave the Gremlin filter out', { service: 'agent' })
    return feed.selector(gremlin)
  }

  const openExport = async (connection: ServerConnection): Promise<void> => {
    const { gremlinFilter, flowFields } = connection.handshake
    try {
      checkFields(flowFields)
      const selects = gremlinFilter === '' ? undefined : await selectorOf(gremlinFilter)
      if (connection.isOpen) exports.set(connection, new FlowExport(connection, { ...components, ...(selects && { selects }) }))
    } catch (error) {
      connection.close(CLOSE_POLICY, SkydiveError.isInstance(error) ? error.message : 'internal error')
    }
  }

  return {
    path: '/ws/subscriber/flow',
    auth: 'api',
    statusKey: 'Subscribers',

    start() {
      subscriptions.push(
        feed.subscribe((flows) => {
          if ((connections.size === 0 && exports.size === 0) || flows.length === 0) return
          publishFlows(FLOW, flows)
          for (const [captureId, own] of byCapture(flows)) publishFlows(`${FLOW}/${captureId}`, own)
        }),
      )
      const unsubscribe = feed.subscribeStats?.((stats) => publishStats(stats))
      if (unsubscribe) subscriptions.push(unsubscribe)
    },

    stop() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe()
    },

    accept(connection) {
      if (!isOwnExport(connection.handshake)) connections.add(connection)
      else void openExport(connection)
      return {
        onClose() {
          connections.delete(connection)
          exports.get(connection)?.close()
          exports.delete(connection)
        },
      }
    },
  }
}

/** A member that no flow has would be missing in all of them, without a word. */
function checkFields(names: readonly string[]): void {
  const unknown = names.find((name) => !Object.hasOwn(flowSchema.shape, name))
  if (unknown === undefined) return
  throw new InvalidArgumentError(`${HEADER.flowFields}: flows have no member ${JSON.stringify(unknown)}`, { value: unknown })
}

function wants(connection: ServerConnection, namespace: string): boolean {
  const { namespaces } = connection.handshake
  if (namespaces.length === 0) return namespace === FLOW || namespace === STATS
  return namespaces.includes(namespace) || (namespaces.includes('*') && !namespace.startsWith(`${FLOW}/`))
}

function byCapture(flows: readonly EnhancedFlow[]): Map<string, EnhancedFlow[]> {
  const groups = new Map<string, EnhancedFlow[]>()
  for (const item of flows) {
    const { CaptureID: id } = item.flow
    if (!id) continue
    const group = groups.get(id)
    if (group) group.push(item)
    else groups.set(id, [item])
  }
  return groups
}

/** Kept packets are never part of a flow's JSON (spec graph 4.10). */
function flowsJson(flows: readonly EnhancedFlow[]): string {
  return JSON.stringify(flows.map(({ flow }) => withoutPackets(flow)))
}

function withoutPackets(flow: Flow): Omit<Flow, 'LastRawPackets'> {
  if (flow.LastRawPackets === undefined) return flow
  const { LastRawPackets: _packets, ...rest } = flow
  return rest
}
