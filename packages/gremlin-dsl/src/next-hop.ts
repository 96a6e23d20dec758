import type { MetadataObject, MetadataValue } from '@skydive/contracts'

/** What this shares with the rest, and is handed: it is loaded when it is first needed, and an import would part the code of all others. */
export type NextHopTools = Pick<typeof import('@skydive/filter'), 'compileIpRange' | 'isMetadataObject'>

/** Where a packet goes next (spec graph 4.7, NextHop). */
export interface NextHop {
  /** Of the route, as the kernel counts: the lowest is preferred. */
  readonly Priority: number
  /** The gateway; of a network that is connected directly the destination itself. */
  readonly IP: string
  /** Absent where no neighbour with this address is known. */
  readonly MAC?: string
  /** The interface that it leaves by. */
  readonly IfIndex: number
}

interface Hop {
  readonly priority: number
  /** Absent for what is connected directly. */
  readonly ip: string | undefined
  readonly ifIndex: number
}

/** What metadata holds comes from anywhere: whatever is no object is passed over. */
function objects(value: MetadataValue | undefined, { isMetadataObject }: NextHopTools): readonly MetadataObject[] {
  return Array.isArray(value) ? value.filter(isMetadataObject) : []
}

function integer(value: MetadataValue | undefined): number {
  return typeof value === 'number' && Number.isInteger(value) ? value : 0
}

/** The first hop of a route; a default route of the kernel may have none. */
function hopOf(route: MetadataObject, tools: NextHopTools): Hop | undefined {
  const [first] = objects(route['NextHops'], tools)
  if (!first) return undefined
  const ip = first['IP']
  return {
    priority: integer(first['Priority']),
    ip: typeof ip === 'string' && ip !== '' ? ip : undefined,
    ifIndex: integer(first['IfIndex']),
  }
}

function isDefault(prefix: string): boolean {
  return prefix === '0.0.0.0/0' || prefix === '::/0'
}

/** Whether the prefix of a route holds the address; one that is no prefix holds none. */
function holds(prefix: string, ip: string, { compileIpRange }: NextHopTools): boolean {
  if (prefix.includes(':') !== ip.includes(':')) return false
  try {
    return compileIpRange(prefix)(ip)
  } catch {
    return false
  }
}

/** What one table says: the first route with a gateway, else the last connected one, else the default. */
function lookUp(table: MetadataObject, ip: string, tools: NextHopTools): Hop | undefined {
  let connected: Hop | undefined
  let fallback: Hop | undefined
  for (const route of objects(table['Routes'], tools)) {
    const prefix = route['Prefix']
    const hop = hopOf(route, tools)
    if (typeof prefix !== 'string' || hop === undefined || !holds(prefix, ip, tools)) continue
    if (isDefault(prefix)) fallback ??= hop
    else if (hop.ip !== undefined) return hop
    else connected = hop
  }
  return connected ?? fallback
}

function macOf(neighbors: MetadataValue | undefined, ip: string, tools: NextHopTools): string | undefined {
  for (const neighbor of objects(neighbors, tools)) {
    const mac = neighbor['MAC']
    if (neighbor['IP'] === ip && typeof mac === 'string' && mac !== '') return mac
  }
  return undefined
}

/**
 * The next hop of a node to an address of either family, by its `RoutingTables` and `Neighbors`: table by table, in their order. A route
 * without a gateway, a default route among them, leads to the address itself. `undefined` without tables or route. O(routes).
 */
export function nextHopOf(metadata: MetadataObject, ip: string, tools: NextHopTools): NextHop | undefined {
  for (const table of objects(metadata['RoutingTables'], tools)) {
    const hop = lookUp(table, ip, tools)
    if (!hop) continue
    const target = hop.ip ?? ip
    const mac = macOf(metadata['Neighbors'], target, tools)
    return { Priority: hop.priority, IP: target, ...(mac !== undefined && { MAC: mac }), IfIndex: hop.ifIndex }
  }
  return undefined
}
