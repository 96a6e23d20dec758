import type { Gauge, Metrics } from '@skydive/contracts'
import type { CaptureFigures } from './messages.ts'

type Read = (figures: CaptureFigures) => number | undefined

/** Name behind `skydive_capture_`, help, and what is shown; a value that is absent is not there. */
const GAUGES: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['packets', 'Packets that running captures received', ({ source }) => source.packetsReceived],
  ['dropped_packets', 'Packets that the kernel dropped for want of room', ({ source }) => source.packetsDropped],
  [
    'interface_dropped_packets',
    'Packets that interfaces dropped, where the source tells',
    ({ source }) => source.packetsIfDropped,
  ],
  ['ignored_packets', 'Packets or records that no flow is made of', ({ table }) => table?.ignoredPackets],
  ['filtered_packets', 'Packets that the filter of a capture refused', ({ table }) => table?.filteredPackets],
  ['evicted_flows', 'Flows that had to go for newer ones', ({ table }) => table?.evictedFlows],
  [
    'fragment_errors',
    'Fragments of IP that contradict others, or that no datagram can hold',
    ({ table }) => table?.fragments?.errors,
  ],
  ['evicted_datagrams', 'Incomplete datagrams that had to go for newer ones', ({ table }) => table?.fragments?.evicted],
  ['timed_out_datagrams', 'Datagrams of which no fragment came for 30 s', ({ table }) => table?.fragments?.timedOut],
  ['evicted_gaps', 'Gaps in TCP given up as too much waited behind them', ({ table }) => table?.streams?.evictedGaps],
  ['target_sent', 'Flow records or frames that running captures sent to their targets', ({ sentTo }) => sentTo?.sent],
  ['target_dropped', 'Flow records or frames that could not be sent to a target', ({ sentTo }) => sentTo?.dropped],
  ['target_skipped', 'Flows or frames that the format of a target can not carry', ({ sentTo }) => sentTo?.skipped],
]

/** The gauges of running captures, by the labels `capture` and `node`. */
export class CaptureGauges {
  readonly #gauges: readonly (readonly [Gauge, Read])[]

  constructor(metrics: Metrics) {
    this.#gauges = GAUGES.map(([name, help, read]) => [metrics.gauge(`skydive_capture_${name}`, help), read])
  }

  set(node: string, capture: string, figures: CaptureFigures): void {
    for (const [gauge, read] of this.#gauges) {
      const value = read(figures)
      if (value !== undefined) gauge.set(value, { capture, node })
    }
  }

  /** Of a capture that is over nothing stays: else there would be ever more of them. */
  remove(node: string, capture: string): void {
    for (const [gauge] of this.#gauges) gauge.remove({ capture, node })
  }
}
