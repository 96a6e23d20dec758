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
