import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, Flow, PacketSource } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import { type Kernel, openKernel } from '@skydive/kernel'
import { captureSource } from '../src/index.ts'

const left = `b-afp-l-${process.pid}`
const right = `b-afp-r-${process.pid}`
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const inNetns = (netns: string, ...args: string[]) => ip('netns', 'exec', netns, ...args)

let kernel: Kernel
beforeAll(() => {
  kernel = openKernel()
  for (const netns of [left, right]) {
    ip('netns', 'add', netns)
    inNetns(netns, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
  }
  ip('link', 'add', 'b-afp-0', 'netns', left, 'type', 'veth', 'peer', 'name', 'b-afp-1', 'netns', right)
  for (const [netns, name, address] of [
    [left, 'b-afp-0', '10.9.0.1/24'],
    [right, 'b-afp-1', '10.9.0.2/24'],
  ] as const) {
    ip('-n', netns, 'addr', 'add', address, 'dev', name)
    ip('-n', netns, 'link', 'set', name, 'up')
    ip('-n', netns, 'link', 'set', 'lo', 'up')
  }
  inNetns(left, 'ping', '-c1', '-W2', '10.9.0.2')
})
afterAll(() => {
  for (const netns of [left, right]) ip('netns', 'del', netns)
  kernel.dispose()
})

function target(over: Partial<CaptureTarget> = {}): CaptureTarget {
  const netns = over.netns ?? `/run/netns/${left}`
  const interfaceName = over.interfaceName ?? 'b-afp-0'
  const shown = JSON.parse(ip('-n', netns.slice('/run/netns/'.length), '-j', 'link')) as { ifname: string; ifindex: number }[]
  const ifindex = shown.find(({ ifname }) => ifname === interfaceName)?.ifindex ?? 9999
  return { interfaceName, ifindex, netns, bpfFilter: '', snapLength: 256, excludePeers: [], ...over }
}

/** Polls until the ring has handed over what was sent: it retires a block at the latest after its timeout. */
function drain(source: PacketSource): readonly Flow[] {
  const table = createFlowTable()
  const consume = table.consumer(source.format)
  let quiet = 0
  while (quiet < 2) {
    const ready = kernel.waitReadable([source.readyFd], 100)
    quiet = source.poll(consume) > 0 || ready.length > 0 ? 0 : quiet + 1
  }
  return [...table.snapshot()].flat()
}

const capture = (over: Partial<CaptureTarget>, traffic: () => void): readonly Flow[] => {
  const source = captureSource.open(target(over)) as PacketSource
  try {
    traffic()
    return drain(source)
  } finally {
    source.close()
  }
}

describe('afpacket', () => {
  test('can run here', async () => {
    expect(await captureSource.detect()).toEqual({ available: true })
  })

  test('a block is handed over as far as packets fill it', () => {
    const source = captureSource.open(target()) as PacketSource
    try {
      inNetns(left, 'ping', '-c3', '-i0.01', '-s100', '10.9.0.2')
      const spare: number[] = []
      let packets = 0
      while (packets < 6) {
        kernel.waitReadable([source.readyFd], 1000)
        packets += source.poll((buffer, offset, byteLength) => {
          // tpacket_block_desc: num_pkts, offset_to_first_pkt; tpacket3_hdr: tp_next_offset, tp_snaplen, tp_mac.
          const view = new DataView(buffer.buffer, buffer.byteOffset + offset)
          let at = view.getUint32(16, true)
          for (let left = view.getUint32(12, true) - 1; left > 0; left--) at += view.getUint32(at, true)
          spare.push(byteLength - (at + view.getUint16(at + 24, true) + view.getUint32(at + 12, true)))
        })
      }
      // Packets are aligned to 8 bytes.
      expect(spare.filter((bytes) => bytes < 0 || bytes >= 8)).toEqual([])
    } finally {
      source.close()
    }
  })

  test('five pings are one flow of five packets each way, with whole lengths', () => {
    const flows = capture({}, () => inNetns(left, 'ping', '-c5', '-i0.01', '-s1000', '10.9.0.2'))
    const [flow] = flows.filter(({ LayersPath }) => LayersPath === 'Ethernet/IPv4/ICMPv4')
    expect(flow).toMatchObject({
      Network: { A: '10.9.0.1', B: '10.9.0.2' },
      Metric: { ABPackets: 5, ABBytes: 5 * 1042, BAPackets: 5, BABytes: 5 * 1042 },
    })
    expect(flow?.Metric?.RTT).toBeGreaterThan(0)
  })

  test('a filter of the user is applied in the kernel', () => {
    const source = captureSource.open(target({ bpfFilter: 'icmp[icmptype] == icmp-echo' })) as PacketSource
    inNetns(left, 'ping', '-c3', '-i0.01', '10.9.0.2')
    const [flow, ...others] = drain(source)
    expect(others).toEqual([])
    expect(flow?.Metric).toMatchObject({ ABPackets: 3, BAPackets: 0 })
    expect(source.stats()).toEqual({ packetsReceived: 3, packetsDropped: 0, packetsIfDropped: 0 })
    source.close()
    expect(source.stats().packetsReceived).toBe(3)
  })

  test('own connections are left out, others on the same hosts are not', () => {
    const flows = capture({ excludePeers: [{ address: '10.9.0.2', port: 8082 }] }, () => {
      for (const port of ['8082', '8083']) {
        try {
          inNetns(left, 'bash', '-c', `exec 3<>/dev/tcp/10.9.0.2/${port}`)
        } catch {
          // Nobody listens: the SYN and the RST are the traffic.
        }
      }
    })
    expect(flows.flatMap(({ Transport }) => (Transport ? [Transport.B] : []))).toEqual([8083])
  })

  test('a packet on the loopback counts once', () => {
    const flows = capture({ interfaceName: 'lo' }, () => inNetns(left, 'ping', '-c4', '-i0.01', '127.0.0.1'))
    const packets = flows.reduce((sum, { Metric }) => sum + Metric!.ABPackets + Metric!.BAPackets, 0)
    expect(packets).toBe(8)
  })

  test('closing takes the socket away at once and stale views read zeros', () => {
    const sockets = () => inNetns(left, 'cat', '/proc/net/packet').trim().split('\n').length - 1
    const before = sockets()
    const source = captureSource.open(target()) as PacketSource
    expect(sockets()).toBe(before + 1)
    source.close()
    source.close()
    expect(sockets()).toBe(before)
    expect(source.poll(() => 0)).toBe(0)
  })

  test('a failed open leaves nothing behind', () => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length
    const before = descriptors()
    for (const [over, code] of [
      [{ bpfFilter: 'foo bar' }, 'ERR_INVALID_ARGUMENT'],
      [{ interfaceName: 'nosuch', ifindex: 999 }, 'ERR_NOT_FOUND'],
      [{ netns: '/run/netns/nosuch', ifindex: 1, interfaceName: 'lo' }, 'ERR_NOT_FOUND'],
    ] as const) {
      const made: CaptureTarget = {
        interfaceName: 'b-afp-0',
        ifindex: 2,
        netns: `/run/netns/${left}`,
        snapLength: 256,
        excludePeers: [],
        bpfFilter: '',
        ...(over as Partial<CaptureTarget>),
      }
      expect(() => captureSource.open(made)).toThrow(expect.objectContaining({ code }))
    }
    expect(descriptors()).toBeLessThanOrEqual(before)
  })
})
