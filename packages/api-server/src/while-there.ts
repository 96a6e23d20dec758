import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'

/** Runs something for a client; its signal fires when the client goes. */
export async function whileThere<T>(reply: FastifyReply, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController()
  const onClose = () => gone.abort()
  reply.raw.once('close', onClose)
  try {
    return await run(gone.signal)
  } finally {
    reply.raw.removeListener('close', onClose)
  }
}

/** Who asks over one connection. */
interface Client {
  /** For what is asked next. */
  idle: AbortController
  /** Each for one query that waits. */
  readonly waiting: Set<AbortController>
}

/**
 * {@link whileThere} for what is mostly answered at once: then the signal is kept for what the same connection asks next, because making one
 * costs as much as a small query.
 */
export class Departures {
  readonly #clients = new WeakMap<Socket, Client>()

  /** `run` must not hold on to the signal after an answer without a promise. */
  whileThere<T>(socket: Socket, run: (signal: AbortSignal) => T | Promise<T>): T | Promise<T> {
    const client = this.#clients.get(socket) ?? this.#meet(socket)
    const { idle, waiting } = client
    const answer = run(idle.signal)
    if (!(answer instanceof Promise)) return answer
    // Whoever waits listens to the signal, which is its own from now on.
    waiting.add(idle)
    client.idle = new AbortController()
    return answer.finally(() => waiting.delete(idle))
  }

  /** One listener, however many queries come one upon the other. */
  #meet(socket: Socket): Client {
    const client: Client = { idle: new AbortController(), waiting: new Set() }
    socket.once('close', () => {
      client.idle.abort()
      for (const query of client.waiting) query.abort()
    })
    this.#clients.set(socket, client)
    return client
  }
}
