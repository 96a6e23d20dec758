import { describe, expect, test } from '@jest/globals'
import { interfaceMetadataSchema } from '@skydive/topology'
import { aLink } from '../test/samples.ts'
import type { Link } from './decode-link.ts'
import type { Neighbor } from './decode-neighbor.ts'
import type { Route } from './decode-route.ts'
import { UNKNOWN_DEVICE } from './ethtool.ts'
import { netlinkProbe } from './index.ts'
import { counterGrowth, LINK_KEYS, linkMetadata, metricMetadata } from './link-metadata.ts'
import { isSameValue } from './metadata-equality.ts'
import { neighborList, routingTables } from './table-metadata.ts'

const LINK: Link = aLink({ index: 2, name: 'eth0' })
const BASE = {
  Name: 'eth0',
  Type: 'device',
  EncapType: 'ether',
  IfIndex: 2,
  Driver: '',
  State: 'UP',
  LinkFlags: ['UP', 'BROADCAST', 'MULTICAST'],
  MTU: 1500,
  MAC: '02:00:00:00:00:01',
}

describe('linkMetadata', () => {
  test.each<[string, Partial<Link>, object, string, object]>([
    [
      'a card',
      {},
      { driver: 'virtio_net', busInfo: '0000:00:03.0', speedMbps: 1000 },
      '',
      { Driver: 'virtio_net', BusInfo: '0000:00:03.0', Speed: 1000 },
    ],
    ['a bridge without ethtool', { kind: 'bridge' }, {}, '', { Type: 'bridge', Driver: 'bridge' }],
    ['a tap', { kind: 'tun' }, { driver: 'tun' }, '', { Type: 'tuntap', Driver: 'tun' }],
    [
      'a veth whose peer is elsewhere',
      { kind: 'veth', link: 7, linkNetnsid: 3 },
      { driver: 'veth' },
      'x',
      { Type: 'veth', Driver: 'veth', ParentIndex: 7, PeerIfIndex: 7, LinkNetNsID: 3, LinkNetNsName: 'x' },
    ],
    ['a macvlan', { kind: 'macvlan', link: 7 }, {}, '', { Type: 'macvlan', ParentIndex: 7 }],
    [
      'a VLAN',
      { kind: 'vlan', link: 7, vlanId: 100, master: 9 },
      {},
      '',
      { Type: 'vlan', ParentIndex: 7, Vlan: 100, MasterIndex: 9 },
    ],
    ['a bond', { kind: 'bond', bondMode: 4 }, {}, '', { Type: 'bond', BondMode: '802.3ad' }],
    [
      'a member of a bond',
      {
        bondSlave: {
          state: 1,
          miiStatus: 2,
          linkFailureCount: 3,
          permanentMac: '02:00:00:00:00:09',
          queueId: 4,
          aggregatorId: 5,
          actorState: 6,
          partnerState: 7,
        },
      },
      {},
      '',
      {
        BondSlave: {
          Type: 'bond',
          State: 'BACKUP',
          MiiStatus: 'DOWN',
          LinkFailureCount: 3,
          QueueId: 4,
          AggregatorId: 5,
          AdActorOperPortState: 6,
          AdPartnerOperPortState: 7,
          PermMAC: '02:00:00:00:00:09',
        },
      },
    ],
    [
      'a kind that nobody knows',
      { kind: 'netkit', hardwareType: 4711, operState: 9 },
      {},
      '',
      { Type: 'netkit', EncapType: 'unknown4711', State: 'UNKNOWN' },
    ],
    [
      'the loopback',
      { hardwareType: 772, flags: 9, operState: 0 },
      {},
      '',
      { EncapType: 'loopback', LinkFlags: ['UP', 'LOOPBACK'], State: 'UNKNOWN' },
    ],
    ['no flag at all', { flags: 0 }, {}, '', { LinkFlags: null }],
  ])('%s', (_, link, device, peerName, expected) => {
    const metadata = linkMetadata({ ...LINK, ...link }, { ...UNKNOWN_DEVICE, ...device }, peerName)
    expect(metadata).toEqual({ ...BASE, ...expected })
    expect(Object.keys(metadata).filter((key) => !(LINK_KEYS as readonly string[]).includes(key))).toEqual([])
    expect(interfaceMetadataSchema.safeParse(metadata).error?.issues).toBeUndefined()
  })

  test('an address of zeros and a length of zero are left out', () => {
    const metadata = linkMetadata({ ...LINK, mac: '00:00:00:00:00:00', mtu: 0 }, UNKNOWN_DEVICE, '')
    expect({ MAC: metadata['MAC'], MTU: metadata['MTU'] }).toEqual({ MAC: undefined, MTU: undefined })
  })
})

describe('counters', () => {
  test('those that are zero are left out', () => {
    expect(metricMetadata([3, 0, 300, 0, 0, 0, 0, 1])).toEqual({ RxPackets: 3, RxBytes: 300, TxDropped: 1 })
  })

  test.each([
    [
      [1, 2],
      [1, 2],
      [0, 0],
    ],
    [[], [0, 0], [0, 0]],
    [
      [1, 2],
      [4, 2],
      [3, 0],
    ],
    [[], [4, 2], [4, 2]],
    [
      [10, 10],
      [3, 12],
      [3, 2],
    ],
  ])('from %j to %j', (before, after, expected) => {
    expect(counterGrowth(before, after)).toEqual(expected)
  })
})

describe('neighborList', () => {
  const entry = (more: Partial<Neighbor>): Neighbor => ({
    family: 2,
    index: 3,
    state: 2,
    flags: 0,
    mac: '',
    ip: '',
    vlan: 0,
    vni: 0,
    ...more,
  })
  test.each<[Partial<Neighbor>, object]>([
    [
      { ip: '10.0.0.1', mac: '02:00:00:00:00:01' },
      { MAC: '02:00:00:00:00:01', IP: '10.0.0.1', State: ['NUD_REACHABLE'], IfIndex: 3 },
    ],
    [
      { ip: '10.0.0.1', state: 0 },
      { IP: '10.0.0.1', State: ['NUD_NONE'], IfIndex: 3 },
    ],
    [
      { state: 0x82, flags: 0xc2, vlan: 5, vni: 7 },
      { Flags: ['NTF_SELF', 'NTF_STICKY', 'NTF_ROUTER'], State: ['NUD_REACHABLE', 'NUD_PERMANENT'], Vlan: 5, VNI: 7, IfIndex: 3 },
    ],
  ])('%j', (neighbor, expected) => {
    expect(neighborList(new Map([['k', entry(neighbor)]]), 10)).toEqual([expected])
  })

  test('IPv4 before IPv6, by key, no more than the limit', () => {
    const entries = new Map([
      ['10/b', entry({ family: 10, ip: 'b' })],
      ['2/z', entry({ ip: 'z' })],
      ['10/a', entry({ family: 10, ip: 'a' })],
    ])
    expect(neighborList(entries, 2)?.map((item) => item['IP'])).toEqual(['z', 'a'])
    expect(neighborList(new Map(), 2)).toBeUndefined()
  })
})

describe('routingTables', () => {
  const route = (more: Partial<Route>): Route => ({
    family: 2,
    table: 254,
    protocol: 2,
    type: 1,
    tos: 0,
    prefix: '10.0.0.0/24',
    sortKey: '',
    priority: 0,
    source: '',
    hops: [{ index: 3, gateway: '' }],
    multipath: false,
    cloned: false,
    ...more,
  })

  test('tables by number, with the source of their first route; the same prefix is one route with several hops', () => {
    const tables = routingTables(
      [
        route({ table: 255, prefix: '10.0.0.1/32', source: '10.0.0.1' }),
        route({ source: '10.0.0.1' }),
        route({ priority: 5, hops: [{ index: 3, gateway: '10.0.0.9' }] }),
        route({ priority: 6, hops: [{ index: 3, gateway: '10.0.0.9' }] }),
        route({
          protocol: 4,
          hops: [
            { index: 3, gateway: '10.0.0.9' },
            { index: 4, gateway: '10.1.0.9' },
          ],
        }),
      ],
      3,
      100,
    )
    expect(tables).toEqual([
      {
        ID: 254,
        Src: '10.0.0.1',
        Routes: [
          {
            Protocol: 2,
            Prefix: '10.0.0.0/24',
            NextHops: [
              { Priority: 0, IfIndex: 3 },
              { Priority: 5, IP: '10.0.0.9', IfIndex: 3 },
            ],
          },
          { Protocol: 4, Prefix: '10.0.0.0/24', NextHops: [{ Priority: 0, IP: '10.0.0.9', IfIndex: 3 }] },
        ],
      },
      { ID: 255, Src: '10.0.0.1', Routes: [{ Protocol: 2, Prefix: '10.0.0.1/32', NextHops: [{ Priority: 0, IfIndex: 3 }] }] },
    ])
  })

  test('nothing without routes', () => {
    expect(routingTables([], 3, 100)).toBeUndefined()
  })
})

describe('isSameValue', () => {
  test.each([
    [1, 1, true],
    ['a', 'b', false],
    [null, undefined, false],
    [[1, { a: 2 }], [1, { a: 2 }], true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[], {}, false],
    [{ a: [1] }, { a: [1, 2] }, false],
  ])('%j and %j', (a, b, expected) => {
    expect(isSameValue(a as never, b as never)).toBe(expected)
  })
})

describe('options', () => {
  test.each([
    [{ metricsIntervalMs: 0 }, 'metricsIntervalMs'],
    [{ maxRoutes: -1 }, 'maxRoutes'],
    [{ queueBytes: 1 }, 'queueBytes'],
    [{ metrics_update: 5 }, '(all)'],
  ])('%j is refused by name', (options, name) => {
    expect(() => netlinkProbe(options as never)).toThrow(`probe netlink: option ${name}: `)
  })
})
