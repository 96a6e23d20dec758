import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { CaptureTarget } from '@skydive/contracts'
import { encodePcap } from '@skydive/packet'
import { LISTENER, none, packets, peerKernel, TIMER } from '../test/peer-kernel.ts'

const START_MS = 1_700_000_000_000
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

describe('streams', () => {
  test('of which no packet is due wake it at the time of the next', () => {
    const { open, connect, watched, armed } = peerKernel()
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
    const { open, connect, armed } = peerKernel()
    const source = open()
    for (const gapMs of [70, 30, 50]) connect(packets(0, gapMs))
    connect(packets(0))
    expect([source.poll(none), armed()]).toEqual([4, 30])
  })

  test('are not read while packets of them wait', () => {
    const { open, connect, read, watched } = peerKernel()
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
    const { open, connect, read, watched, armed } = peerKernel()
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
    const { open, connect, watched, closed } = peerKernel()
    const source = open()
    const peers = Array.from({ length: 9 }, () => connect(packets(0)))
    expect([source.poll(none), watched.has(LISTENER), source.poll(none), watched.has(LISTENER)]).toEqual([8, false, 0, false])
    peers[3]!.isOver = true
    expect([source.poll(none), watched.has(LISTENER), closed]).toEqual([0, true, [203]])
    expect([source.poll(none), watched.has(LISTENER)]).toEqual([1, false])
  })

  test('wait while there are as many as the options say', () => {
    const { open, connect, watched } = peerKernel()
    const source = open({}, { maxStreams: 2 })
    for (let i = 0; i < 3; i++) connect(packets(0))
    expect([source.poll(none), watched.has(LISTENER)]).toEqual([2, false])
  })

  test('are counted from poll to poll', () => {
    const { open, connect } = peerKernel()
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
    const { open, connect } = peerKernel()
    const source = open({ snapLength })
    connect(encodePcap([{ timeMs: 0, data: new Uint8Array(300) }]))
    const captured: number[] = []
    source.poll((block) => captured.push(new DataView(block.buffer).getUint32(8, true)))
    expect(captured).toEqual([bytes])
  })

  test('are filtered by their link type; a filter is compiled once for each', () => {
    const { open, connect, compiled } = peerKernel()
    const source = open({ bpfFilter: 'good' })
    const data = [0, 1, 2].map((first) => ({ timeMs: 0, data: Uint8Array.of(first, 9) }))
    for (const linkType of [1, 101, 228, 101]) connect(encodePcap(data, linkType))
    const blocks: (number | undefined)[] = []
    expect(source.poll((_bytes, _offset, _length, _rate, linkType) => void blocks.push(linkType))).toBe(8)
    expect([blocks, compiled]).toEqual([
      [1, 101, 228, 101],
      [
        ['good', { linkType: 1, snapLength: 4096 }],
        ['good', { linkType: 101, snapLength: 4096 }],
        ['good', { linkType: 228, snapLength: 4096 }],
      ],
    ])
  })

  test.each<readonly [string, Uint8Array, number, number, object]>([
    ['that ends', packets(0, 0), 2, 0, {}],
    ['that ends without a packet', packets(), 0, 0, {}],
    ['that is empty', new Uint8Array(0), 0, 0, {}],
    ['that is cut', packets(0, 0).subarray(0, -1), 1, 1, { Unused: { CutStreams: 1 } }],
    ['that is cut within its first packet', packets(0).subarray(0, -1), 0, 0, { Unused: { CutStreams: 1 } }],
    ['that is cut within its header', packets().subarray(0, -1), 0, 0, { Unused: { CutStreams: 1 } }],
    [
      'that is damaged',
      Uint8Array.from([...packets(0), ...new Uint8Array(16).fill(0xff)]),
      1,
      1,
      { Unused: { DamagedStreams: 1 } },
    ],
    ['of something else', Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\n\r\n')), 0, 0, { Unused: { ForeignStreams: 1 } }],
    [
      'of a link type that flows are not made of',
      encodePcap([{ timeMs: 0, data: Uint8Array.of(1) }], 147),
      1,
      0,
      { ForeignLinkTypes: [147] },
    ],
  ])('one %s is closed', (_title, bytes, packetsReceived, packetsIfDropped, told) => {
    const { open, connect, closed, watched } = peerKernel()
    const source = open()
    connect(bytes, true)
    expect(source.poll(none)).toBe(packetsReceived)
    expect([closed, [...watched], source.stats(), source.describe!()]).toEqual([
      [200],
      [LISTENER, TIMER],
      { packetsReceived, packetsDropped: 0, packetsIfDropped },
      { capture: { PCAPSocket: '127.0.0.1:8100', ...told } },
    ])
  })

  test('are told by their cause, and no more than 16 link types', () => {
    const { open, connect } = peerKernel()
    const source = open()
    const foreign = Array.from({ length: 17 }, (_, i) => 147 + i)
    for (const linkType of [...foreign, 147, 1]) connect(encodePcap([{ timeMs: 0, data: Uint8Array.of(1) }], linkType), true)
    for (let i = 0; i < 2; i++) connect(packets(0).subarray(0, -1), true)
    connect(Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\n\r\n')))
    for (let i = 0; i < 4; i++) source.poll(none)
    expect(source.describe!().capture).toEqual({
      PCAPSocket: '127.0.0.1:8100',
      Unused: { CutStreams: 2, ForeignStreams: 1 },
      ForeignLinkTypes: foreign.slice(0, 16),
    })
  })

  test('one that ends while packets wait is closed after the last', () => {
    const { open, connect, closed, armed } = peerKernel()
    const source = open()
    connect(packets(0, 50), true)
    expect([source.poll(none), closed, armed()]).toEqual([1, [], 50])
    clockMs += 50
    expect([source.poll(none), closed, armed()]).toEqual([1, [200], undefined])
  })

  test('one that is damaged after packets that wait is closed after the last of them', () => {
    const { open, connect, closed, armed, read } = peerKernel()
    const source = open()
    const damaged = new Uint8Array(16).fill(0xff)
    const peer = connect(Uint8Array.from([...packets(0, 50), ...damaged]))
    expect([source.poll(none), closed, armed(), source.stats().packetsIfDropped]).toEqual([1, [], 50, 1])
    // What comes after it is not read.
    peer.bytes = packets(0)
    clockMs += 50
    expect([source.poll(none), closed, armed(), read.length]).toEqual([1, [200], undefined, 1])
  })

  test('one of something else is closed at once, whether or not it goes on', () => {
    const { open, connect, closed, asked } = peerKernel()
    const source = open()
    connect(Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\n\r\n')))
    expect([source.poll(none), closed, asked()]).toEqual([0, [200], 1])
  })

  test('one that comes byte by byte is read as far as it is there', () => {
    const { open, connect, closed, asked } = peerKernel()
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
    const { open, connect, closed } = peerKernel()
    const source = open({ bpfFilter: 'refused' })
    connect(encodePcap([{ timeMs: 0, data: Uint8Array.of(1) }], 113))
    expect([source.poll(none), closed, source.stats().packetsIfDropped, source.describe!().capture]).toEqual([
      0,
      [200],
      0,
      { PCAPSocket: '127.0.0.1:8100', Unused: { StreamsWithoutFilter: 1 } },
    ])
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
    const { open, connect } = peerKernel()
    const source = open(over)
    connect(encodePcap([{ timeMs: 0, data: Uint8Array.of(1) }], 113))
    expect(() => source.poll(sink)).toThrow('a fault')
  })
})
