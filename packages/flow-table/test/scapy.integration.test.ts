// Captures that scapy makes, of every layer that flows tell of and three link types, held against how Wireshark's tshark takes them apart.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EXTRA_LAYERS } from '@skydive/contracts'
import { LINK_TYPE } from '@skydive/packet'
import { dissectByTshark, isTsharkInstalled, sequencesOf, type TsharkPacket } from './tshark.ts'
import { countedFlows, expectedFlows, expectedShape, flowsOf, shapeOf } from './tshark-flows.ts'

const CAPTURES = 300
const SEED = Number(process.env['SKYDIVE_SEED'] ?? 20_261_127)
/** Debian's, which has Debian's scapy. */
const PYTHON = '/usr/bin/python3'
const PCAP_HEADER_BYTES = 24
const LAYERS =
  'Ethernet Dot1Q ARP IPv4 IPv6 IPv6HopByHop IPv6Routing IPv6Fragment IPv6Destination Fragment GRE MPLS VXLAN Geneve ICMPv4 ICMPv6 ' +
  'ICMPv6Echo ICMPv6NeighborSolicitation ICMPv6NeighborAdvertisement TCP UDP SCTP SCTPInit SCTPData SCTPSack SCTPHeartbeat SCTPShutdown ' +
  'SCTPCookieAck LinkLayerDiscovery LinkLayerDiscoveryInfo DNS DHCPv4 VRRP'

interface Made {
  readonly linkType: number
  readonly recipe: readonly string[]
  readonly packets: number
}

interface ScapyCapture {
  readonly linkType: number
  readonly recipe: readonly string[]
  readonly packets: readonly Uint8Array[]
  readonly dissected: readonly TsharkPacket[]
}

function isInstalled(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import scapy'], { stdio: 'ignore' })
    return isTsharkInstalled()
  } catch {
    return false
  }
}

/** The packets of a capture file of scapy's. */
function packetsOf(file: string): Uint8Array[] {
  const bytes = readFileSync(file)
  const packets: Uint8Array[] = []
  for (let at = PCAP_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 8)
    packets.push(Uint8Array.from(bytes.subarray(at + 16, at + 16 + length)))
    at += 16 + length
  }
  return packets
}

/** Captures in the order of the index, each with its packets of the file of its link type. */
function capturesIn(folder: string): readonly ScapyCapture[] {
  const made = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as readonly Made[]
  const files = new Map(
    [LINK_TYPE.ETHERNET, LINK_TYPE.RAW, LINK_TYPE.LINUX_SLL].map((linkType) => {
      const file = join(folder, `${linkType}.pcap`)
      const read = { packets: packetsOf(file), dissected: dissectByTshark(file), at: 0 }
      return [linkType as number, read] as const
    }),
  )
  return made.map(({ linkType, recipe, packets }) => {
    const file = files.get(linkType)!
    const from = file.at
    file.at += packets
    return {
      ...{ linkType, recipe },
      packets: file.packets.slice(from, file.at),
      dissected: file.dissected.slice(from, file.at),
    }
  })
}

const suite = isInstalled() || process.env['SKYDIVE_CI'] === '1' ? describe : describe.skip

suite(`${CAPTURES} captures of scapy (seed ${SEED}) beside tshark`, () => {
  let folder: string
  let captures: readonly ScapyCapture[]

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'b-scapy-'))
    execFileSync(PYTHON, [join(import.meta.dirname, 'scapy-captures.py'), folder, `${SEED}`, `${CAPTURES}`])
    captures = capturesIn(folder)
    expect(captures.every(({ packets, dissected }) => packets.length > 1 && packets.length === dissected.length)).toBe(true)
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('every packet has the layers, ends, tags, tunnel ids and ports that tshark finds', () => {
    for (const { linkType, recipe, packets, dissected } of captures) {
      for (const [k, bytes] of packets.entries()) {
        const flows = flowsOf([bytes], {}, linkType).map(shapeOf)
        expect({ recipe, flows }).toEqual({ recipe, flows: sequencesOf(dissected[k]!).map(expectedShape) })
      }
    }
  })

  test('every capture has the flows, packets of both directions and bytes that tshark counts', () => {
    for (const { linkType, recipe, packets, dissected } of captures) {
      const flows = countedFlows(flowsOf(packets, {}, linkType))
      expect({ recipe, flows }).toEqual({ recipe, flows: expectedFlows(dissected) })
    }
  })

  test('conversations of TCP and UDP are as many as the streams that tshark numbers', () => {
    let streams = 0
    for (const { linkType, recipe, packets, dissected } of captures) {
      // In tunnels the numbers of tshark go across the flows around them, fragments and quoted packets have no flow of ports.
      if (recipe.some((part) => /vxlan|geneve|gre|erspan|mpls|fragment|unreachable/.test(part))) continue
      for (const protocol of ['tcp', 'udp'] as const) {
        const numbers = new Set(dissected.flatMap((packet) => packet.get(`${protocol}.stream`)!))
        const own = flowsOf(packets, {}, linkType).filter(({ Transport }) => Transport?.Protocol === protocol.toUpperCase())
        expect({ recipe, streams: own.length }).toEqual({ recipe, streams: numbers.size })
        streams += numbers.size
      }
    }
    expect(streams).toBeGreaterThan(30)
  })

  test('messages of DNS, DHCPv4 and VRRP say what tshark reads', () => {
    const messages = { DNS: 0, DHCPv4: 0, VRRPv2: 0 }
    for (const { linkType, recipe, packets, dissected } of captures) {
      for (const [k, packet] of dissected.entries()) {
        const text = (field: Parameters<TsharkPacket['get']>[0]) => packet.get(field)![0] ?? ''
        const number = (field: Parameters<TsharkPacket['get']>[0]) => Number(text(field))
        const [{ DNS, DHCPv4, VRRPv2 } = {}] = flowsOf(
          [packets[k]!],
          { extraLayers: EXTRA_LAYERS.DNS | EXTRA_LAYERS.DHCPv4 | EXTRA_LAYERS.VRRP },
          linkType,
        ).slice(-1)
        if (recipe.at(-1) === 'dns') {
          messages.DNS++
          const codes: Readonly<Record<string, string>> = { 0: 'No Error', 3: 'Non-Existent Domain' }
          expect([DNS?.ID, DNS?.questions?.[0]?.name, DNS?.QR === true, DNS?.ANCount ?? 0]).toEqual([
            number('dns.id'),
            text('dns.qry.name'),
            ['1', 'True'].includes(text('dns.flags.response')),
            number('dns.count.answers'),
          ])
          expect(DNS?.answers?.map(({ IP }) => IP) ?? []).toEqual(packet.get('dns.a'))
          if (DNS?.QR) expect(DNS.response_code).toBe(codes[text('dns.flags.rcode')])
        }
        if (recipe.at(-1) === 'dhcp') {
          messages.DHCPv4++
          const { hardware_len = 0, hardware_opts = 0, secs = 0, flags = 0, server_name, file } = DHCPv4 ?? {}
          expect([hardware_len, hardware_opts, secs, flags, server_name, file]).toEqual([
            ...[number('dhcp.hw.len'), number('dhcp.hops'), number('dhcp.secs'), number('dhcp.flags')],
            ...[text('dhcp.server'), text('dhcp.file')],
          ])
        }
        if (recipe.at(-1) === 'vrrp') {
          messages.VRRPv2++
          const { version, VirtualRtrID, priority, adver_int } = VRRPv2 ?? {}
          expect([version, VirtualRtrID, priority, adver_int]).toEqual([
            ...[number('vrrp.version'), number('vrrp.virt_rtr_id'), number('vrrp.prio')],
            number('vrrp.adver_int'),
          ])
        }
      }
    }
    expect(Math.min(...Object.values(messages))).toBeGreaterThan(30)
  })

  test('ICMP messages are of the kind and have the code that tshark reads', () => {
    const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      icmp: { 0: 'ECHO', 3: 'DESTINATION_UNREACHABLE', 8: 'ECHO', 13: 'TIMESTAMP', 14: 'TIMESTAMP' },
      icmpv6: { 1: 'DESTINATION_UNREACHABLE', 128: 'ECHO', 129: 'ECHO', 135: 'NEIGHBOR', 136: 'NEIGHBOR' },
    }
    let messages = 0
    for (const { linkType, recipe, packets, dissected } of captures) {
      for (const [k, packet] of dissected.entries()) {
        const version = packet.get('icmp.type')!.length > 0 ? 'icmp' : 'icmpv6'
        const [type] = packet.get(`${version}.type`)!
        if (type === undefined) continue
        messages++
        const { ICMP } = flowsOf([packets[k]!], {}, linkType).at(-1)!
        const expected = [kinds[version]![type], Number(packet.get(`${version}.code`)![0])]
        expect({ recipe, icmp: [ICMP?.Type, ICMP?.Code ?? 0] }).toEqual({ recipe, icmp: expected })
      }
    }
    expect(messages).toBeGreaterThan(200)
  })

  test('not one layer, link type, tunnel or header is left out', () => {
    const paths = captures.flatMap(({ linkType, packets }) =>
      packets.flatMap((bytes) => flowsOf([bytes], {}, linkType).map(({ LayersPath }) => LayersPath ?? '')),
    )
    const seen = new Set(paths.flatMap((path) => path.split('/')))
    expect(LAYERS.split(' ').filter((layer) => !seen.has(layer))).toEqual([])
    expect(new Set(captures.map(({ linkType }) => linkType))).toEqual(new Set([1, 101, 113]))
    const parts = new Set(captures.flatMap(({ recipe }) => recipe))
    expect(
      ['options', 'record route', 'erspan', 'ip in ip', 'two tags', 'gre checksum'].filter((part) => !parts.has(part)),
    ).toEqual([])
  })
})
