import { expect, test } from '@jest/globals'
import type { IcmpType } from '@skydive/contracts'
import { ICMP_TYPES } from '@skydive/contracts'
import { FLOW_END } from '@skydive/packet/netflow'
import { DirectionTeller, endReasonOf } from './direction-teller.ts'
import { icmpNumbers } from './icmp-numbers.ts'

const T0 = 1_700_000_000_000

/** Tells of a flow between ends that differ in everything. */
function told(
  counters: readonly number[],
  { ipVersion = 4, linkBytes = 14, icmp, flags = [0, 0] as const }: Over = {},
): readonly object[] {
  const seen: object[] = []
  const teller = new DirectionTeller({
    add: (record) => seen.push({ ...record, addresses: [...record.addresses] }),
    skip: () => seen.push({}),
  })
  const { record } = teller
  record.ipVersion = ipVersion
  record.addresses.set(ipVersion === 4 ? [1, 0, 0, 0, 5, 0, 0, 0] : [1, 2, 3, 4, 5, 6, 7, 8])
  Object.assign(record, {
    protocol: 6,
    sourcePort: 1024,
    destinationPort: 80,
    sourceMac: 2 ** 47 + 1,
    destinationMac: 9,
    vlanId: 8,
  })
  teller.setTimes(T0, T0 + 5000, 0)
  teller.tell(Float64Array.of(0, ...counters), 1, linkBytes, icmp, ...flags)
  return seen
}
interface Over {
  readonly ipVersion?: 4 | 6
  readonly linkBytes?: number
  readonly icmp?: readonly [number, number]
  readonly flags?: readonly [number, number]
}

const THERE = {
  ipVersion: 4,
  addresses: [1, 0, 0, 0, 5, 0, 0, 0],
  protocol: 6,
  sourcePort: 1024,
  destinationPort: 80,
  icmpType: 0,
  icmpCode: 0,
  tcpFlags: 0,
  packets: 3,
  bytes: 300 - 3 * 14,
  startMs: T0,
  lastMs: T0 + 5000,
  endReason: FLOW_END.ACTIVE,
  sourceMac: 2 ** 47 + 1,
  destinationMac: 9,
  vlanId: 8,
}
const BACK = {
  ...THERE,
  addresses: [5, 0, 0, 0, 1, 0, 0, 0],
  sourcePort: 80,
  destinationPort: 1024,
  packets: 2,
  bytes: 200 - 2 * 14,
  sourceMac: 9,
  destinationMac: 2 ** 47 + 1,
}

test.each([
  ['both directions', [3, 2, 300, 200], {}, [THERE, BACK]],
  ['one direction', [3, 0, 300, 0], {}, [THERE]],
  ['the way back alone', [0, 2, 0, 200], {}, [BACK]],
  ['nothing new', [0, 0, 0, 0], {}, []],
  [
    'packets without a link',
    [3, 2, 300, 200],
    { linkBytes: 0 },
    [
      { ...THERE, bytes: 300 },
      { ...BACK, bytes: 200 },
    ],
  ],
  ['fewer bytes than headers', [3, 0, 10, 0], {}, [{ ...THERE, bytes: 0 }]],
  ['parts of what was sampled', [2.6, 0, 299.7, 0], {}, [THERE]],
  [
    'flags',
    [3, 2, 300, 200],
    { flags: [3, 6] },
    [
      { ...THERE, tcpFlags: 3 },
      { ...BACK, tcpFlags: 6 },
    ],
  ],
  ['types of ICMP', [3, 2, 300, 200], { icmp: [8, 0] }, [{ ...THERE, icmpType: 8 }, BACK]],
  [
    'IPv6',
    [3, 2, 300, 200],
    { ipVersion: 6 },
    [
      { ...THERE, ipVersion: 6, addresses: [1, 2, 3, 4, 5, 6, 7, 8] },
      { ...BACK, ipVersion: 6, addresses: [5, 6, 7, 8, 1, 2, 3, 4] },
    ],
  ],
] as const)('%s', (_, counters, over, expected) => {
  expect(told(counters, over as Over)).toEqual(expected)
})

test.each([
  ['the first report', 0, [0, 5000]],
  ['one before', T0 + 1000, [1000, 5000]],
  ['one after the last packet', T0 + 9000, [5000, 5000]],
])('%s: what came lies between it and the last packet', (_, reportedMs, expected) => {
  const teller = new DirectionTeller({ add() {}, skip() {} })
  teller.setTimes(T0, T0 + 5000, reportedMs)
  expect([teller.record.startMs - T0, teller.record.lastMs - T0]).toEqual(expected)
})

test.each([
  [4, 'ECHO', [8, 0]],
  [4, 'DESTINATION_UNREACHABLE', [3, 3]],
  [4, 'UNKNOWN', [255, 255]],
  [4, 'NEIGHBOR', [255, 255]],
  [6, 'ECHO', [128, 129]],
  [6, 'NEIGHBOR', [135, 136]],
  [6, 'PACKET_TOO_BIG', [2, 2]],
] as const)('ICMP of IPv%d: %s is type %j', (version, type, types) => {
  expect(icmpNumbers(version, ICMP_TYPES.indexOf(type as IcmpType))).toEqual(types)
})

test.each([
  [0, FLOW_END.ACTIVE],
  [1, FLOW_END.IDLE],
  [2, FLOW_END.END_SEEN],
  [3, FLOW_END.END_SEEN],
])('finish type %d ends for reason %d', (finish, reason) => {
  expect(endReasonOf(finish)).toBe(reason)
})
