import type { Address } from './decode-address.ts'
import type { Link } from './decode-link.ts'
import type { Neighbor } from './decode-neighbor.ts'
import type { Route } from './decode-route.ts'
import { RouteTable } from './route-table.ts'
import { AF_BRIDGE, AF_INET, AF_UNSPEC } from './rtnetlink.ts'

/** What of an interface changed, as bits. */
export const Aspect = { link: 1, addresses: 2, routes: 4, neighbors: 8, forwarding: 16, all: 31 } as const

const IFF_UP = 1
/** Flags that tell two entries of the same address apart: self, master, proxy. */
const NTF_IDENTITY = 0x0e
/** Lists longer than this are looked at once in a while, not with every message: writing one costs what it is long. */
const EAGER_ENTRIES = 256

/** An interface as the kernel told it. */
export interface Interface {
  link: Link
  ipv4: string[]
  ipv6: string[]
  /** Entries of the IPv4 and IPv6 tables. */
  readonly neighbors: Map<string, Neighbor>
  /** Entries of the forwarding table. */
  readonly forwarding: Map<string, Neighbor>
}

/** Everything that a dump of a namespace gives. */
export interface Snapshot {
  readonly links: readonly Link[]
  readonly addresses: readonly Address[]
  readonly routes: readonly Route[]
  readonly neighbors: readonly Neighbor[]
}

/** An interface that left, as it was. `to` says where it went when it was no deletion; `netnsid` is a number of the namespace it left. */
export interface Departure {
  readonly link: Link
  readonly to?: { readonly netnsid: number; readonly index: number }
}

/**
 * What the kernel told about one namespace, and what of it has changed since somebody last looked. Messages may repeat what is known
 * (they are applied after a dump that already had them): nothing happens then.
 */
export class NamespaceMirror {
  readonly interfaces = new Map<number, Interface>()
  readonly routes = new RouteTable()
  /** Changes of interfaces that are there, by index; bits of {@link Aspect}. */
  readonly changed = new Map<number, number>()
  /** Changes that are in no hurry: neighbours that did nothing but change state, and long lists. */
  readonly restless = new Map<number, number>()
  departed: Departure[] = []

  /** RTM_NEWLINK. Messages of bridge ports (family AF_BRIDGE) are about the bridge, not the interface. */
  applyLink(link: Link): void {
    if (link.family !== AF_UNSPEC) return
    const known = this.interfaces.get(link.index)
    if (!known) {
      this.interfaces.set(link.index, { link, ipv4: [], ipv6: [], neighbors: new Map(), forwarding: new Map() })
      this.#mark(link.index, Aspect.all)
      return
    }
    const before = known.link
    known.link = link
    if (link.featuresChanged) this.#mark(link.index, Aspect.link)
    if (sameLink(before, link)) return
    this.#mark(link.index, Aspect.link)
    if (before.master !== link.master) {
      // The speed of a bridge or bond is that of its members.
      for (const index of [before.master, link.master]) if (this.interfaces.has(index)) this.#mark(index, Aspect.link)
      this.routes.doubt()
    }
    if ((before.flags ^ link.flags) & IFF_UP) this.routes.doubt()
  }

  /** RTM_DELLINK. */
  removeLink(link: Link): void {
    const known = this.interfaces.get(link.index)
    if (link.family !== AF_UNSPEC || !known) return
    this.interfaces.delete(link.index)
    this.routes.removeInterface(link.index)
    this.changed.delete(link.index)
    this.restless.delete(link.index)
    const { newNetnsid, newIndex = link.index } = link
    const to = newNetnsid === undefined ? undefined : { netnsid: newNetnsid, index: newIndex }
    this.departed.push({ link: known.link, ...(to && { to }) })
    if (link.master !== 0 && this.interfaces.has(link.master)) this.#mark(link.master, Aspect.link)
  }

  /** RTM_NEWADDR. Known addresses keep their place. */
  applyAddress({ index, family, cidr }: Address): void {
    const list = this.#addresses(index, family)
    if (!list || list.includes(cidr)) return
    list.push(cidr)
    this.#mark(index, Aspect.addresses)
  }

  /** RTM_DELADDR. */
  removeAddress({ index, family, cidr }: Address): void {
    const list = this.#addresses(index, family)
    const at = list?.indexOf(cidr) ?? -1
    if (!list || at < 0) return
    list.splice(at, 1)
    this.#mark(index, Aspect.addresses)
    this.routes.doubt()
  }

  /** RTM_NEWROUTE with the flags of its header. */
  applyRoute(route: Route, flags: number): void {
    this.#markRoutes(this.routes.add(route, flags))
  }

  /** RTM_DELROUTE. */
  removeRoute(route: Route): void {
    this.#markRoutes(this.routes.remove(route))
  }

  /** The routes were read again. */
  replaceRoutes(routes: readonly Route[]): void {
    this.#markRoutes(this.routes.replaceAll(routes))
  }

  /** RTM_NEWNEIGH. */
  applyNeighbor(neighbor: Neighbor): void {
    const table = this.#neighborTable(neighbor)
    if (!table) return
    const key = neighborKey(neighbor)
    const before = table.get(key)
    table.set(key, neighbor)
    if (before && before.state === neighbor.state && before.flags === neighbor.flags && before.mac === neighbor.mac) return
    const onlyState = before !== undefined && before.mac === neighbor.mac && before.flags === neighbor.flags
    this.#markNeighbor(neighbor, onlyState || table.size > EAGER_ENTRIES)
  }

  /** RTM_DELNEIGH. */
  removeNeighbor(neighbor: Neighbor): void {
    const table = this.#neighborTable(neighbor)
    if (table?.delete(neighborKey(neighbor))) this.#markNeighbor(neighbor, table.size > EAGER_ENTRIES)
  }

  /** Makes the neighbours equal to what was read. */
  replaceNeighbors(neighbors: readonly Neighbor[]): void {
    const seen = new Map<number, Set<string>>()
    for (const neighbor of neighbors) {
      this.applyNeighbor(neighbor)
      const keys = seen.get(neighbor.index) ?? new Set()
      seen.set(neighbor.index, keys.add(neighborKey(neighbor)))
    }
    for (const [index, { neighbors: table, forwarding }] of this.interfaces) {
      for (const held of [...table.values(), ...forwarding.values()]) {
        if (!seen.get(index)?.has(neighborKey(held))) this.removeNeighbor(held)
      }
    }
  }

  /** Makes the interfaces equal to what was read: what is missing has departed. */
  replaceLinks(links: readonly Link[]): void {
    const seen = new Set(links.map((link) => link.index))
    for (const { link } of [...this.interfaces.values()]) if (!seen.has(link.index)) this.removeLink(withoutTarget(link))
    for (const link of links) {
      // The same index with another kind is another interface whose predecessor went unnoticed.
      const known = this.interfaces.get(link.index)
      if (known && known.link.kind !== link.kind) this.removeLink(withoutTarget(known.link))
      this.applyLink(link)
    }
  }

  /** Makes everything equal to what was read. */
  replaceAll({ links, addresses, routes, neighbors }: Snapshot): void {
    this.replaceLinks(links)
    const cidrs = new Map<number, Set<string>>()
    for (const address of addresses) {
      this.applyAddress(address)
      cidrs.set(address.index, (cidrs.get(address.index) ?? new Set()).add(address.cidr))
    }
    for (const [index, known] of this.interfaces) {
      const wanted = cidrs.get(index)
      if (known.ipv4.every((cidr) => wanted?.has(cidr)) && known.ipv6.every((cidr) => wanted?.has(cidr))) continue
      known.ipv4 = known.ipv4.filter((cidr) => wanted?.has(cidr))
      known.ipv6 = known.ipv6.filter((cidr) => wanted?.has(cidr))
      this.#mark(index, Aspect.addresses)
    }
    this.replaceNeighbors(neighbors)
    this.replaceRoutes(routes)
  }

  /** Has somebody look at these aspects of an interface again. */
  touch(index: number, aspects: number): void {
    if (this.interfaces.has(index)) this.#mark(index, aspects)
  }

  #addresses(index: number, family: number): string[] | undefined {
    const known = this.interfaces.get(index)
    return family === AF_INET ? known?.ipv4 : known?.ipv6
  }

  #neighborTable({ index, family }: Neighbor): Map<string, Neighbor> | undefined {
    const known = this.interfaces.get(index)
    return family === AF_BRIDGE ? known?.forwarding : known?.neighbors
  }

  /** Moves what was in no hurry to {@link changed}. */
  settle(): void {
    for (const [index, aspects] of this.restless) this.touch(index, aspects)
    this.restless.clear()
  }

  #markRoutes(indexes: ReadonlySet<number>): void {
    for (const index of indexes) {
      if (!this.interfaces.has(index)) continue
      if (this.routes.routeCount(index) > EAGER_ENTRIES) this.#markRestless(index, Aspect.routes)
      else this.#mark(index, Aspect.routes)
    }
  }

  #markNeighbor({ index, family }: Neighbor, restless: boolean): void {
    const aspect = family === AF_BRIDGE ? Aspect.forwarding : Aspect.neighbors
    if (restless) this.#markRestless(index, aspect)
    else this.#mark(index, aspect)
  }

  #markRestless(index: number, aspects: number): void {
    this.restless.set(index, (this.restless.get(index) ?? 0) | aspects)
  }

  #mark(index: number, aspects: number): void {
    this.changed.set(index, (this.changed.get(index) ?? 0) | aspects)
  }
}

function withoutTarget(link: Link): Link {
  return { ...link, newNetnsid: undefined, newIndex: undefined }
}

/** What tells an entry apart within its interface. */
function neighborKey({ family, ip, mac, vlan, vni, flags }: Neighbor): string {
  return family === AF_BRIDGE ? `${mac}/${vlan}/${vni}/${ip}/${flags & NTF_IDENTITY}` : `${family}/${ip}/${flags & NTF_IDENTITY}`
}

/** Whether two messages say the same of everything but counters. */
function sameLink(a: Link, b: Link): boolean {
  return (
    a.flags === b.flags &&
    a.name === b.name &&
    a.mac === b.mac &&
    a.mtu === b.mtu &&
    a.operState === b.operState &&
    a.master === b.master &&
    a.link === b.link &&
    a.linkNetnsid === b.linkNetnsid &&
    a.kind === b.kind &&
    a.hardwareType === b.hardwareType &&
    a.vlanId === b.vlanId &&
    a.bondMode === b.bondMode &&
    (a.bondSlave === b.bondSlave || JSON.stringify(a.bondSlave) === JSON.stringify(b.bondSlave)) &&
    a.virtualFunctions.length === b.virtualFunctions.length &&
    (a.virtualFunctions.length === 0 || JSON.stringify(a.virtualFunctions) === JSON.stringify(b.virtualFunctions))
  )
}
