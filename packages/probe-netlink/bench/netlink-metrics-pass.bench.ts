import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { createGraph } from '@skydive/graph'
import { openKernel } from '@skydive/kernel'
import { createManualClock, createMemoryLogger, createMemoryMetrics, enterPrivateNetwork } from '@skydive/testkit'
import { type Figure, median } from '../../../bench/figures.ts'
import { netlinkProbe } from '../src/index.ts'

// What the periodic reading costs on a host with many interfaces, in CPU time of this process: kernel and JavaScript together.

const PAIRS = 1007
const READINGS = 30
/** A reading goes on in another turn of the event loop when it took too long in one; it never rests for so many. */
const TURNS = 50
const INTERVAL_MS = 30_000

export const bench = {
  name: 'netlink-metrics-pass',
  async run(): Promise<Figure[]> {
    const outer = openKernel()
    const network = enterPrivateNetwork(outer.systemCall)
    const kernel = openKernel()
    const readiness = kernel.readiness()
    const clock = createManualClock()
    const graph = createGraph()
    const writer = graph.writer({ origin: 'agent.bench', host: 'bench' })
    writer.transaction((tx) => tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'bench', TID: 't' } }))
    const lines = Array.from({ length: PAIRS }, (_, i) => [
      `link add a${i} type veth peer name b${i}`,
      `link set a${i} up`,
      `link set b${i} up`,
    ])
    network.ip(...lines.flat())
    const probe = netlinkProbe({ metricsIntervalMs: INTERVAL_MS })({
      graph: writer,
      hostNodeId: 'host',
      hostTid: 't',
      logger: createMemoryLogger(),
      clock,
      metrics: createMemoryMetrics(),
      kernel,
      readiness,
      nodeIds: { idOf: (key) => key, rename() {}, forget() {}, retain() {} },
    })
    await probe.start()
    // Duplicate address detection and the first reports of multicast groups.
    await sleep(4000)
    const socket = createSocket('udp6').bind(0)
    await once(socket, 'listening')
    const idle = await readings()
    const busy = await readings(async () => {
      for (let i = 0; i < PAIRS; i++) socket.send('x', 9, `ff02::1%a${i}`)
      await sleep(200)
    })
    socket.close()
    await probe.stop()
    await readiness.close()
    kernel.dispose()
    network.leave()
    outer.dispose()
    const what = `counters of ${2 * PAIRS + 1} interfaces`
    return [
      { name: `${what} at rest, CPU a reading (median)`, value: median(idle), unit: 'ms' },
      { name: `${what} at rest, CPU a reading (mean, with each tenth that reads everything)`, value: mean(idle), unit: 'ms' },
      { name: `${what} that all changed, CPU a reading (median)`, value: median(busy), unit: 'ms' },
    ]

    /** CPU time of each reading, ms. */
    async function readings(before: () => Promise<void> = async () => {}): Promise<readonly number[]> {
      const costsMs: number[] = []
      for (let i = 0; i < READINGS; i++) {
        await before()
        const start = process.cpuUsage()
        clock.advance(INTERVAL_MS)
        for (let version = -1; version !== graph.cursor.version; ) {
          version = graph.cursor.version
          for (let turns = 0; turns < TURNS; turns++) await turn()
        }
        const { user, system } = process.cpuUsage(start)
        costsMs.push((user + system) / 1000)
      }
      return costsMs
    }
  },
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
