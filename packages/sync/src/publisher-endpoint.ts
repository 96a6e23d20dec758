import {
  type Clock,
  type GraphReplica,
  type GraphSource,
  type Logger,
  SILENT_LOGGER,
  toWireEdge,
  toWireNode,
} from '@skydive/contracts'
import {
  type ConnectionHandler,
  GRAPH_NAMESPACE,
  OutgoingMessage,
  type PeerConnection,
  type WebSocketEndpoint,
} from '@skydive/protocol'
import { OriginReceiver } from './origin-receiver.ts'
import { systemClock } from './system-clock.ts'

/** What the endpoint of publishers is made of. */
export interface PublisherEndpointOptions {
  replica(origin: string): GraphReplica
  /** Answers `SyncRequest` with the whole graph. */
  readonly graph: GraphSource
  readonly clock?: Clock
  readonly logger?: Logger
}

/** Client types whose origins are written by somebody else: a publisher may not take them. */
const RESERVED = new Set(['agent', 'analyzer', 'api'])

/**
 * `/ws/publisher` (spec platform 2.4, "Publisher behaviour"): tools that add elements of their own. Every element gets the origin
 * `<client type>.<host id>` and must satisfy the schema. With the policy `DeleteOnDisconnect` they go when the connection goes.
 */
export function createPublisherEndpoint(options: PublisherEndpointOptions): WebSocketEndpoint {
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? SILENT_LOGGER
  return {
    path: '/ws/publisher',
    auth: 'api',
    statusKey: 'Publishers',
    accept(connection) {
      const { clientType, hostId, deleteOnDisconnect } = connection.handshake
      if (RESERVED.has(clientType)) {
        connection.close(1008, `the client type ${clientType} is reserved for daemons`)
        return {}
      }
      const receiver = new OriginReceiver({
        replica: options.replica(`${clientType}.${hostId}`),
        clock,
        logger,
        checkSchema: true,
        onDiverged() {},
      })
      return {
        onMessage(message) {
          if (message.namespace !== GRAPH_NAMESPACE) return
          if (message.type === 'SyncRequest') void reply(connection, options.graph, message.uuid)
          else receiver.receive(message, false)
        },
        onClose() {
          if (deleteOnDisconnect) receiver.clear()
        },
      } satisfies ConnectionHandler
    },
  }
}

async function reply(connection: PeerConnection, graph: GraphSource, uuid: string): Promise<void> {
  const view = await graph.open()
  const Nodes: object[] = []
  const Edges: object[] = []
  view.forEachNode((ordinal) => {
    Nodes.push(toWireNode(view.node(ordinal)))
    return undefined
  })
  view.forEachEdge((ordinal) => {
    Edges.push(toWireEdge(view.edge(ordinal)))
    return undefined
  })
  connection.send(new OutgoingMessage({ namespace: GRAPH_NAMESPACE, type: 'SyncReply', uuid, body: { Nodes, Edges } }))
}
