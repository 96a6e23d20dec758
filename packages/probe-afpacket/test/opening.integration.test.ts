// How rings are opened: what the kernel is asked for and in which order, and what stays of one that can't be opened.
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, PacketSource } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import { type Kernel, openKernel, systemError } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import * as p from '../../flow-table/test/packet-builder.ts'
import { type AfPacketOptions, captureSource, createAfPacketModule } from '../src/index.ts'
import * as socket from '../src/packet-socket.ts'

const MIB = 1024 * 1024
const [ENODEV, EINVAL, ENETDOWN] = [19, 22, 100]
const outside = openKernel()
let kernel: Kernel
let network: PrivateNetwork
let ifindex: number
let far: number
const opened: PacketSource[] = []

beforeAll(() => {
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
  far = kernel.socket({ domain: socket.AF_PACKET, type: socket.SOCK_RAW, protocol: 0, netns: '/run/netns/far' })
  kernel.bind(far, socket.packetAddress(indexOf('v1', 'far'), 0))
})
afterEach(() => {
  for (const source of opened.splice(0).reverse()) source.close()
  expect([sockets(), mapped()]).toEqual([0, []])
})
afterAll(() => {
  if (far !== undefined) kernel.close(far)
  kernel?.dispose()
  network?.leave()
  outside.dispose()
})

const spreadOver = (sources: number, tunnelUdpPorts: readonly number[] = []) => ({
  spread: { sources, keepFragments: false, tunnelUdpPorts },
})
const target = (over: Partial<CaptureTarget> = {}): CaptureTarget => ({
  ...{ interfaceName: 'v0', ifindex, bpfFilter: '', snapLength: 256, excludePeers: [] },
  ...over,
})
function open(over: Partial<CaptureTarget> = {}, options: AfPacketOptions = {}, module = captureSource): PacketSource {
  const source = module.open(target(over), options) as PacketSource
  opened.push(source)
  return source
}
function openAll(over: Partial<CaptureTarget>, options: AfPacketOptions = {}, module = captureSource): PacketSource[] {
  const owner = open(over, options, module)
  return [owner, ...owner.members!.map((member) => open({}, member as object, module))]
}
/** A module whose kernel does some calls otherwise. */
const withKernel = (over: (own: Kernel) => Partial<Kernel>) =>
  createAfPacketModule((options) => {
    const own = openKernel(options)
    return { ...own, ...over(own) }
  })

/** Packet sockets that are bound in the namespace of the thread. */
function sockets(): number {
  return readFileSync('/proc/thread-self/net/packet', 'utf8').trim().split('\n').length - 1
}
/** MiB of the mappings of packet rings, which the kernel shows by their sockets. */
function mapped(): readonly number[] {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return lines
    .filter((line) => line.includes('socket:['))
    .map((line) => {
      const [from, to] = line.split(' ')[0]!.split('-')
      return (Number.parseInt(to!, 16) - Number.parseInt(from!, 16)) / MIB
    })
}
const descriptors = () => readdirSync('/proc/self/fd').length

const datagram = (sourcePort: number, destinationPort = 9) =>
  Uint8Array.from(p.ethernet(p.ipv4(p.udp([1, 2, 3], sourcePort, destinationPort), 17)))
/** Packets that come to v0. */
function send(count: number, destinationPort?: number): void {
  for (let i = 0; i < count; i++) {
    const frame = datagram(1000 + i, destinationPort)
    expect(kernel.send(far, frame)).toBe(frame.length)
  }
}
/** Polls each until nothing comes any more; packets of each. */
function drain(sources: readonly PacketSource[]): readonly number[] {
  const packets = sources.map(() => 0)
  const fds = sources.map(({ readyFd }) => readyFd)
  for (let ready: readonly number[] = fds; ready.length > 0; ready = kernel.waitReadable(fds, 100)) {
    sources.forEach((source, i) => void (packets[i]! += source.poll(() => {})))
  }
  return packets
}

describe('a ring', () => {
  test.each<readonly [AfPacketOptions, number]>([
    [{}, 20],
    [{ retireMs: 50 }, 60],
  ])('with %j holds packets back for %d ms', (options, holdsBackMs) => {
    const all = [open({}, options), ...openAll(spreadOver(2), options)]
    for (const source of all) {
      expect([source.kind, source.holdsBackMs, source.warning, source.format]).toEqual([
        'packets',
        holdsBackMs,
        undefined,
        { layout: { format: 'tpacket-v3' }, linkType: 1 },
      ])
    }
  })

  test('of 64 are as many sockets', () => {
    const owner = open(spreadOver(64), { ringBytes: 16 * MIB })
    expect([owner.members!.length, sockets()]).toEqual([63, 64])
  })

  test('does not see what passes before the socket is bound', () => {
    const module = withKernel((own) => ({
      mapMemory(options) {
        const memory = own.mapMemory(options)
        if (options.fd !== undefined) send(3)
        return memory
      },
    }))
    const source = open({}, {}, module)
    expect(drain([source])).toEqual([0])
    send(2)
    expect([drain([source]), source.stats()]).toEqual([[2], { packetsReceived: 2, packetsDropped: 0, packetsIfDropped: 0 }])
  })

  test('of a group does not see what passes before all of them are in it', () => {
    const module = withKernel((own) => ({
      setSocketOption(fd, level, name, value) {
        if (level === socket.SOL_PACKET && name === socket.PACKET_FANOUT) send(4)
        own.setSocketOption(fd, level, name, value)
      },
    }))
    const sources = openAll(spreadOver(3), {}, module)
    expect(drain(sources)).toEqual([0, 0, 0])
    send(12)
    expect(drain(sources).reduce((sum, packets) => sum + packets, 0)).toBe(12)
  })

  test.each<readonly [string, readonly number[], (packets: readonly number[]) => boolean]>([
    ['spread by their ports', [], (packets) => packets.filter((some) => some > 0).length > 1],
    ['kept together on a port of tunnels', [5000], (packets) => packets.filter((some) => some > 0).length === 1],
  ])('of a group: datagrams between two hosts are %s', (_title, ports, holds) => {
    const sources = openAll(spreadOver(3, ports))
    send(30, 5000)
    const packets = drain(sources)
    expect([packets.reduce((sum, some) => sum + some, 0), holds(packets)]).toEqual([30, true])
  })

  test('is taken turn by turn: all that is in it by one poll, nothing by the next', () => {
    const source = open({}, { ringBytes: 4 * 65_536, blockBytes: 65_536, retireMs: 1 })
    const blocks: number[] = []
    const taken: number[] = []
    for (let round = 0; round < 10; round++) {
      send(1)
      kernel.waitReadable([source.readyFd], 1000)
      taken.push(source.poll((_buffer, offset) => void blocks.push(offset)))
      expect(source.poll(() => {})).toBe(0)
    }
    expect([taken, blocks]).toEqual([Array(10).fill(1), Array.from({ length: 10 }, (_, i) => (i % 4) * 65_536)])
  })

  test('that is closed within a poll hands over nothing more', () => {
    const source = open({}, { ringBytes: 4 * 65_536, blockBytes: 65_536, retireMs: 1 })
    for (let round = 0; round < 2; round++) {
      send(1)
      kernel.waitReadable([far], 50)
    }
    kernel.waitReadable([source.readyFd], 1000)
    let blocks = 0
    source.poll(() => {
      blocks++
      source.close()
    })
    expect(blocks).toBe(1)
  })
})

/** A device of bare IP; what is written to the descriptor comes in by it (linux/if_tun.h). */
function openTun(name: string): number {
  const TUNSETIFF = 0x400454ca
  const IFF_TUN_NO_PI = 0x1001
  const fd = openSync('/dev/net/tun', 'r+')
  const request = new Uint8Array(40)
  request.set(new TextEncoder().encode(name))
  new DataView(request.buffer).setUint16(16, IFF_TUN_NO_PI, true)
  expect(kernel.ioctl(fd, TUNSETIFF, request)).toBe(0)
  return fd
}

const withTun = existsSync('/dev/net/tun') ? test : test.skip
withTun('frames of a device that has no Ethernet header begin with IP', () => {
  const fd = openTun('t0')
  try {
    network.ip('addr add 10.9.9.1/24 dev t0', 'link set t0 up')
    const [{ ifindex: index }] = JSON.parse(network.run('ip', ['-j', 'link', 'show', 't0'])) as [{ ifindex: number }]
    const source = open({ interfaceName: 't0', ifindex: index, bpfFilter: 'udp port 6' })
    expect(source.format).toEqual({ layout: { format: 'tpacket-v3' }, linkType: 101 })
    const table = createFlowTable()
    const consume = table.consumer(source.format)
    for (const port of [6, 7]) writeSync(fd, Uint8Array.from(p.ipv4(p.udp([1, 2, 3], 5, port), 17)))
    kernel.waitReadable([source.readyFd], 5000)
    source.poll(consume)
    const flows = [...table.snapshot()].flat()
    expect(flows.map(({ LayersPath, Transport, Metric }) => [LayersPath, Transport?.B, Metric?.ABPackets])).toEqual([
      ['IPv4/UDP', 6, 1],
    ])
  } finally {
    closeSync(fd)
  }
})

describe('one that can not be opened leaves no socket, no memory and no kernel', () => {
  const failing = (matches: (name: number, nth: number) => boolean, error: Error) => (own: Kernel) => {
    const counts = new Map<number, number>()
    return {
      setSocketOption(fd: number, level: number, name: number, value: ArrayBufferView | number) {
        const nth = (counts.get(name) ?? 0) + 1
        counts.set(name, nth)
        if (matches(name, nth)) throw error
        own.setSocketOption(fd, level, name, value)
      },
    }
  }
  const bindFails = (error: Error) => () => ({
    bind() {
      throw error
    },
  })
  const plain = new Error('a fault')

  test.each<readonly [string, number, (own: Kernel) => Partial<Kernel>, object]>([
    [
      'an interface that goes meanwhile',
      1,
      bindFails(systemError('bind', ENODEV)),
      { code: 'ERR_NOT_FOUND', message: expect.stringMatching(/^capture: there is no interface v0 \(\d+\)$/) },
    ],
    [
      'a bind that is refused',
      1,
      bindFails(systemError('bind', ENETDOWN)),
      { code: 'ERR_SYSTEM_CALL', message: 'bind: ENETDOWN' },
    ],
    ['a bind that throws', 1, bindFails(plain), { message: 'a fault' }],
    ['a bind of a group that is refused', 3, bindFails(systemError('bind', ENETDOWN)), { code: 'ERR_SYSTEM_CALL' }],
    ['a filter', 1, failing((name) => name === socket.SO_ATTACH_FILTER, plain), { message: 'a fault' }],
    // The first three let nothing in.
    [
      'the last filter of a group',
      3,
      failing((name, nth) => name === socket.SO_ATTACH_FILTER && nth === 6, plain),
      { message: 'a fault' },
    ],
    [
      'a group that the kernel does not know',
      3,
      failing((name) => name === socket.PACKET_FANOUT, systemError('set socket option', EINVAL)),
      {
        code: 'ERR_UNSUPPORTED',
        message:
          'afpacket: this kernel does not spread packets over sockets by a program; it takes Linux 4.13, or one worker for each capture',
        requires: { kernel: 'Linux 4.13' },
      },
    ],
    [
      'the second of a group',
      3,
      failing((name, nth) => name === socket.PACKET_FANOUT && nth === 2, plain),
      { message: 'a fault' },
    ],
  ])('%s', (_title, sources, over, error) => {
    let disposed = 0
    const module = withKernel((own) => ({
      ...over(own),
      dispose() {
        disposed++
        own.dispose()
      },
    }))
    const before = descriptors()
    expect(() => module.open(target(sources === 1 ? {} : spreadOver(sources)))).toThrow(expect.objectContaining(error))
    expect([sockets(), mapped(), descriptors() - before, disposed]).toEqual([0, [], 0, 1])
  })

  test.each([
    ['for another reason than memory', systemError('set socket option', EINVAL)],
    ['by a fault', plain],
  ])('a ring that is refused %s is not tried any smaller', (_title, error) => {
    let asked = 0
    const module = withKernel((own) => failing((name) => name === socket.PACKET_RX_RING && ++asked > 0, error)(own))
    expect(() => module.open(target())).toThrow(error.message)
    expect(asked).toBe(1)
  })

  test.each([
    [{ interfaceName: 'nosuch', ifindex: 999 }, 'capture: there is no interface nosuch (999)'],
    [
      { interfaceName: 'nosuch', ifindex: 999, netns: '/run/netns/far' },
      'capture: there is no interface nosuch (999) in /run/netns/far',
    ],
  ])('%j', (over, message) => {
    expect(() => open(over)).toThrow(
      expect.objectContaining({ code: 'ERR_NOT_FOUND', message, fields: { netns: undefined, ...over } }),
    )
  })
})

describe('a member', () => {
  const shape = { blockBytes: 65_536, blocks: 2, linkType: 1, retireMs: 10 }
  const gone = (descriptor: number, group: number) => ({
    code: 'ERR_NOT_FOUND',
    message: `afpacket: descriptor ${descriptor} is no socket of group ${group} any more`,
  })

  test('of another group, of none, and of what is no packet socket is refused', () => {
    const { member } = open(spreadOver(2)).members![0] as { member: { descriptor: number; group: number } }
    const alone = open()
    const before = descriptors()
    for (const [descriptor, group] of [
      [member.descriptor, member.group + 1],
      [alone.readyFd, member.group],
      [0, member.group],
      [9999, member.group],
    ] as const) {
      expect(() => captureSource.open(target(), { member: { descriptor, group, shape } })).toThrow(
        expect.objectContaining(gone(descriptor, group)),
      )
    }
    expect(descriptors()).toBe(before)
  })

  test('whose ring can not be mapped leaves no descriptor', () => {
    const [options] = open(spreadOver(2)).members!
    const module = withKernel(() => ({
      mapMemory() {
        throw new Error('a fault')
      },
    }))
    const before = descriptors()
    expect(() => module.open(target(), options as object)).toThrow('a fault')
    expect(descriptors()).toBe(before)
  })

  test('that no descriptor is left for says so', () => {
    const [options] = open(spreadOver(2)).members!
    const module = withKernel(() => ({ duplicate: () => -24 }))
    expect(() => module.open(target(), options as object)).toThrow(
      expect.objectContaining({ code: 'ERR_SYSTEM_CALL', message: 'duplicate a descriptor: EMFILE' }),
    )
  })
})

describe('the memory of all rings', () => {
  test.each<readonly [string, number, readonly number[], readonly number[]]>([
    ['that just fit into an eighth', 8 * 64 * MIB, [64], [64]],
    ['a byte more than an eighth', 8 * 64 * MIB - 8, [64], [16]],
    ['of which the fourth would be too much', 8 * 100 * MIB, [32, 32, 32, 32], [32, 32, 32, 16]],
  ])('%s', (_title, hostBytes, wanted, granted) => {
    const module = createAfPacketModule(openKernel, { hostBytes })
    for (let round = 0; round < 2; round++) {
      const sources = wanted.map((size) => open({}, { ringBytes: size * MIB }, module))
      expect([...mapped()].sort((a, b) => b - a)).toEqual(granted)
      // Each gives back its own, once.
      for (const source of [...sources, ...sources]) source.close()
    }
  })
})
