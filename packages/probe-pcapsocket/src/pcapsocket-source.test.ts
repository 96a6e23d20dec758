import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type CaptureTarget, InvalidArgumentError, type PacketSource } from '@skydive/contracts'
import { Errno, type Kernel, type KernelOptions, systemError } from '@skydive/kernel'
import { BPF, encodeBpfProgram, encodePcap } from '@skydive/packet'
import { createPcapSocketModule, type PcapSocketOptions } from './pcapsocket-source.ts'

const TARGET: CaptureTarget = { interfaceName: '', ifindex: 0, bpfFilter: '', snapLength: 256, excludePeers: [] }
const START_MS = 1_700_000_000_000
const [LISTENER, SET, TIMER] = [100, 50, 51]
const DAY_MS = 86_400_000
let clockMs = START_MS
const now = Date.now

beforeEach(() => {
  clockMs = START_MS
  Date.now = () => clockMs
})
afterEach(() => {
  Date.now = now
})

/** A peer: what it has sent and is not read yet. */
interface Peer {
  bytes: Uint8Array
  isOver: boolean
}

/**
 * A kernel with peers that wait to be accepted; tells which descriptors can wake the source, for how long its timer is set, what was opened with
 * which options and what was closed. Ports of `taken` can't be listened at.
 */
function system({ taken = [] as readonly number[], refuses = '' } = {}) {
  const waiting: Peer[] = []
  const peers = new Map<number, Peer>()
  const watched = new Set<number>()
  const closed: (number | string)[] = []
  const opened: (KernelOptions | undefined)[] = []
  const read: number[] = []
  const compiled: unknown[] = []
  const calls: unknown[] = []
  let armedMs: number | undefined
  let asked = 0
  const kernel = {
    socket: (asked: unknown) => {
      calls.push(['socket', asked])
      return LISTENER
    },
    setSocketOption: (...asked: readonly unknown[]) => void calls.push(['set', ...asked]),
    bind: (_fd: number, name: Uint8Array) => {
      const port = new DataView(name.buffer).getUint16(2)
      if (taken.includes(port)) throw systemError('bind', Errno.EADDRINUSE)
    },
    listen: (...asked: readonly unknown[]) => {
      calls.push(['listen', ...asked])
      if (refuses === 'listen') throw new Error('no listen')
    },
    accept: () => {
      const peer = waiting.shift()
      if (!peer) return -Errno.EAGAIN
      const fd = 200 + peers.size
      peers.set(fd, peer)
      return fd
    },
    receive: (fd: number, into: Uint8Array) => {
      const peer = peers.get(fd)!
      asked++
      if (peer.bytes.length === 0) return peer.isOver ? 0 : -Errno.EAGAIN
      const some = peer.bytes.subarray(0, into.length)
      into.set(some)
      peer.bytes = peer.bytes.subarray(some.length)
      read.push(some.length)
      return some.length
    },
    close: (fd: number) => void closed.push(fd),
    descriptorSet: () => ({
      fd: SET,
      add: (fd: number) => {
        if (watched.has(fd)) throw new Error(`${fd} is in the set`)
        watched.add(fd)
      },
      remove: (fd: number) => {
        if (!watched.delete(fd)) throw new Error(`${fd} is not in the set`)
      },
      close: () => void closed.push('set'),
    }),
    timerDescriptor: () => ({
      fd: TIMER,
      arm: (ms: number) => {
        armedMs = ms
      },
      disarm: () => {
        armedMs = undefined
      },
      close: () => void closed.push('timer'),
    }),
    compileBpf: (...asked: readonly unknown[]) => {
      compiled.push(asked)
      if (asked[0] === 'bad') throw new Error('no such filter')
      const [expression, { linkType }] = asked as [string, { linkType: number }]
      if (expression === 'refused' && linkType !== 1) throw new InvalidArgumentError('no such filter', {})
      if (expression === 'faulty' && linkType !== 1) throw new Error('a fault')
      // Packets of which the first byte is not 0.
      return encodeBpfProgram([
        { code: BPF.LD | BPF.B | BPF.ABS, jt: 0, jf: 0, k: 0 },
        { code: BPF.RET | BPF.A, jt: 0, jf: 0, k: 0 },
      ])
    },
    dispose: () => void closed.push('kernel'),
  }
  const module = createPcapSocketModule((options) => {
    opened.push(options)
    return kernel as unknown as Kernel
  })
  const open = (over: Partial<CaptureTarget> = {}, options?: PcapSocketOptions, ledger?: SharedArrayBuffer) =>
    module.open({ ...TARGET, ...over }, options, ledger) as PacketSource
  const connect = (bytes: Uint8Array, isOver = false): Peer => {
    const peer = { bytes, isOver }
    waiting.push(peer)
    return peer
  }
  return { module, open, connect, watched, closed, opened, read, compiled, calls, armed: () => armedMs, asked: () => asked }
}

const packets = (...timesMs: readonly number[]) =>
  encodePcap(timesMs.map((timeMs) => ({ timeMs, data: Uint8Array.of(1, 2, 3, 4) })))
const none = () => {}

describe('whether it can run', () => {
  test('a kernel is opened and disposed of', async () => {
    const { module, opened, closed } = system()
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
    const { open, closed, watched } = system({ taken })
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
    const { open, calls } = system()
    open({}, { address, maxStreams: 3 })
    expect(calls).toEqual([
      ['socket', { domain, type: 1, protocol: 0 }],
      ['set', LISTENER, 1, 2, 1],
      ...more,
      ['listen', LISTENER, 3],
    ])
  })

  test('and says so when all are taken; nothing stays', () => {
    const { open, closed } = system({ taken: upTo(8132) })
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
    const { open, closed } = system({ refuses: 'listen' })
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
    const { open, closed } = system()
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
    const { open, opened, compiled, closed } = system()
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

describe('streams', () => {
  test('of which no packet is due wake it at the time of the next', () => {
    const { open, connect, watched, armed } = system()
    const source = open()
    connect(packets(0, 40, 100_000_000))
    expect([source.poll(none), armed(), [...watched]]).toEqual([1, 40, [LISTENER, TIMER]])
    clockMs += 39
    expect([source.poll(none), armed()]).toEqual([0, 1])
    clockMs += 1
    expect([source.poll(none), armed()]).toEqual([1, DAY_MS])
    clockMs += DAY_MS
    expect([source.poll(none), armed()]).toEqual([0, 100_000_000 - 40 - DAY_MS])
    clockMs += 100_000_000 - 40 - DAY_MS
    // All are gone: what comes wakes it again.
    expect([source.poll(none), armed(), [...watched]]).toEqual([1, undefined, [LISTENER, TIMER, 200]])
  })

  test('of several the one that is due first wakes it', () => {
    const { open, connect, armed } = system()
    const source = open()
    for (const gapMs of [70, 30, 50]) connect(packets(0, gapMs))
    connect(packets(0))
    expect([source.poll(none), armed()]).toEqual([4, 30])
  })

  test('are not read while packets of them wait', () => {
    const { open, connect, read, watched } = system()
    const source = open()
    const peer = connect(packets(0, 40))
    source.poll(none)
    const more = packets(0, 60, 80).subarray(24)
    peer.bytes = more
    source.poll(none)
    const whole = 24 + 2 * 20
    expect([read, watched.has(200)]).toEqual([[whole], false])
    clockMs += 60
    expect([source.poll(none), read, watched.has(200)]).toEqual([3, [whole, more.length], false])
  })

  test('are read sixteen times a poll at most, so that others have their turn', () => {
    const { open, connect, read, watched, armed } = system()
    const source = open()
    const bytes = packets(...Array<number>(70_000).fill(0))
    connect(bytes)
    const first = 1024 + 15 * 65_536
    expect([source.poll(none), read, watched.has(200), armed()]).toEqual([
      Math.floor((first - 24) / 20),
      [1024, ...Array<number>(15).fill(65_536)],
      true,
      undefined,
    ])
    expect([source.poll(none), read.reduce((sum, some) => sum + some, 0)]).toEqual([
      70_000 - Math.floor((first - 24) / 20),
      bytes.length,
    ])
  })

  test('wait while there are eight; who waits is not told until one ends', () => {
    const { open, connect, watched, closed } = system()
    const source = open()
    const peers = Array.from({ length: 9 }, () => connect(packets(0)))
    expect([source.poll(none), watched.has(LISTENER), source.poll(none), watched.has(LISTENER)]).toEqual([8, false, 0, false])
    peers[3]!.isOver = true
    expect([source.poll(none), watched.has(LISTENER), closed]).toEqual([0, true, [203]])
    expect([source.poll(none), watched.has(LISTENER)]).toEqual([1, false])
  })

  test('wait while there are as many as the options say', () => {
    const { open, connect, watched } = system()
    const source = open({}, { maxStreams: 2 })
    for (let i = 0; i < 3; i++) connect(packets(0))
    expect([source.poll(none), watched.has(LISTENER)]).toEqual([2, false])
  })

  test('are counted from poll to poll', () => {
    const { open, connect } = system()
    const source = open()
    connect(packets(0, 0, 0))
    connect(packets(0, 0))
    const polled = source.poll(none)
    connect(packets(0))
    expect([polled, source.poll(none), source.stats().packetsReceived]).toEqual([5, 1, 6])
  })

  test.each([
    [0, 256],
    [100, 100],
    [4096, 300],
  ])('by the snap length %d are cut to %d bytes', (snapLength, bytes) => {
    const { open, connect } = system()
    const source = open({ snapLength })
    connect(encodePcap([{ timeMs: 0, data: new Uint8Array(300) }]))
    const captured: number[] = []
    source.poll((block) => captured.push(new DataView(block.buffer).getUint32(8, true)))
    expect(captured).toEqual([bytes])
  })

  test('are filtered by their link type; a filter is compiled once for each', () => {
    const { open, connect, compiled } = system()
    const source = open({ bpfFilter: 'good' })
    const data = [0, 1, 2].map((first) => ({ timeMs: 0, data: Uint8Array.of(first, 9) }))
    for (const linkType of [1, 101, 228, 101]) connect(encodePcap(data, linkType))
    const blocks: (number | undefined)[] = []
    expect(source.poll((_bytes, _offset, _length, _rate, linkType) => void blocks.push(linkType))).toBe(8)
    expect([blocks, compiled]).toEqual([
      [1, 101, 228, 101],
      [
        ['good', { linkType: 1, snapLength: 4096 }],
        ['good', { linkType: 12, snapLength: 4096 }],
        ['good', { linkType: 228, snapLength: 4096 }],
      ],
    ])
  })

  test.each<readonly [string, Uint8Array, number, number]>([
    ['that ends', packets(0, 0), 2, 0],
    ['that ends without a packet', packets(), 0, 0],
    ['that is empty', new Uint8Array(0), 0, 0],
    ['that is cut', packets(0, 0).subarray(0, -1), 1, 1],
    ['that is cut within its first packet', packets(0).subarray(0, -1), 0, 0],
    ['of something else', Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\n\r\n')), 0, 0],
  ])('one %s is closed', (_title, bytes, packetsReceived, packetsDropped) => {
    const { open, connect, closed, watched } = system()
    const source = open()
    connect(bytes, true)
    expect(source.poll(none)).toBe(packetsReceived)
    expect([closed, [...watched], source.stats()]).toEqual([
      [200],
      [LISTENER, TIMER],
      { packetsReceived, packetsDropped, packetsIfDropped: 0 },
    ])
  })

  test('one that ends while packets wait is closed after the last', () => {
    const { open, connect, closed, armed } = system()
    const source = open()
    connect(packets(0, 50), true)
    expect([source.poll(none), closed, armed()]).toEqual([1, [], 50])
    clockMs += 50
    expect([source.poll(none), closed, armed()]).toEqual([1, [200], undefined])
  })

  test('one that is damaged after packets that wait is closed after the last of them', () => {
    const { open, connect, closed, armed, read } = system()
    const source = open()
    const damaged = new Uint8Array(16).fill(0xff)
    const peer = connect(Uint8Array.from([...packets(0, 50), ...damaged]))
    expect([source.poll(none), closed, armed(), source.stats().packetsDropped]).toEqual([1, [], 50, 1])
    // What comes after it is not read.
    peer.bytes = packets(0)
    clockMs += 50
    expect([source.poll(none), closed, armed(), read.length]).toEqual([1, [200], undefined, 1])
  })

  test('one of something else is closed at once, whether or not it goes on', () => {
    const { open, connect, closed, asked } = system()
    const source = open()
    connect(Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\n\r\n')))
    expect([source.poll(none), closed, asked()]).toEqual([0, [200], 1])
  })

  test('one that comes byte by byte is read as far as it is there', () => {
    const { open, connect, closed, asked } = system()
    const source = open()
    const bytes = packets(0)
    const peer = connect(bytes.subarray(0, 1))
    let taken = 0
    for (let i = 1; i <= bytes.length; i++) {
      taken += source.poll(none)
      // The byte, and that there is no other.
      expect(asked()).toBe(2 * i)
      peer.bytes = bytes.subarray(i, i + 1)
    }
    expect([taken, closed, source.stats().packetsReceived]).toEqual([1, [], 1])
  })

  test('one whose packets the filter can not be compiled for is closed', () => {
    const { open, connect, closed } = system()
    const source = open({ bpfFilter: 'refused' })
    connect(encodePcap([{ timeMs: 0, data: Uint8Array.of(1) }], 113))
    expect([source.poll(none), closed, source.stats().packetsDropped]).toEqual([0, [200], 0])
  })

  test.each<readonly [string, Partial<CaptureTarget>, () => void]>([
    ['of the filter', { bpfFilter: 'faulty' }, none],
    [
      'of who takes packets',
      {},
      () => {
        throw new Error('a fault')
      },
    ],
  ])('a fault %s is thrown', (_title, over, sink) => {
    const { open, connect } = system()
    const source = open(over)
    connect(encodePcap([{ timeMs: 0, data: Uint8Array.of(1) }], 113))
    expect(() => source.poll(sink)).toThrow('a fault')
  })
})

test('closing closes all, once; what waits is dropped', () => {
  const { open, connect, closed } = system()
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
