import { cpuUsage } from 'node:process'
import { createInterface } from 'node:readline'
import { SILENT_LOGGER } from '@skydive/contracts'
import { CapturePool } from '../src/agent/capture-pool.ts'
import { openCaptureThread } from '../src/agent/capture-thread.ts'
import type { CaptureFigures } from '../src/agent/messages.ts'
import { captureStart } from '../test/capture-start.ts'

// A program of its own: captures an interface by so many threads and, for each line that it reads (a number of packets), tells when so many more are
// in its flow tables: `backlog-reader.ts <interface> <ifindex> <threads> <bytes of the rings together>`.

/** The scripts as they ship. */
const THREADS = new URL('../../../apps/skydive/dist/threads/', import.meta.url)
const POLL_MS = 5

/** What it prints for each line, as JSON. */
export interface Counted {
  /** In the tables. */
  readonly packets: number
  /** By the kernel. */
  readonly dropped: number
  /** CPU of the process since the line before, µs. */
  readonly cpuMicroseconds: number
}

const [interfaceName, ifindex, sources, ringBytes] = process.argv.slice(2)
let counted = { packets: 0, dropped: 0 }
const pool = new CapturePool(
  {
    onBatch() {},
    onFailed: (_taskId, error) => console.error(error.message),
    onFigures([figures]: readonly CaptureFigures[]) {
      if (figures) counted = { packets: figures.table!.packets, dropped: figures.source.packetsDropped }
    },
  },
  // The logger tells, such as that the kernel had less memory for the rings.
  (events) =>
    openCaptureThread(events, new URL('capture.js', THREADS), {
      ...SILENT_LOGGER,
      warn: (_fields, message) => console.error(message),
    }),
)
const { target, table, ...start } = captureStart(new URL('afpacket.js', THREADS).href)
const spread = Number(sources) > 1 && { spread: { sources: Number(sources), keepFragments: false, tunnelUdpPorts: [] } }
await pool.start({
  ...{ ...start, moduleOptions: { ringBytes: Number(ringBytes) }, table: { ...table, maxFlows: 500_000 } },
  target: { ...target, interfaceName: interfaceName!, ifindex: Number(ifindex), ...spread },
})

let before = counted
let cpuBefore = cpuUsage()
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const whole = before.packets + before.dropped + Number(line)
  while (counted.packets + counted.dropped < whole) {
    pool.askFigures()
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const used = cpuUsage(cpuBefore)
  const told: Counted = {
    packets: counted.packets - before.packets,
    dropped: counted.dropped - before.dropped,
    cpuMicroseconds: used.user + used.system,
  }
  before = counted
  cpuBefore = cpuUsage()
  console.log(JSON.stringify(told))
}
await pool.stop(1)
await pool.close()
