import type { ChildProcess } from 'node:child_process'

/** How long children get to end by themselves, ms. */
const STOP_GRACE_MS = 12_000

/** What a group needs of a child process. */
export type GroupChild = Pick<ChildProcess, 'once' | 'kill'>

/** Child processes that end together: when one goes, the others are stopped. Which one went unasked is told in a line. */
export class ChildGroup {
  readonly #tell: (line: string) => void
  readonly #children: GroupChild[] = []
  readonly #codes: Promise<number>[] = []
  #isStopping = false

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  /** Takes a child that was just started; `name` is what it is called when it ends unasked. */
  add(name: string, child: GroupChild): void {
    this.#children.push(child)
    this.#codes.push(
      new Promise((resolve) => {
        child.once('exit', (code: number | null, signal: string | null) => {
          if (this.#isStopping) return resolve(code ?? (signal === 'SIGTERM' ? 0 : 1))
          this.#tell(`skydive: the ${name} ended ${signal === null ? `with code ${code}` : `by ${signal}`}, so everything stops`)
          // Nobody asked it to: that is a failure, even of one that ended in order.
          resolve(code || 1)
          this.stop()
        })
      }),
    )
  }

  /** Asks all to end, and ends them by force when asked again or after 12 s. */
  stop(): void {
    const signal = this.#isStopping ? 'SIGKILL' : 'SIGTERM'
    if (!this.#isStopping) setTimeout(() => this.stop(), STOP_GRACE_MS).unref()
    this.#isStopping = true
    for (const child of this.#children) child.kill(signal)
  }

  /** Resolves with the worst exit code of those that were added before the first went, once all have ended: 0 only when they were asked to. */
  async ended(): Promise<number> {
    await Promise.race(this.#codes)
    return Math.max(...(await Promise.all(this.#codes)))
  }
}
