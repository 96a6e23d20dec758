// Captures whose flows and frames go to real tools: nfcapd takes NetFlow 5 and IPFIX and nfdump says what it understood; tshark takes
// apart what a mirror sent. Everything happens in a network of the test's own: the agent's end, and a peer behind a veth pair.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Flow, Metadata } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { type Kernel, openKernel } from '@skydive/kernel'
import { createCaptureFileReader, walkPcapRecords } from '@skydive/packet'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type CaptureAgent, createCaptureAgent, createLiveFlowReader } from '../src/index.ts'

const TOOLS = ['nfcapd', 'nfdump', 'tcpdump', 'tshark', 'nping']
const absent = TOOLS.filter((tool) => !['/usr/bin', '/usr/sbin'].some((folder) => existsSync(join(folder, tool))))
const withTools = absent.length === 0 ? describe : describe.skip

const AFPACKET = new URL('../../probe-afpacket/src/index.ts', import.meta.url).href
const PEER = 'peer'
/** No neighbour discovery: it comes when it wants. */
const FILTER = 'udp or icmp or (ip6 and (ip6[40] = 128 or ip6[40] = 129))'
const FINISHED = 60_000
const ETHERNET_BYTES = 14
/** Ethernet, IP, GRE with a sequence number, ERSPAN. */
const ERSPAN_AT = 14 + 20 + 8 + 8
const AF_PACKET = 17
const SOCK_RAW = 3
/** In VLAN 7, of an EtherType for experiments. */
const TAGGED = Uint8Array.from({ length: 64 }, (_, i) => [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 0x88, 0xb5][i] ?? i)

let network: PrivateNetwork
let kernel: Kernel
let folder: string
let agent: CaptureAgent
const graph = createGraph()
const writer = graph.writer({ origin: 'agent.test', host: 'test' })
const gauges = new Map<string, number>()
/** What came out for the analyzer: flows, and the captures that statistics are of. */
const ours: Flow[] = []
const statistics: string[] = []
const children = new Set<ChildProcess>()
let wakeUp = () => {}

/** Resolves when `holds` does, looked at whenever the graph changes. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      wakeUp = resolve
    })
  }
}

const ifindexOf = (name: string) => (network.query(['link', 'show', name]) as [{ ifindex: number }])[0].ifindex
const element = () => {
  const captures = graph.view.node(graph.view.nodeOrdinal('v0')).metadata['Captures'] as readonly Metadata[] | undefined
  return captures?.find(({ ID: id }) => id === 'c1')
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'targets-'))
  kernel = openKernel()
  network = enterPrivateNetwork((number, ...args) => kernel.systemCall(number, ...args))
  network.ip(
    `netns add ${PEER}`,
    `link add v0 type veth peer name v1 netns ${PEER}`,
    'addr add 10.8.0.1/24 dev v0',
    'addr add fd08::1/64 dev v0 nodad',
    'link set v0 up',
  )
  for (const line of ['addr add 10.8.0.2/24 dev v1', 'addr add fd08::2/64 dev v1 nodad', 'link set v1 up', 'link set lo up']) {
    network.run('ip', ['-netns', PEER, ...line.split(' ')])
  }
  // Every datagram to a closed port is answered.
  network.run('sysctl', ['-qw', 'net.ipv4.icmp_ratelimit=0'], PEER)
  network.run('ping', ['-c1', '10.8.0.2'])
  network.run('ping', ['-c1', 'fd08::2'])
  writer.transaction((tx) => {
    tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'test', TID: 'tid-host' } })
    tx.addNode({ id: 'v0', metadata: { Type: 'veth', Name: 'v0', IfIndex: ifindexOf('v0'), TID: 'tid-0', LinkFlags: ['UP'] } })
    tx.own('host', 'v0')
  })
  graph.subscribe(() => wakeUp())
  agent = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: { afpacket: { module: AFPACKET } },
    statsUpdateMs: 50,
    flow: { updateMs: 150 },
    metrics: {
      counter: () => ({ add() {} }),
      gauge: (name) => ({ set: (value) => void gauges.set(name, value), remove: () => {} }),
    },
    onBatch: (payload) => {
      const { Flows: flows, Stats: stats } = decodeFlowMessage(payload)
      ours.push(...flows)
      if (stats) statistics.push(stats.CaptureID)
    },
  })
  await agent.start()
})
afterEach(async () => {
  // Only after a failure.
  if (element()) await agent.stopCapture(command({}))
  for (const child of children) {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  children.clear()
})
afterAll(async () => {
  await agent.stop()
  network.leave()
  kernel.dispose()
  rmSync(folder, { recursive: true })
})

/** Starts a program in the peer's namespace and resolves when it says that it is ready. */
function inPeer(ready: string, program: string, ...args: string[]): Promise<ChildProcess> {
  return launch(ready, 'ip', 'netns', 'exec', PEER, program, ...args)
}

/** The same here. Its output is read to its end: a program that writes to nobody dies of SIGPIPE. */
async function launch(ready: string, program: string, ...args: string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const hear = (piece: Buffer) => {
      said += piece
      if (said.includes(ready)) resolve()
    }
    child.stdout!.on('data', hear)
    child.stderr!.on('data', hear)
    child.once('exit', () => reject(new Error(`${program} ${args.join(' ')} ended: ${said}`)))
  })
  return child
}

/** Resolves when a program has ended by itself. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  children.delete(child)
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await ended(child)
}

const command = (over: Metadata) => ({ NodeID: 'v0', Resource: { UUID: 'c1', GremlinQuery: 'G.V()', Name: 'out', ...over } })

/** UDP from and to several ports, each answered by ICMP, and pings over both versions of IP. */
function traffic(): void {
  for (const [source, destination] of [
    ['4001', '5001'],
    ['4002', '5002'],
  ] as const) {
    const count = source === '4001' ? '7' : '3'
    network.run('nping', [
      '--udp',
      '-g',
      source,
      '-p',
      destination,
      '-c',
      count,
      '--rate',
      '200',
      '--data-length',
      '100',
      '10.8.0.2',
    ])
  }
  network.run('ping', ['-c5', '-i0.01', '-s200', '10.8.0.2'])
  trafficV6()
}

function trafficV6(): void {
  network.run('ping', ['-6', '-c4', '-i0.01', '-s100', 'fd08::2'])
}

/** Packets and bytes by protocol, ends and ports. */
type Sums = Readonly<Record<string, readonly [packets: number, bytes: number]>>

function sumsOf(rows: readonly (readonly [key: string, packets: number, bytes: number])[]): Sums {
  const sums = new Map<string, [number, number]>()
  for (const [key, packets, bytes] of rows) {
    const sum = sums.get(key) ?? [0, 0]
    sums.set(key, [sum[0] + packets, sum[1] + bytes])
  }
  return Object.fromEntries([...sums].sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** The same of our own flows, without their Ethernet headers: those of a capture of the same packets that stays here. */
function ourSums(): Sums {
  const ends = (flow: Flow, isBack: boolean): string => {
    const { Network: network, Transport: transport, ICMP: icmp } = flow
    const isV4 = network!.Protocol === 'IPV4'
    const protocol = transport ? 17 : isV4 ? 1 : 58
    const echo = isV4 ? (isBack ? '0.0' : '8.0') : isBack ? '129.0' : '128.0'
    const icmpPort = icmp?.Type === 'ECHO' ? echo : `3.${icmp?.Code ?? 0}`
    const [a, b] = [`${network!.A} ${transport?.A ?? 0}`, `${network!.B} ${transport?.B ?? (isBack ? 0 : icmpPort)}`]
    return transport
      ? `${protocol} ${isBack ? `${b} ${a}` : `${a} ${b}`}`
      : `${protocol} ${isBack ? `${network!.B} 0 ${network!.A} ${icmpPort}` : `${a} ${b}`}`
  }
  return sumsOf(
    ours.flatMap((flow) => {
      const { ABPackets: ab, ABBytes: abBytes, BAPackets: ba, BABytes: baBytes } = flow.LastUpdateMetric!
      return [
        ...(ab > 0 ? [[ends(flow, false), ab, abBytes - ab * ETHERNET_BYTES] as const] : []),
        ...(ba > 0 ? [[ends(flow, true), ba, baBytes - ba * ETHERNET_BYTES] as const] : []),
      ]
    }),
  )
}

/** What the traffic is: its numbers and lengths are known. IP, then UDP or ICMP, then the payload. */
const V4: Sums = {
  '1 10.8.0.1 0 10.8.0.2 8.0': [10, 10 * 228],
  '1 10.8.0.2 0 10.8.0.1 0.0': [10, 10 * 228],
  '1 10.8.0.2 0 10.8.0.1 3.3': [20, 20 * 156],
  '17 10.8.0.1 4001 10.8.0.2 5001': [14, 14 * 128],
  '17 10.8.0.1 4002 10.8.0.2 5002': [6, 6 * 128],
}
const V6: Sums = {
  '58 fd08::1 0 fd08::2 128.0': [8, 8 * 148],
  '58 fd08::2 0 fd08::1 129.0': [8, 8 * 148],
}
/** Packets of one run of the traffic, with the answers. */
const RUN_PACKETS = 38

withTools('flows to nfcapd', () => {
  test.each([
    ['NetFlow 5', 2055, 'netflowv5', V4],
    ['IPFIX', 4739, 'ipfix', { ...V4, ...V6 }],
  ] as const)(
    '%s: nfdump counts what we count, by direction and each packet once; what we send is not captured',
    async (_, port, TargetType, expected) => {
      const files = join(folder, TargetType)
      mkdirSync(files)
      ours.length = 0
      const nfcapd = await inPeer('Startup', 'nfcapd', '-w', files, '-p', String(port), '-b', '10.8.0.2', '-t', '3600')
      const Target = `10.8.0.2:${port}`
      await agent.startCapture(command({ BPFFilter: FILTER, Target, TargetType }))
      await agent.startCapture(command({ UUID: 'local', BPFFilter: FILTER, Target, TargetType: 'local' }))
      traffic()
      // What updates tell comes before the end, and what the end tells comes after.
      await until(() => element()?.['PacketsReceived'] === RUN_PACKETS && Number(element()?.['TargetSent']) > 0)
      traffic()
      await until(() => element()?.['PacketsReceived'] === RUN_PACKETS * 2)
      const shown = element()!
      await agent.stopCapture(command({}))
      await agent.stopCapture(command({ UUID: 'local' }))
      await end(nfcapd)

      const rows = execFileSync('nfdump', ['-R', files, '-q', '-N', '-o', 'fmt:%pr %sa %sp %da %dp %pkt %byt'], {
        encoding: 'utf8',
      })
      const words = rows
        .trim()
        .split('\n')
        .map((row) => row.trim().split(/\s+/))
      const seen = sumsOf(words.map((row) => [row.slice(0, 5).join(' '), Number(row[5]), Number(row[6])]))
      expect(seen).toEqual(expected)
      expect(seen).toEqual(Object.fromEntries(Object.entries(ourSums()).filter(([key]) => key in expected)))
      expect(Object.keys(ourSums()).sort()).toEqual(Object.keys({ ...V4, ...V6 }).sort())
      expect(execFileSync('nfdump', ['-R', files, '-I'], { encoding: 'utf8' })).toMatch(/^Sequence failures: 0$/m)

      const skipped = Number(shown['TargetSkipped'])
      expect(shown).toEqual({
        PacketsReceived: RUN_PACKETS * 2,
        PacketsDropped: 0,
        PacketsIfDropped: 0,
        TargetSent: expect.any(Number),
        TargetDropped: 0,
        TargetSkipped: skipped,
        Target,
        TargetType,
        ID: 'c1',
        State: 'active',
        Name: 'out',
        BPFFilter: FILTER,
      })
      expect(skipped > 0).toBe(TargetType === 'netflowv5')
      expect(words.length).toBeGreaterThanOrEqual(Number(shown['TargetSent']))
      expect(Object.fromEntries(gauges)).toMatchObject({
        skydive_capture_target_sent: expect.any(Number),
        skydive_capture_target_dropped: 0,
      })
      // None of its flows went to the analyzer, nor its statistics.
      expect(new Set(ours.map((flow) => flow.CaptureID))).toEqual(new Set(['local']))
      expect(statistics.every((id) => id === 'local')).toBe(true)
    },
    FINISHED,
  )

  test(
    'live flows of an exported capture are not those of the analyzer',
    async () => {
      await agent.startCapture(command({ Target: '10.8.0.2:2055', TargetType: 'netflowv5' }))
      trafficV6()
      await until(() => Number(element()?.['PacketsReceived']) >= 8)
      const reader = createLiveFlowReader({
        sources: () => [{ name: 'agent.test', hostId: 'test', query: (query) => agent.queryFlowTable(query) }],
      })
      expect(await reader.search({}, undefined)).toMatchObject({ flows: [], missing: [] })
      await agent.stopCapture(command({}))
    },
    FINISHED,
  )
})

withTools('frames to another host by ERSPAN', () => {
  /** Frames of a capture file. */
  async function framesOf(file: string): Promise<readonly Uint8Array[]> {
    const frames: Uint8Array[] = []
    const reader = createCaptureFileReader((buffer, offset, byteLength, { layout }) => {
      if (layout.format !== 'pcap') return byteLength
      const view = new DataView(buffer.buffer, buffer.byteOffset)
      return walkPcapRecords(view, offset, byteLength, layout.littleEndian, (at, capturedBytes) => {
        frames.push(buffer.slice(at, at + capturedBytes))
      })
    })
    reader.push(await readFile(file))
    reader.end()
    return frames
  }

  /** Sends a frame of 64 bytes in a VLAN out of the peer's end. */
  function sendTagged(): void {
    const [{ ifindex }] = network.query(['link', 'show', 'v1'], PEER) as [{ ifindex: number }]
    // It comes back to where it was opened: into the network of the test.
    const kernel = openKernel()
    const fd = kernel.socket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0, netns: `/run/netns/${PEER}` })
    const address = new DataView(new ArrayBuffer(20))
    address.setUint16(0, AF_PACKET, true)
    address.setInt32(4, ifindex, true)
    kernel.bind(fd, address)
    expect(kernel.send(fd, TAGGED)).toBe(TAGGED.length)
    kernel.close(fd)
    kernel.dispose()
  }

  const tshark = (file: string, filter: string, ...fields: readonly string[]) =>
    execFileSync('tshark', ['-r', file, '-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))

  test(
    'each frame arrives byte by byte, cut to the header size, with its tag; the mirror does not mirror itself',
    async () => {
      const [original, mirrored] = [join(folder, 'original.pcap'), join(folder, 'mirrored.pcap')]
      const filter = 'icmp[0] = 0 or icmp[0] = 8 or ether proto 0x88b5 or vlan'
      const here = await launch(
        'listening on',
        'tcpdump',
        ...['-i', 'v0', '-w', original, '-c', '15', '--immediate-mode', '-s', '256', filter],
      )
      const there = await inPeer(
        'listening on',
        'tcpdump',
        '-i',
        'v1',
        '-w',
        mirrored,
        '-c',
        '15',
        '--immediate-mode',
        'proto gre',
      )
      await agent.startCapture(
        command({ BPFFilter: 'icmp or proto gre or ether proto 0x88b5', Target: '10.8.0.2', TargetType: 'erspanv1' }),
      )
      network.run('ping', ['-c5', '-i0.01', '10.8.0.2'])
      network.run('ping', ['-c2', '-i0.01', '-s600', '10.8.0.2'])
      sendTagged()
      const packets = 15
      await until(() => element()?.['PacketsReceived'] === packets && element()?.['TargetSent'] === packets)
      const shown = element()!
      await agent.stopCapture(command({}))
      // They end by themselves when they have so many.
      await Promise.all([here, there].map(ended))

      expect(shown).toEqual({
        PacketsReceived: packets,
        PacketsDropped: 0,
        PacketsIfDropped: 0,
        TargetSent: packets,
        TargetDropped: 0,
        TargetSkipped: 0,
        Target: '10.8.0.2',
        TargetType: 'erspanv1',
        ID: 'c1',
        State: 'active',
        Name: 'out',
        BPFFilter: 'icmp or proto gre or ether proto 0x88b5',
      })
      const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
      const frames = await framesOf(original)
      const outer = await framesOf(mirrored)
      expect(frames.length).toBe(packets)
      expect(outer.map((bytes) => hex(bytes.subarray(ERSPAN_AT, -4)))).toEqual(frames.map(hex))
      expect(outer.map((bytes) => Buffer.from(bytes).readUInt32BE(bytes.length - 4))).toEqual(frames.map((bytes) => crc32(bytes)))

      const decoded = tshark(
        mirrored,
        'erspan',
        'gre.sequence_number',
        'erspan.version',
        'erspan.spanid',
        'erspan.truncated',
        'frame.protocols',
      )
      const head = 'eth:ethertype:ip:gre:erspan:eth:'
      const ping = `${head}ethertype:ip:icmp:data`
      expect(decoded).toEqual(
        Array.from({ length: packets }, (_, i) => [
          String(i),
          '1',
          '1',
          i >= 10 && i < 14 ? '1' : '0',
          i === 14 ? `${head}ethertype:vlan:ethertype:data` : ping,
        ]),
      )
    },
    FINISHED,
  )

  test(
    'frames that are longer than the way to the target takes go in fragments',
    async () => {
      const mirrored = join(folder, 'fragments.pcap')
      const there = await inPeer(
        'listening on',
        'tcpdump',
        '-i',
        'v1',
        '-w',
        mirrored,
        '-c',
        '12',
        '--immediate-mode',
        'proto gre',
      )
      await agent.startCapture(command({ BPFFilter: 'icmp', HeaderSize: 2000, Target: '10.8.0.2:0', TargetType: 'erspanv1' }))
      network.run('ping', ['-c3', '-i0.01', '-s1472', '10.8.0.2'])
      await until(() => element()?.['TargetSent'] === 6)
      await agent.stopCapture(command({}))
      // Each of the 6 in two pieces.
      await ended(there)
      expect(tshark(mirrored, 'erspan', 'ip.len', 'icmp.checksum.status')).toEqual(
        Array.from({ length: 6 }, () => ['74,1500', '1']),
      )
    },
    FINISHED,
  )
})

describe('targets that can not be', () => {
  test.each<[string, Metadata, string, string]>([
    [
      'a type that is not known',
      { Target: '10.8.0.2:1', TargetType: 'nosuch' },
      'ERR_INVALID_ARGUMENT',
      'TargetType: Not a valid target type',
    ],
    ['no address', { TargetType: 'netflowv5' }, 'ERR_INVALID_ARGUMENT', 'Target: a target of type netflowv5 takes host:port'],
    ['an address that is none', { Target: 'a b', TargetType: 'ipfix' }, 'ERR_INVALID_ARGUMENT', 'Target: Not a valid address'],
    ['a name for ERSPAN', { Target: 'localhost:1', TargetType: 'erspanv1' }, 'ERR_INVALID_ARGUMENT', 'takes an IPv4 address'],
    [
      'a host that nobody knows',
      { Target: 'nosuch.invalid:1', TargetType: 'ipfix' },
      'ERR_UNAVAILABLE',
      "target nosuch.invalid can't be looked up",
    ],
  ])('%s is refused and leaves nothing on the node', async (_, over, code, message) => {
    await expect(agent.startCapture(command(over))).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(element()).toBeUndefined()
  })

  test(
    'a collector that no route leads to: what is dropped is counted, with the reason, and the capture goes on',
    async () => {
      await agent.startCapture(command({ BPFFilter: 'icmp', Target: '192.0.2.1:4739', TargetType: 'ipfix' }))
      network.run('ping', ['-c2', '-i0.01', '10.8.0.2'])
      await until(() => Number(element()?.['TargetDropped']) > 0)
      expect(element()).toMatchObject({ State: 'active', TargetSent: 0, TargetError: 'ENETUNREACH' })
      await agent.stopCapture(command({}))
      expect(element()).toBeUndefined()
    },
    FINISHED,
  )
})
