import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeLldp, type LldpMessage } from '../src/lldp/index.ts'

const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 5_000)

const text = (value: string): number[] => [...new TextEncoder().encode(value)]
const u16 = (value: number): number[] => [value >>> 8, value & 0xff]
const tlv = (type: number, value: readonly number[]): number[] => [...u16((type << 9) | value.length), ...value]
const ofIeee8021 = (subtype: number, value: readonly number[]): number[] => tlv(127, [0x00, 0x80, 0xc2, subtype, ...value])
const ofIeee8023 = (subtype: number, value: readonly number[]): number[] => tlv(127, [0x00, 0x12, 0x0f, subtype, ...value])

const MAC = [0x02, 0x00, 0x00, 0x00, 0x01, 0x02]
const CHASSIS = tlv(1, [4, ...MAC])
const PORT = tlv(2, [5, ...text('ge-0/0/1')])
const TTL = tlv(3, u16(120))
const END = tlv(0, [])
const FIRST = [...CHASSIS, ...PORT, ...TTL]

const decode = (bytes: readonly number[]) => decodeLldp(new DataView(Uint8Array.from(bytes).buffer), 0, bytes.length)
const LEAST: LldpMessage = {
  chassisId: { type: 'MAC Address', text: '02:00:00:00:01:02' },
  portId: { type: 'Interface Name', text: 'ge-0/0/1' },
  ttlSeconds: 120,
  managementAddresses: [],
  protocolVlans: [],
  vlanNames: [],
  otherTlvs: [],
}

describe('decodeLldp', () => {
  test('a message with everything', () => {
    const bytes = [
      ...FIRST,
      ...tlv(4, [...text('uplink to the core'), 0]),
      ...tlv(5, text('sw1')),
      ...tlv(6, text('a switch, release 7')),
      ...tlv(7, [...u16(0x0014), ...u16(0x0004)]),
      ...tlv(8, [5, 1, 10, 0, 0, 1, 2, 0, 0, 0, 7, 0]),
      ...tlv(8, [17, 2, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]),
      ...ofIeee8021(1, u16(488)),
      ...ofIeee8021(2, [0x06, ...u16(20)]),
      ...ofIeee8021(2, [0x01, ...u16(0)]),
      ...ofIeee8021(3, [...u16(488), 6, ...text('office')]),
      ...ofIeee8021(5, [1, 2, 3, 4]),
      ...ofIeee8021(6, u16(99)),
      ...ofIeee8021(7, [0x03, 0, 0, 0, 9]),
      ...ofIeee8023(4, u16(1522)),
      ...tlv(127, [0x00, 0x12, 0xbb, 1, 5, 6]),
      ...END,
      ...tlv(5, text('after the end')),
    ]
    expect(decode(bytes)).toEqual({
      message: {
        ...LEAST,
        portDescription: 'uplink to the core',
        systemName: 'sw1',
        systemDescription: 'a switch, release 7',
        capabilities: { supported: ['Bridge', 'Router'], enabled: ['Bridge'] },
        managementAddresses: [
          { family: 1, text: '10.0.0.1', numbering: 2, interfaceNumber: 7 },
          { family: 2, text: '2001:db8::1', numbering: 1, interfaceNumber: 0 },
        ],
        portVlanId: 488,
        protocolVlans: [
          { id: 20, isSupported: true, isEnabled: true },
          { id: 0, isSupported: false, isEnabled: false },
        ],
        vlanNames: [{ id: 488, name: 'office' }],
        vidUsageDigest: 0x01020304,
        managementVlanId: 99,
        linkAggregation: { isSupported: true, isEnabled: true, portId: 9 },
        maxFrameBytes: 1522,
        otherTlvs: [{ oui: '00:12:bb', subtype: 1, bytes: Uint8Array.of(5, 6) }],
      },
    })
  })

  test.each<[string, readonly number[], object]>([
    ['nothing', [], { problem: 'truncated' }],
    ['only the end', END, { problem: 'truncated' }],
    ['no time to live', [...CHASSIS, ...PORT], { problem: 'truncated' }],
    ['a cut TLV', FIRST.slice(0, -1), { problem: 'truncated' }],
    ['a TLV that is longer than the frame', [...FIRST, ...u16((5 << 9) | 511), 0x61], { problem: 'truncated' }],
    ['the port first', [...PORT, ...CHASSIS, ...TTL], { problem: 'chassis id is not first' }],
    ['the time second', [...CHASSIS, ...TTL, ...PORT], { problem: 'port id is not second' }],
    ['a name third', [...CHASSIS, ...PORT, ...tlv(5, text('x')), ...TTL], { problem: 'time to live is not third' }],
    ['a chassis id without a value', [...tlv(1, [4]), ...PORT, ...TTL], { problem: 'truncated' }],
    ['the least', [...FIRST, ...END], { message: LEAST }],
    ['the least without an end', FIRST, { message: LEAST }],
    ['a goodbye', [...CHASSIS, ...PORT, ...tlv(3, u16(0)), ...END], { message: { ...LEAST, ttlSeconds: 0 } }],
    ['a second chassis id', [...FIRST, ...tlv(1, [7, ...text('x')])], { message: LEAST }],
    [
      'unknown and short TLVs',
      [...FIRST, ...tlv(9, [1]), ...tlv(7, [0]), ...tlv(8, [9, 1]), ...tlv(127, [0])],
      { message: LEAST },
    ],
    [
      'a short TLV of IEEE 802.1, as it is',
      [...FIRST, ...ofIeee8021(1, [1])],
      { message: { ...LEAST, otherTlvs: [{ oui: '00:80:c2', subtype: 1, bytes: Uint8Array.of(1) }] } },
    ],
    [
      'a VLAN name that is shorter than it says',
      [...FIRST, ...ofIeee8021(3, [...u16(7), 200, ...text('lab')])],
      { message: { ...LEAST, vlanNames: [{ id: 7, name: 'lab' }] } },
    ],
  ])('%s', (_title, bytes, expected) => {
    expect(decode(bytes)).toEqual(expected)
  })

  test.each<[readonly number[], object]>([
    [[1, ...text('slot 3')], { type: 'Chassis Component', text: 'slot 3' }],
    [[2, ...text('alias'), 0, 0], { type: 'Interface Alias', text: 'alias' }],
    [[4, 1, 2, 3], { type: 'MAC Address', text: '\u0001\u0002\u0003' }],
    [[5, 1, 192, 0, 2, 1], { type: 'Network Address', text: '192.0.2.1' }],
    [[5, 3, 0xab, 0xcd], { type: 'Network Address', text: 'abcd' }],
    [[5, 16, ...text('sw1.lab')], { type: 'Network Address', text: 'sw1.lab' }],
    [[7, ...text('own')], { type: 'Local', text: 'own' }],
    [[0, ...text('x')], { type: 'Reserved', text: 'x' }],
    [[200, ...text('x')], { type: 'Reserved', text: 'x' }],
  ])('chassis id %j is %j', (value, chassisId) => {
    expect(decode([...tlv(1, value), ...PORT, ...TTL])).toEqual({ message: { ...LEAST, chassisId } })
  })

  test('6 of a port is an agent circuit id', () => {
    const portId = { type: 'Agent Circuit ID', text: 'c7' }
    expect(decode([...CHASSIS, ...tlv(2, [6, ...text('c7')]), ...TTL])).toEqual({ message: { ...LEAST, portId } })
  })

  test('foreign bytes: no throw, and nothing beyond the end is read', () => {
    const whole = Uint8Array.from([
      ...FIRST,
      ...tlv(8, [5, 1, 10, 0, 0, 1, 2, 0, 0, 0, 7, 0]),
      ...ofIeee8021(3, [0, 7, 3, 97, 98, 99]),
      ...END,
    ])
    const mutated = fc.tuple(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(whole.length),
      fc.uint8Array({ minLength: 0, maxLength: 40 }),
    )
    fc.assert(
      fc.property(mutated, ([changes, length, tail]) => {
        const bytes = Uint8Array.from([...whole.subarray(0, length), ...tail])
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        // The same frame inside of a larger buffer must be read the same: what lies behind it is never looked at.
        const around = new Uint8Array(bytes.length + 600).fill(0xff)
        around.set(bytes, 100)
        const alone = decodeLldp(new DataView(bytes.buffer), 0, bytes.length)
        expect(decodeLldp(new DataView(around.buffer), 100, 100 + bytes.length)).toEqual(alone)
      }),
      { numRuns: NUM_RUNS },
    )
  })
})
