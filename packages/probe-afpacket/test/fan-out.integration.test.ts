// Packets of one interface, spread by the kernel over several rings, held against what tcpdump writes of the same interface meanwhile.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, Flow, PacketSource } from '@skydive/contracts'
import { createFlowTable, type FlowTable } from '@skydive/flow-table'
import { type Kernel, openKernel } from '@skydive/kernel'
import { LINK_TYPE } from '@skydive/packet'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import * as p from '../../flow-table/test/packet-builder.ts'
import { randomCaptures } from '../../flow-table/test/random-captures.ts'
import { captureSource } from '../src/index.ts'
import { AF_PACKET, packetAddress, SOCK_RAW } from '../src/packet-socket.ts'

const SEED = Number(process.env['SKYDIVE_SEED'] ?? 20_261_127)
const MEMBERS = 3
const PCAP_HEADER_BYTES = 24
const outside = openKernel()
/** Opened in the network, to which it comes back from others. */
let kernel: Kernel
let network: PrivateNetwork
let folder: string
let near: number
let far: number
let ifindex: number

/** A packet socket that sends out of an interface. */
function senderOf(index: number, netns?: string): number {
  const fd = kernel.socket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0, ...(netns !== undefined && { netns }) })
  kernel.bind(fd, packetAddress(index, 0))
  return fd
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'b-fan-out-'))
  network = enterPrivateNetwork(outside.systemCall)
  kernel = openKernel()
  network.ip('netns add far', 'link add v0 type veth peer name v1 netns far')
  for (const [name, netns] of [['v0'], ['v1', 'far']] as const) {
    network.run('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'], netns)
    network.run('ip', ['link', 'set', name, 'up'], netns)
  }
  const indexOf = (name: string, netns?: string) =>
    (JSON.parse(network.run('ip', ['-j', 'link', 'show', name], netns)) as { ifindex: number }[])[0]!.ifindex
  ifindex = indexOf('v0')
  near = senderOf(ifindex)
  far = senderOf(indexOf('v1', 'far'), '/run/netns/far')
})

afterAll(() => {
  for (const fd of [near, far]) if (fd !== undefined) kernel.close(fd)
  kernel?.dispose()
  network?.leave()
  outside.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const target = (over: Partial<CaptureTarget> = {}): CaptureTarget => ({
  interfaceName: 'v0',
  ifindex,
  bpfFilter: '',
  snapLength: 4096,
  excludePeers: [],
  spread: { sources: MEMBERS, keepFragments: false, tunnelUdpPorts: [] },
  ...over,
})

/** The owner and the members, as the threads of a capture have them. */
function openAll(over: Partial<CaptureTarget> = {}): PacketSource[] {
  const owner = captureSource.open(target(over)) as PacketSource
  return [owner, ...owner.members!.map((options) => captureSource.open(target(), options as object) as PacketSource)]
}

/** Feeds each source into a table of its own until they have had so many packets. */
function drain(sources: readonly PacketSource[], tables: readonly FlowTable[], packets: number): void {
  const consumers = sources.map((source, i) => tables[i]!.consumer(source.format))
  let seen = 0
  while (seen < packets) {
    if (
      kernel.waitReadable(
        sources.map(({ readyFd }) => readyFd),
        10_000,
      ).length === 0
    ) {
      throw new Error(`${seen} of ${packets} packets came`)
    }
    for (const [i, source] of sources.entries()) seen += source.poll(consumers[i]!)
  }
  expect(seen).toBe(packets)
}

/** Sends each frame out of the side that its source is at: replies come from the far end. */
function sendAll(frames: readonly { readonly data: Uint8Array; readonly isReply: boolean }[]): void {
  for (const { data, isReply } of frames) expect(kernel.send(isReply ? far : near, data)).toBe(data.length)
}

const shown = (flows: Iterable<readonly Flow[]>) =>
  [...flows]
    .flat()
    .map(({ TrackingID, LayersPath, Metric: m }) =>
      [LayersPath, TrackingID, m!.ABPackets, m!.ABBytes, m!.BAPackets, m!.BABytes].join(' '),
    )
    .sort()

async function startTcpdump(file: string, packets: number): Promise<ChildProcess> {
  const tcpdump = spawn('tcpdump', ['-n', '-i', 'v0', '-w', file, '-B', '16384', '-c', `${packets}`])
  let said = ''
  await new Promise<void>((resolve, reject) => {
    // Heard until its end: tcpdump writes that line in pieces, and dies of SIGPIPE when nobody reads the next.
    tcpdump.stderr.on('data', (chunk) => (said += chunk).includes('listening on') && resolve())
    tcpdump.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)))
  })
  return tcpdump
}

const hasTcpdump = ['/usr/bin/tcpdump', '/usr/sbin/tcpdump'].some(existsSync)
const suite = hasTcpdump || process.env['SKYDIVE_CI'] === '1' ? describe : describe.skip

suite(`packets spread over ${MEMBERS} rings (seed ${SEED})`, () => {
  test('every flow, also in tunnels and fragments, is in one of them, and together they are what tcpdump saw', async () => {
    const sides = randomCaptures(SEED, 0, 300).flatMap(({ packets }) => {
      const source = (data: Uint8Array) => data.subarray(6, 12).join()
      return packets.map((data) => ({ data, isReply: source(data) !== source(packets[0]!) }))
    })
    const hosts = { source: '10.9.0.1', destination: '10.9.0.2' }
    const fragments = [0, 8, 16].map((fragmentOffset) => ({
      data: Uint8Array.from(
        p.ethernet(
          p.ipv4(p.udp([1, 2, 3, 4, 5, 6, 7, 8], 7, 9), 17, { ...hosts, fragmentOffset, moreFragments: fragmentOffset < 16 }),
        ),
      ),
      isReply: false,
    }))
    const frames = [...sides, ...fragments]
    const file = join(folder, 'all.pcap')
    const tcpdump = await startTcpdump(file, frames.length)
    const sources = openAll()
    const tables = sources.map(() => createFlowTable())
    try {
      // A ring of so many blocks is full after so many times of handing over: it is read meanwhile.
      for (let from = 0; from < frames.length; from += 50) {
        const some = frames.slice(from, from + 50)
        sendAll(some)
        drain(sources, tables, some.length)
      }
      if (tcpdump.exitCode === null && tcpdump.signalCode === null) await once(tcpdump, 'exit')
      expect([tcpdump.exitCode, tcpdump.signalCode]).toEqual([0, null])
      const received = sources.map((source) => source.stats())
      expect(received.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0)).toBe(frames.length)
      expect(received.map(({ packetsDropped }) => packetsDropped)).toEqual([0, 0, 0])
    } finally {
      for (const source of sources) source.close()
      tcpdump.kill()
    }
    const written = new Uint8Array(readFileSync(file))
    const whole = createFlowTable()
    const layout = { format: 'pcap' as const, littleEndian: true, nanoseconds: false }
    whole.consumer({ layout, linkType: LINK_TYPE.ETHERNET })(written, PCAP_HEADER_BYTES, written.length - PCAP_HEADER_BYTES)
    const flows = tables.map((table) => shown(table.snapshot()))
    expect(flows.flat().sort()).toEqual(shown(whole.snapshot()))
    for (const { length } of flows) expect(length).toBeGreaterThan(50)
    const fragmented = tables
      .flatMap((table) => [...table.snapshot()].flat())
      .filter(({ LayersPath }) => LayersPath?.endsWith('Fragment'))
    expect(fragmented.map(({ Metric }) => Metric!.ABPackets)).toEqual([3])
  }, 60_000)

  test('after the owner halted nothing comes to any, and what had come stays to be read', () => {
    const frame = (port: number) => Uint8Array.from(p.ethernet(p.ipv4(p.udp([], port, 9), 17)))
    const frames = Array.from({ length: 64 }, (_, i) => ({ data: frame(1000 + i), isReply: false }))
    const sources = openAll()
    const tables = sources.map(() => createFlowTable())
    try {
      sendAll(frames)
      sources[0]!.halt!()
      sendAll(frames)
      drain(sources, tables, frames.length)
      expect(
        kernel.waitReadable(
          sources.map(({ readyFd }) => readyFd),
          100,
        ),
      ).toEqual([])
      expect(tables.flatMap((table) => [...table.snapshot()].flat()).map(({ Metric }) => Metric!.ABPackets)).toEqual(
        Array(64).fill(1),
      )
    } finally {
      for (const source of sources) source.close()
    }
  })

  test('a fragment comes to where its flow is when the capture puts them together', () => {
    const datagram = (port: number, id: number) => {
      const bytes = p.udp(Array(32).fill(1), port, 9)
      const part = (from: number, to: number) =>
        Uint8Array.from(p.ethernet(p.ipv4(bytes.slice(from, to), 17, { id, fragmentOffset: from, moreFragments: to < 40 })))
      return [part(0, 24), part(24, 40), Uint8Array.from(p.ethernet(p.ipv4(bytes, 17, { id: id + 1 })))]
    }
    const frames = Array.from({ length: 8 }, (_, i) => datagram(1000 + i, 10 * i + 1)).flat()
    const sources = openAll({ spread: { sources: MEMBERS, keepFragments: true, tunnelUdpPorts: [] } })
    const tables = sources.map(() => createFlowTable({ ipDefrag: true }))
    try {
      sendAll(frames.map((data) => ({ data, isReply: false })))
      drain(sources, tables, frames.length)
    } finally {
      for (const source of sources) source.close()
    }
    const flows = tables.flatMap((table) => [...table.snapshot()].flat())
    expect(flows.map(({ Metric, IPMetric }) => [Metric!.ABPackets, IPMetric?.Fragments])).toEqual(Array(8).fill([2, 1]))
  })

  test('sockets of another group on the same interface are left alone', () => {
    const both = [openAll(), openAll()]
    const frames = Array.from({ length: 30 }, (_, i) => Uint8Array.from(p.ethernet(p.ipv4(p.udp([], 2000 + i, 9), 17))))
    try {
      sendAll(frames.map((data) => ({ data, isReply: false })))
      for (const sources of both)
        drain(
          sources,
          sources.map(() => createFlowTable()),
          frames.length,
        )
    } finally {
      for (const source of both.flat()) source.close()
    }
  })

  test('a member is not to be had any more when its owner is closed, and nothing stays open', () => {
    const sockets = () => readFileSync('/proc/thread-self/net/packet', 'utf8').trim().split('\n').length
    const before = sockets()
    const owner = captureSource.open(target()) as PacketSource
    expect(sockets()).toBe(before + MEMBERS)
    const [options] = owner.members!
    owner.close()
    owner.close()
    owner.halt!()
    expect(sockets()).toBe(before)
    expect(() => captureSource.open(target(), options as object)).toThrow(expect.objectContaining({ code: 'ERR_NOT_FOUND' }))
  })

  test.each([0, 65, 1.5])('%p sources are refused', (sources) => {
    const over = { spread: { sources, keepFragments: false, tunnelUdpPorts: [] } }
    expect(() => captureSource.open(target(over))).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })

  test('one source is a ring without a group', () => {
    const source = captureSource.open(
      target({ spread: { sources: 1, keepFragments: false, tunnelUdpPorts: [] } }),
    ) as PacketSource
    expect([source.members, source.halt]).toEqual([undefined, undefined])
    source.close()
  })
})
