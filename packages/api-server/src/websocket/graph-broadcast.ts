import type { GraphBatch, GraphEvents } from '@skydive/contracts'
import { encodeGraphEvent, formatCursor, GRAPH_NAMESPACE, OutgoingMessage } from '@skydive/protocol'
import { frameBinary, frameText } from './frame.ts'
import type { ServerConnection } from './server-connection.ts'

/** Frames of some batches for all connections that understand them, and how many messages they hold. */
interface Chunk {
  readonly frames: Uint8Array
  readonly messages: number
}

/** Connections that get the same bytes. */
interface Channel {
  readonly members: Set<ServerConnection>
  readonly framing: 'json' | 'protobuf'
  readonly policy: 'full' | 'partial'
  /** Whether the last message of a batch carries the cursor. */
  readonly cursors: boolean
  pending: Uint8Array[]
  pendingMessages: number
}

/**
 * Sends every batch of a graph to its members, in order. A message is serialised once a channel. On an idle line it goes at once; what
 * follows in the same turn of the loop is gathered and goes in one write, because the system call is what a delivery costs.
 */
export class GraphBroadcast {
  readonly #graph: GraphEvents
  readonly #channels = new Map<string, Channel>()
  #busy = false

  constructor(graph: GraphEvents) {
    this.#graph = graph
  }

  /** Sends a batch to all members. */
  publish(batch: GraphBatch): void {
    for (const channel of this.#channels.values()) {
      if (channel.members.size === 0) continue
      const chunk = this.#encode(batch, channel)
      if (this.#busy) {
        channel.pending.push(chunk.frames)
        channel.pendingMessages += chunk.messages
      } else {
        deliver(channel, chunk)
      }
    }
    if (this.#busy) return
    this.#busy = true
    setImmediate(() => this.#flush())
  }

  /** From now on `connection` gets every batch that is published. */
  join(connection: ServerConnection): void {
    const channel = this.#channelOf(connection)
    // What is pending was committed before this member's snapshot: it must not get it.
    if (channel.pending.length > 0) this.#deliverPending(channel)
    channel.members.add(connection)
  }

  leave(connection: ServerConnection): void {
    for (const channel of this.#channels.values()) channel.members.delete(connection)
  }

  /** Sends batches to one connection alone: what it missed. */
  replay(connection: ServerConnection, batches: readonly GraphBatch[]): void {
    const channel = this.#channelOf(connection)
    for (const batch of batches) {
      const { frames, messages } = this.#encode(batch, channel)
      connection.write(frames, messages)
    }
  }

  #flush(): void {
    let more = false
    for (const channel of this.#channels.values()) {
      if (channel.pending.length === 0) continue
      this.#deliverPending(channel)
      more = true
    }
    if (more) setImmediate(() => this.#flush())
    else this.#busy = false
  }

  #deliverPending(channel: Channel): void {
    const chunk = { frames: Buffer.concat(channel.pending), messages: channel.pendingMessages }
    channel.pending = []
    channel.pendingMessages = 0
    deliver(channel, chunk)
  }

  #encode(batch: GraphBatch, channel: Channel): Chunk {
    const last = batch.events.length - 1
    const frames = batch.events.map((event, index) => {
      const { type, body } = encodeGraphEvent(event, channel.policy)
      const cursor =
        channel.cursors && index === last
          ? { cursor: formatCursor({ epoch: this.#graph.cursor.epoch, version: batch.version }) }
          : {}
      const message = new OutgoingMessage({ namespace: GRAPH_NAMESPACE, type, body, ...cursor })
      return channel.framing === 'json' ? frameText(message.text()) : frameBinary(message.binary())
    })
    return { frames: frames.length === 1 ? frames[0]! : Buffer.concat(frames), messages: frames.length }
  }

  #channelOf(connection: ServerConnection): Channel {
    const { framing, updatePolicy, cursor } = connection.handshake
    const key = `${framing} ${updatePolicy} ${cursor !== undefined}`
    let channel = this.#channels.get(key)
    if (channel === undefined) {
      channel = {
        members: new Set(),
        framing,
        policy: updatePolicy,
        cursors: cursor !== undefined,
        pending: [],
        pendingMessages: 0,
      }
      this.#channels.set(key, channel)
    }
    return channel
  }
}

function deliver(channel: Channel, chunk: Chunk): void {
  for (const connection of channel.members) connection.write(chunk.frames, chunk.messages)
}
