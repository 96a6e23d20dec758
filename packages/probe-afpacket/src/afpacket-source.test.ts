import { describe, expect, test } from '@jest/globals'
import { type CaptureTarget, PermissionError } from '@skydive/contracts'
import type { Kernel, KernelOptions } from '@skydive/kernel'
import { createAfPacketModule } from './afpacket-source.ts'

const TARGET: CaptureTarget = { interfaceName: 'lo', ifindex: 1, bpfFilter: '', snapLength: 256, excludePeers: [] }
const MIB = 1024 * 1024

/** Kernels whose sockets are the answers of `socket`; tells in order what was done with them. */
function system(socket: () => number) {
  const done: unknown[] = []
  const open = (options?: KernelOptions) => {
    done.push(['open', options])
    const kernel = {
      socket: (asked: unknown) => {
        done.push(['socket', asked])
        return socket()
      },
      close: (fd: number) => done.push(['close', fd]),
      dispose: () => done.push(['dispose']),
    }
    return kernel as unknown as Kernel
  }
  return { module: createAfPacketModule(open), done }
}
const SOCKET = { domain: 17, type: 3, protocol: 0 }

describe('whether it can run', () => {
  test('a socket is opened and closed', async () => {
    const { module, done } = system(() => 7)
    expect([module.name, await module.detect(), done]).toEqual([
      'afpacket',
      { available: true },
      [['open', undefined], ['socket', SOCKET], ['close', 7], ['dispose']],
    ])
  })

  test.each<readonly [string, () => never, object]>([
    [
      'without the privilege it says which',
      () => {
        throw new PermissionError('open socket: EPERM; it takes CAP_NET_RAW', { capability: 'CAP_NET_RAW' })
      },
      { reason: 'open socket: EPERM; it takes CAP_NET_RAW', remedy: 'run as root or grant CAP_NET_RAW' },
    ],
    [
      'for another reason it says that',
      () => {
        throw new Error('open socket: EMFILE')
      },
      { reason: 'open socket: EMFILE' },
    ],
  ])('%s', async (_title, refuse, told) => {
    const { module, done } = system(refuse)
    expect(await module.detect()).toStrictEqual({ available: false, ...told })
    expect(done).toEqual([['open', undefined], ['socket', SOCKET], ['dispose']])
  })
})

test.each([
  [{ ringBytes: 4095 }, 'afpacket: ringBytes 4095 is not from 4 KiB to 1 GiB'],
  [{ ringBytes: 64 * MIB, blockBytes: 4097 }, 'afpacket: blockBytes 4097 is no power of two from 4096'],
])('%j is refused before a socket is opened', (options, message) => {
  const { module, done } = system(() => 7)
  expect(() => module.open(TARGET, options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }))
  expect(done).toEqual([['open', undefined], ['dispose']])
})

test.each([-1, 0, 1.5, 65])('%d sources are refused before a socket is opened', (sources) => {
  const { module, done } = system(() => 7)
  const spread = { sources, keepFragments: false, tunnelUdpPorts: [] }
  expect(() => module.open({ ...TARGET, spread })).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_ARGUMENT',
      message: `afpacket: packets can't be spread over ${sources} sources; give 1 to 64`,
      fields: { sources },
    }),
  )
  expect(done).toEqual([['open', undefined], ['dispose']])
})

test('the ledger of the thread goes to its kernel, the namespace to its socket', () => {
  const refuse = () => {
    throw new Error('refused')
  }
  const { module, done } = system(refuse)
  const ledger = new SharedArrayBuffer(8)
  expect(() => module.open({ ...TARGET, netns: '/run/netns/a' }, {}, ledger)).toThrow('refused')
  expect(() => module.open(TARGET)).toThrow('refused')
  expect(done).toEqual([
    ['open', { ledger }],
    ['socket', { ...SOCKET, netns: '/run/netns/a' }],
    ['dispose'],
    ['open', undefined],
    ['socket', SOCKET],
    ['dispose'],
  ])
})
