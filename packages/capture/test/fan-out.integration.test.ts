import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { type CaptureAgent, createCaptureAgent, createLiveFlowReader } from '../src/index.ts'
import type { Sent } from './packet-sender.ts'

const WORKERS = 3
const FLOWS = 600
const near = `b-fan-${process.pid}`
const far = `b-fan-p-${process.pid}`
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const indexOf = (netns: string, device: string) =>
  (JSON.parse(ip('-n', netns, '-j', 'link', 'show', device)) as [{ ifindex: number }])[0].ifindex

const graph = createGraph()
const writer = graph.writer({ origin: 'agent.test', host: 'test' })
const sent: Flow[] = []
const statistics: { received: number; dropped: number }[] = []
let wakeUp = () => {}
let agent: CaptureAgent

/** Resolves when `holds` does, looked at whenever flows or a change of the graph come. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      wakeUp = resolve
    })
  }
}

beforeAll(async () => {
  for (const name of [near, far]) ip('netns', 'add', name)
  ip('link', 'add', 'b-fan0', 'netns', near, 'type', 'veth', 'peer', 'name', 'b-fan1', 'netns', far)
  for (const [name, device, address] of [
    [near, 'b-fan0', '10.8.0.1/24'],
    [far, 'b-fan1', '10.8.0.2/24'],
  ] as const) {
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
    ip('-n', name, 'addr', 'add', address, 'dev', device)
    ip('-n', name, 'link', 'set', device, 'up')
  }
  ip('netns', 'exec', near, 'ping', '-c1', '-W2', '10.8.0.2')
  writer.transaction((tx) => {
    tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'test', TID: 'tid-host' } })
    tx.addNode({ id: 'ns', metadata: { Type: 'netns', Name: near, Path: `/run/netns/${near}` } })
    const metadata = { Type: 'veth', Name: 'b-fan0', IfIndex: indexOf(near, 'b-fan0'), TID: 'tid-0', LinkFlags: ['UP'] }
    tx.addNode({ id: 'v0', metadata })
    tx.own('host', 'ns')
    tx.own('ns', 'v0')
  })
  graph.subscribe(() => wakeUp())
  agent = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: {
      afpacket: { module: new URL('../../probe-afpacket/src/index.ts', import.meta.url).href },
      // In the place of another capture type of interfaces.
      pcap: { module: new URL('./breaking-source.ts', import.meta.url).href },
    },
    fanoutWorkers: WORKERS,
    statsUpdateMs: 50,
    flow: { updateMs: 200, maxFlows: 100_000 },
    onBatch(payload) {
      const { Flows, Stats } = decodeFlowMessage(payload)
      sent.push(...Flows)
      if (Stats) statistics.push({ received: Stats.PacketsReceived, dropped: Stats.PacketsDropped })
      wakeUp()
    },
  })
  await agent.start()
})
afterAll(async () => {
  await agent?.stop()
  for (const name of [near, far]) ip('netns', 'del', name)
})

const command = (UUID: string, over: object = {}) => ({
  NodeID: 'v0',
  Resource: { UUID, GremlinQuery: 'G.V()', BPFFilter: 'icmp or udp or tcp', ...over },
})
const captures = () =>
  graph.view.node(graph.view.nodeOrdinal('v0')).metadata['Captures'] as readonly Record<string, unknown>[] | undefined
const sockets = () => ip('netns', 'exec', near, 'cat', '/proc/net/packet').trim().split('\n').length - 1

describe(`a capture that ${WORKERS} threads run together`, () => {
  test('is one to the outside: counters, live flows, reports and the end; no flow is in two tables', async () => {
    await agent.startCapture(command('c1'))
    expect(sockets()).toBe(WORKERS)
    const sender = ['--import', 'tsx', '--conditions=@skydive/source', join(import.meta.dirname, 'packet-sender.ts')]
    const numbers = [indexOf(far, 'b-fan1'), 20_000, 0.6, FLOWS].map(String)
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', far, process.execPath, ...sender, ...numbers])
    const { packets } = JSON.parse(stdout) as Sent
    ip('netns', 'exec', near, 'ping', '-c5', '-i0.01', '-W1', '10.8.0.2')
    await until(() => captures()?.[0]?.['PacketsReceived'] === packets + 10)
    expect(captures()).toMatchObject([{ PacketsDropped: 0, ID: 'c1', State: 'active' }])

    const reader = createLiveFlowReader({
      sources: () => [{ name: 'agent.test', hostId: 'test', query: (query) => agent.queryFlowTable(query) }],
    })
    const live = async () => (await reader.search({ nodeTids: ['tid-0'] }, undefined)).flows.map(({ flow }) => flow)
    const packetsOf = (flows: readonly Flow[]) =>
      flows.reduce((sum, { Metric: metric }) => sum + metric!.ABPackets + metric!.BAPackets, 0)
    // The last packets may lie in blocks that are not handed over yet: the updates say when all are counted.
    const told = () =>
      sent.reduce((sum, { LastUpdateMetric: metric }) => sum + metric!.ABPackets + metric!.BAPackets, 0) === packets + 10
    await until(told)
    const flows = await live()
    expect([flows.length, packetsOf(flows)]).toEqual([FLOWS + 1, packets + 10])
    expect(new Set(flows.map(({ TrackingID: id }) => id)).size).toBe(FLOWS + 1)
    expect(flows.find(({ Application: name }) => name === 'ICMPv4')?.Metric).toMatchObject({ ABPackets: 5, BAPackets: 5 })
    const page = await reader.search(
      { nodeTids: ['tid-0'], Sort: true, SortBy: 'Last', PaginationRange: { From: 0, To: 7 } },
      undefined,
    )
    expect(page.flows).toHaveLength(7)

    sent.length = 0
    await agent.stopCapture(command('c1'))
    expect([captures(), sockets()]).toEqual([undefined, 0])
    expect([sent.length, packetsOf(sent)]).toEqual([FLOWS + 1, packets + 10])
    expect(new Set(sent.map(({ UUID: id }) => id)).size).toBe(FLOWS + 1)
    // Each thread tells at its end, and every 10 s before when it takes so long.
    expect(statistics.reduce((sum, { received, dropped }) => sum + received + dropped, 0)).toBe(packets + 10)
    const shares = statistics.map(({ received }) => received).sort((a, b) => b - a)
    for (const received of shares.slice(0, WORKERS)) expect(received).toBeGreaterThan(packets / WORKERS / 3)
    expect(shares.length).toBeGreaterThanOrEqual(WORKERS)
    expect((await live()).length).toBe(0)
  }, 30_000)

  test('a node that goes takes all of it with it', async () => {
    await agent.startCapture(command('c2'))
    expect(sockets()).toBe(WORKERS)
    const { metadata } = graph.view.node(graph.view.nodeOrdinal('v0'))
    writer.transaction((tx) => tx.deleteNode('v0'))
    await expect(agent.stopCapture(command('c2'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' })
    const { Captures: _, ...rest } = metadata
    writer.transaction((tx) => {
      tx.addNode({ id: 'v0', metadata: rest })
      tx.own('ns', 'v0')
    })
    // The next one waits its turn in each thread.
    await agent.startCapture(command('c3'))
    await agent.stopCapture(command('c3'))
    expect(sockets()).toBe(0)
  }, 20_000)

  test('one with a target is read by one thread', async () => {
    await agent.startCapture(command('c4', { Target: '10.8.0.2:2055', TargetType: 'ipfix' }))
    expect(sockets()).toBe(1)
    await agent.stopCapture(command('c4'))
  }, 20_000)

  test('when one of the threads breaks it fails as a whole, what the others counted is told, and the next one runs', async () => {
    sent.length = 0
    await agent.startCapture(command('c5', { Type: 'pcap' }))
    expect(sockets()).toBe(WORKERS)
    const sender = ['--import', 'tsx', '--conditions=@skydive/source', join(import.meta.dirname, 'packet-sender.ts')]
    const numbers = [indexOf(far, 'b-fan1'), 5_000, 0.2, 100].map(String)
    await promisify(execFile)('ip', ['netns', 'exec', far, process.execPath, ...sender, ...numbers])
    await until(() => captures()?.[0]?.['State'] === 'error')
    expect(captures()).toMatchObject([{ ID: 'c5', State: 'error', Error: 'this thread broke' }])
    await until(() => sent.some(({ FinishType: finish }) => finish === 1))
    await agent.startCapture(command('c6'))
    ip('netns', 'exec', near, 'ping', '-c3', '-i0.01', '-W1', '10.8.0.2')
    await until(() => captures()?.find(({ ID: id }) => id === 'c6')?.['PacketsReceived'] === 6)
    await agent.stopCapture(command('c6'))
    expect(sockets()).toBe(0)
  }, 20_000)

  test.each([0, 9, 1.5])('%p workers are refused', (fanoutWorkers) => {
    const options = { graph: writer, events: graph, sources: {}, onBatch: () => {}, fanoutWorkers }
    expect(() => createCaptureAgent(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})
