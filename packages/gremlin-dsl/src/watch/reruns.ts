import type { GraphView } from '@skydive/contracts'
import type { Changes, Net } from './changes.ts'
import type { WatchEntry } from './entry.ts'
import type { Element } from './moves.ts'
import { rootsOfKeys } from './router.ts'
import type { DeltaBody } from './sink.ts'

/** What running queries again needs of those who keep them. */
export interface RerunsOptions {
  readonly schedule: (run: () => void, lastRunMs: number) => void
  readonly view: () => GraphView
  readonly publish: (entry: WatchEntry, body: DeltaBody) => void
  readonly fail: (entry: WatchEntry, error: unknown) => void
}

interface Rerun {
  readonly entry: WatchEntry
  /** The top-level keys that matter; `undefined`: all. */
  readonly roots: ReadonlySet<string> | undefined
  /** The elements of the result: their updates are told, whatever the key. */
  members: ReadonlySet<string>
  scheduled: boolean
  lastRunMs: number
}

/** Queries without delta operators: run again when something may have changed for them, once for all that came meanwhile. */
export class Reruns {
  /** Runs since the start. */
  runs = 0
  private readonly options: RerunsOptions
  private readonly reruns = new Map<WatchEntry, Rerun>()

  constructor(options: RerunsOptions) {
    this.options = options
  }

  get size(): number {
    return this.reruns.size
  }

  /** Runs a query for the first time. @throws what it raises. */
  begin(entry: WatchEntry, view: GraphView): void {
    const startedAt = performance.now()
    entry.rerun!.begin(view)
    entry.version = view.version
    this.runs++
    this.reruns.set(entry, {
      entry,
      roots: rootsOfKeys(entry.plan.keys),
      members: entry.rerun!.elementIds(),
      scheduled: false,
      lastRunMs: performance.now() - startedAt,
    })
  }

  delete(entry: WatchEntry): void {
    this.reruns.delete(entry)
  }

  /** Takes note of changes. */
  take(changes: Changes): void {
    for (const rerun of this.reruns.values()) {
      if (rerun.scheduled || !this.matters(rerun, changes)) continue
      rerun.scheduled = true
      this.options.schedule(() => this.run(rerun), rerun.lastRunMs)
    }
  }

  private matters(rerun: Rerun, { nodes, edges }: Changes): boolean {
    const concerns = ({ id, before, after, roots }: Net<Element>): boolean => {
      if (!before || !after || !roots || !rerun.roots || rerun.members.has(id)) return true
      for (const root of roots) if (rerun.roots.has(root)) return true
      return false
    }
    return (nodes as readonly Net<Element>[]).some(concerns) || (edges as readonly Net<Element>[]).some(concerns)
  }

  private run(rerun: Rerun): void {
    rerun.scheduled = false
    const { entry } = rerun
    if (!this.reruns.has(entry)) return
    const view = this.options.view()
    const startedAt = performance.now()
    this.runs++
    try {
      const body = entry.rerun!.advance(view)
      entry.version = view.version
      rerun.members = entry.rerun!.elementIds()
      rerun.lastRunMs = performance.now() - startedAt
      if (body) this.options.publish(entry, body)
    } catch (error) {
      this.options.fail(entry, error)
    }
  }
}
