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

/** A signal, and what makes it fire. */
interface Departure {
  readonly signal: AbortSignal
  onClose(): void
}

/**
 * {@link whileThere} for what is mostly answered at once: then the signal is kept for what the same connection asks next, because making one
 * costs as much as a small query.
 */
export class Departures {
  readonly #kept = new WeakMap<Socket, Departure>()

  /** `run` must not hold on to the signal after an answer without a promise. */
  whileThere<T>(socket: Socket, run: (signal: AbortSignal) => T | Promise<T>): T | Promise<T> {
    let departure = this.#kept.get(socket)
    if (!departure) {
      departure = watch(socket)
      this.#kept.set(socket, departure)
    }
    const answer = run(departure.signal)
    if (!(answer instanceof Promise)) return answer
    // Whoever waits listens to the signal, which is its own from now on.
    this.#kept.delete(socket)
    const { onClose } = departure
    return answer.finally(() => socket.removeListener('close', onClose))
  }
}

function watch(socket: Socket): Departure {
  const gone = new AbortController()
  const onClose = () => gone.abort()
  socket.once('close', onClose)
  return { signal: gone.signal, onClose }
}
