import { cpuUsage } from 'node:process'
import { createInterface } from 'node:readline'
import { SILENT_LOGGER } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createCaptureAgent } from '../src/index.ts'

// A program of its own: captures an interface by so many threads, and tells on each line that it reads (a number of packets) when it has accounted
// for so many more: `backlog-reader.ts <interface> <ifindex> <threads> <bytes of the rings together> <ms between two looks>`.

/** The scripts as they ship. */
const THREADS = new URL('../../../apps/skydive/dist/threads/', import.meta.url)
/** What it prints for each line, as JSON. */
export interface Counted {
  readonly received: number
  readonly dropped: number
  /** CPU of the process since the line before, µs. */
  readonly cpuMicroseconds: number
}

const [name, ifindex, threads, ringBytes, pollMs] = process.argv.slice(2)
const graph = createGraph()
const writer = graph.writer({ origin: 'agent.bench', host: 'bench' })
writer.transaction((tx) => {
  tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'bench', TID: 'tid-host' } })
  tx.addNode({ id: 'link', metadata: { Type: 'veth', Name: name!, IfIndex: Number(ifindex), TID: 'tid-0', LinkFlags: ['UP'] } })
  tx.own('host', 'link')
})
const agent = createCaptureAgent({
  graph: writer,
  events: graph,
  sources: { afpacket: { module: new URL('afpacket.js', THREADS).href, options: { ringBytes: Number(ringBytes) } } },
  workerUrl: new URL('capture.js', THREADS),
  fanoutWorkers: Number(threads),
  statsUpdateMs: Number(pollMs),
  // Such as: the kernel had less memory for the rings.
  logger: { ...SILENT_LOGGER, warn: (_fields, message) => console.error(message) },
  onBatch: () => {},
})
await agent.start()
await agent.startCapture({ NodeID: 'link', Resource: { UUID: 'c1', GremlinQuery: 'G.V()', Type: 'afpacket' } })

/** What the capture shows of itself. */
function counters(): Pick<Counted, 'received' | 'dropped'> {
  const captures = graph.view.node(graph.view.nodeOrdinal('link')).metadata['Captures']
  const [state] = (captures ?? []) as unknown as readonly { readonly PacketsReceived: number; readonly PacketsDropped: number }[]
  return { received: state?.PacketsReceived ?? 0, dropped: state?.PacketsDropped ?? 0 }
}

let before = { received: 0, dropped: 0 }
let cpuBefore = cpuUsage()
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const whole = before.received + before.dropped + Number(line)
  let now = counters()
  while (now.received + now.dropped < whole) {
    await new Promise((resolve) => setTimeout(resolve, Number(pollMs)))
    now = counters()
  }
  const used = cpuUsage(cpuBefore)
  const told: Counted = {
    received: now.received - before.received,
    dropped: now.dropped - before.dropped,
    cpuMicroseconds: used.user + used.system,
  }
  before = now
  cpuBefore = cpuUsage()
  console.log(JSON.stringify(told))
}
await agent.stop()
