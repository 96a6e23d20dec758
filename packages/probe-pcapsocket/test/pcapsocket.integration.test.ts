import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, Flow, PacketSource } from '@skydive/contracts'
import { type BlockConsumer, createFlowTable, type FlowTable } from '@skydive/flow-table'
import { openKernel } from '@skydive/kernel'
import { encodePcap, walkPcapRecords } from '@skydive/packet'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { captureSource, type PcapSocketOptions } from '../src/index.ts'

const kernel = openKernel()
let network: PrivateNetwork
const opened: PacketSource[] = []

beforeAll(() => {
  network = enterPrivateNetwork(kernel.systemCall)
  network.ip('netns add far', 'link add v0 type veth peer name v1 netns far', 'addr add 10.9.0.1/24 dev v0', 'link set v0 up')
  network.run('ip', ['addr', 'add', '10.9.0.2/24', 'dev', 'v1'], 'far')
  network.run('ip', ['link', 'set', 'v1', 'up'], 'far')
  network.run('ping', ['-c1', '-W2', '10.9.0.2'])
})

afterAll(() => {
  network?.leave()
  kernel.dispose()
})

let table: FlowTable
let consumers: Map<number, BlockConsumer>
let stamps: number[]

beforeEach(() => {
  table = createFlowTable()
  consumers = new Map()
  stamps = []
})

afterEach(() => {
  for (const source of opened.splice(0)) source.close()
})

function open(over: Partial<CaptureTarget> = {}, options?: PcapSocketOptions): { source: PacketSource; port: number } {
  const target = { interfaceName: '', ifindex: 0, bpfFilter: '', snapLength: 256, excludePeers: [], ...over }
  const source = captureSource.open(target, options) as PacketSource
  opened.push(source)
  return { source, port: Number(String(source.describe?.().capture?.['PCAPSocket']).split(':').at(-1)) }
}

/** Takes packets until there were so many; the event loop has its turns meanwhile. */
async function take(source: PacketSource, packets: number): Promise<readonly Flow[]> {
  for (let taken = 0; taken < packets; ) {
    kernel.waitReadable([source.readyFd], 20)
    taken += source.poll((buffer, offset, byteLength, _rate, linkType = 1) => {
      const consume = consumers.get(linkType) ?? table.consumer({ ...source.format, linkType })
      consumers.set(linkType, consume)
      const view = new DataView(buffer.buffer, buffer.byteOffset)
      walkPcapRecords(
        view,
        offset,
        byteLength,
        true,
        (_at, _captured, _wire, seconds, ns) => void stamps.push(seconds * 1e3 + ns / 1e6),
      )
      consume(buffer, offset, byteLength)
    })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return [...table.snapshot()].flat()
}

const packetsOf = (flows: readonly Flow[]) => flows.reduce((sum, { Metric }) => sum + Metric!.ABPackets + Metric!.BAPackets, 0)
const udp = (last = 0) =>
  Uint8Array.from({ length: 60 }, (_, i) => ({ 12: 8, 14: 0x45, 17: 46, 23: 17, 29: 1, 33: last })[i] ?? 0)

async function client(port: number, address = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, address)
  await once(socket, 'connect')
  return socket
}

describe('tcpdump -w - | nc', () => {
  test('every packet that it captured arrives, in flows that began after it did', async () => {
    const { source, port } = open()
    const beganAtMs = Date.now()
    const child = spawn('tcpdump', ['-i', 'v0', '-U', '--immediate-mode', '-w', '-', 'icmp'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const nc = spawn('nc', ['-N', '127.0.0.1', `${port}`], { stdio: [child.stdout, 'ignore', 'inherit'] })
    let said = ''
    const ended = [once(child, 'exit'), once(child.stderr, 'end'), once(nc, 'exit')]
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk) => {
        said += chunk
        if (said.includes('listening on')) resolve()
      })
      child.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)))
    })
    network.run('ping', ['-q', '-c50', '-i0.01', '10.9.0.2'])
    const flows = await take(source, 100)
    child.kill('SIGINT')
    await Promise.all(ended.slice(0, 2))
    // Its end of the stream goes to the source, which closes.
    await take(source, 0)
    source.close()
    await ended[2]
    expect(said).toMatch(/\n100 packets captured/)
    expect(flows.map(({ LayersPath, Metric }) => [LayersPath, Metric!.ABPackets, Metric!.BAPackets])).toEqual([
      ['Ethernet/IPv4/ICMPv4', 50, 50],
    ])
    expect(flows[0]!.Start).toBeGreaterThanOrEqual(beganAtMs)
    expect(source.stats()).toEqual({ packetsReceived: 100, packetsDropped: 0, packetsIfDropped: 0 })
  }, 30_000)
})

describe('streams', () => {
  test('packets keep their distances, and wait for their time', async () => {
    const { source, port } = open()
    const socket = await client(port)
    socket.end(encodePcap([0, 30, 30.25, 90].map((timeMs) => ({ timeMs: 5_000 + timeMs, data: udp() }))))
    await take(source, 4)
    expect(stamps.map((ms) => Math.round((ms - stamps[0]!) * 100) / 100)).toEqual([0, 30, 30.25, 90])
    socket.destroy()
  })

  test('several at a time, of several kinds, each a flow of its own', async () => {
    const { source, port } = open()
    const streams = [
      encodePcap([{ timeMs: 1, data: udp(1) }]),
      gzipSync(encodePcap([{ timeMs: 2, data: udp(2) }])),
      // Bare IP: link type 101.
      encodePcap([{ timeMs: 3, data: udp(3).subarray(14) }], 101),
    ]
    const sockets = await Promise.all(streams.map(() => client(port)))
    sockets.forEach((socket, i) => void socket.end(streams[i]!))
    const flows = await take(source, 3)
    expect(flows.map(({ LayersPath, Network }) => `${LayersPath} ${Network?.B}`).sort()).toEqual([
      'Ethernet/IPv4/UDP 0.0.0.1',
      'Ethernet/IPv4/UDP 0.0.0.2',
      'IPv4/UDP 0.0.0.3',
    ])
    for (const socket of sockets) socket.destroy()
  })

  test.each([
    ['Ethernet', 1, (data: Uint8Array) => data],
    ['bare IP', 101, (data: Uint8Array) => data.subarray(14)],
    ['bare IPv4', 228, (data: Uint8Array) => data.subarray(14)],
  ])(
    'of %s are filtered',
    async (_title, linkType, cut) => {
      const { source, port } = open({ bpfFilter: 'dst host 0.0.0.2' })
      const socket = await client(port)
      socket.end(
        encodePcap(
          [1, 2, 3, 2].map((last) => ({ timeMs: 1, data: cut(udp(last)) })),
          linkType,
        ),
      )
      const flows = await take(source, 2)
      expect(flows.map(({ Network, Metric }) => [Network?.B, Metric?.ABPackets])).toEqual([['0.0.0.2', 2]])
      expect(source.stats()).toEqual({ packetsReceived: 2, packetsDropped: 0, packetsIfDropped: 0 })
      socket.destroy()
    },
    10_000,
  )

  test.each([
    ['127.0.0.1', '127.0.0.1', ['127.0.0.1']],
    ['::1', '[::1]', ['::1']],
    ['::', '[::]', ['::1', '127.0.0.1', '10.9.0.1']],
  ])('listening at %s, shown as %s, takes what comes to %j', async (address, shown, senders) => {
    const { source, port } = open({}, { address })
    expect(source.describe?.()).toEqual({ capture: { PCAPSocket: `${shown}:${port}` } })
    const sockets = await Promise.all(senders.map((sender) => client(port, sender)))
    for (const socket of sockets) socket.end(encodePcap([{ timeMs: 1, data: udp() }]))
    expect(packetsOf(await take(source, senders.length))).toBe(senders.length)
    for (const socket of sockets) socket.destroy()
  })

  test('one too many waits until another ends', async () => {
    const { source, port } = open({}, { maxStreams: 1 })
    const first = await client(port)
    first.write(encodePcap([{ timeMs: 1, data: udp(1) }]))
    await take(source, 1)
    const second = await client(port)
    second.end(encodePcap([{ timeMs: 1, data: udp(2) }]))
    source.poll(() => {})
    expect(source.stats().packetsReceived).toBe(1)
    first.end()
    expect(packetsOf(await take(source, 1))).toBe(2)
    for (const socket of [first, second]) socket.destroy()
  })

  test.each([
    ['something else', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 0, 0],
    ['a stream that is cut', encodePcap([1, 2].map((timeMs) => ({ timeMs, data: udp() }))).subarray(0, -1), 1, 1],
  ])('%s is closed', async (_title, bytes, packetsReceived, packetsIfDropped) => {
    const { source, port } = open()
    const socket = await client(port)
    const closed = once(socket, 'close')
    socket.on('error', () => {})
    socket.end(bytes)
    let isOver = false
    void closed.then(() => {
      isOver = true
    })
    while (!isOver) {
      kernel.waitReadable([source.readyFd], 20)
      source.poll(() => {})
      socket.resume()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(source.stats()).toEqual({ packetsReceived, packetsDropped: 0, packetsIfDropped })
  })

  test('what still waits for its time is dropped by the end of the capture', async () => {
    const { source, port } = open()
    const socket = await client(port)
    socket.end(encodePcap([0, 60_000, 120_000].map((timeMs) => ({ timeMs, data: udp() }))))
    await take(source, 1)
    source.close()
    expect(source.stats()).toEqual({ packetsReceived: 1, packetsDropped: 2, packetsIfDropped: 0 })
    socket.destroy()
  })
})

describe('ports', () => {
  test('each capture takes the next free one of the range; none is left, and then one is again', () => {
    const range = { minPort: 8_100, maxPort: 8_102 }
    const taken = [1, 2, 3].map(() => open({}, range))
    expect(taken.map(({ port }) => port)).toEqual([8_100, 8_101, 8_102])
    expect(() => open({}, range)).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }))
    taken[1]!.source.close()
    expect(open({}, range).port).toBe(8_101)
  })

  test('the port that the user gave is taken', () => {
    expect(open({ port: 9_000 }).port).toBe(9_000)
    expect(() => open({ port: 9_000 })).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }))
  })

  test.each([
    [{ address: 'localhost' }, 'ERR_INVALID_ARGUMENT'],
    [{ minPort: 0 }, 'ERR_INVALID_ARGUMENT'],
    [{ minPort: 9_000, maxPort: 8_000 }, 'ERR_INVALID_ARGUMENT'],
    [{ address: '192.0.2.1' }, 'ERR_SYSTEM_CALL'],
    [{ address: '::1::' }, 'ERR_INVALID_ARGUMENT'],
    [{ address: '2001:db8::1' }, 'ERR_SYSTEM_CALL'],
  ])('%j is refused', (options, code) => {
    expect(() => open({}, options)).toThrow(expect.objectContaining({ code }))
  })
})
