import { type Logger, type Metrics, SILENT_LOGGER } from '@skydive/contracts'
import {
  type ConnectionHandler,
  FLOW_NAMESPACE,
  OutgoingMessage,
  type PeerConnection,
  type WebSocketEndpoint,
} from '@skydive/protocol'

/** Flows of an agent as they came: a protobuf `Message` of `@skydive/protocol/flow`. */
export interface ReceivedFlowBatch {
  readonly hostId: string
  /**
   * Names the batch among those of its agent; the same one may come again after a broken line. Absent from agents of the original, whose
   * batches are neither numbered nor acknowledged.
   */
  readonly id?: string
  readonly payload: Uint8Array
}

/** What the receiving end of flows is made of. */
export interface FlowEndpointOptions {
  /**
   * Takes a batch. The batch is acknowledged when it resolves, and sent again later when it rejects. It decides itself what to drop
   * when it is full.
   */
  onBatch(batch: ReceivedFlowBatch): void | Promise<void>
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/**
 * `/ws/agent/flow` (spec platform 2.8). Agents of ours wrap each `Message` in an envelope (namespace `Flow`, type `Batch`, the id of the
 * batch as UUID) and get `BatchReply`; those of the original send bare messages.
 */
export function createFlowEndpoint(options: FlowEndpointOptions): WebSocketEndpoint {
  const logger = options.logger ?? SILENT_LOGGER
  const received = options.metrics?.counter('skydive_flow_batches_received_total', 'Batches of flows received from agents')

  const take = async (connection: PeerConnection, batch: ReceivedFlowBatch) => {
    received?.add(1)
    try {
      await options.onBatch(batch)
    } catch (error) {
      logger.warn({ host: batch.hostId, reason: (error as Error).message }, 'batch of flows refused')
      return
    }
    if (batch.id === undefined) return
    connection.send(new OutgoingMessage({ namespace: FLOW_NAMESPACE, type: 'BatchReply', uuid: batch.id, body: null }))
  }

  return {
    path: '/ws/agent/flow',
    auth: 'cluster',
    statusKey: 'FlowAgents',
    raw: true,
    responseHeaders: (handshake) => (handshake.flowBatches ? { 'X-Skydive-Flow-Batches': 'acknowledged' } : {}),
    accept(connection) {
      const { hostId } = connection.handshake
      return {
        onFrame: (payload) => void take(connection, { hostId, payload }),
        onMessage(message) {
          if (message.namespace !== FLOW_NAMESPACE || message.type !== 'Batch' || message.bytes === undefined) return
          void take(connection, { hostId, id: message.uuid, payload: message.bytes })
        },
      } satisfies ConnectionHandler
    },
  }
}
