// What the interface dropped before libpcap could see it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CaptureTarget, PacketSource } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { captureSource, type PcapOptions } from '../src/index.ts'

// No driver here counts any. libpcap reads `/sys/class/net/<name>/statistics`, where files stand in for its counters.
const COUNTERS = ['rx_missed_errors', 'rx_fifo_errors'] as const
const kernel = openKernel()
let network: PrivateNetwork
let folder: string

const dropped = (counter: (typeof COUNTERS)[number], packets: number) => writeFileSync(join(folder, counter), `${packets}\n`)

beforeAll(() => {
  network = enterPrivateNetwork(kernel.systemCall)
  folder = mkdtempSync(join(tmpdir(), 'skydive-drops-'))
  network.ip('netns add far', 'link add v0 type veth peer name v1', 'link set v0 up')
  network.run('ip', ['link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'], 'far')
  network.run('ip', ['link', 'set', 'v0', 'up'], 'far')
  network.run('mount', ['-t', 'sysfs', 'none', '/sys'])
  for (const counter of COUNTERS) {
    dropped(counter, 0)
    network.run('mount', ['--bind', join(folder, counter), `/sys/class/net/v0/statistics/${counter}`])
  }
})

afterAll(() => {
  network?.leave()
  rmSync(folder, { recursive: true })
  kernel.dispose()
})

/** What a source tells before, between and after the steps. */
const toldOf = (over: Partial<CaptureTarget>, steps: readonly (() => void)[], options?: PcapOptions) => {
  for (const counter of COUNTERS) dropped(counter, 10)
  const target = { interfaceName: 'v0', ifindex: 0, bpfFilter: '', snapLength: 256, excludePeers: [], ...over }
  const source = captureSource.open(target, options) as PacketSource
  const told = [source.stats().packetsIfDropped]
  for (const step of steps) {
    step()
    told.push(source.stats().packetsIfDropped)
  }
  source.close()
  return [...told, source.stats().packetsIfDropped]
}
const steps = [
  () => dropped('rx_missed_errors', 17),
  () => dropped('rx_fifo_errors', 12),
  // The driver begins anew.
  () => dropped('rx_missed_errors', 0),
  () => dropped('rx_missed_errors', 2),
  () => {},
]

test('it is counted from the beginning of the capture, and never falls', () => {
  expect(toldOf({}, steps)).toEqual([0, 7, 9, 9, 11, 11, 11])
})

test('it is not told of an interface in another namespace, as the counters are those of its namesake here', () => {
  expect(toldOf({ netns: '/run/netns/far' }, steps)).toEqual([0, 0, 0, 0, 0, 0, 0])
})

test('it is not told while it is not promiscuous, as libpcap does not look', () => {
  expect(toldOf({}, steps, { promiscuous: false })).toEqual([0, 0, 0, 0, 0, 0, 0])
})
