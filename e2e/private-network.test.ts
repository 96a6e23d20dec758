import { readdirSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'

// What the other suites rely on: whatever they do to the network, this machine's own is as it was, file by file.

const kernel = openKernel()
afterAll(() => kernel.dispose())

const enter = () => enterPrivateNetwork(kernel.systemCall)
// Entering makes the folder for names where a machine never had one.
beforeAll(() => enter().leave())
/** The thread's namespaces, the machine's names for namespaces and its interfaces. */
const surroundings = () => ({
  namespaces: ['net', 'mnt'].map((kind) => readlinkSync(`/proc/thread-self/ns/${kind}`)),
  names: readdirSync('/run/netns'),
  interfaces: readdirSync('/sys/class/net'),
})
const LEFT = /the private network was left/

test('entered and left again and again, it leaves nothing', () => {
  const before = surroundings()
  for (let round = 0; round < 3; round++) {
    const network = enter()
    network.ip('netns add z', `netns add round${round}`)
    expect(readdirSync('/run/netns').sort()).toEqual([`round${round}`, 'z'])
    network.leave()
    expect(surroundings()).toEqual(before)
  }
})

test.each<[string, (network: PrivateNetwork) => void]>([
  ['adds a namespace', (network) => network.ip('netns add z')],
  ['asks', (network) => network.query(['link'])],
  ['runs a program', (network) => network.run('ip', ['netns', 'add', 'z'])],
])('a test that %s after its time is over is refused and changes nothing', (_, late) => {
  const before = surroundings()
  const network = enter()
  network.leave()
  network.leave()
  expect(() => late(network)).toThrow(LEFT)
  expect(surroundings()).toEqual(before)
})

test('a test that runs on into the network of the next is refused', () => {
  const first = enter()
  first.leave()
  const second = enter()
  expect(() => first.ip('netns add z')).toThrow(LEFT)
  expect(readdirSync('/run/netns')).toEqual([])
  second.leave()
})

test('without the right to unshare it throws and stays where it was', () => {
  const before = surroundings()
  const EPERM = 1
  expect(() => enterPrivateNetwork(() => -EPERM)).toThrow(/unshare: errno 1; a private network takes CAP_SYS_ADMIN/)
  expect(surroundings()).toEqual(before)
})
