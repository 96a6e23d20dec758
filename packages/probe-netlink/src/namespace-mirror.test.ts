import { beforeEach, describe, expect, test } from '@jest/globals'
import { aLink, aRoute } from '../test/samples.ts'
import type { Link } from './decode-link.ts'
import type { Neighbor } from './decode-neighbor.ts'
import { Aspect, NamespaceMirror } from './namespace-mirror.ts'
import { AF_BRIDGE, AF_INET, AF_INET6 } from './rtnetlink.ts'

const [NUD_REACHABLE, NUD_STALE, NTF_MASTER] = [2, 4, 4]
const neighbor = (more: Partial<Neighbor> = {}): Neighbor => ({
  family: AF_INET,
  index: 2,
  state: NUD_REACHABLE,
  flags: 0,
  mac: '02:00:00:00:00:02',
  ip: '10.0.0.2',
  vlan: 0,
  vni: 0,
  ...more,
})
const BOND_SLAVE: NonNullable<Link['bondSlave']> = {
  state: 0,
  miiStatus: 0,
  linkFailureCount: 0,
  permanentMac: '02:00:00:00:00:09',
  queueId: 0,
  aggregatorId: undefined,
  actorState: undefined,
  partnerState: undefined,
}
const address = (cidr: string, index = 2) => ({ family: cidr.includes(':') ? AF_INET6 : AF_INET, index, cidr })

let mirror: NamespaceMirror
/** The names of the aspects that changed, by interface. */
const changes = () =>
  Object.fromEntries(
    [...mirror.changed].map(([index, bits]) => [
      index,
      bits === Aspect.all
        ? 'all'
        : Object.entries(Aspect)
            .filter(([name, bit]) => name !== 'all' && bits & bit)
            .map(([name]) => name)
            .join(),
    ]),
  )
const forget = () => {
  mirror.changed.clear()
  mirror.restless.clear()
  mirror.departed = []
  mirror.replaceRoutes([])
}

beforeEach(() => {
  mirror = new NamespaceMirror()
  for (const index of [2, 3]) mirror.applyLink(aLink({ index, name: `v${index}` }))
  mirror.applyAddress(address('10.0.0.1/24'))
  mirror.applyNeighbor(neighbor())
  forget()
})

describe('links', () => {
  test('a new one has everything to be looked at', () => {
    mirror.applyLink(aLink({ index: 9 }))
    expect(changes()).toEqual({ 9: 'all' })
  })

  test.each<[string, Partial<Link>, object, boolean]>([
    ['what is known', {}, {}, false],
    ['counters alone', { counters: [1, 2] }, {}, false],
    ['the ports of a bridge', { family: AF_BRIDGE, mtu: 9 }, {}, false],
    ['another MTU', { mtu: 9 }, { 2: 'link' }, false],
    ['that it is down: routes go silently', { flags: 0x1002 }, { 2: 'link' }, true],
    ['a master: its speed is that of its members', { master: 3 }, { 2: 'link', 3: 'link' }, true],
    ['other offloads, which it does not list', { featuresChanged: true }, { 2: 'link' }, false],
    ['another place of its lower device', { link: 7, linkNetnsid: 1 }, { 2: 'link' }, false],
    ['that it joined a bond', { bondSlave: BOND_SLAVE }, { 2: 'link' }, false],
  ])('a message tells %s', (_, more, expected, doubtful) => {
    mirror.applyLink(aLink({ index: 2, name: 'v2', ...more }))
    expect({ changes: changes(), doubtful: mirror.routes.uncertain }).toEqual({ changes: expected, doubtful })
  })

  test.each<[string, Partial<Link>, object]>([
    ['deleted', {}, {}],
    ['moved', { newNetnsid: 4, newIndex: 7 }, { to: { netnsid: 4, index: 7 } }],
    ['moved and keeps its index', { newNetnsid: 4 }, { to: { netnsid: 4, index: 2 } }],
  ])('one that is %s departs with what was known of it', (_, more, to) => {
    mirror.applyLink(aLink({ index: 2, name: 'renamed' }))
    mirror.removeLink(aLink({ index: 2, name: 'v2', ...more }))
    expect({ departed: mirror.departed, changes: changes(), left: [...mirror.interfaces.keys()] }).toEqual({
      departed: [{ link: aLink({ index: 2, name: 'renamed' }), ...to }],
      changes: {},
      left: [3],
    })
  })

  test('one that nobody knows departs without a trace', () => {
    mirror.removeLink(aLink({ index: 99 }))
    expect(mirror.departed).toEqual([])
  })
})

describe('addresses', () => {
  test('they keep the order in which they came; what is known or unknown changes nothing', () => {
    for (const cidr of ['10.0.0.9/24', '10.0.0.5/24', '10.0.0.9/24', 'fd00::1/64']) mirror.applyAddress(address(cidr))
    const { ipv4, ipv6 } = mirror.interfaces.get(2)!
    expect({ ipv4, ipv6, changes: changes() }).toEqual({
      ipv4: ['10.0.0.1/24', '10.0.0.9/24', '10.0.0.5/24'],
      ipv6: ['fd00::1/64'],
      changes: { 2: 'addresses' },
    })
    forget()
    mirror.applyAddress(address('10.0.0.9/24'))
    mirror.removeAddress(address('10.0.0.77/24'))
    mirror.applyAddress(address('10.0.0.1/24', 99))
    expect(changes()).toEqual({})
  })

  test('one that goes takes routes with it silently', () => {
    mirror.removeAddress(address('10.0.0.1/24'))
    expect({ changes: changes(), doubtful: mirror.routes.uncertain }).toEqual({ changes: { 2: 'addresses' }, doubtful: true })
  })
})

describe('neighbours', () => {
  test.each<[string, Partial<Neighbor>, object, object]>([
    ['a new one is told', { ip: '10.0.0.3' }, { 2: 'neighbors' }, {}],
    ['another MAC is told', { mac: '02:00:00:00:00:07' }, { 2: 'neighbors' }, {}],
    ['another state is in no hurry', { state: NUD_STALE }, {}, { 2: Aspect.neighbors }],
    ['the same is nothing', {}, {}, {}],
    ['an entry of a forwarding table is told as such', { family: AF_BRIDGE, flags: NTF_MASTER, ip: '' }, { 2: 'forwarding' }, {}],
    ['one of an unknown interface is nothing', { index: 99 }, {}, {}],
  ])('%s', (_, more, expected, restless) => {
    mirror.applyNeighbor(neighbor(more))
    expect({ changes: changes(), restless: Object.fromEntries(mirror.restless) }).toEqual({ changes: expected, restless })
  })

  test('a long list is in no hurry, until it settles', () => {
    for (let i = 0; i < 300; i++) mirror.applyNeighbor(neighbor({ ip: `10.1.${i >> 8}.${i & 255}` }))
    forget()
    mirror.applyNeighbor(neighbor({ ip: '10.9.9.9' }))
    expect(changes()).toEqual({})
    mirror.settle()
    expect([changes(), mirror.restless.size]).toEqual([{ 2: 'neighbors' }, 0])
  })
})

describe('what is read', () => {
  test('the same again changes nothing', () => {
    mirror.replaceAll({
      links: [2, 3].map((index) => aLink({ index, name: `v${index}` })),
      addresses: [address('10.0.0.1/24')],
      routes: [],
      neighbors: [neighbor()],
    })
    expect({ changes: changes(), departed: mirror.departed }).toEqual({ changes: {}, departed: [] })
  })

  test('what is missing is gone, what is new is there', () => {
    mirror.replaceAll({
      links: [aLink({ index: 2, name: 'v2' }), aLink({ index: 4, name: 'v4' })],
      addresses: [address('fd00::1/64')],
      routes: [aRoute('10.0.0.0/24', 2)],
      neighbors: [],
    })
    const { ipv4, ipv6, neighbors } = mirror.interfaces.get(2)!
    expect({
      changes: changes(),
      departed: mirror.departed.map(({ link, to }) => [link.name, to]),
      known: { ipv4, ipv6, neighbors: neighbors.size },
    }).toEqual({
      changes: { 2: 'addresses,routes,neighbors', 4: 'all' },
      departed: [['v3', undefined]],
      known: { ipv4: [], ipv6: ['fd00::1/64'], neighbors: 0 },
    })
  })

  test('another kind under the same index is another interface', () => {
    mirror.replaceLinks([aLink({ index: 2, name: 'v2', kind: 'bridge' }), aLink({ index: 3, name: 'v3' })])
    expect({ changes: changes(), departed: mirror.departed.map(({ link }) => link.kind) }).toEqual({
      changes: { 2: 'all' },
      departed: [''],
    })
  })
})
