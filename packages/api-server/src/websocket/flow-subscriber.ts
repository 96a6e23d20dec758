import type { EnhancedFlow, Flow, Unsubscribe } from '@skydive/contracts'
import { type MessageInit, OutgoingMessage } from '@skydive/protocol'
import type { FlowFeed } from '../options.ts'
import type { ServerEndpoint } from './hub.ts'
import type { ServerConnection } from './server-connection.ts'

const FLOW = 'flow'
const STATS = 'stats'

/** The endpoint `/ws/subscriber/flow`. */
export interface FlowSubscriberEndpoint extends ServerEndpoint {
  start(): void
  stop(): void
}

/** Makes the endpoint (spec flows 6.4). A client without namespaces gets `flow` and `stats`; `*` is everything. */
export function createFlowSubscriberEndpoint(feed: FlowFeed): FlowSubscriberEndpoint {
  const connections = new Set<ServerConnection>()
  const subscriptions: Unsubscribe[] = []

  const publish = (namespace: string, type: string, makeJson: () => string) => {
    let message: OutgoingMessage | undefined
    for (const connection of connections) {
      if (!wants(connection, namespace)) continue
      message ??= new OutgoingMessage({ namespace, type, json: makeJson() } satisfies MessageInit)
      connection.send(message)
    }
  }

  return {
    path: '/ws/subscriber/flow',
    auth: 'api',
    statusKey: 'Subscribers',

    start() {
      subscriptions.push(
        feed.subscribe((flows) => {
          if (connections.size === 0 || flows.length === 0) return
          publish(FLOW, 'store', () => flowsJson(flows))
          for (const [captureId, own] of byCapture(flows)) publish(`${FLOW}/${captureId}`, 'store', () => flowsJson(own))
        }),
      )
      const unsubscribe = feed.subscribeStats?.((stats) => publish(STATS, 'stats', () => JSON.stringify(stats)))
      if (unsubscribe) subscriptions.push(unsubscribe)
    },

    stop() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe()
    },

    accept(connection) {
      connections.add(connection)
      return { onClose: () => void connections.delete(connection) }
    },
  }
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
