import { describe, expect, test } from '@jest/globals'
import type { CaptureTarget } from '@skydive/contracts'
import { LISTENER, none, packets, peerKernel, SET, TIMER } from '../test/peer-kernel.ts'
import { createPcapSocketModule, type PcapSocketOptions } from './pcapsocket-source.ts'

describe('whether it can run', () => {
  test('a kernel is opened and disposed of', async () => {
    const { module, opened, closed } = peerKernel()
    expect([module.name, await module.detect(), opened, closed]).toEqual([
      'pcapsocket',
      { available: true },
      [undefined],
      ['kernel'],
    ])
  })

  test('without a kernel it says why', async () => {
    const module = createPcapSocketModule(() => {
      throw new Error('no koffi')
    })
    expect(await module.detect()).toEqual({ available: false, reason: 'no koffi' })
  })
})

describe('it listens', () => {
  const upTo = (last: number) => Array.from({ length: last - 8100 + 1 }, (_, i) => 8100 + i)

  test.each<readonly [string, readonly number[], Partial<CaptureTarget>, PcapSocketOptions, string]>([
    ['at the first port by default', [], {}, {}, '127.0.0.1:8100'],
    ['at the last by default', upTo(8131), {}, {}, '127.0.0.1:8132'],
    ['at the port that the user gave', [], { port: 1 }, { minPort: 9, maxPort: 9 }, '127.0.0.1:1'],
    ['at the last port of all', [], {}, { minPort: 65_535, maxPort: 65_535 }, '127.0.0.1:65535'],
    ['at the address that it is given', [], {}, { address: '::1' }, '[::1]:8100'],
  ])('%s', (_title, taken, over, options, socket) => {
    const { open, closed, watched } = peerKernel({ taken })
    const source = open(over, options)
    expect([source.describe!(), source.readyFd, [...watched], closed.length]).toEqual([
      { capture: { PCAPSocket: socket } },
      SET,
      [LISTENER, TIMER],
      taken.length,
    ])
    expect([source.kind, source.format]).toEqual([
      'packets',
      { layout: { format: 'pcap', littleEndian: true, nanoseconds: true }, linkType: 1 },
    ])
  })

  // SOL_SOCKET and SO_REUSEADDR; of IPv6 IPPROTO_IPV6 and IPV6_V6ONLY, whatever net.ipv6.bindv6only says.
  test.each([
    ['127.0.0.1', 2, []],
    ['::', 10, [['set', LISTENER, 41, 26, 0]]],
  ])('by a stream socket at %s, in spite of connections that ended there', (address, domain, more) => {
    const { open, calls } = peerKernel()
    open({}, { address, maxStreams: 3 })
    expect(calls).toEqual([
      ['socket', { domain, type: 1, protocol: 0 }],
      ['set', LISTENER, 1, 2, 1],
      ...more,
      ['listen', LISTENER, 3],
    ])
  })

  test('and says so when all are taken; nothing stays', () => {
    const { open, closed } = peerKernel({ taken: upTo(8132) })
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'ERR_UNAVAILABLE',
        message:
          'pcapsocket: ports 8100 to 8132 of 127.0.0.1 are all taken: stop another capture, or widen agent.flow.pcapsocket',
        fields: { address: '127.0.0.1', minPort: 8100, maxPort: 8132, retryable: true },
      }),
    )
    expect(closed).toEqual([...Array<number>(33).fill(LISTENER), 'timer', 'set', 'kernel'])
  })

  test('or not at all, for another reason', () => {
    const { open, closed } = peerKernel({ refuses: 'listen' })
    expect(() => open()).toThrow('no listen')
    expect(closed).toEqual([LISTENER, 'timer', 'set', 'kernel'])
  })

  test.each([
    [0, 5],
    [1, 65_536],
    [2, 1],
    [1.5, 2],
    [1, 2.5],
  ])('ports %d to %d are no range', (minPort, maxPort) => {
    const { open, closed } = peerKernel()
    expect(() => open({}, { minPort, maxPort })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARGUMENT',
        message: `pcapsocket: ports ${minPort} to ${maxPort} are no range from 1 to 65535`,
        fields: { minPort, maxPort },
      }),
    )
    expect(closed).toEqual(['timer', 'set', 'kernel'])
  })

  test('after the filter was compiled, by the ledger of the thread', () => {
    const { open, opened, compiled, closed } = peerKernel()
    const ledger = new SharedArrayBuffer(8)
    expect(() => open({ bpfFilter: 'bad' }, {}, ledger)).toThrow('no such filter')
    open()
    expect([opened, compiled, closed]).toEqual([
      [{ ledger }, undefined],
      [['bad', { linkType: 1, snapLength: 4096 }]],
      ['kernel'],
    ])
  })
})

test('closing closes all, once; what waits is dropped', () => {
  const { open, connect, closed } = peerKernel()
  const source = open()
  connect(packets(0, 50, 60))
  connect(packets(0))
  expect(source.poll(none)).toBe(2)
  source.close()
  source.close()
  connect(packets(0))
  expect([source.poll(none), closed, source.stats()]).toEqual([
    0,
    [200, 201, 'set', 'timer', LISTENER, 'kernel'],
    { packetsReceived: 2, packetsDropped: 2, packetsIfDropped: 0 },
  ])
})
