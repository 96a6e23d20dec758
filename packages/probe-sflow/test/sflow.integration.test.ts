import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, Flow, MetadataObject, PacketSource } from '@skydive/contracts'
import { createFlowTable, type FlowTable } from '@skydive/flow-table'
import { type Kernel, openKernel } from '@skydive/kernel'
import { hasOpenVSwitch, type OpenVSwitch } from '@skydive/testkit'
import { captureSource } from '../src/index.ts'
import { addNamespaces, at, ip, switchHosts } from './switched-hosts.ts'

// Open vSwitch with its userspace datapath samples pings between two namespaces and sends counters of its ports.

const withOvs = hasOpenVSwitch() ? describe : describe.skip
const hasSfcapd = ['sfcapd', 'nfdump'].every((program) => existsSync(`/usr/bin/${program}`))
const withSfcapd = hasSfcapd ? test : test.skip

const name = (what: string) => `b-sfl-${what}-${process.pid}`
const [home, left, right] = [name('h'), name('l'), name('r')] as const

let kernel: Kernel
let source: PacketSource | undefined
beforeAll(() => {
  kernel = openKernel()
  addNamespaces(home, left, right)
})
afterEach(() => {
  source?.close()
  source = undefined
})
afterAll(() => {
  for (const netns of [home, left, right]) ip('netns', 'del', netns)
  kernel.dispose()
})

const target = (over: Partial<CaptureTarget> = {}): CaptureTarget => ({
  interfaceName: 'lo',
  ifindex: 1,
  netns: `/run/netns/${home}`,
  bpfFilter: '',
  snapLength: 256,
  excludePeers: [],
  addresses: ['127.0.0.1'],
  ...over,
})

/** Polls into the table until `holds`; the socket wakes it, and half a minute ends it. */
function pollUntil(table: FlowTable, holds: () => boolean, maxWaits = 300): void {
  const consume = table.consumer(source!.format)
  for (let waits = 0; waits < maxWaits && !holds(); waits++) {
    kernel.waitReadable([source!.readyFd], 100)
    source!.poll(consume)
  }
}

const described = () => source!.describe!()
const sflow = () => described().node!['SFlow'] as MetadataObject

describe('the collector', () => {
  test('can run here', async () => {
    expect(await captureSource.detect()).toEqual({ available: true })
  })

  test.each([
    [{ addresses: ['127.0.0.1'] }, '127.0.0.1:6343'],
    [{ addresses: ['127.0.0.1', '10.0.0.1'] }, '0.0.0.0:6343'],
    [{ addresses: [], port: 6400 }, '0.0.0.0:6400'],
  ])('with %j listens on %s', (over, socket) => {
    source = captureSource.open(target(over)) as PacketSource
    expect(described()).toEqual({ capture: { SFlowSocket: socket }, node: { SFlow: { Agents: {} } } })
    expect(at(home, 'cat', '/proc/net/udp').split('\n').length).toBe(3)
    expect(() => captureSource.open(target(over))).toThrow(expect.objectContaining({ code: 'ERR_CONFLICT' }))
    source.close()
    source.close()
    expect(at(home, 'cat', '/proc/net/udp').split('\n').length).toBe(2)
  })

  test('a bad filter is refused and leaves no socket', () => {
    expect(() => captureSource.open(target({ bpfFilter: 'foo bar' }))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    )
    expect(at(home, 'cat', '/proc/net/udp').split('\n').length).toBe(2)
  })

  test('what overflows the socket is counted as dropped, what is no sFlow as unused', () => {
    source = captureSource.open(target(), { bufferBytes: 4096 }) as PacketSource
    at(home, 'bash', '-c', 'for i in {1..300}; do echo -n 12345678 > /dev/udp/127.0.0.1/6343; done')
    source.poll(() => {})
    const { packetsReceived, packetsDropped } = source.stats()
    const unused = sflow()['Unused'] as Record<string, number>
    expect(packetsReceived).toBe(0)
    expect(packetsDropped).toBeGreaterThan(0)
    expect(unused['ForeignVersions']! + packetsDropped).toBe(300)
  })
})

test('a datagram that is too long is dropped, and counted by its cause', () => {
  source = captureSource.open(target()) as PacketSource
  at(home, 'bash', '-c', 'dd if=/dev/zero bs=20000 count=1 status=none > /dev/udp/127.0.0.1/6343')
  pollUntil(createFlowTable(), () => source!.stats().packetsDropped === 1)
  expect(source.stats()).toEqual({ packetsReceived: 0, packetsDropped: 1, packetsIfDropped: 0 })
  expect(sflow()['Unused']).toEqual({ TruncatedDatagrams: 1 })
})

withOvs('with Open vSwitch', () => {
  let ovs: OpenVSwitch
  beforeAll(async () => {
    ovs = await switchHosts({ home, left, right })
  }, 60_000)
  afterAll(() => ovs?.stop())

  const sampleOne = (rate: number, targets = '"127.0.0.1:6343"') =>
    ovs.vsctl(
      ...['--', '--id=@s', 'create', 'sflow', 'agent=lo', `targets=${targets}`, 'header=128', `sampling=${rate}`],
      ...['polling=1', '--', 'set', 'bridge', 'br0', 'sflow=@s'],
    )
  const ifIndex = (device: string): number => {
    const [link] = JSON.parse(ip('-n', home, '-j', 'link', 'show', device)) as [{ readonly ifindex: number }]
    return link.ifindex
  }
  const echo = (table: FlowTable): readonly Flow[] =>
    [...table.snapshot()].flat().filter(({ LayersPath }) => LayersPath === 'Ethernet/IPv4/ICMPv4')

  test('every packet sampled: counters are those of the wire', () => {
    source = captureSource.open(target({ bpfFilter: 'icmp' })) as PacketSource
    const table = createFlowTable({ nodeTid: 'tid-of-lo', exporterAddress: '127.0.0.1' })
    sampleOne(1)
    at(left, 'ping', '-c20', '-i0.02', '-s200', '10.7.0.2')
    const metric = () => echo(table)[0]?.Metric
    pollUntil(table, () => metric()?.ABPackets === 20 && metric()?.BAPackets === 20)
    expect(echo(table)).toEqual([
      expect.objectContaining({
        NodeTID: 'tid-of-lo',
        Exporter: { Address: '127.0.0.1', Input: ifIndex('b-l'), Output: ifIndex('b-r') },
        Network: { Protocol: 'IPV4', A: '10.7.0.1', B: '10.7.0.2', ID: 0 },
        Metric: expect.objectContaining({ ABPackets: 20, ABBytes: 20 * 242, BAPackets: 20, BABytes: 20 * 242 }),
      }),
    ])
    const agents = sflow()['Agents'] as Record<string, MetadataObject>
    expect(agents['127.0.0.1']).toMatchObject({ Lost: 0, SamplingRate: 1 })
  }, 60_000)

  test('one packet of four sampled: counters are whole again, about', () => {
    source = captureSource.open(target({ bpfFilter: 'icmp' })) as PacketSource
    const table = createFlowTable()
    sampleOne(4)
    at(left, 'ping', '-c800', '-i0.002', '10.7.0.2')
    pollUntil(table, () => source!.stats().packetsReceived > 300)
    const { Metric: metric } = echo(table)[0]!
    const packets = metric!.ABPackets + metric!.BAPackets
    expect(packets % 4).toBe(0)
    expect(packets).toBe(source.stats().packetsReceived * 4)
    // 1,600 packets, of which each is taken with a probability of a quarter: ten deviations.
    expect(Math.abs(packets - 1600)).toBeLessThan(700)
  }, 60_000)

  test('counters of its ports are on the node', () => {
    source = captureSource.open(target()) as PacketSource
    const table = createFlowTable()
    sampleOne(1)
    at(left, 'ping', '-c5', '-i0.02', '10.7.0.2')
    const last = () => sflow()['LastUpdateMetric'] as MetadataObject | undefined
    const metric = () => sflow()['Metric'] as MetadataObject | undefined
    pollUntil(table, () => Number(metric()?.['IfInUcastPkts'] ?? 0) > 1 && last() !== undefined)
    expect(metric()).toMatchObject({
      IfInOctets: expect.any(Number),
      IfInUcastPkts: expect.any(Number),
      OvsDpNHit: expect.any(Number),
    })
    expect(last()).toMatchObject({ Start: expect.any(Number), Last: expect.any(Number) })
    const interfaces = Object.values(sflow()['IfMetrics'] as MetadataObject) as Record<string, number>[]
    const octets = interfaces.reduce((sum, one) => sum + (one['IfInOctets'] ?? 0), 0)
    expect((metric() as Record<string, number>)['IfInOctets']).toBe(octets)
  }, 60_000)

  withSfcapd(
    'the same datagrams give the same sums by sfcapd',
    async () => {
      source = captureSource.open(target()) as PacketSource
      const table = createFlowTable()
      const sfcapd = await startSfcapd(9343)
      sampleOne(2, '["127.0.0.1:6343","127.0.0.1:9343"]')
      at(left, 'ping', '-c50', '-i0.002', '-s300', '10.7.0.2')
      at(left, 'nping', '--udp', '-g', '4000', '-p', '5000', '-c', '60', '--delay', '2ms', '--data-length', '120', '10.7.0.2')
      // The last samples wait in the switch for others to fill the datagram, for a second at most.
      ovs.vsctl('clear', 'bridge', 'br0', 'sflow')
      pollUntil(table, () => false, 5)
      const ours = sums([...table.snapshot()].flat())
      expect(source.stats()).toMatchObject({ packetsDropped: 0 })
      expect(await sfcapd.seen()).toEqual(ours)
      expect(Object.keys(ours)).toEqual(
        expect.arrayContaining(['1 10.7.0.1 10.7.0.2', '1 10.7.0.2 10.7.0.1', '17 10.7.0.1 10.7.0.2']),
      )
    },
    60_000,
  )
})

/** By protocol, source and destination. */
type Sums = Readonly<Record<string, { readonly packets: number; readonly bytes: number }>>

/** The switch takes the frame check sequence off and says so: we leave it out, as spec flows 1.20 has it; sfcapd counts it. */
const FCS_BYTES = 4

function sums(flows: readonly Flow[]): Sums {
  const all: Record<string, { packets: number; bytes: number }> = {}
  const add = (key: string, packets: number, bytes: number) => {
    const sum = all[key] ?? { packets: 0, bytes: 0 }
    if (packets > 0) all[key] = { packets: sum.packets + packets, bytes: sum.bytes + bytes }
  }
  for (const { Network: network, Transport: transport, ICMP: icmp, Metric: metric } of flows) {
    if (network?.Protocol !== 'IPV4' || !metric) continue
    const protocol = icmp ? 1 : transport?.Protocol === 'UDP' ? 17 : 6
    add(`${protocol} ${network.A} ${network.B}`, metric.ABPackets, metric.ABBytes)
    add(`${protocol} ${network.B} ${network.A}`, metric.BAPackets, metric.BABytes)
  }
  return all
}

/** Bytes that a socket of 127.0.0.1 in `home` holds and nobody has read yet. */
function waitingAt(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = at(home, 'cat', '/proc/net/udp').split('\n')
  const row = rows.find((line) => line.includes(` ${local} `))
  return Number.parseInt(row?.trim().split(/\s+/)[4]?.split(':')[1] ?? '0', 16)
}

/** sfcapd of nfdump at a port of `home`; what it saw is told when it has ended. */
async function startSfcapd(port: number): Promise<{ seen(): Promise<Sums> }> {
  const folder = mkdtempSync(join(tmpdir(), 'sfcapd-'))
  const args = ['netns', 'exec', home, 'sfcapd', '-w', folder, '-p', String(port), '-b', '127.0.0.1', '-t', '3600']
  const sfcapd = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const hear = (piece: Buffer) => {
      output += piece
      if (output.includes('Startup')) resolve()
    }
    sfcapd.stdout.on('data', hear)
    sfcapd.stderr.on('data', hear)
    sfcapd.once('exit', () => reject(new Error(output)))
  })
  return {
    async seen() {
      // It gives up what it has not read when it is ended.
      while (waitingAt(port) > 0) await new Promise((resolve) => setImmediate(resolve))
      const ended = once(sfcapd, 'exit')
      sfcapd.kill('SIGTERM')
      await ended
      const format = ['-q', '-N', '-A', 'proto,srcip,dstip', '-o', 'fmt:%pr %sa %da %pkt %byt']
      // What is not IP, such as ARP, has zeros there.
      const rows = execFileSync('nfdump', ['-R', folder, ...format, 'ipv4 and not src ip 0.0.0.0'], { encoding: 'utf8' })
      rmSync(folder, { recursive: true })
      const lines = rows.trim().split('\n')
      return Object.fromEntries(
        lines.map((row) => {
          const [protocol, source, destination, ...counts] = row.trim().split(/\s+/)
          const [packets = 0, bytes = 0] = counts.map(Number)
          return [`${protocol} ${source} ${destination}`, { packets, bytes: bytes - packets * FCS_BYTES }]
        }),
      )
    },
  }
}
