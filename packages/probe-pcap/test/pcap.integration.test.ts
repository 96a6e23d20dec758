import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, Flow, PacketSource } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import * as p from '../../flow-table/test/packet-builder.ts'
import { captureSource, type PcapOptions } from '../src/index.ts'

const kernel = openKernel()
let network: PrivateNetwork
let folder: string

beforeAll(() => {
  network = enterPrivateNetwork(kernel.systemCall)
  folder = mkdtempSync(join(tmpdir(), 'skydive-pcap-'))
  network.ip('netns add far', 'link add v0 type veth peer name v1 netns far', 'addr add 10.9.0.1/24 dev v0', 'link set v0 up')
  network.run('ip', ['addr', 'add', '10.9.0.2/24', 'dev', 'v1'], 'far')
  network.run('ip', ['link', 'set', 'v1', 'up'], 'far')
  network.run('ip', ['link', 'set', 'lo', 'up'], 'far')
  network.run('ping', ['-c1', '-W2', '10.9.0.2'])
})

afterAll(() => {
  network?.leave()
  rmSync(folder, { recursive: true })
  kernel.dispose()
})

const target = (over: Partial<CaptureTarget> = {}): CaptureTarget => ({
  interfaceName: 'v0',
  ifindex: 0,
  bpfFilter: '',
  snapLength: 256,
  excludePeers: [],
  ...over,
})

/** Takes from the source until nothing came for a while, meanwhile and afterwards. */
class Taker {
  readonly #source: PacketSource
  readonly #table = createFlowTable()
  readonly #consume: (buffer: Uint8Array, offset: number, byteLength: number) => number

  constructor(source: PacketSource) {
    this.#source = source
    this.#consume = this.#table.consumer(source.format)
  }

  /** Takes what is there while something else goes on. */
  async during(work: Promise<unknown>): Promise<void> {
    let isOver = false
    const over = () => {
      isOver = true
    }
    work.then(over, over)
    while (!isOver) {
      if (kernel.waitReadable([this.#source.readyFd], 5).length > 0) this.#source.poll(this.#consume)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await work
  }

  drain(): readonly Flow[] {
    for (let ready = [this.#source.readyFd] as readonly number[]; ready.length > 0; ) {
      this.#source.poll(this.#consume)
      ready = kernel.waitReadable([this.#source.readyFd], 200)
    }
    return [...this.#table.snapshot()].flat()
  }
}

function capture(over: Partial<CaptureTarget>, traffic: () => void, options?: PcapOptions): readonly Flow[] {
  const source = captureSource.open(target(over), options) as PacketSource
  try {
    traffic()
    return new Taker(source).drain()
  } finally {
    source.close()
  }
}

const packetsOf = (flows: readonly Flow[]) => flows.reduce((sum, { Metric }) => sum + Metric!.ABPackets + Metric!.BAPackets, 0)
const bytesOf = (flows: readonly Flow[]) => flows.reduce((sum, { Metric }) => sum + Metric!.ABBytes + Metric!.BABytes, 0)
const ping = (count: number, ...args: string[]) => network.run('ping', ['-q', `-c${count}`, '-i0.01', ...args])

/** A program that runs in the private network; resolves once it has said that it is ready. */
async function start(
  command: string,
  args: readonly string[],
  isReady: RegExp,
): Promise<{ child: ChildProcess; said: () => string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString()
      if (isReady.test(said)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`${command} ended: ${said}`)))
  })
  return { child, said: () => said }
}

/** tcpdump on v0 that writes a file, or nothing; `stop` answers how many packets it captured. */
async function tcpdump(filter: string, file = '/dev/null') {
  const args = ['-i', 'v0', '-s', '256', '-B', '16384', '--immediate-mode', '-w', file, filter]
  const { child, said } = await start('tcpdump', args, /listening on/)
  return async (): Promise<number> => {
    const ended = once(child, 'close')
    child.kill('SIGINT')
    await ended
    expect(said()).toMatch(/\n0 packets dropped by kernel/)
    return Number(/(\d+) packets? captured/.exec(said())![1])
  }
}

describe('live', () => {
  test('five pings are one flow of five packets each way, with whole lengths', () => {
    const flows = capture({}, () => ping(5, '-s1000', '10.9.0.2'))
    const [flow] = flows.filter(({ LayersPath }) => LayersPath === 'Ethernet/IPv4/ICMPv4')
    expect(flow).toMatchObject({
      Network: { A: '10.9.0.1', B: '10.9.0.2' },
      Metric: { ABPackets: 5, ABBytes: 5 * 1042, BAPackets: 5, BABytes: 5 * 1042 },
    })
    // Time stamps of ns: the way to the next namespace and back takes some tens of µs.
    expect(flow?.Metric?.RTT).toBeGreaterThan(0)
  })

  test.each([
    ['udp', ['-u', '-b', '200M', '-l', '200']],
    ['tcp', ['-b', '100M', '-M', '1000']],
  ] as const)(
    'a second of iperf3 by %s: as many packets as tcpdump saw, and none dropped',
    async (protocol, args) => {
      const filter = `${protocol} and port 5201`
      const server = await start('ip', ['netns', 'exec', 'far', 'iperf3', '-s', '-1', '--forceflush'], /listening/)
      const source = captureSource.open(target({ bpfFilter: filter })) as PacketSource
      try {
        const stop = await tcpdump(filter)
        const taker = new Taker(source)
        const client = spawn('iperf3', ['-c', '10.9.0.2', '-t', '1', ...args], { stdio: 'ignore' })
        // What the client left in its socket still goes to the server after its end.
        await taker.during(Promise.all([once(client, 'exit'), once(server.child, 'exit')]))
        taker.drain()
        const seen = await stop()
        const flows = taker.drain()
        expect(seen).toBeGreaterThan(100)
        expect({ flows: packetsOf(flows), stats: source.stats() }).toEqual({
          flows: seen,
          stats: { packetsReceived: seen, packetsDropped: 0, packetsIfDropped: 0 },
        })
      } finally {
        source.close()
        if (server.child.exitCode === null) server.child.kill()
      }
    },
    30_000,
  )

  test('a filter of the user is applied', () => {
    const flows = capture({ bpfFilter: 'icmp[icmptype] == icmp-echo' }, () => ping(3, '10.9.0.2'))
    expect(flows.map(({ Metric }) => [Metric!.ABPackets, Metric!.BAPackets])).toEqual([[3, 0]])
  })

  test('an interface of a namespace is captured from outside, and the thread stays where it is', () => {
    const flows = capture({ interfaceName: 'v1', netns: '/run/netns/far', bpfFilter: 'icmp' }, () => ping(2, '10.9.0.2'))
    expect([packetsOf(flows), (network.query(['link', 'show', 'v0']) as unknown[]).length]).toEqual([4, 1])
  })

  test('own connections are left out, others on the same hosts are not', () => {
    const flows = capture({ excludePeers: [{ address: '10.9.0.2', port: 8082 }], bpfFilter: 'tcp' }, () => {
      for (const port of ['8082', '8083']) {
        // Nobody listens: the SYN and the RST are the traffic.
        network.run('bash', ['-c', `exec 3<>/dev/tcp/10.9.0.2/${port} || true`])
      }
    })
    expect(flows.map(({ Transport }) => Transport?.B)).toEqual([8083])
  })

  test('a packet on the loopback counts once', () => {
    const source = captureSource.open(target({ interfaceName: 'lo' })) as PacketSource
    ping(4, '127.0.0.1')
    const flows = new Taker(source).drain()
    expect([packetsOf(flows), source.stats()]).toEqual([8, { packetsReceived: 8, packetsDropped: 0, packetsIfDropped: 0 }])
    source.close()
  })

  test('all interfaces at once, which libpcap gives a header of its own, with our own traffic left out', () => {
    const excludePeers = [{ address: '10.9.0.2', port: 8082 }]
    const source = captureSource.open(target({ interfaceName: 'any', excludePeers })) as PacketSource
    ping(2, '10.9.0.2')
    network.run('bash', ['-c', 'exec 3<>/dev/tcp/10.9.0.2/8082 || true'])
    const flows = new Taker(source).drain()
    const known = flows.filter(({ Network }) => Network?.A === '10.9.0.1' || Network?.B === '10.9.0.1')
    expect([source.format.linkType, known.map(({ LayersPath }) => LayersPath), packetsOf(known)]).toEqual([
      113,
      ['IPv4/ICMPv4'],
      4,
    ])
    source.close()
  })

  const withTun = existsSync('/dev/net/tun') ? test : test.skip
  withTun('frames of a device that has no Ethernet header begin with IP', () => {
    // linux/if_tun.h: what is written to the descriptor comes in by the device.
    const [TUNSETIFF, IFF_TUN_NO_PI] = [0x400454ca, 0x1001]
    const fd = openSync('/dev/net/tun', 'r+')
    const request = new Uint8Array(40)
    request.set(new TextEncoder().encode('t0'))
    new DataView(request.buffer).setUint16(16, IFF_TUN_NO_PI, true)
    try {
      expect(kernel.ioctl(fd, TUNSETIFF, request)).toBe(0)
      network.ip('addr add 10.9.9.1/24 dev t0', 'link set t0 up')
      const flows = capture({ interfaceName: 't0', bpfFilter: 'udp port 6' }, () => {
        for (const port of [6, 7]) writeSync(fd, Uint8Array.from(p.ipv4(p.udp([1, 2, 3], 5, port), 17)))
      })
      expect(flows.map(({ LayersPath, Transport, Metric }) => [LayersPath, Transport?.B, Metric?.ABPackets])).toEqual([
        ['IPv4/UDP', 6, 1],
      ])
    } finally {
      closeSync(fd)
    }
  })

  test('an interface that goes away ends the capture with the reason', () => {
    network.ip('link add w0 type veth peer name w1', 'link set w0 up', 'link set w1 up')
    const source = captureSource.open(target({ interfaceName: 'w0' })) as PacketSource
    network.ip('link del w0')
    const takeAll = () => {
      for (let i = 0; i < 100; i++) {
        kernel.waitReadable([source.readyFd], 100)
        source.poll(() => {})
      }
    }
    expect(takeAll).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }))
    source.close()
  })
})

describe('a file', () => {
  test('that tcpdump wrote gives the packets that tcpdump captured, and then nothing', async () => {
    const file = join(folder, 'some.pcap')
    const stop = await tcpdump('icmp', file)
    ping(50, '-s500', '10.9.0.2')
    const written = await stop()
    const flows = capture({ interfaceName: '' }, () => {}, { file })
    expect([written, packetsOf(flows), bytesOf(flows)]).toEqual([100, 100, 100 * 542])
    const filtered = capture({ interfaceName: '', bpfFilter: 'icmp[icmptype] == icmp-echo' }, () => {}, { file })
    expect(packetsOf(filtered)).toBe(50)
  })

  test.each([
    ['/nowhere.pcap', /No such file/],
    [import.meta.filename, /unknown file format/],
  ])('%s is refused with the reason', (file, reason) => {
    expect(() => captureSource.open(target(), { file })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(reason) }),
    )
  })
})
