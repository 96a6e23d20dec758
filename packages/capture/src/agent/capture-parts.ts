import type { CaptureSource, Clock } from '@skydive/contracts'
import { type CaptureFeed, type FlowOutput, mirrorFeed, tableFeed } from './capture-feed.ts'
import type { CaptureStart } from './messages.ts'
import { type OpenSender, openTarget } from './target/open-target.ts'
import type { TargetOutput } from './target/target-figures.ts'

/** What a capture is made of: what feeds what, and where it goes. */
export interface CaptureParts {
  readonly feed: CaptureFeed
  readonly output: FlowOutput
  /** Absent: the analyzer. */
  readonly target?: TargetOutput
}

/** What parts stand on. */
export interface PartsOptions {
  readonly clock: Clock
  readonly openSender: OpenSender
}

/** Puts a source together with its table or mirror, and with where flows or frames go. The source is closed when that fails. */
export function openParts(
  start: CaptureStart,
  source: CaptureSource,
  toAnalyzer: FlowOutput,
  options: PartsOptions,
): CaptureParts {
  const { clock, openSender } = options
  try {
    if (start.sendTo === undefined) return { output: toAnalyzer, feed: tableFeed(start, source, clock, toAnalyzer) }
    const to = openTarget(start, start.sendTo, source, openSender, clock)
    if (to.kind === 'frames') return { output: toAnalyzer, target: to.mirror, feed: mirrorFeed(to.source, to.mirror) }
    return { output: to.exporter, target: to.exporter, feed: tableFeed(start, source, clock, to.exporter) }
  } catch (error) {
    source.close()
    throw error
  }
}
