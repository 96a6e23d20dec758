import type { FlowCoverage, FlowCoverageSummary } from '@skydive/contracts'

/**
 * A coverage in short. A moment counts as watched when at least one capture ran; of a window that is one instant that instant is asked. What was lost
 * in a time that overlaps the window counts as a whole.
 */
export function summarize(coverage: FlowCoverage): FlowCoverageSummary {
  const { fromMs, toMs, spans, losses } = coverage
  const lostPackets = losses.reduce((sum, { packets }) => sum + packets, 0)
  const lostFlows = losses.reduce((sum, { flows }) => sum + flows, 0)
  const watched = toMs > fromMs ? watchedMs(coverage) / (toMs - fromMs) : spans.length > 0 ? 1 : 0
  return { complete: watched === 1 && lostPackets === 0 && lostFlows === 0, lostPackets, lostFlows, watched }
}

/** ms of the window in which at least one span ran. Spans come in the order of their beginning. */
function watchedMs({ fromMs, toMs, spans }: FlowCoverage): number {
  let sum = 0
  let until = fromMs
  for (const span of spans) {
    const begin = Math.max(until, span.fromMs)
    const end = Math.min(toMs, span.toMs ?? toMs)
    if (end <= begin) continue
    sum += end - begin
    until = end
  }
  return sum
}
