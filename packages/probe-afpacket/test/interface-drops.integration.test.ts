// What an interface dropped before the ring could see it, as the kernel tells it of an interface in any namespace.
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CaptureTarget, PacketSource } from '@skydive/contracts'
import { type Kernel, openKernel, systemError } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AfPacketOptions, createAfPacketModule } from '../src/index.ts'

const AF_NETLINK = 16
const EAFNOSUPPORT = 97
// struct nlmsghdr and struct if_stats_msg, then the attribute with struct rtnl_link_stats64.
const COUNTERS_AT = 16 + 12 + 4
const [RECEIVED_PACKETS, RECEIVED_BYTES] = [COUNTERS_AT, COUNTERS_AT + 2 * 8]
const [FIFO_ERRORS, MISSED_ERRORS] = [COUNTERS_AT + 14 * 8, COUNTERS_AT + 15 * 8]
const outside = openKernel()
let network: PrivateNetwork

beforeAll(() => {
  network = enterPrivateNetwork(outside.systemCall)
  network.ip('netns add far')
  // No packets but ours, so that counters stay as they are.
  for (const netns of [undefined, 'far'])
    network.run('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'], netns)
  network.ip('link add v0 type veth peer name v1 netns far', 'addr add 10.9.0.1/24 dev v0', 'link set v0 up')
  network.run('ip', ['addr', 'add', '10.9.0.2/24', 'dev', 'v1'], 'far')
  network.run('ip', ['link', 'set', 'v1', 'up'], 'far')
  network.run('ping', ['-c', '3', '-i', '0.01', '10.9.0.2'])
})
afterAll(() => {
  network?.leave()
  outside.dispose()
})

/** Of an interface, as `ip` tells it. */
function linkOf(name: string, netns?: string): { readonly ifindex: number; readonly received: readonly number[] } {
  const [link] = network.query(['-s', 'link', 'show', name], netns) as [
    { readonly ifindex: number; readonly stats64: { readonly rx: { readonly packets: number; readonly bytes: number } } },
  ]
  const { packets, bytes } = link.stats64.rx
  return { ifindex: link.ifindex, received: [packets, bytes] }
}

/** A module to whose answers of the kernel so many drops are added, as no driver here counts any. `told` is what they say besides. */
function counting({ refuses = false } = {}) {
  const added = { fifo: 0, missed: 0 }
  const told: (readonly number[])[] = []
  const module = createAfPacketModule((options) => {
    const own = openKernel(options)
    const netlink = new Set<number>()
    const over: Partial<Kernel> = {
      socket(asked) {
        if (asked.domain !== AF_NETLINK) return own.socket(asked)
        if (refuses) throw systemError('socket', EAFNOSUPPORT)
        const fd = own.socket(asked)
        netlink.add(fd)
        return fd
      },
      receive(fd, into, flags) {
        const byteLength = own.receive(fd, into, flags)
        if (!netlink.has(fd) || byteLength < MISSED_ERRORS + 8) return byteLength
        const view = new DataView(into.buffer, into.byteOffset, into.byteLength)
        told.push([RECEIVED_PACKETS, RECEIVED_BYTES].map((at) => Number(view.getBigUint64(at, true))))
        view.setBigUint64(FIFO_ERRORS, view.getBigUint64(FIFO_ERRORS, true) + BigInt(added.fifo), true)
        view.setBigUint64(MISSED_ERRORS, view.getBigUint64(MISSED_ERRORS, true) + BigInt(added.missed), true)
        return byteLength
      },
    }
    return { ...own, ...over }
  })
  const open = (over: Partial<CaptureTarget>, options: AfPacketOptions = {}) =>
    module.open(
      { interfaceName: 'v0', ifindex: 0, bpfFilter: '', snapLength: 256, excludePeers: [], ...over },
      options,
    ) as PacketSource
  return { added, told, open }
}
const dropped = (source: PacketSource) => source.stats().packetsIfDropped
const descriptors = () => readdirSync('/proc/self/fd').length

test.each<readonly [string, string, string | undefined]>([
  ['here', 'v0', undefined],
  ['in another namespace', 'v1', 'far'],
])('of an interface %s it is counted from the beginning of the capture on, also at its end', (_, interfaceName, namespace) => {
  const before = descriptors()
  const { added, told, open } = counting()
  const { ifindex, received } = linkOf(interfaceName, namespace)
  expect(received[0]).toBeGreaterThan(2)
  added.missed = 10
  const source = open({ interfaceName, ifindex, ...(namespace !== undefined && { netns: `/run/netns/${namespace}` }) })
  const counted = [dropped(source)]
  added.missed = 17
  counted.push(dropped(source))
  added.fifo = 2
  counted.push(dropped(source), dropped(source))
  // The driver begins anew.
  added.missed = 0
  counted.push(dropped(source))
  added.fifo = 5
  source.close()
  counted.push(dropped(source))
  expect(counted).toEqual([0, 7, 9, 9, 11, 14])
  // Each time, at the beginning and five times and at the end, the counters of this interface were told.
  expect(told).toEqual(Array.from({ length: 7 }, () => received))
  expect(descriptors()).toBe(before)
})

test('of a group the first tells it, and it alone', () => {
  const { added, open } = counting()
  const owner = open({ ifindex: linkOf('v0').ifindex, spread: { sources: 3, keepFragments: false, tunnelUdpPorts: [] } })
  const all = [owner, ...owner.members!.map((member) => open({}, member as object))]
  added.fifo = 4
  expect(all.map(dropped)).toEqual([4, 0, 0])
  for (const source of all.reverse()) source.close()
})

test('it stays when the interface goes', () => {
  network.ip('link add gone type veth peer name v2', 'link set gone up')
  const { added, open } = counting()
  const source = open({ interfaceName: 'gone', ifindex: linkOf('gone').ifindex })
  added.missed = 3
  const counted = [dropped(source)]
  network.ip('link del gone')
  counted.push(dropped(source))
  source.close()
  expect([...counted, dropped(source)]).toEqual([3, 3, 3])
})

test('a host without rtnetlink captures all the same, and nobody tells', () => {
  const { open, told } = counting({ refuses: true })
  const source = open({ ifindex: linkOf('v0').ifindex })
  expect([dropped(source), told]).toEqual([0, []])
  source.close()
})

test('nothing stays open of a capture that can not be opened', () => {
  const before = descriptors()
  const { ifindex } = linkOf('v0')
  expect(() => counting().open({ ifindex, bpfFilter: 'no such word' })).toThrow('no such word')
  expect(() => counting().open({ ifindex: 9999 })).toThrow('there is no interface v0 (9999)')
  expect(descriptors()).toBe(before)
})
