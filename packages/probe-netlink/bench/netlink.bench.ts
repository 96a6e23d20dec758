import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { GraphBatch, NodeIds } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { openKernel } from '@skydive/kernel'
import { createMemoryLogger, createMemoryMetrics, enterPrivateNetwork, SYSTEM_CLOCK } from '@skydive/testkit'
import { type Figure, median } from '../../../bench/figures.ts'
import { netlinkProbe } from '../src/index.ts'
import { openRouteSocket } from '../src/route-socket.ts'
import { dumpLinks } from '../src/snapshot.ts'
import { type AttributeInit, buildRequest } from '../src/wire.ts'

// In a private network: dumps of many links beside `ip -json link`, and how long a change takes to the graph beside `ip monitor`.

const RTM_NEWLINK = 16
const NLM_F_CREATE_EXCL = 0x600
const ROUNDS = 7
const EVENTS = 200

function timed(body: () => void): number {
  const startMs = performance.now()
  body()
  return performance.now() - startMs
}

export const bench = {
  name: 'netlink',
  async run(): Promise<Figure[]> {
    const outer = openKernel()
    const network = enterPrivateNetwork(outer.systemCall)
    const kernel = openKernel()
    const figures: Figure[] = []
    try {
      let links = 1
      for (const target of [1001, 10_001]) {
        const lines: string[] = []
        for (; links < target; links += 2) lines.push(`link add a${links} type veth peer name b${links}`)
        network.ip(...lines)
        figures.push(...dumpFigures(kernel, target))
      }
    } finally {
      network.leave()
    }
    figures.push(...(await latencyFigures(outer)))
    outer.dispose()
    return figures
  },
}

function dumpFigures(kernel: ReturnType<typeof openKernel>, links: number): Figure[] {
  const buffer = kernel.receiveBuffer(64 << 10)
  const socket = openRouteSocket(kernel, buffer)
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(
      timed(() => {
        if (dumpLinks(socket).length !== links) throw new Error('the dump is not whole')
      }),
    )
    theirs.push(timed(() => JSON.parse(execFileSync('ip', ['-json', 'link'], { encoding: 'utf8', maxBuffer: 1 << 28 }))))
  }
  socket.close()
  buffer.close()
  const [value, peerValue] = [median(ours), median(theirs)]
  return [
    { name: `dump of ${links} links`, value, unit: 'ms', peer: 'ip -json link, parsed', peerValue, ratio: peerValue / value },
  ]
}

async function latencyFigures(outer: ReturnType<typeof openKernel>): Promise<Figure[]> {
  const network = enterPrivateNetwork(outer.systemCall)
  const kernel = openKernel()
  const readiness = kernel.readiness()
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.bench', host: 'bench' })
  writer.transaction((tx) => tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'bench', TID: 't' } }))
  const probe = netlinkProbe()({
    graph: writer,
    hostNodeId: 'host',
    hostTid: 't',
    logger: createMemoryLogger(),
    clock: SYSTEM_CLOCK,
    metrics: createMemoryMetrics(),
    kernel,
    readiness,
    nodeIds: plainIds(),
  })
  await probe.start()
  const monitor = spawn('ip', ['-oneline', 'monitor', 'link'], { stdio: ['ignore', 'pipe', 'ignore'] })
  monitor.stdout.setEncoding('utf8')
  network.ip('link add first type bridge')
  await once(monitor.stdout, 'data')

  const buffer = kernel.receiveBuffer(64 << 10)
  const socket = openRouteSocket(kernel, buffer)
  const [graphMs, monitorMs]: [number[], number[]] = [[], []]
  for (let i = 0; i < EVENTS; i++) {
    const name = `bench${i}`
    const seenInGraph = new Promise<number>((resolve) => {
      const stop = graph.subscribe((batch: GraphBatch) => {
        if (!batch.events.some((event) => event.kind === 'node-added' && event.node.metadata['Name'] === name)) return
        stop()
        resolve(performance.now())
      })
    })
    const seenByMonitor = new Promise<number>((resolve) => {
      const onData = (text: string) => {
        if (!text.includes(`${name}:`)) return
        monitor.stdout.off('data', onData)
        resolve(performance.now())
      }
      monitor.stdout.on('data', onData)
    })
    createBridge(socket, name)
    const toldMs = performance.now()
    graphMs.push((await seenInGraph) - toldMs)
    monitorMs.push((await seenByMonitor) - toldMs)
  }
  const ended = once(monitor, 'exit')
  monitor.kill()
  await ended
  socket.close()
  buffer.close()
  await probe.stop()
  await readiness.close()
  kernel.dispose()
  network.leave()
  const [value, peerValue] = [median(graphMs), median(monitorMs)]
  return [
    {
      name: 'a new link, from the answer of the kernel to the graph (median)',
      value,
      unit: 'ms',
      peer: 'to a line of ip monitor',
      peerValue,
      ratio: peerValue / value,
    },
  ]
}

function createBridge(socket: ReturnType<typeof openRouteSocket>, name: string): void {
  const text = (value: string) => new TextEncoder().encode(`${value}\0`)
  const kind = buildRequest(0, 0, 0, new Uint8Array(0), [[1, text('bridge')]]).slice(16)
  const attributes: AttributeInit[] = [
    [3, text(name)],
    [18, kind],
  ]
  const errno = socket.request(RTM_NEWLINK, new Uint8Array(16), attributes, undefined, NLM_F_CREATE_EXCL)
  if (errno !== 0) throw new Error(`create ${name}: errno ${errno}`)
}

function plainIds(): NodeIds {
  return { idOf: (key) => key, rename() {}, forget() {}, retain() {} }
}
