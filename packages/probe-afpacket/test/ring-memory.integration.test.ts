// The memory of rings: as much as is wanted, less when the kernel has no more, and what captures share.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CaptureTarget, PacketSource } from '@skydive/contracts'
import { type Kernel, openKernel, systemError } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { createAfPacketModule } from '../src/index.ts'
import { PACKET_RX_RING, SOL_PACKET } from '../src/packet-socket.ts'

const MIB = 1024 * 1024
const ENOMEM = 12
const outside = openKernel()
let network: PrivateNetwork
beforeAll(() => {
  network = enterPrivateNetwork(outside.systemCall)
  network.ip('link set lo up')
})
afterAll(() => {
  network?.leave()
  outside.dispose()
})

/** A kernel with so much memory for the rings of one capture; answers also what it was asked for. */
function poorKernel(bytes: number): { open: () => Kernel; asked: number[] } {
  const asked: number[] = []
  let left = bytes
  const open = () => {
    const kernel = openKernel()
    left = bytes
    return {
      ...kernel,
      setSocketOption(fd: number, level: number, name: number, value: ArrayBufferView | number) {
        if (level === SOL_PACKET && name === PACKET_RX_RING) {
          const { buffer } = value as Uint8Array
          const request = new DataView(buffer as ArrayBuffer)
          const size = request.getUint32(0, true) * request.getUint32(4, true)
          asked.push(size / MIB)
          if (size > left) {
            left = bytes
            throw systemError('set socket option', ENOMEM)
          }
          left -= size
        }
        kernel.setSocketOption(fd, level, name, value)
      },
    }
  }
  return { open, asked }
}

const target = (sources = 1): CaptureTarget => ({
  interfaceName: 'lo',
  ifindex: 1,
  bpfFilter: '',
  snapLength: 256,
  excludePeers: [],
  ...(sources > 1 && { spread: { sources, keepFragments: false, tunnelUdpPorts: [] } }),
})

/** Packet sockets of the namespace of the thread. */
const sockets = () => readFileSync('/proc/thread-self/net/packet', 'utf8').trim().split('\n').length - 1

/** MiB of the mappings of packet rings, which the kernel shows by their sockets. */
const mapped = () =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('socket:['))
    .map((line) => {
      const [from, to] = line
        .split(' ')[0]!
        .split('-')
        .map((address) => Number.parseInt(address, 16))
      return (to! - from!) / MIB
    })

test('64 MiB without a wish, shared by the rings of a capture', () => {
  const module = createAfPacketModule()
  const one = module.open(target()) as PacketSource
  expect([mapped(), one.warning]).toEqual([[64], undefined])
  one.close()
  const four = module.open(target(4)) as PacketSource
  const members = four.members!.map((options) => module.open(target(), options as object) as PacketSource)
  expect([mapped(), four.warning]).toEqual([[16, 16, 16, 16], undefined])
  for (const source of [...members, four]) source.close()
  expect([mapped(), sockets()]).toEqual([[], 0])
})

test('where the kernel has no memory for it, half of it and half again, with a warning', () => {
  const { open, asked } = poorKernel(20 * MIB)
  const source = createAfPacketModule(open).open(target()) as PacketSource
  expect(asked).toEqual([64, 32, 16])
  expect(source.warning).toBe('capture of lo: its ring has 16 MiB instead of 64 MiB: the kernel has no memory for more')
  expect([mapped(), sockets()]).toEqual([[16], 1])
  source.close()
})

test('of several rings all are made smaller, and nothing stays of the tries', () => {
  const { open, asked } = poorKernel(40 * MIB)
  const source = createAfPacketModule(open).open(target(2), { ringBytes: 64 * MIB }) as PacketSource
  expect(asked).toEqual([32, 32, 16, 16])
  expect(source.warning).toBe('capture of lo: its ring has 32 MiB instead of 64 MiB: the kernel has no memory for more')
  expect([mapped(), sockets()]).toEqual([[16], 2])
  source.close()
  expect(sockets()).toBe(0)
})

test('without memory for the least one it is refused', () => {
  const { open, asked } = poorKernel(0)
  expect(() => createAfPacketModule(open).open(target(), { ringBytes: 4 * MIB })).toThrow(
    expect.objectContaining({ code: 'ERR_SYSTEM_CALL' }),
  )
  expect(asked).toEqual([4, 2, 1])
  expect([mapped(), sockets()]).toEqual([[], 0])
})

test('rings that together take an eighth of the memory leave 16 MiB to the next one, until one is closed', () => {
  const module = createAfPacketModule(openKernel, { hostBytes: 8 * 100 * MIB })
  const sources: PacketSource[] = []
  const opened = () => {
    sources.push(module.open(target()) as PacketSource)
    return [mapped().at(-1), sources.at(-1)!.warning]
  }
  try {
    expect(opened()).toEqual([64, undefined])
    const warning =
      'capture of lo: its ring has 16 MiB instead of 64 MiB: all rings together would take more than 100 MiB, an eighth of the memory'
    opened()
    expect([mapped().sort(), sources[1]!.warning]).toEqual([[16, 64], warning])
    sources[0]!.close()
    opened()
    expect([mapped().sort(), sources[2]!.warning]).toEqual([[16, 64], undefined])
  } finally {
    for (const source of sources) source.close()
  }
})
