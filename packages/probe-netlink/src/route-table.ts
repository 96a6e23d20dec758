import type { Route } from './decode-route.ts'
import { AF_INET6, NLM_F_APPEND, NLM_F_REPLACE } from './rtnetlink.ts'

/**
 * The routes of one namespace, kept by what the kernel tells. Not everything is told: routes go without a word when an interface goes
 * down or an address is taken away, and a replaced route is not named. Where the table can't know, it says so by {@link uncertain} and
 * must be read again.
 */
export class RouteTable {
  /** Routes that the kernel holds to be alternatives of each other: same table, prefix, TOS and priority. */
  readonly #groups = new Map<string, readonly Route[]>()
  readonly #groupsByIndex = new Map<number, Set<string>>()
  #uncertain = false

  /** Whether the table may differ from the kernel's; cleared by {@link replaceAll}. */
  get uncertain(): boolean {
    return this.#uncertain
  }

  /** Something happened that changes routes without telling. */
  doubt(): void {
    this.#uncertain = true
  }

  /** How many groups of alternatives have a hop through this interface. */
  groupCount(index: number): number {
    return this.#groupsByIndex.get(index)?.size ?? 0
  }

  /** Routes with a hop through this interface, in the order of {@link Route.sortKey}. */
  routesOf(index: number): readonly Route[] {
    const routes = [...(this.#groupsByIndex.get(index) ?? [])].flatMap((key) => this.#groups.get(key)!)
    return routes
      .filter((route) => route.hops.some((hop) => hop.index === index))
      .sort((a, b) => (a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : a.priority - b.priority))
  }

  /** RTM_NEWROUTE with the flags of its header. Answers the interfaces concerned. */
  add(route: Route, flags = 0): ReadonlySet<number> {
    if (route.cloned) return NOTHING
    const key = groupKey(route)
    const group = this.#groups.get(key) ?? []
    if (flags & NLM_F_REPLACE) {
      if (group.length > 1 || route.family === AF_INET6) this.#uncertain = true
      return this.#setGroup(key, group, [route])
    }
    // An IPv6 route that joins others is told together with them.
    if (route.family === AF_INET6 && (route.multipath || flags & NLM_F_APPEND)) this.#uncertain = true
    if (group.some((other) => sameRoute(other, route))) return NOTHING
    return this.#setGroup(key, group, [...group, route])
  }

  /** RTM_DELROUTE. Answers the interfaces concerned. */
  remove(route: Route): ReadonlySet<number> {
    const key = groupKey(route)
    const group = this.#groups.get(key)
    if (!group) return NOTHING
    const rest = group.filter((other) => !sameRoute(other, route))
    if (rest.length === group.length) {
      this.#uncertain = true
      return NOTHING
    }
    return this.#setGroup(key, group, rest)
  }

  /** The interface is gone, and with it all that led through it. */
  removeInterface(index: number): void {
    for (const key of [...(this.#groupsByIndex.get(index) ?? [])]) {
      const group = this.#groups.get(key)!
      if (group.some((route) => route.hops.some((hop) => hop.index !== index))) this.#uncertain = true
      this.#setGroup(
        key,
        group,
        group.filter((route) => !route.hops.some((hop) => hop.index === index)),
      )
    }
  }

  /** Makes the table equal to what was read. Answers the interfaces whose routes may have changed. */
  replaceAll(routes: readonly Route[]): ReadonlySet<number> {
    const wanted = new Map<string, Route[]>()
    for (const route of routes) {
      if (route.cloned) continue
      const key = groupKey(route)
      const group = wanted.get(key)
      if (group) group.push(route)
      else wanted.set(key, [route])
    }
    const touched = new Set<number>()
    for (const [key, group] of [...this.#groups]) {
      if (!wanted.has(key)) for (const index of this.#setGroup(key, group, [])) touched.add(index)
    }
    for (const [key, group] of wanted) {
      const held = this.#groups.get(key) ?? []
      const equal = held.length === group.length && group.every((route, i) => sameRoute(route, held[i]!))
      if (!equal) for (const index of this.#setGroup(key, held, group)) touched.add(index)
    }
    this.#uncertain = false
    return touched
  }

  #setGroup(key: string, before: readonly Route[], after: readonly Route[]): ReadonlySet<number> {
    const touched = new Set<number>()
    for (const route of before) {
      for (const { index } of route.hops) {
        touched.add(index)
        const keys = this.#groupsByIndex.get(index)
        keys?.delete(key)
        if (keys?.size === 0) this.#groupsByIndex.delete(index)
      }
    }
    for (const route of after) {
      for (const { index } of route.hops) {
        touched.add(index)
        const keys = this.#groupsByIndex.get(index)
        if (keys) keys.add(key)
        else this.#groupsByIndex.set(index, new Set([key]))
      }
    }
    if (after.length === 0) this.#groups.delete(key)
    else this.#groups.set(key, after)
    return touched
  }
}

const NOTHING: ReadonlySet<number> = new Set()

function groupKey({ family, table, prefix, tos, priority }: Route): string {
  return `${family}/${table}/${prefix}/${tos}/${priority}`
}

function sameRoute(a: Route, b: Route): boolean {
  return (
    a.type === b.type &&
    a.protocol === b.protocol &&
    a.source === b.source &&
    a.hops.length === b.hops.length &&
    a.hops.every((hop, i) => hop.index === b.hops[i]!.index && hop.gateway === b.hops[i]!.gateway)
  )
}
