import { execFileSync } from 'node:child_process'

/** Fields that are asked of tshark, one column each, all their occurrences in order. */
const FIELDS = [
  'frame.number',
  'frame.protocols',
  'frame.len',
  'eth.src',
  'eth.dst',
  'vlan.id',
  'ieee8021ad.id',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'sctp.srcport',
  'sctp.dstport',
  'sctp.chunk_type',
  'icmp.ident',
  'icmpv6.echo.identifier',
  'vxlan.vni',
  'geneve.vni',
  'gre.flags.key',
  'gre.key',
  'mpls.bottom',
  'dns.id',
  'dns.qry.name',
  'dns.flags.response',
  'tcp.stream',
  'udp.stream',
  'ip.len',
  'ip.flags.mf',
  'ip.frag_offset',
  'ipv6.plen',
  'icmp.type',
  'icmp.code',
  'icmpv6.type',
  'icmpv6.code',
  'dns.flags.rcode',
  'dns.count.answers',
  'dns.a',
  'dhcp.hw.len',
  'dhcp.hops',
  'dhcp.secs',
  'dhcp.flags',
  'dhcp.server',
  'dhcp.file',
  'vrrp.version',
  'vrrp.virt_rtr_id',
  'vrrp.prio',
  'vrrp.adver_int',
] as const

/** A packet as tshark takes it apart: the values of each field in the order in which they occur. */
export type TsharkPacket = ReadonlyMap<(typeof FIELDS)[number], readonly string[]>

export function isTsharkInstalled(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** What tshark makes of a capture file. Nothing is looked at beyond the file: no names are resolved, no streams put together. */
export function dissectByTshark(file: string): readonly TsharkPacket[] {
  const output = execFileSync(
    'tshark',
    [
      ...['-n', '-r', file, '-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=a', '-E', 'aggregator=,'],
      ...['-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE', '-o', 'tcp.desegment_tcp_streams:FALSE'],
      ...FIELDS.flatMap((field) => ['-e', field]),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 },
  )
  return output
    .trimEnd()
    .split('\n')
    .map((line) => new Map(line.split('|').map((values, i) => [FIELDS[i]!, values === '' ? [] : values.split(',')])))
}

/** One sequence of layers, spelled as flows spell it. */
export interface ExpectedSequence {
  readonly path: string
  readonly link: readonly [string, string, number] | undefined
  readonly network: readonly [string, string] | undefined
  readonly tunnelId: number
  readonly transport: readonly [string, number, number] | undefined
  readonly icmpId: number | undefined
  /** What the key has of the transport: VXLAN and Geneve have no source port, GTP-U that of the outer UDP. */
  readonly keyPorts: readonly [number, number] | number | undefined
  /** The first IP addresses, whatever their version. */
  readonly keyAddresses: readonly [string, string] | undefined
}

const PLAIN: Readonly<Record<string, string>> = {
  'ipv6.hopopts': 'IPv6HopByHop',
  'ipv6.dstopts': 'IPv6Destination',
  pppoes: 'PPPoE',
  ppp: 'PPP',
  gtp: 'GTPv1U',
  dns: 'DNS',
  'ipv6.routing': 'IPv6Routing',
  arp: 'ARP',
  lldp: 'LinkLayerDiscovery/LinkLayerDiscoveryInfo',
  dhcp: 'DHCPv4',
  vrrp: 'VRRP',
}

/** Chunks by their type (RFC 9260 section 3.2). */
const SCTP_CHUNKS = [
  ...['Data', 'Init', 'InitAck', 'Sack', 'Heartbeat', 'HeartbeatAck', 'Abort', 'Shutdown', 'ShutdownAck', 'Error'],
  ...['CookieEcho', 'CookieAck'],
]
/** ICMP messages that quote a packet: destination unreachable and time exceeded. */
const QUOTING = { icmp: ['3', '11'], icmpv6: ['1', '2', '3'] }
const ICMPV6_MESSAGES: Readonly<Record<string, string>> = {
  128: 'ICMPv6Echo',
  129: 'ICMPv6Echo',
  135: 'ICMPv6NeighborSolicitation',
  136: 'ICMPv6NeighborAdvertisement',
}

/** The sequences that a packet has by the rules of spec flows 1.5 and 1.6, told from tshark's list of protocols. */
export function sequencesOf(packet: TsharkPacket): readonly ExpectedSequence[] {
  const used = new Map<string, number>()
  const take = (field: (typeof FIELDS)[number]): string => {
    const at = used.get(field) ?? 0
    used.set(field, at + 1)
    return packet.get(field)![at]!
  }
  const pair = (prefix: 'eth' | 'ip' | 'ipv6') => [take(`${prefix}.src`), take(`${prefix}.dst`)] as const
  const ports = (prefix: 'tcp' | 'udp' | 'sctp') =>
    [Number(take(`${prefix}.srcport`)), Number(take(`${prefix}.dstport`))] as const
  const protocols = packet.get('frame.protocols')![0]!.split(':')
  const sequences: ExpectedSequence[] = []
  let draft = new SequenceDraft()
  const close = () => {
    sequences.push(draft.end())
    draft = new SequenceDraft()
  }
  /** What tshark finds after it is not looked at by us. */
  const end = (layer?: string) => {
    if (layer !== undefined) draft.layers.push(layer)
    sequences.push(draft.end())
    return sequences
  }
  for (const [i, protocol] of protocols.entries()) {
    switch (protocol) {
      case 'eth':
        draft.link('Ethernet', pair('eth'))
        break
      case 'vlan':
        draft.tag(Number(take('vlan.id')))
        break
      case 'ieee8021ad':
        draft.tag(Number(take('ieee8021ad.id')))
        break
      case 'ip':
      case 'ipv6':
        draft.network(protocol === 'ip' ? 'IPv4' : 'IPv6', pair(protocol))
        if (protocol === 'ip') {
          const isFragment = ['1', 'True'].includes(take('ip.flags.mf')) || take('ip.frag_offset') !== '0'
          if (isFragment) return end('Fragment')
        }
        break
      case 'ipv6.fraghdr':
        return end('IPv6Fragment/Fragment')
      case 'tcp':
      case 'udp':
      case 'sctp':
        draft.transport(protocol.toUpperCase(), ports(protocol))
        if (protocol === 'sctp')
          for (const type of packet.get('sctp.chunk_type')!) draft.layers.push(`SCTP${SCTP_CHUNKS[Number(type)]}`)
        break
      case 'icmp':
        draft.icmp('ICMPv4', Number(QUOTING.icmp.includes(packet.get('icmp.type')![0]!) ? 0 : take('icmp.ident')))
        if (QUOTING.icmp.includes(packet.get('icmp.type')![0]!)) return end()
        break
      case 'icmpv6':
        {
          const type = packet.get('icmpv6.type')![0]!
          const message = ICMPV6_MESSAGES[type]
          draft.icmp(
            message ? `ICMPv6/${message}` : 'ICMPv6',
            message === 'ICMPv6Echo' ? Number(take('icmpv6.echo.identifier')) : 0,
          )
          if (QUOTING.icmpv6.includes(type)) return end()
        }
        break
      case 'gre':
        draft.layers.push('GRE')
        if (['1', 'True'].includes(take('gre.flags.key'))) draft.tunnelId = Number(take('gre.key'))
        if (protocols[i + 1] !== 'mpls') close()
        break
      case 'vxlan':
      case 'geneve':
        draft.vni(protocol === 'vxlan' ? 'VXLAN' : 'Geneve', Number(take(`${protocol}.vni`)))
        close()
        break
      case 'mpls':
        do draft.layers.push('MPLS')
        while (!['1', 'True'].includes(take('mpls.bottom')))
        close()
        break
      default:
        if (protocol in PLAIN) draft.layers.push(PLAIN[protocol]!)
    }
  }
  sequences.push(draft.end())
  return sequences
}

class SequenceDraft {
  readonly layers: string[] = []
  tunnelId = 0
  #link: readonly [string, string] | undefined
  readonly #tags: number[] = []
  #addresses: readonly [string, string] | undefined
  #ipv4: readonly [string, string] | undefined
  readonly #transports = new Map<string, readonly [number, number]>()
  #keyPorts: ExpectedSequence['keyPorts']
  #icmpId: number | undefined

  link(layer: string, ends: readonly [string, string]): void {
    this.layers.push(layer)
    this.#link ??= ends
  }

  tag(id: number): void {
    this.layers.push('Dot1Q')
    this.#tags.push(id)
  }

  network(layer: string, ends: readonly [string, string]): void {
    this.layers.push(layer)
    this.#addresses ??= ends
    if (layer === 'IPv4') this.#ipv4 ??= ends
  }

  transport(layer: string, ends: readonly [number, number]): void {
    this.layers.push(layer)
    if (!this.#transports.has(layer)) this.#transports.set(layer, ends)
    this.#keyPorts ??= ends
  }

  icmp(layer: string, id: number): void {
    this.layers.push(layer)
    if (this.#transports.size === 0) this.#icmpId = id
  }

  vni(layer: string, id: number): void {
    this.layers.push(layer)
    this.tunnelId = id
    this.#keyPorts = id
  }

  end(): ExpectedSequence {
    const shown = ['TCP', 'UDP', 'SCTP'].find((layer) => this.#transports.has(layer))
    const vlanId = this.#tags.reduceRight((packed, id) => packed * 4096 + id, 0)
    return {
      path: this.layers.join('/'),
      link: this.#link && [...this.#link, vlanId],
      network: this.#ipv4 ?? this.#addresses,
      tunnelId: this.#addresses ? this.tunnelId : 0,
      transport: shown === undefined ? undefined : [shown, ...this.#transports.get(shown)!],
      icmpId: this.#icmpId,
      keyPorts: this.#keyPorts,
      keyAddresses: this.#addresses,
    }
  }
}
