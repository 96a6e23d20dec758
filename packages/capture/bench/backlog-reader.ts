import { once } from 'node:events'
import { cpuUsage } from 'node:process'
import { SILENT_LOGGER } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { createCaptureAgent } from '../src/index.ts'

// A program of its own: captures an interface by so many threads until a line comes on its standard input, and then tells what it counted:
// `backlog-reader.ts <interface> <ifindex> <threads> <bytes of the rings together>`. A capture ends when all that waits is read and its flows are out.

/** The scripts as they ship. */
const THREADS = new URL('../../../apps/skydive/dist/threads/', import.meta.url)

/** What it prints at the end, as JSON. */
export interface Counted {
  /** In flows. */
  readonly packets: number
  /** By the kernel. */
  readonly dropped: number
  /** CPU of the process since the capture ran, µs. */
  readonly cpuMicroseconds: number
  /** From the line until all flows were out. */
  readonly tookMs: number
}

const [name, ifindex, threads, ringBytes] = process.argv.slice(2)
const graph = createGraph()
const writer = graph.writer({ origin: 'agent.bench', host: 'bench' })
writer.transaction((tx) => {
  tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'bench', TID: 'tid-host' } })
  tx.addNode({ id: 'link', metadata: { Type: 'veth', Name: name!, IfIndex: Number(ifindex), TID: 'tid-0', LinkFlags: ['UP'] } })
  tx.own('host', 'link')
})
const batches: Uint8Array[] = []
const agent = createCaptureAgent({
  graph: writer,
  events: graph,
  sources: { afpacket: { module: new URL('afpacket.js', THREADS).href, options: { ringBytes: Number(ringBytes) } } },
  workerUrl: new URL('capture.js', THREADS),
  fanoutWorkers: Number(threads),
  // Such as: the kernel had less memory for the rings.
  logger: { ...SILENT_LOGGER, warn: (_fields, message) => console.error(message) },
  onBatch: (payload) => void batches.push(payload),
})
await agent.start()
const command = { NodeID: 'link', Resource: { UUID: 'c1', GremlinQuery: 'G.V()', Type: 'afpacket' } } as const
await agent.startCapture(command)
const cpuBefore = cpuUsage()
console.log('ready')
await once(process.stdin, 'data')
const beganMs = performance.now()
await agent.stopCapture(command)
const tookMs = performance.now() - beganMs
const used = cpuUsage(cpuBefore)
let [packets, dropped] = [0, 0]
for (const { Flows, Stats } of batches.map(decodeFlowMessage)) {
  // A port of the sender may be one of tunnels: then there is an inner flow of the same packets.
  for (const { ParentUUID: parent, LastUpdateMetric: metric } of Flows) {
    if (parent === '') packets += metric!.ABPackets + metric!.BAPackets
  }
  dropped += Stats?.PacketsDropped ?? 0
}
const counted: Counted = { packets, dropped, cpuMicroseconds: used.user + used.system, tookMs }
console.log(JSON.stringify(counted))
await agent.stop()
process.stdin.destroy()
