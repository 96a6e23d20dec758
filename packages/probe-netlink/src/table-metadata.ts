import type { MetadataObject, MetadataValue } from '@skydive/contracts'
import type { Neighbor } from './decode-neighbor.ts'
import type { Route } from './decode-route.ts'
import { omitZero } from './link-metadata.ts'

// Spec topology 5.7 and 5.8: routes and neighbours as lists of objects.

const NEIGHBOR_FLAGS = [
  'NTF_USE',
  'NTF_SELF',
  'NTF_MASTER',
  'NTF_PROXY',
  'NTF_EXT_LEARNED',
  'NTF_OFFLOADED',
  'NTF_STICKY',
  'NTF_ROUTER',
]
const NEIGHBOR_STATES = [
  'NUD_INCOMPLETE',
  'NUD_REACHABLE',
  'NUD_STALE',
  'NUD_DELAY',
  'NUD_PROBE',
  'NUD_FAILED',
  'NUD_NOARP',
  'NUD_PERMANENT',
]

/** Entries sorted by key, IPv4 before IPv6; at most `limit`. `undefined` when there is none. */
export function neighborList(entries: ReadonlyMap<string, Neighbor>, limit: number): readonly MetadataObject[] | undefined {
  if (entries.size === 0) return undefined
  const sorted = [...entries].sort(([keyA, a], [keyB, b]) => a.family - b.family || (keyA < keyB ? -1 : 1))
  return sorted.slice(0, limit).map(([, entry]) => neighborMetadata(entry))
}

function neighborMetadata({ flags, mac, ip, state, vlan, vni, index }: Neighbor): MetadataObject {
  const states = names(state, NEIGHBOR_STATES)
  return {
    ...omitZero({
      Flags: names(flags, NEIGHBOR_FLAGS),
      MAC: mac,
      IP: ip,
      State: states.length === 0 ? ['NUD_NONE'] : states,
      Vlan: vlan,
      VNI: vni,
    }),
    IfIndex: index,
  }
}

function names(bits: number, of: readonly string[]): readonly string[] {
  return of.filter((_, i) => bits & (1 << i))
}

interface NextHopEntry extends MetadataObject {
  readonly Priority: number
  readonly IfIndex: number
}

/**
 * The tables that lead through an interface, in the order of their numbers; routes sorted by prefix, at most `limit` in all. Only hops
 * through this interface are listed; routes with the same protocol and prefix are one with several hops. `undefined` without routes.
 */
export function routingTables(routes: readonly Route[], index: number, limit: number): readonly MetadataObject[] | undefined {
  if (routes.length === 0) return undefined
  const tables = new Map<number, { source: string; routes: Map<string, { route: Route; hops: Map<string, NextHopEntry> }> }>()
  for (const route of routes.slice(0, limit)) {
    let table = tables.get(route.table)
    if (!table) tables.set(route.table, (table = { source: route.source, routes: new Map() }))
    const routeKey = `${route.protocol} ${route.prefix}`
    let entry = table.routes.get(routeKey)
    if (!entry) table.routes.set(routeKey, (entry = { route, hops: new Map() }))
    for (const hop of route.hops) {
      if (hop.index !== index || entry.hops.has(hop.gateway)) continue
      const address: Record<string, MetadataValue> = hop.gateway === '' ? {} : { IP: hop.gateway }
      entry.hops.set(hop.gateway, { Priority: route.priority, ...address, IfIndex: hop.index })
    }
  }
  return [...tables]
    .sort(([a], [b]) => a - b)
    .map(([id, table]) => ({
      ID: id,
      Src: table.source,
      Routes: [...table.routes.values()].map(({ route, hops }) => ({
        Protocol: route.protocol,
        Prefix: route.prefix,
        NextHops: [...hops.values()],
      })),
    }))
}
