import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// `flow.protocol: udp` in both daemons: what the agent counts arrives in the analyzer's store by datagrams (spec platform 2.8).

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall)
  network.ip('netns add x', 'netns add y', 'link add v0 netns x type veth peer name v1 netns y')
  for (const [name, device, address] of [
    ['x', 'v0', '10.9.0.1/24'],
    ['y', 'v1', '10.9.0.2/24'],
  ] as const) {
    network.run('ip', ['-n', name, 'addr', 'add', address, 'dev', device])
    network.run('ip', ['-n', name, 'link', 'set', device, 'up'])
  }
  server = await startAllInOne({ env: { SKYDIVE_FLOW_PROTOCOL: 'udp', SKYDIVE_FLOW_UPDATE: '1' } })
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  network?.leave()
  kernel.dispose()
}, 30_000)

interface DatagramCounts {
  readonly datagrams: number
  readonly flowLinks: number
}

/** Datagrams that the analyzer took, and connections of agents to its WebSocket for flows. */
async function counts(): Promise<DatagramCounts> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  const status = (await (await fetch(`${server.url}/api/status`)).json()) as { FlowAgents: object }
  const datagrams = Number(/^skydive_flow_datagrams_received_total (\d+)/m.exec(metrics)?.[1] ?? 0)
  return { datagrams, flowLinks: Object.keys(status.FlowAgents).length }
}

test('flows of a capture are stored, with what tells their ends', async () => {
  const created = await skydive(['client', 'capture', 'create', '--gremlin', "G.V().Has('Name','v0')"], { env: server.env })
  expect({ code: created.code, stderr: created.stderr }).toEqual({ code: 0, stderr: '' })
  await server.until("G.V().Has('Name', 'v0').Has('Captures.State', 'active').Count()", (count) => count === 1)
  network.run('ping', ['-c', '4', '-i', '0.2', '10.9.0.2'], 'x')

  // So long ago that the store alone is asked, and not the agent.
  const stored = (await server.until(
    "G.At('-3s', 300).Flows().Has('Application', 'ICMPv4')",
    (flows: readonly Flow[]) => flows.length === 1 && flows[0]!.Metric!.ABPackets === 4 && flows[0]!.Metric!.BAPackets === 4,
  )) as Flow[]
  expect(stored.map(({ Network, Metric }) => [Network?.A, Network?.B, Metric!.ABBytes, Metric!.BABytes])).toEqual([
    ['10.9.0.1', '10.9.0.2', 392, 392],
  ])
  const { datagrams, flowLinks } = await counts()
  expect(datagrams).toBeGreaterThan(0)
  expect(flowLinks).toBe(0)
}, 60_000)

test('a datagram that is no message is counted and does no harm', async () => {
  const { port } = new URL(server.url)
  const malformed = async () => {
    const status = (await (await fetch(`${server.url}/api/status`)).json()) as { Flows: { malformedBatches: number } }
    return status.Flows.malformedBatches
  }
  expect(await malformed()).toBe(0)
  network.run('bash', ['-c', `printf '\\x12\\x7f' > /dev/udp/127.0.0.1/${port}`])
  for (const deadline = performance.now() + 15_000; (await malformed()) === 0; ) {
    if (performance.now() > deadline) throw new Error('the datagram was not counted')
  }
  expect(await malformed()).toBe(1)
}, 30_000)
