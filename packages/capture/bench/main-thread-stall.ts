import { createGraph } from '@skydive/graph'
import { createCaptureAgent } from '../src/index.ts'
import type { Sent } from '../test/packet-sender.ts'
import type { Outcome } from './receivers.ts'

/** The scripts as they ship. */
const THREADS = new URL('../../../apps/skydive/dist/threads/', import.meta.url)
const STALL_MS = 300
const STALLS = 5

/**
 * Captures in this process while its main thread does nothing but compute, {@link STALL_MS} at a time, as a great query would have it do.
 * `send` sends out of a process of its own and begins when it is called.
 */
export async function countThroughStalls(interfaceName: string, ifindex: number, send: () => Promise<Sent>): Promise<Outcome> {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.bench', host: 'bench' })
  writer.transaction((tx) => {
    tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'bench', TID: 'tid-host' } })
    const metadata = { Type: 'veth', Name: interfaceName, IfIndex: ifindex, TID: 'tid-0', LinkFlags: ['UP'] }
    tx.addNode({ id: 'link', metadata })
    tx.own('host', 'link')
  })
  const agent = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: { afpacket: { module: new URL('afpacket.js', THREADS).href } },
    workerUrl: new URL('capture.js', THREADS),
    statsUpdateMs: 200,
    onBatch: () => {},
  })
  await agent.start()
  try {
    await agent.startCapture({ NodeID: 'link', Resource: { UUID: 'c1', GremlinQuery: 'G.V()', Type: 'afpacket' } })
    const sending = send()
    let sent: Sent | undefined
    void sending.then((outcome) => {
      sent = outcome
    })
    for (let stalls = 0; !sent || stalls < STALLS; stalls++) {
      const endMs = performance.now() + STALL_MS
      while (performance.now() < endMs);
      await new Promise((resolve) => setTimeout(resolve, STALL_MS))
    }
    return await counted(graph, sent.packets)
  } finally {
    await agent.stop()
  }
}

interface CaptureState {
  readonly PacketsReceived: number
  readonly PacketsDropped: number
}

/** Waits until the capture has accounted for all that was sent. */
async function counted(graph: ReturnType<typeof createGraph>, packets: number): Promise<Outcome> {
  for (;;) {
    const { metadata } = graph.view.node(graph.view.nodeOrdinal('link'))
    const [state] = (metadata['Captures'] ?? []) as unknown as readonly CaptureState[]
    if (state && state.PacketsReceived + state.PacketsDropped >= packets) {
      return { received: state.PacketsReceived, dropped: state.PacketsDropped }
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
