import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Flow, FlowMetric } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { type CaptureAgent, createCaptureAgent, createLiveFlowReader } from '../src/index.ts'

const netns = `b-cap-${process.pid}`
const peer = `b-cap-p-${process.pid}`
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const ip = (...args: string[]) => run('ip', ...args)
const ping = (count: number) => ip('netns', 'exec', netns, 'ping', `-c${count}`, '-i0.01', '-W1', '10.8.0.2')
const AFPACKET = new URL('../../probe-afpacket/src/index.ts', import.meta.url).href

const graph = createGraph()
const writer = graph.writer({ origin: 'agent.test', host: 'test' })
const sent: Flow[] = []
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

/** What the updates said, added up. */
const reported = (member: (metric: FlowMetric) => number) => sent.reduce((sum, flow) => sum + member(flow.LastUpdateMetric!), 0)

beforeAll(async () => {
  for (const name of [netns, peer]) ip('netns', 'add', name)
  ip('link', 'add', 'b-cap0', 'netns', netns, 'type', 'veth', 'peer', 'name', 'b-cap1', 'netns', peer)
  for (const [name, device, address] of [
    [netns, 'b-cap0', '10.8.0.1/24'],
    [peer, 'b-cap1', '10.8.0.2/24'],
  ] as const) {
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
    ip('-n', name, 'addr', 'add', address, 'dev', device)
    ip('-n', name, 'link', 'set', device, 'up')
  }
  ping(1)
  const [link] = JSON.parse(ip('-n', netns, '-j', 'link', 'show', 'b-cap0')) as [{ ifindex: number }]
  writer.transaction((tx) => {
    tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'test', TID: 'tid-host' } })
    tx.addNode({ id: 'ns', metadata: { Type: 'netns', Name: netns, Path: `/run/netns/${netns}` } })
    const metadata = { Type: 'veth', Name: 'b-cap0', IfIndex: link.ifindex, TID: 'tid-0', LinkFlags: ['UP'] }
    tx.addNode({ id: 'v0', metadata })
    tx.addNode({ id: 'down', metadata: { ...metadata, LinkFlags: [] } })
    tx.own('host', 'ns')
    tx.own('ns', 'v0')
    tx.own('ns', 'down')
  })
  graph.subscribe(() => wakeUp())
  agent = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: { afpacket: AFPACKET },
    statsUpdateMs: 50,
    flow: { updateMs: 200 },
    ownPeers: () => [{ address: 'localhost', port: 8082 }],
    onBatch(payload) {
      sent.push(...decodeFlowMessage(payload).Flows)
      wakeUp()
    },
  })
  await agent.start()
})
afterAll(async () => {
  await agent.stop()
  for (const name of [netns, peer]) ip('netns', 'del', name)
})

const command = (over: object = {}, node = 'v0') => ({
  NodeID: node,
  Resource: { UUID: 'c1', GremlinQuery: 'G.V()', Name: 'web', BPFFilter: 'icmp', ...over },
})
const captures = () =>
  graph.view.node(graph.view.nodeOrdinal('v0')).metadata['Captures'] as readonly Record<string, unknown>[] | undefined

describe('captures of an agent', () => {
  test('a capture runs, shows on its node, answers live queries, reports and stops', async () => {
    await agent.startCapture(command({ RawPacketLimit: 2 }))
    await agent.startCapture(command({ RawPacketLimit: 2 }))
    expect(captures()).toEqual([
      { PacketsReceived: 0, PacketsDropped: 0, PacketsIfDropped: 0, ID: 'c1', State: 'active', Name: 'web', BPFFilter: 'icmp' },
    ])
    ping(3)
    await until(() => captures()?.[0]?.['PacketsReceived'] === 6)
    // The last packets may lie in a block that the ring has not handed over yet: the reports say when all are counted.
    await until(() => reported((metric) => metric.ABPackets) === 3 && reported((metric) => metric.BAPackets) === 3)

    const reader = createLiveFlowReader({
      sources: () => [
        { name: 'agent.test', hostId: 'test', query: (query) => agent.queryFlowTable(query) },
        { name: 'agent.gone', hostId: 'gone', query: () => Promise.reject(new Error('gone')) },
      ],
    })
    const query = { nodeTids: ['tid-0'], Filter: { TermStringFilter: { Key: 'Application', Value: 'ICMPv4' } } }
    const { flows, missing } = await reader.search(query, undefined)
    expect(missing).toEqual(['agent.gone'])
    expect(flows.map(({ flow }) => flow)).toMatchObject([
      {
        NodeTID: 'tid-0',
        CaptureID: 'c1',
        LayersPath: 'Ethernet/IPv4/ICMPv4',
        Metric: { ABPackets: 3, BAPackets: 3 },
        RawPacketsCaptured: 2,
      },
    ])
    expect((await reader.search({ nodeTids: [] }, undefined)).flows).toEqual([])
    await expect(reader.search({}, { startMs: 1, lastMs: 2 })).rejects.toMatchObject({
      message: 'No storage backend has been configured',
    })

    expect(sent.flatMap(({ LastRawPackets: packets }) => packets?.map(({ Index: index }) => index) ?? [])).toEqual([1, 2])

    sent.length = 0
    await agent.stopCapture(command())
    expect(captures()).toBeUndefined()
    expect(sent).toMatchObject([{ FinishType: 1, CaptureID: 'c1' }])
    await expect(agent.stopCapture(command())).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' })
  }, 20_000)

  test.each([
    ['an unknown node', command({}, 'nosuch'), 'ERR_NOT_FOUND'],
    ['a bad filter', command({ BPFFilter: 'foo bar' }), 'ERR_INVALID_ARGUMENT'],
    ['a type without a source', command({ Type: 'ovssflow' }), 'ERR_INVALID_ARGUMENT'],
    ['an interface that is down', command({}, 'down'), 'ERR_INVALID_ARGUMENT'],
    ['a node that is no interface', command({}, 'ns'), 'ERR_INVALID_ARGUMENT'],
  ] as const)('%s is refused and leaves nothing on the node', async (_title, refused, code) => {
    await expect(agent.startCapture(refused)).rejects.toMatchObject({ code })
    expect(captures()).toBeUndefined()
  })

  test('a node that goes takes its capture with it', async () => {
    await agent.startCapture(command({ UUID: 'c2' }))
    const { metadata } = graph.view.node(graph.view.nodeOrdinal('v0'))
    writer.transaction((tx) => tx.deleteNode('v0'))
    await expect(agent.stopCapture(command({ UUID: 'c2' }))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' })
    const { Captures: _, ...rest } = metadata
    writer.transaction((tx) => {
      tx.addNode({ id: 'v0', metadata: rest })
      tx.own('ns', 'v0')
    })
  })
})
