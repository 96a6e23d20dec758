import type { PrivateNetwork } from '@skydive/testkit'

// What iproute2 says, in the words of the metadata: the mapping table of docs/mapping.md. Only what is compared is kept.

type Json = Readonly<Record<string, unknown>>

/** An interface as both sides see it. Lists are sorted: the kernel's order is its own. */
export interface Seen {
  readonly [key: string]: unknown
}

const KEPT_FLAGS = ['UP', 'BROADCAST', 'LOOPBACK', 'POINTTOPOINT', 'MULTICAST']

/** Every interface of a namespace by name. */
export function readOracle(network: PrivateNetwork, namespace?: string): ReadonlyMap<string, Seen> {
  const query = (...args: string[]) => network.query(args, namespace) as Json[]
  const links = query('-details', 'link')
  const addresses = query('address')
  const routes = [...query('-4', 'route', 'show', 'table', 'all'), ...query('-6', 'route', 'show', 'table', 'all')]
  const neighbors = [...query('-4', 'neigh'), ...query('-6', 'neigh')]
  const ids = new Map((query('netns', 'list-id') as Json[]).map((entry) => [entry['nsid'], entry['name'] ?? '']))
  const names = new Map(links.map((link) => [link['ifname'], link['ifindex'] as number]))
  const indexByName = (name: unknown) => (name === undefined ? 0 : (names.get(name) ?? -1))

  return new Map(
    links.map((link): [string, Seen] => {
      const name = String(link['ifname'])
      const kind = (link['linkinfo'] as Json | undefined)?.['info_kind']
      const isLocal = link['link_netnsid'] === undefined
      const parent = link['link_index'] ?? (isLocal ? indexByName(link['link'] ?? undefined) : 0)
      const flags = link['flags'] as string[]
      const info = (addresses.find((entry) => entry['ifname'] === name)?.['addr_info'] as Json[] | undefined) ?? []
      const cidrs = (family: string) =>
        info
          .filter((entry) => entry['family'] === family)
          .map((entry) => `${entry['local']}/${entry['prefixlen']}`)
          .sort()
      const mac = String(link['address'] ?? '')
      return [
        name,
        compact({
          Name: name,
          Type: kind === 'tun' ? 'tuntap' : (kind ?? 'device'),
          EncapType: link['link_type'],
          IfIndex: link['ifindex'],
          MTU: link['mtu'],
          MAC: /^[0:]*$/.test(mac) || link['link_type'] === 'none' ? undefined : mac,
          MasterIndex: link['master'] === undefined ? undefined : indexByName(link['master']),
          ParentIndex: parent || undefined,
          State: String(link['operstate']).replace('LOWERLAYERDOWN', 'LOWER-LAYER-DOWN').replace('NOTPRESENT', 'NOT-PRESENT'),
          LinkFlags: KEPT_FLAGS.filter((flag) => flags.includes(flag.replace('POINTTO', 'POINTO'))),
          LinkNetNsID: link['link_netnsid'],
          LinkNetNsName: isLocal ? undefined : ids.get(link['link_netnsid']),
          IPV4: cidrs('inet'),
          IPV6: cidrs('inet6'),
          // Where there are no link addresses iproute2 prints what happens to lie behind the empty one.
          Neighbors: neighbors
            .filter((entry) => entry['dev'] === name)
            .map((entry) => `${entry['dst']} ${link['link_type'] === 'none' ? '' : (entry['lladdr'] ?? '')}`)
            .sort(),
          Routes: routesThrough(routes, name),
        }),
      ]
    }),
  )
}

const TABLES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 }
const PROTOCOLS: Readonly<Record<string, number>> = { redirect: 1, kernel: 2, boot: 3, static: 4, ra: 9 }

/** `table protocol prefix priority gateway` of each hop through the interface. */
function routesThrough(routes: readonly Json[], name: string): readonly string[] {
  return routes
    .flatMap((route) => {
      const hops = (route['nexthops'] as Json[] | undefined) ?? [route]
      const isIpv6 =
        hops.some((hop) => String(hop['gateway'] ?? '').includes(':')) ||
        String(route['dst']).includes(':') ||
        route['pref'] !== undefined
      const prefix = prefixOf(String(route['dst']), isIpv6)
      const table = route['table'] === undefined ? 254 : (TABLES[String(route['table'])] ?? Number(route['table']))
      const protocol = route['protocol'] === undefined ? 3 : (PROTOCOLS[String(route['protocol'])] ?? Number(route['protocol']))
      return hops
        .filter((hop) => hop['dev'] === name)
        .map((hop) => {
          const via = hop['gateway'] ?? (hop['via'] as Json | undefined)?.['host'] ?? ''
          return `${table} ${protocol} ${prefix} ${via}`
        })
    })
    .filter((text, i, all) => all.indexOf(text) === i)
    .sort()
}

function prefixOf(destination: string, isIpv6: boolean): string {
  if (destination === 'default') return isIpv6 ? '::/0' : '0.0.0.0/0'
  return destination.includes('/') ? destination : `${destination}/${isIpv6 ? 128 : 32}`
}

/** The same view of a node's metadata. */
export function seenOf(metadata: Readonly<Record<string, unknown>>): Seen {
  const list = (key: string) => (metadata[key] as string[] | undefined) ?? []
  const entries = (metadata['Neighbors'] as Json[] | undefined) ?? []
  const tables =
    (metadata['RoutingTables'] as
      | { ID: number; Routes: { Protocol: number; Prefix: string; NextHops: Json[] }[] }[]
      | undefined) ?? []
  const kept = Object.fromEntries(
    [
      'Name',
      'Type',
      'EncapType',
      'IfIndex',
      'MTU',
      'MAC',
      'MasterIndex',
      'ParentIndex',
      'State',
      'LinkNetNsID',
      'LinkNetNsName',
    ].map((key) => [key, metadata[key]]),
  )
  return compact({
    ...kept,
    LinkFlags: metadata['LinkFlags'] ?? [],
    IPV4: [...list('IPV4')].sort(),
    IPV6: [...list('IPV6')].sort(),
    // Entries that need no resolution (multicast) come without a word and are not printed by `ip neigh` either.
    Neighbors: entries
      .filter((entry) => !(entry['State'] as string[]).includes('NUD_NOARP'))
      .map((entry) => `${entry['IP']} ${entry['MAC'] ?? ''}`)
      .sort(),
    Routes: tables
      .flatMap((table) =>
        table.Routes.flatMap((route) =>
          route.NextHops.map((hop) => `${table.ID} ${route.Protocol} ${route.Prefix} ${hop['IP'] ?? ''}`),
        ),
      )
      .sort(),
  })
}

function compact(object: Readonly<Record<string, unknown>>): Seen {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
