import { describe, expect, test } from '@jest/globals'
import { SkydiveError } from '@skydive/contracts'
import fc from 'fast-check'
import { applyMessage } from './apply-message.ts'
import { decodeAddress } from './decode-address.ts'
import { COUNTERS_REQUEST, decodeCounters } from './decode-counters.ts'
import { COUNTER_NAMES, decodeLink } from './decode-link.ts'
import { decodeNeighbor } from './decode-neighbor.ts'
import { decodeNamespaceId } from './decode-nsid.ts'
import { decodeRoute } from './decode-route.ts'
import { readIp } from './ip-text.ts'
import { NamespaceMirror } from './namespace-mirror.ts'
import { type AttributeInit, buildRequest, bytesOf, readMessages, readU64 } from './wire.ts'

const HEADER = 16
const u8 = (...values: number[]) => Uint8Array.from(values)
const u16 = (value: number) => new Uint8Array(Uint16Array.of(value).buffer)
const text = (value: string) => new TextEncoder().encode(`${value}\0`)
const nested = (...attributes: AttributeInit[]) => buildRequest(0, 0, 0, new Uint8Array(0), attributes).slice(HEADER)
/** The body of a message: fixed part and attributes. */
const body = (fixed: Uint8Array, ...attributes: AttributeInit[]) => buildRequest(0, 0, 0, fixed, attributes).slice(HEADER)
const decode = <T>(decoder: (bytes: ReturnType<typeof bytesOf>, start: number, end: number) => T, message: Uint8Array) =>
  decoder(bytesOf(message), 0, message.byteLength)

/** struct ifinfomsg: family, hardware type, index, flags. */
function ifinfo(index: number, flags: number, hardwareType = 1): Uint8Array {
  const fixed = new Uint8Array(16)
  const view = new DataView(fixed.buffer)
  view.setUint16(2, hardwareType, true)
  view.setInt32(4, index, true)
  view.setUint32(8, flags, true)
  return fixed
}

describe('decodeLink', () => {
  test('a VLAN that is a member of a bond', () => {
    const mac = u8(2, 0, 0, 0, 0, 0xb0)
    const link = decode(
      decodeLink,
      body(
        ifinfo(7, 0x1003),
        [1, mac],
        [3, text('eth0.5')],
        [4, 1500],
        [5, 2],
        [10, 9],
        [16, u8(6)],
        [
          18,
          nested(
            [1, text('vlan')],
            [2, nested([1, u16(5)])],
            [4, text('bond')],
            [5, nested([1, u8(1)], [2, u8(0)], [3, 4], [4, mac], [5, u16(3)])],
          ),
        ],
        [23, new Uint8Array(BigUint64Array.from({ length: 24 }, (_, i) => BigInt(i)).buffer)],
        [37, 3],
      ),
    )
    expect(link).toEqual({
      family: 0,
      index: 7,
      flags: 0x1003,
      hardwareType: 1,
      name: 'eth0.5',
      mac: '02:00:00:00:00:b0',
      mtu: 1500,
      operState: 6,
      master: 9,
      link: 2,
      linkNetnsid: 3,
      kind: 'vlan',
      counters: Array.from({ length: 23 }, (_, i) => i),
      vlanId: 5,
      bondMode: undefined,
      bondSlave: {
        state: 1,
        miiStatus: 0,
        linkFailureCount: 4,
        permanentMac: '02:00:00:00:00:b0',
        queueId: 3,
        aggregatorId: undefined,
        actorState: undefined,
        partnerState: undefined,
      },
      virtualFunctions: [],
      newNetnsid: undefined,
      newIndex: undefined,
      featuresChanged: false,
    })
  })

  test('virtual functions, a bond, and where a link went', () => {
    const vf = nested(
      [1, new Uint8Array([...new Uint8Array(Uint32Array.of(1).buffer), 2, 0, 0, 0, 0, 1, ...new Uint8Array(26)])],
      [2, new Uint8Array(Uint32Array.of(1, 100, 2).buffer)],
      [3, new Uint8Array(Uint32Array.of(1, 50).buffer)],
      [4, new Uint8Array(Uint32Array.of(1, 1).buffer)],
      [5, new Uint8Array(Uint32Array.of(1, 2).buffer)],
    )
    const link = decode(
      decodeLink,
      body(ifinfo(3, 0), [18, nested([1, text('bond')], [2, nested([1, u8(4)])])], [22, nested([1, vf])], [45, 6], [49, 12]),
    )
    expect({ vfs: link.virtualFunctions, mode: link.bondMode, to: [link.newNetnsid, link.newIndex] }).toEqual({
      vfs: [{ id: 1, mac: '02:00:00:00:00:01', vlan: 100, qos: 2, txRate: 50, spoofCheck: true, linkState: 2 }],
      mode: 4,
      to: [6, 12],
    })
  })
})

describe('decodeRoute', () => {
  const rtmsg = (family: number, prefixLength: number, table = 254) => u8(family, prefixLength, 0, 0, table, 4, 0, 1, 0, 0, 0, 0)
  test.each<[string, Uint8Array, object]>([
    [
      'an IPv4 default route without a gateway',
      body(rtmsg(2, 0), [4, 5]),
      { prefix: '0.0.0.0/0', hops: [{ index: 5, gateway: '' }], multipath: false },
    ],
    [
      'an IPv6 default route',
      body(rtmsg(10, 0), [4, 5], [5, u8(...Array(15).fill(0), 1)]),
      { prefix: '::/0', hops: [{ index: 5, gateway: '::1' }] },
    ],
    [
      'a table that does not fit into a byte',
      body(rtmsg(2, 8, 252), [1, u8(10, 0, 0, 0)], [15, 1000], [4, 5]),
      { table: 1000, prefix: '10.0.0.0/8' },
    ],
    [
      'a gateway of the other family',
      body(rtmsg(2, 8), [1, u8(10, 0, 0, 0)], [4, 5], [18, u8(10, 0, 0xfe, 0x80, ...Array(13).fill(0), 1)]),
      { hops: [{ index: 5, gateway: 'fe80::1' }] },
    ],
    [
      'several hops',
      body(rtmsg(2, 24), [1, u8(10, 1, 2, 0)], [9, u8(16, 0, 0, 0, 5, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1, 8, 0, 0, 0, 6, 0, 0, 0)]),
      {
        multipath: true,
        hops: [
          { index: 5, gateway: '10.0.0.1' },
          { index: 6, gateway: '' },
        ],
      },
    ],
    [
      'one that leads nowhere',
      body(rtmsg(2, 32), [1, u8(10, 1, 2, 3)], [6, 7], [7, u8(10, 0, 0, 9)]),
      { hops: [], priority: 7, source: '10.0.0.9' },
    ],
  ])('%s', (_, message, expected) => {
    expect(decode(decodeRoute, message)).toMatchObject(expected)
  })

  test('other families are left aside', () => {
    expect(decode(decodeRoute, body(rtmsg(28, 0)))).toBeUndefined()
  })
})

test('decodeAddress takes the local address where there is a peer', () => {
  expect(decode(decodeAddress, body(u8(2, 32, 0, 0, 4, 0, 0, 0), [1, u8(10, 0, 0, 2)], [2, u8(10, 0, 0, 1)]))).toEqual({
    family: 2,
    index: 4,
    cidr: '10.0.0.1/32',
  })
})

test('decodeNeighbor reads an entry that leads into a tunnel', () => {
  const fixed = u8(7, 0, 0, 0, 4, 0, 0, 0, 0x82, 0, 0x02, 0)
  expect(decode(decodeNeighbor, body(fixed, [1, u8(10, 0, 0, 2)], [2, u8(0, 0, 0, 0, 0, 0)], [5, u16(7)], [7, 42]))).toEqual({
    family: 7,
    index: 4,
    state: 0x82,
    flags: 2,
    mac: '00:00:00:00:00:00',
    ip: '10.0.0.2',
    vlan: 7,
    vni: 42,
  })
})

describe('readIp', () => {
  test.each([
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['fe800000000000000000000000000001', 'fe80::1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010db8000100000001000000000001', '2001:db8:1:0:1::1'],
    ['20010db8000100010001000100010000', '2001:db8:1:1:1:1:1:0'],
    ['00010000000000000000000000000000', '1::'],
    ['00000000000000000000ffff0a000001', '::ffff:10.0.0.1'],
    ['0a0000ff', '10.0.0.255'],
    ['0a00', ''],
  ])('%s', (hex, expected) => {
    const data = Buffer.from(hex, 'hex')
    expect(readIp(bytesOf(data), 0, data.length)).toBe(expected)
  })
})

describe('readU64', () => {
  test.each([
    [0n, 0],
    [0x1_0000_0001n, 4294967297],
    [2n ** 53n - 1n, Number.MAX_SAFE_INTEGER],
    [2n ** 64n - 1n, Number.MAX_SAFE_INTEGER],
  ])('%s', (value, expected) => {
    expect(readU64(bytesOf(new Uint8Array(BigUint64Array.of(value).buffer)), 0)).toBe(expected)
  })
})

describe('decodeCounters', () => {
  const counters = (count: number) => new Uint8Array(BigUint64Array.from({ length: count }, (_, i) => BigInt(i + 1)).buffer)
  const message = (count: number) => body(u8(0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0), [0, u8()], [1, counters(count)])
  const values = (count: number) => COUNTER_NAMES.map((_, i) => (i < count ? i + 1 : 0))

  // Linux 6.0 has 25 of them, older ones fewer; what the array held before does not stay.
  test.each([
    [25, 23],
    [23, 23],
    [4, 4],
    [0, 0],
  ])('%i counters', (told, kept) => {
    const into = new Float64Array(COUNTER_NAMES.length).fill(99)
    const index = decode((...at) => decodeCounters(...at, into), message(told))
    expect({ index, values: [...into] }).toEqual({ index: 7, values: values(kept) })
  })

  test('the request asks for 64-bit counters alone', () => {
    expect([...COUNTERS_REQUEST]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
  })
})

/** So that a failure can be had again; fast-check prints the path to it besides. */
const seed = Number(process.env['SKYDIVE_SEEDS']?.split(',')[0] ?? Date.now() % 1_000_000)

describe(`foreign bytes (SKYDIVE_SEEDS=${seed})`, () => {
  const decoders: readonly ((...message: Parameters<typeof decodeLink>) => unknown)[] = [
    decodeLink,
    decodeAddress,
    decodeRoute,
    decodeNeighbor,
    decodeNamespaceId,
    (...message) => decodeCounters(...message, new Float64Array(COUNTER_NAMES.length)),
  ]
  /** Runs it; what it throws must be ERR_DECODE. */
  const survives = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      if (!SkydiveError.isInstance(error, 'ERR_DECODE')) throw error
    }
  }

  test('no decoder throws anything but ERR_DECODE', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(decoders.length - 1), (data, which) =>
        survives(() => decode(decoders[which]!, data)),
      ),
      { numRuns: 2000, seed },
    )
  })

  test('also for messages that are almost right', () => {
    const whole = body(
      ifinfo(7, 0x1003),
      [1, u8(2, 0, 0, 0, 0, 1)],
      [3, text('eth0')],
      [18, nested([1, text('vlan')], [2, nested([1, u16(5)])])],
    )
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, end) => {
        const broken = whole.slice()
        broken[at] = value
        survives(() => decode(decodeLink, broken.slice(0, end)))
      }),
      { numRuns: 2000, seed },
    )
  })

  test('a datagram of noise ends, and leaves a mirror that works', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 16, max: 32 }), (noise, type) => {
        const mirror = new NamespaceMirror()
        const datagram = buildRequest(type, 0, 1, noise)
        const bytes = bytesOf(datagram)
        survives(() => readMessages(bytes, datagram.byteLength, (message) => applyMessage(mirror, bytes, message)))
        mirror.applyLink(decode(decodeLink, body(ifinfo(7, 0), [3, text('eth0')])))
        return mirror.interfaces.get(7)?.link.name === 'eth0'
      }),
      { numRuns: 1000, seed },
    )
  })
})
