import type { GraphNode, MetadataValue } from '@skydive/contracts'
import type { MetricPoint } from './messages.ts'

const MOST_POINTS = 240

interface Reading {
  readonly timeMs: number
  readonly rxBytes: number
  readonly txBytes: number
}

/** Rates of one interface, from its growing counters. */
export class MetricSeries {
  #last: Reading | undefined
  #points: readonly MetricPoint[] = []

  get points(): readonly MetricPoint[] {
    return this.#points
  }

  /** Takes a revision of the node; one without new counters adds nothing. */
  add(node: GraphNode): void {
    const reading = readingOf(node.metadata['Metric'])
    const last = this.#last
    if (!reading || (last && reading.timeMs <= last.timeMs)) return
    this.#last = reading
    if (!last || reading.rxBytes < last.rxBytes || reading.txBytes < last.txBytes) return
    const seconds = (reading.timeMs - last.timeMs) / 1_000
    const point = {
      timeMs: reading.timeMs,
      rxBytesPerSecond: (reading.rxBytes - last.rxBytes) / seconds,
      txBytesPerSecond: (reading.txBytes - last.txBytes) / seconds,
    }
    this.#points = [...this.#points, point].slice(-MOST_POINTS)
  }
}

function readingOf(metric: MetadataValue | undefined): Reading | undefined {
  if (typeof metric !== 'object' || metric === null || Array.isArray(metric)) return undefined
  const { Last, RxBytes, TxBytes } = metric as { readonly [key: string]: MetadataValue }
  if (typeof Last !== 'number') return undefined
  return { timeMs: Last, rxBytes: typeof RxBytes === 'number' ? RxBytes : 0, txBytes: typeof TxBytes === 'number' ? TxBytes : 0 }
}
