import type { Link } from '../src/decode-link.ts'
import type { Route } from '../src/decode-route.ts'

// Messages of the kernel, decoded, in which a test names only what it is about.

export function aLink(more: Partial<Link> & { readonly index: number }): Link {
  return {
    family: 0,
    flags: 0x1003,
    hardwareType: 1,
    name: `if${more.index}`,
    mac: '02:00:00:00:00:01',
    mtu: 1500,
    operState: 6,
    master: 0,
    link: 0,
    linkNetnsid: undefined,
    kind: '',
    counters: [],
    vlanId: undefined,
    bondMode: undefined,
    bondSlave: undefined,
    virtualFunctions: [],
    newNetnsid: undefined,
    newIndex: undefined,
    featuresChanged: false,
    ...more,
  }
}

export function aRoute(prefix: string, index: number, more: Partial<Route> = {}): Route {
  return {
    family: 2,
    table: 254,
    protocol: 4,
    type: 1,
    tos: 0,
    prefix,
    sortKey: prefix,
    priority: 0,
    source: '',
    hops: [{ index, gateway: '' }],
    multipath: false,
    cloned: false,
    ...more,
  }
}
