import type { GraphView } from '@skydive/contracts'
import type { WatchDelta, WatchPlan } from './delta.ts'
import type { DeltaLog } from './delta-log.ts'
import type { DeltaQuery } from './delta-query.ts'
import type { RerunQuery } from './rerun-query.ts'
import type { DeltaBody } from './sink.ts'

/** One query and everybody who reads it. */
export interface WatchEntry {
  readonly plan: WatchPlan
  readonly log: DeltaLog
  readonly delta: DeltaQuery | undefined
  readonly rerun: RerunQuery | undefined
  readers: number
  /** The version of the graph that its last delta is of, and of one that is run again the whole result. */
  version: number
  /** The change that was last noted for it, so that it is noted once. */
  mark: number
  dirty: boolean
  /** Takes it out of the routes. */
  remove: () => void
}

/** A body with the version that it holds from. */
export function deltaOf(body: DeltaBody, version: number, reset: boolean): WatchDelta {
  return { ...body, version, reset } as WatchDelta
}

/** The whole result, told as new. The view must be of the version of the entry, where deltas keep it. */
export function wholeResult(entry: WatchEntry, view: GraphView): WatchDelta {
  return entry.delta ? deltaOf(entry.delta.whole(view), view.version, true) : deltaOf(entry.rerun!.whole(), entry.version, true)
}
