import { type TlsClientSettings, UnavailableError, type WireEdge, type WireNode } from '@skydive/contracts'
import { cookieHeader, GRAPH_NAMESPACE, HEADER, OutgoingMessage } from '@skydive/protocol'
import { WebSocket } from 'ws'

/** What is published, and where. */
export interface PublishOptions {
  /** Such as `http://127.0.0.1:8082`. */
  readonly url: string
  /** @default '/ws/publisher' */
  readonly endpoint?: string
  readonly hostId: string
  readonly username?: string
  readonly password?: string
  /** For a proxy before the server. */
  readonly cookies?: Readonly<Record<string, string>>
  /** For an address with `https:`. */
  readonly tls?: TlsClientSettings
}

/**
 * Publishes a graph that stays when this process ends (policy `Persistent`). Resolves when the server took everything: it answers the
 * messages of a connection in order, so the answer to a last request says so.
 *
 * @throws ERR_UNAVAILABLE when the server refuses or cannot be reached.
 */
export async function publishGraph(
  graph: { readonly Nodes: readonly Partial<WireNode>[]; readonly Edges: readonly Partial<WireEdge>[] },
  options: PublishOptions,
): Promise<void> {
  const url = new URL(options.endpoint ?? '/ws/publisher', options.url)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const token = Buffer.from(`${options.username}:${options.password ?? ''}`).toString('base64')
  const socket = new WebSocket(url, {
    headers: {
      [HEADER.hostId]: options.hostId,
      [HEADER.clientType]: 'cli',
      [HEADER.protocol]: 'json',
      [HEADER.persistencePolicy]: 'Persistent',
      ...(options.username && { Authorization: `Basic ${token}` }),
      ...cookieHeader(options.cookies),
    },
    perMessageDeflate: false,
    ...options.tls,
  })
  const send = (type: string, body: unknown) => {
    const message = new OutgoingMessage({ namespace: GRAPH_NAMESPACE, type, body })
    socket.send(message.text())
    return message.uuid
  }
  await new Promise<void>((resolve, reject) => {
    const fail = (reason: string, cause?: unknown) =>
      reject(
        new UnavailableError(`cannot publish to ${url.href}: ${reason}`, { retryable: true, fields: { url: url.href }, cause }),
      )
    let last = ''
    socket.on('open', () => {
      for (const node of graph.Nodes) send('NodeAdded', node)
      for (const edge of graph.Edges) send('EdgeAdded', edge)
      last = send('SyncRequest', {})
    })
    socket.on('message', (data) => {
      if (!(data as Buffer).includes(last)) return
      resolve()
      socket.close(1000)
    })
    socket.on('error', (error) => fail(error.message, error))
    socket.on('close', (_code, reason) => fail(reason.toString() || 'the line broke'))
  })
}
