import type { GraphBatch, GraphListener, SubscribeOptions, Unsubscribe } from '@skydive/contracts'

interface Subscription {
  readonly listener: GraphListener
  readonly skipOwn: boolean
  /** Batches up to this version are none of its business. */
  readonly sinceVersion: number
  active: boolean
}

interface Pending {
  readonly batch: GraphBatch
  /** The subscription within whose call the batch was committed. */
  readonly author: Subscription | undefined
}

/** Tells batches to listeners: synchronously, each batch to all of them before the next, in the order of subscription. */
export class Dispatcher {
  #subscriptions: readonly Subscription[] = []
  readonly #queue: Pending[] = []
  #running = false
  #author: Subscription | undefined
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  get size(): number {
    return this.#subscriptions.length
  }

  subscribe(listener: GraphListener, sinceVersion: number, options: SubscribeOptions = {}): Unsubscribe {
    const subscription: Subscription = { listener, skipOwn: options.skipOwn ?? false, sinceVersion, active: true }
    this.#subscriptions = [...this.#subscriptions, subscription]
    return () => {
      if (!subscription.active) return
      subscription.active = false
      this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription)
    }
  }

  /** Delivers now, or after the batch that is being delivered when called from within a listener. */
  publish(batch: GraphBatch): void {
    this.#queue.push({ batch, author: this.#author })
    if (this.#running) return
    this.#running = true
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#deliver(next)
    } finally {
      this.#running = false
    }
  }

  #deliver({ batch, author }: Pending): void {
    for (const subscription of this.#subscriptions) {
      if (!subscription.active || batch.version <= subscription.sinceVersion) continue
      if (subscription.skipOwn && subscription === author) continue
      this.#author = subscription
      try {
        subscription.listener(batch)
      } catch (error) {
        this.#onError(error)
      } finally {
        this.#author = undefined
      }
    }
  }
}
