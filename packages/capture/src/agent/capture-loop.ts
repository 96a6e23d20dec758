import type { Clock } from '@skydive/contracts'
import type { Kernel } from '@skydive/kernel'

/** The longest wait: a turn is taken at least this often. */
const MAX_WAIT_MS = 1000

interface Timer {
  readonly dueAtMs: number
  readonly callback: () => void
}

/**
 * The turn of the capture thread: it sleeps in the kernel until a ring has a block, the main thread signals, or a timer is due. So packets
 * wake it without a detour through another thread. Timers are kept here, because those of Node do not run while the thread sleeps.
 */
export class CaptureLoop implements Clock {
  readonly #kernel: Kernel
  readonly #signalFd: number
  readonly #listeners = new Map<number, () => void>()
  readonly #timers = new Set<Timer>()

  /** `signalFd` is the event descriptor by which the main thread says that it has posted something. */
  constructor(kernel: Kernel, signalFd: number) {
    this.#kernel = kernel
    this.#signalFd = signalFd
  }

  now(): number {
    return Date.now()
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = { dueAtMs: this.now() + delayMs, callback }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer)
  }

  /** Calls `listener` in every turn in which the descriptor can be read. */
  watch(fd: number, listener: () => void): () => void {
    this.#listeners.set(fd, listener)
    return () => {
      this.#listeners.delete(fd)
    }
  }

  /** One sleep and what came of it. Let the event loop of Node have a turn after it: messages and promises wait there. */
  turn(): void {
    this.#look(this.#waitMs())
  }

  /** {@link CaptureLoop.turn} without the sleep. */
  poll(): void {
    this.#look(0)
  }

  #look(waitMs: number): void {
    const fds = [this.#signalFd, ...this.#listeners.keys()]
    for (const fd of this.#kernel.waitReadable(fds, waitMs)) {
      if (fd === this.#signalFd) this.#kernel.clearSignal(fd)
      else this.#listeners.get(fd)?.()
    }
    const nowMs = this.now()
    for (const timer of [...this.#timers]) {
      if (timer.dueAtMs > nowMs || !this.#timers.delete(timer)) continue
      timer.callback()
    }
  }

  #waitMs(): number {
    let dueAtMs = Number.POSITIVE_INFINITY
    for (const timer of this.#timers) dueAtMs = Math.min(dueAtMs, timer.dueAtMs)
    return Math.max(0, Math.min(MAX_WAIT_MS, Math.ceil(dueAtMs - this.now())))
  }
}
