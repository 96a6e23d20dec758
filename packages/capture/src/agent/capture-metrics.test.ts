import { expect, test } from '@jest/globals'
import type { Metrics } from '@skydive/contracts'
import { CaptureGauges } from './capture-metrics.ts'
import type { CaptureFigures } from './messages.ts'

/** Gauges by name and labels. */
function shown(): { metrics: Metrics; values: Map<string, number> } {
  const values = new Map<string, number>()
  const key = (name: string, labels: object = {}) => `${name.replace('skydive_capture_', '')} ${Object.values(labels).join(' ')}`
  const gauge = (name: string) => ({
    set: (value: number, labels?: object) => void values.set(key(name, labels), value),
    remove: (labels: object) => void values.delete(key(name, labels)),
  })
  return { metrics: { gauge, counter: () => ({ add() {} }) }, values }
}

const SOURCE = { packetsReceived: 100, packetsDropped: 2, packetsIfDropped: 3 }
const TABLE = { flows: 5, packets: 90, ignoredPackets: 4, filteredPackets: 6, evictedFlows: 7 }

test('every loss of a capture is shown by its cause', () => {
  const { metrics, values } = shown()
  const figures: CaptureFigures = {
    taskId: 1,
    source: SOURCE,
    table: {
      ...TABLE,
      fragments: { datagrams: 20, fragments: 60, errors: 8, evicted: 9, timedOut: 10 },
      streams: { streams: 30, queuedSegments: 40, evictedGaps: 11 },
    },
    sentTo: { sent: 50, dropped: 12, skipped: 13 },
  }
  new CaptureGauges(metrics).set('v0', 'c1', figures)
  expect(Object.fromEntries(values)).toEqual({
    'packets c1 v0': 100,
    'dropped_packets c1 v0': 2,
    'interface_dropped_packets c1 v0': 3,
    'ignored_packets c1 v0': 4,
    'filtered_packets c1 v0': 6,
    'evicted_flows c1 v0': 7,
    'fragment_errors c1 v0': 8,
    'evicted_datagrams c1 v0': 9,
    'timed_out_datagrams c1 v0': 10,
    'evicted_gaps c1 v0': 11,
    'target_sent c1 v0': 50,
    'target_dropped c1 v0': 12,
    'target_skipped c1 v0': 13,
  })
})

test('what a capture does not have is not shown; of one that is over nothing stays', () => {
  const { metrics, values } = shown()
  const gauges = new CaptureGauges(metrics)
  gauges.set('v0', 'c1', { taskId: 1, source: SOURCE })
  gauges.set('v1', 'c1', { taskId: 2, source: SOURCE, table: TABLE })
  expect(values.size).toBe(3 + 6)
  gauges.remove('v1', 'c1')
  expect([...values.keys()]).toEqual(['packets c1 v0', 'dropped_packets c1 v0', 'interface_dropped_packets c1 v0'])
  gauges.remove('v0', 'c1')
  expect(values.size).toBe(0)
})
