import { CancelledError, type Clock, randomId, UnavailableError } from '@skydive/contracts'
import { type Message, type MessageInit, OutgoingMessage } from '@skydive/protocol'

/** How long an answer may take (spec platform 2.3). */
export const REQUEST_TIMEOUT_MS = 10_000

interface Waiting {
  resolve(reply: Message): void
  reject(error: Error): void
}

/** Requests of one connection that wait for their reply, matched by UUID. */
export class PendingRequests {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Waiting>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Sends a request and waits for the reply.
   *
   * @throws ERR_UNAVAILABLE when the peer is gone or silent for too long; ERR_CANCELLED when `signal` fired.
   */
  request(
    send: (message: OutgoingMessage) => boolean,
    init: MessageInit,
    options: { readonly peer: string; readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<Message> {
    const { peer, signal, timeoutMs = REQUEST_TIMEOUT_MS } = options
    if (signal?.aborted) return Promise.reject(new CancelledError(undefined, signal.reason))
    const message = new OutgoingMessage({ ...init, uuid: randomId() })
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#waiting.delete(message.uuid)
        this.#clock.clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        settle()
        reject(new CancelledError(undefined, signal?.reason))
      }
      const timer = this.#clock.setTimeout(() => {
        settle()
        reject(unavailable(`${peer} did not answer ${init.namespace} ${init.type} within ${timeoutMs} ms`, peer))
      }, timeoutMs)
      signal?.addEventListener('abort', onAbort)
      this.#waiting.set(message.uuid, {
        resolve(reply) {
          settle()
          resolve(reply)
        },
        reject(error) {
          settle()
          reject(error)
        },
      })
      if (!send(message)) this.#waiting.get(message.uuid)?.reject(unavailable(`${peer} is not connected`, peer))
    })
  }

  /** Takes a message that is the reply to a request; `false` when it is none. */
  settle(message: Message): boolean {
    const waiting = this.#waiting.get(message.uuid)
    waiting?.resolve(message)
    return waiting !== undefined
  }

  /** The connection is gone: nothing will be answered. */
  fail(peer: string): void {
    for (const waiting of [...this.#waiting.values()]) waiting.reject(unavailable(`${peer} went away`, peer))
  }
}

function unavailable(message: string, peer: string): UnavailableError {
  return new UnavailableError(message, { retryable: true, fields: { peer } })
}
