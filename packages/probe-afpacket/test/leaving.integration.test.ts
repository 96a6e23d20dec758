// An interface that goes down and up, or leaves, under a ring that is open.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { PacketSource } from '@skydive/contracts'
import { type Kernel, openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { captureSource } from '../src/index.ts'

const outside = openKernel()
let kernel: Kernel
let network: PrivateNetwork

beforeAll(() => {
  network = enterPrivateNetwork(outside.systemCall)
  kernel = openKernel()
  network.ip('netns add far', 'netns add other')
  network.run('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'])
})
beforeEach(() => {
  network.ip('link add v0 type veth peer name v1 netns far', 'addr add 10.9.0.1/24 dev v0', 'link set v0 up')
  network.run('ip', ['addr', 'add', '10.9.0.2/24', 'dev', 'v1'], 'far')
  network.run('ip', ['link', 'set', 'v1', 'up'], 'far')
})
afterAll(() => {
  kernel?.dispose()
  network?.leave()
  outside.dispose()
})

function open(sources = 1): readonly PacketSource[] {
  const [{ ifindex }] = network.query(['link', 'show', 'v0']) as [{ readonly ifindex: number }]
  const target = { interfaceName: 'v0', ifindex, bpfFilter: 'icmp', snapLength: 256, excludePeers: [] }
  const spread = { sources, keepFragments: false, tunnelUdpPorts: [] }
  const owner = captureSource.open({ ...target, ...(sources > 1 && { spread }) }) as PacketSource
  return [owner, ...(owner.members ?? []).map((member) => captureSource.open(target, member as object) as PacketSource)]
}
const ping = () => network.run('ping', ['-c', '2', '-i', '0.01', '10.9.0.2'])
const isReadable = ({ readyFd }: PacketSource, waitMs = 0) => kernel.waitReadable([readyFd], waitMs).length > 0
/** Polls until nothing comes any more. */
function drain(source: PacketSource): number {
  let packets = 0
  while (isReadable(source, 100)) packets += source.poll(() => {})
  return packets
}

test('one that is down wakes its reader once, and counts when it is up again', () => {
  const [source] = open() as [PacketSource]
  ping()
  expect(drain(source)).toBe(4)
  network.ip('link set v0 down')
  expect(isReadable(source)).toBe(true)
  expect([source.poll(() => {}), isReadable(source)]).toEqual([0, false])
  // However long it is down, that is no reason to give up.
  for (let look = 0; look < 5; look++) expect(source.poll(() => {})).toBe(0)
  network.ip('link set v0 up')
  ping()
  expect([drain(source), isReadable(source)]).toEqual([4, false])
  source.close()
  network.ip('link del v0')
})

test.each<readonly [string, string, number]>([
  ['moved', 'link set v0 netns other', 1],
  ['deleted', 'link del v0', 1],
  ['moved, with several rings,', 'link set v0 netns other', 2],
])('one that is %s is told at the third look', (_title, line, count) => {
  const sources = open(count)
  network.ip(line)
  for (const source of sources) {
    expect([isReadable(source), source.poll(() => {}), isReadable(source), source.poll(() => {})]).toEqual([true, 0, false, 0])
    expect(() => source.poll(() => {})).toThrow('the interface left its network namespace')
    expect(source.stats()).toMatchObject({ packetsReceived: 0, packetsDropped: 0 })
  }
  for (const source of [...sources].reverse()) source.close()
  if (!line.includes('del')) network.run('ip', ['link', 'del', 'v0'], 'other')
})
