import { type Logger, type Metrics, SILENT_LOGGER } from '@skydive/contracts'
import {
  type ConnectionHandler,
  FLOW_NAMESPACE,
  flowLossSchema,
  type Message,
  OutgoingMessage,
  type PeerConnection,
  type WebSocketEndpoint,
} from '@skydive/protocol'

/** Agents whose newest loss is remembered: anybody may come with ever new names. */
const REMEMBERED_AGENTS = 4_096

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
  /** Told once of each loss: reports of flows that an agent dropped because it could not send them in time, ms since the epoch. */
  onLoss?(loss: { readonly host: string; readonly flows: number; readonly fromMs: number; readonly toMs: number }): void
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

  /** Losses that came, by agent the newest, the oldest first: one comes again only when its acknowledgement was lost. */
  const newestLoss = new Map<string, string>()
  const takeLoss = (connection: PeerConnection, { uuid, body }: Message) => {
    const { hostId } = connection.handshake
    const parsed = flowLossSchema.safeParse(body)
    if (!parsed.success) {
      logger.warn({ host: hostId }, 'an agent told of a loss in a way that makes no sense')
      return
    }
    if (newestLoss.get(hostId) !== uuid) {
      newestLoss.delete(hostId)
      newestLoss.set(hostId, uuid)
      if (newestLoss.size > REMEMBERED_AGENTS) newestLoss.delete(newestLoss.keys().next().value!)
      const { Flows: flows, From: fromMs, To: toMs } = parsed.data
      options.onLoss?.({ host: hostId, flows, fromMs, toMs })
    }
    connection.send(new OutgoingMessage({ namespace: FLOW_NAMESPACE, type: 'BatchReply', uuid, body: null }))
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
          if (message.namespace !== FLOW_NAMESPACE) return
          if (message.type === 'Lost') takeLoss(connection, message)
          if (message.type !== 'Batch' || message.bytes === undefined) return
          void take(connection, { hostId, id: message.uuid, payload: message.bytes })
        },
      } satisfies ConnectionHandler
    },
  }
}
