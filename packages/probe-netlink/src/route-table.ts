import type { Route } from './decode-route.ts'
import { AF_INET6, NLM_F_APPEND, NLM_F_REPLACE } from './rtnetlink.ts'

/**
 * The routes of one namespace, kept by what the kernel tells. Not everything is told: routes go without a word when an interface goes
 * down or an address is taken away, and a replaced route is not named. Where the table can't know, it says so by {@link uncertain} and
 * must be read again. A change costs what it touches, however many interfaces share a prefix (as all do `fe80::/64`).
 */
export class RouteTable {
  /** Routes that the kernel holds to be alternatives of each other (same table, prefix, TOS and priority), by {@link routeKey}. */
  readonly #groups = new Map<string, Map<string, Route>>()
  readonly #routesByIndex = new Map<number, Set<Route>>()
  #uncertain = false

  /** Whether the table may differ from the kernel's; cleared by {@link replaceAll}. */
  get uncertain(): boolean {
    return this.#uncertain
  }

  /** Something happened that changes routes without telling. */
  doubt(): void {
    this.#uncertain = true
  }

  /** How many routes have a hop through this interface. */
  routeCount(index: number): number {
    return this.#routesByIndex.get(index)?.size ?? 0
  }

  /** Routes with a hop through this interface, in the order of {@link Route.sortKey}. */
  routesOf(index: number): readonly Route[] {
    return [...(this.#routesByIndex.get(index) ?? [])].sort((a, b) =>
      a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : a.priority - b.priority,
    )
  }

  /** RTM_NEWROUTE with the flags of its header. Answers the interfaces concerned. */
  add(route: Route, flags = 0): ReadonlySet<number> {
    if (route.cloned) return NOTHING
    const touched = new Set<number>()
    const group = this.#groups.get(groupKey(route))
    if (flags & NLM_F_REPLACE) {
      if ((group?.size ?? 0) > 1 || route.family === AF_INET6) this.#uncertain = true
      for (const other of group?.values() ?? []) this.#delete(other, touched)
    } else if (route.family === AF_INET6 && (route.multipath || flags & NLM_F_APPEND)) {
      // An IPv6 route that joins others is told together with them.
      this.#uncertain = true
    }
    this.#insert(route, touched)
    return touched
  }

  /** RTM_DELROUTE. Answers the interfaces concerned. */
  remove(route: Route): ReadonlySet<number> {
    const group = this.#groups.get(groupKey(route))
    if (!group) return NOTHING
    const held = group.get(routeKey(route))
    if (!held) {
      this.#uncertain = true
      return NOTHING
    }
    const touched = new Set<number>()
    this.#delete(held, touched)
    return touched
  }

  /** The interface is gone, and with it all that led through it. */
  removeInterface(index: number): void {
    for (const route of this.#routesByIndex.get(index) ?? []) {
      if (route.hops.some((hop) => hop.index !== index)) this.#uncertain = true
      this.#delete(route)
    }
  }

  /** Makes the table equal to what was read. Answers the interfaces whose routes have changed. */
  replaceAll(routes: readonly Route[]): ReadonlySet<number> {
    const touched = new Set<number>()
    const wanted = new Map<string, Set<string>>()
    for (const route of routes) {
      if (route.cloned) continue
      const key = groupKey(route)
      const group = wanted.get(key)
      if (group) group.add(routeKey(route))
      else wanted.set(key, new Set([routeKey(route)]))
    }
    for (const [key, group] of this.#groups) {
      for (const [id, held] of group) if (!wanted.get(key)?.has(id)) this.#delete(held, touched)
    }
    for (const route of routes) if (!route.cloned) this.#insert(route, touched)
    this.#uncertain = false
    return touched
  }

  /** Adds the route unless there is one like it. */
  #insert(route: Route, touched: Set<number>): void {
    const key = groupKey(route)
    const id = routeKey(route)
    const group = this.#groups.get(key)
    if (group?.has(id)) return
    if (group) group.set(id, route)
    else this.#groups.set(key, new Map([[id, route]]))
    for (const { index } of route.hops) {
      touched.add(index)
      const through = this.#routesByIndex.get(index)
      if (through) through.add(route)
      else this.#routesByIndex.set(index, new Set([route]))
    }
  }

  /** Takes a route out that is held: the very object. */
  #delete(held: Route, touched?: Set<number>): void {
    const key = groupKey(held)
    const group = this.#groups.get(key)
    group?.delete(routeKey(held))
    if (group?.size === 0) this.#groups.delete(key)
    for (const { index } of held.hops) {
      touched?.add(index)
      const through = this.#routesByIndex.get(index)
      through?.delete(held)
      if (through?.size === 0) this.#routesByIndex.delete(index)
    }
  }
}

const NOTHING: ReadonlySet<number> = new Set()

function groupKey({ family, table, prefix, tos, priority }: Route): string {
  return `${family}/${table}/${prefix}/${tos}/${priority}`
}

/** What tells alternatives apart. */
function routeKey({ type, protocol, source, hops }: Route): string {
  let key = `${type}/${protocol}/${source}`
  for (const { index, gateway } of hops) key += `/${index}>${gateway}`
  return key
}
