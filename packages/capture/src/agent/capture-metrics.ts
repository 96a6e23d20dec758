import type { Metrics } from '@skydive/contracts'
import type { CaptureFigures } from './messages.ts'

/** Sets the gauges of a running capture, by the labels `capture` and `node`. */
export function measureCapture(metrics: Metrics, node: string, capture: string, { source, table, sentTo }: CaptureFigures): void {
  const labels = { capture, node }
  const set = (name: string, help: string, value: number) => metrics.gauge(name, help).set(value, labels)
  set('skydive_capture_packets', 'Packets that running captures received', source.packetsReceived)
  set('skydive_capture_dropped_packets', 'Packets that the kernel dropped for want of room', source.packetsDropped)
  if (table) {
    set('skydive_capture_ignored_packets', 'Packets or records that no flow is made of', table.ignoredPackets)
    set('skydive_capture_evicted_flows', 'Flows that had to go for newer ones', table.evictedFlows)
  }
  if (!sentTo) return
  set('skydive_capture_target_sent', 'Flow records or frames that running captures sent to their targets', sentTo.sent)
  set('skydive_capture_target_dropped', 'Flow records or frames that could not be sent to a target', sentTo.dropped)
  set('skydive_capture_target_skipped', 'Flows or frames that the format of a target can not carry', sentTo.skipped)
}
