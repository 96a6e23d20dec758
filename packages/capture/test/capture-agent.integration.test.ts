import { execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Flow, FlowMetric } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { encodePcap } from '@skydive/packet'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { type CaptureAgent, createCaptureAgent, createLiveFlowReader } from '../src/index.ts'
import type { Sent } from './packet-sender.ts'

const netns = `b-cap-${process.pid}`
const peer = `b-cap-p-${process.pid}`
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const ip = (...args: string[]) => run('ip', ...args)
const ping = (count: number) => ip('netns', 'exec', netns, 'ping', `-c${count}`, '-i0.01', '-W1', '10.8.0.2')
const PCAP = new URL('../../probe-pcap/src/index.ts', import.meta.url).href
const PCAPSOCKET = new URL('../../probe-pcapsocket/src/index.ts', import.meta.url).href
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
    // Nothing is opened there: packets are sent to it.
    tx.addNode({ id: 'switch', metadata: { Type: 'ovsbridge', Name: 'br-int', TID: 'tid-switch' } })
    tx.own('host', 'ns')
    tx.own('host', 'switch')
    tx.own('ns', 'v0')
    tx.own('ns', 'down')
  })
  graph.subscribe(() => wakeUp())
  agent = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: {
      afpacket: { module: AFPACKET },
      pcap: { module: PCAP },
      pcapsocket: { module: PCAPSOCKET, options: { minPort: 18_300, maxPort: 18_399 } },
    },
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

  test('fragments of the kernel are put together when the capture says so', async () => {
    await agent.startCapture(command({ UUID: 'c4', IPDefrag: true, ReassembleTCP: true, ExtraLayers: 511 }))
    sent.length = 0
    ip('netns', 'exec', netns, 'ping', '-c', '2', '-i', '0.01', '-s', '4000', '-W', '2', '10.8.0.2')
    await until(() => reported((metric) => metric.ABPackets) === 2 && reported((metric) => metric.BAPackets) === 2)
    await agent.stopCapture(command({ UUID: 'c4' }))
    expect(sent.at(-1)).toMatchObject({
      LayersPath: 'Ethernet/IPv4/Fragment/ICMPv4',
      ICMP: { Type: 'ECHO' },
      // Two requests and two replies of three fragments each.
      IPMetric: { Fragments: 8, FragmentErrors: 0 },
    })
  }, 20_000)

  test('the same through libpcap, beside the other', async () => {
    sent.length = 0
    await agent.startCapture(command())
    await agent.startCapture(command({ UUID: 'c4', Type: 'pcap' }))
    ping(3)
    await until(() => captures()?.every(({ PacketsReceived: packets }) => packets === 6) === true)
    expect(captures()).toEqual([
      { PacketsReceived: 6, PacketsDropped: 0, PacketsIfDropped: 0, ID: 'c1', State: 'active', Name: 'web', BPFFilter: 'icmp' },
      {
        PacketsReceived: 6,
        PacketsDropped: 0,
        PacketsIfDropped: 0,
        ID: 'c4',
        State: 'active',
        Name: 'web',
        BPFFilter: 'icmp',
        Type: 'pcap',
      },
    ])
    await agent.stopCapture(command())
    await agent.stopCapture(command({ UUID: 'c4' }))
    const last = sent.filter(({ FinishType: finish }) => finish === 1)
    expect(last.map(({ CaptureID: id, Metric: metric }) => [id, metric!.ABPackets, metric!.BAPackets])).toEqual([
      ['c1', 3, 3],
      ['c4', 3, 3],
    ])
    // Two views of one thing: the same flow in both.
    expect(new Set(last.map(({ TrackingID: id }) => id)).size).toBe(1)
  }, 20_000)

  test('a stream that is sent to the address on the node, which need not be an interface, becomes flows', async () => {
    sent.length = 0
    const onSwitch = () => graph.view.node(graph.view.nodeOrdinal('switch')).metadata['Captures'] as ReturnType<typeof captures>
    await agent.startCapture(command({ UUID: 'c5', Type: 'pcapsocket', BPFFilter: '', Name: '' }, 'switch'))
    const port = Number(/^127\.0\.0\.1:(183\d\d)$/.exec(String(onSwitch()?.[0]?.['PCAPSocket']))?.[1])
    const frame = Uint8Array.from({ length: 60 }, (_, i) => ({ 12: 8, 14: 0x45, 17: 46, 23: 17, 29: 1, 33: 2 })[i] ?? 0)
    const stream = encodePcap([0, 20, 40].map((timeMs) => ({ timeMs, data: frame })))
    const socket = connect(port, '127.0.0.1', () => socket.end(stream))
    await until(() => onSwitch()?.[0]?.['PacketsReceived'] === 3)
    expect(onSwitch()).toEqual([
      {
        PacketsReceived: 3,
        PacketsDropped: 0,
        PacketsIfDropped: 0,
        ID: 'c5',
        State: 'active',
        Type: 'pcapsocket',
        PCAPSocket: `127.0.0.1:${port}`,
      },
    ])
    socket.destroy()
    await agent.stopCapture(command({ UUID: 'c5' }, 'switch'))
    const [last] = sent.filter(({ FinishType: finish }) => finish === 1)
    expect(last).toMatchObject({ NodeTID: 'tid-switch', CaptureID: 'c5', Metric: { ABPackets: 3 } })
    // The distances of the stream, now.
    expect(last!.Last - last!.Start).toBe(40)
    expect(onSwitch()).toBeUndefined()
  }, 20_000)

  test.each([
    ['an unknown node', command({}, 'nosuch'), 'ERR_NOT_FOUND'],
    ['a bad filter', command({ BPFFilter: 'foo bar' }), 'ERR_INVALID_ARGUMENT'],
    ['a type without a source', command({ Type: 'ebpf' }), 'ERR_INVALID_ARGUMENT'],
    ['a type that the node does not allow', command({ Type: 'ovssflow' }), 'ERR_INVALID_ARGUMENT'],
    ['an interface that is down', command({}, 'down'), 'ERR_INVALID_ARGUMENT'],
    ['a node that is no interface', command({}, 'ns'), 'ERR_INVALID_ARGUMENT'],
  ] as const)('%s is refused and leaves nothing on the node', async (_title, refused, code) => {
    await expect(agent.startCapture(refused)).rejects.toMatchObject({ code })
    expect(captures()).toBeUndefined()
  })

  test('while the main thread stands still for more than a second, not one of more packets than the ring holds is lost', async () => {
    await agent.startCapture(command({ UUID: 'c3', BPFFilter: 'udp' }))
    const [link] = JSON.parse(ip('-n', peer, '-j', 'link', 'show', 'b-cap1')) as [{ ifindex: number }]
    // Waiting for a program in this way stops the thread: no message, no timer, no promise. The ring holds half a second of this.
    const sender = ['--import', 'tsx', '--conditions=@skydive/source', join(import.meta.dirname, 'packet-sender.ts')]
    const numbers = [link.ifindex, 200_000, 1.2, 1_000].map(String)
    const { packets, tookMs } = JSON.parse(ip('netns', 'exec', peer, process.execPath, ...sender, ...numbers)) as Sent
    expect(tookMs).toBeGreaterThan(300)
    const counters = () => captures()?.[0] as { PacketsReceived: number; PacketsDropped: number }
    await until(() => counters().PacketsReceived + counters().PacketsDropped >= packets)
    expect(counters()).toMatchObject({ PacketsReceived: packets, PacketsDropped: 0 })
    sent.length = 0
    await agent.stopCapture(command({ UUID: 'c3' }))
    const last = sent.filter(({ FinishType: finish }) => finish === 1)
    const total = last.reduce((sum, { Metric: metric }) => sum + metric!.ABPackets + metric!.BAPackets, 0)
    expect([last.length, total]).toEqual([1_000, packets])
  }, 30_000)

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
