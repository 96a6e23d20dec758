import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { createFlowTable } from '../src/index.ts'
import * as p from './packet-builder.ts'

// The same datagrams behind the header of each link type: the same flows, with the same identifiers.

const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

function flowsOf(packets: readonly p.Bytes[], linkType: number, layerKeyMode: 'L2' | 'L3' = 'L2'): readonly Flow[] {
  const table = createFlowTable({ layerKeyMode })
  const file = encodePcap(packets.map((bytes, i) => ({ timeMs: T0 + i, data: Uint8Array.from(bytes) })))
  const format = { layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false }, linkType }
  table.consumer(format)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
  return [...table.snapshot()].flat()
}

const v4 = p.ipv4(p.udp([1, 2, 3], 1000, 2000), 17)
const v6 = p.ipv6(p.udp([1, 2, 3], 1000, 2000), 17)
/** The address part of the heads of Linux: six bytes of a MAC address in eight. */
const ADDRESS = [2, 0, 0, 0, 0, 1, 0, 0]

describe('a datagram of each version behind each header', () => {
  const UDP = (version: 4 | 6, path = `IPv${version}/UDP`) => [
    path,
    version === 4 ? '10.0.0.1' : 'fd00::1',
    1000,
    version === 4 ? 31 : 51,
  ]

  test.each<readonly [string, number, p.Bytes, readonly unknown[]]>([
    ['raw IP, IPv4', LINK_TYPE.RAW, v4, UDP(4)],
    ['raw IP, IPv6', LINK_TYPE.RAW, v6, UDP(6)],
    ['raw IP of FreeBSD', LINK_TYPE.RAW_BSD, v4, UDP(4)],
    ['raw IP of OpenBSD', LINK_TYPE.RAW_OPENBSD, v6, UDP(6)],
    ['IPv4', LINK_TYPE.IPV4, v4, UDP(4)],
    ['IPv6', LINK_TYPE.IPV6, v6, UDP(6)],
    ['null of a little-endian host', LINK_TYPE.NULL, [2, 0, 0, 0, ...v4], UDP(4)],
    ['null of a big-endian host', LINK_TYPE.NULL, [0, 0, 0, 2, ...v4], UDP(4)],
    ['null, IPv6 of macOS', LINK_TYPE.NULL, [30, 0, 0, 0, ...v6], UDP(6)],
    ['loop', LINK_TYPE.LOOP, [0, 0, 0, 24, ...v6], UDP(6)],
    ['PPP', LINK_TYPE.PPP, [0, 0x21, ...v4], UDP(4, 'PPP/IPv4/UDP')],
    ['PPP with the protocol in a byte', LINK_TYPE.PPP, [0x21, ...v4], UDP(4, 'PPP/IPv4/UDP')],
    ['PPP with address and control', LINK_TYPE.PPP, [0xff, 3, 0, 0x57, ...v6], UDP(6, 'PPP/IPv6/UDP')],
    ['PPP in HDLC frames', LINK_TYPE.PPP_HDLC, [0xff, 3, 0, 0x21, ...v4], UDP(4, 'PPP/IPv4/UDP')],
    ['a session of PPPoE', LINK_TYPE.PPP_ETHER, p.pppoe(v4), UDP(4, 'PPPoE/PPP/IPv4/UDP')],
    ['Linux cooked 1', LINK_TYPE.LINUX_SLL, [0, 0, 0, 1, 0, 6, ...ADDRESS, 8, 0, ...v4], UDP(4)],
    [
      'Linux cooked 1, behind a tag',
      LINK_TYPE.LINUX_SLL,
      [0, 0, 0, 1, 0, 6, ...ADDRESS, 0x81, 0, ...p.vlan(v6, 8, 0x86dd)],
      UDP(6, 'Dot1Q/IPv6/UDP'),
    ],
    ['Linux cooked 2', LINK_TYPE.LINUX_SLL2, [0x86, 0xdd, 0, 0, 0, 0, 0, 5, 0, 1, 0, 6, ...ADDRESS, ...v6], UDP(6)],
  ])('%s', (_, linkType, packet, expected) => {
    const brief = ({ LayersPath, Network, Transport, Metric }: Flow) => [LayersPath, Network?.A, Transport?.A, Metric?.ABBytes]
    const [flow, ...others] = flowsOf([packet], linkType)
    expect([brief(flow!), others, flow!.Link]).toEqual([expected, [], undefined])
    // The identifiers are those of the datagram, by whatever it came.
    const [bare] = flowsOf([expected[1] === 'fd00::1' ? v6 : v4], LINK_TYPE.RAW)
    expect([flow!.TrackingID, flow!.L3TrackingID]).toEqual([bare!.TrackingID, bare!.L3TrackingID])
  })

  test.each<readonly [string, number, p.Bytes]>([
    ['a null header that is cut', LINK_TYPE.NULL, [2, 0, 0]],
    ['a loop header with nothing behind it', LINK_TYPE.LOOP, [0, 0, 0, 2]],
    ['a cooked header that is cut', LINK_TYPE.LINUX_SLL, [0, 0, 0, 1, 0, 6, ...ADDRESS, 8]],
    ['a cooked header of version 2 that is cut', LINK_TYPE.LINUX_SLL2, [8, 0, 0, 0, 0, 0, 0, 5, 0, 1, 0, 6, ...ADDRESS.slice(1)]],
    [
      "one of Linux's own protocols, which is no length",
      LINK_TYPE.LINUX_SLL,
      [0, 0, 0, 1, 0, 6, ...ADDRESS, 0, 4, 0x42, 0x42, 3],
    ],
    ['PPP with its own control protocol', LINK_TYPE.PPP, [0xc0, 0x21, 1, 1, 0, 4]],
    ['a PPP protocol that is cut', LINK_TYPE.PPP, [0]],
    ['a discovery of PPPoE', LINK_TYPE.PPP_ETHER, [0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0]],
    ['raw IP that is none', LINK_TYPE.RAW, [0x10, 0, 0, 0]],
    ['a link type that nobody knows', 147, v4],
  ])('%s makes no flow', (_, linkType, packet) => {
    expect(flowsOf([packet], linkType)).toEqual([])
  })
})

test('a padded packet without a frame counts its datagram alone, in both modes', () => {
  const packet = [0, 0, 0, 1, 0, 6, ...ADDRESS, 8, 0, ...v4, 0, 0, 0, 0]
  const bytes = (mode: 'L2' | 'L3') => flowsOf([packet], LINK_TYPE.LINUX_SLL, mode).map(({ Metric }) => Metric?.ABBytes)
  expect([bytes('L2'), bytes('L3')]).toEqual([[31], [31]])
})

describe('headers of the network layer', () => {
  const udp = p.udp([1, 2, 3], 1000, 2000)
  const rest = (bytes: number) => new Array<number>(bytes).fill(0)

  test.each<readonly [string, p.Bytes, string, number | undefined]>([
    ['IPv4 options', p.ethernet(p.ipv4(udp, 17, { options: [7, 7, 4, 0, 0, 0, 0, 0] })), 'Ethernet/IPv4/UDP', 1000],
    ['the most options that there can be', p.ethernet(p.ipv4(udp, 17, { options: rest(40) })), 'Ethernet/IPv4/UDP', 1000],
    ['hop by hop', p.ethernet(p.ipv6(p.extension(udp, 17), 0), 0x86dd), 'Ethernet/IPv6/IPv6HopByHop/UDP', 1000],
    [
      'routing, longer than 8 bytes',
      p.ethernet(p.ipv6(p.extension(udp, 17, 2), 43), 0x86dd),
      'Ethernet/IPv6/IPv6Routing/UDP',
      1000,
    ],
    ['destination options', p.ethernet(p.ipv6(p.extension(udp, 17, 1), 60), 0x86dd), 'Ethernet/IPv6/IPv6Destination/UDP', 1000],
    [
      'all of them, in the order of RFC 8200',
      p.ethernet(p.ipv6(p.extension(p.extension(p.extension([17, 4, ...rest(22), ...udp], 51), 43, 1), 60), 0), 0x86dd),
      'Ethernet/IPv6/IPv6HopByHop/IPv6Destination/IPv6Routing/IPSecAH/UDP',
      1000,
    ],
    ['nothing next', p.ethernet(p.ipv6(udp, 59), 0x86dd), 'Ethernet/IPv6', undefined],
    ['ESP, of which nothing is seen', p.ethernet(p.ipv6(udp, 50), 0x86dd), 'Ethernet/IPv6/IPSecESP', undefined],
    ['IPv6 in IPv6', p.ethernet(p.ipv6(p.ipv6(udp, 17), 41), 0x86dd), 'Ethernet/IPv6/IPv6/UDP', 1000],
    ['IP in IP by its other number', p.ethernet(p.ipv4(p.ipv4(udp, 17), 94)), 'Ethernet/IPv4/IPv4/UDP', 1000],
    [
      'an 802.1ad tag over one of 802.1Q',
      p.ethernet(p.vlan(p.vlan(p.ipv4(udp, 17), 8), 10, 0x8100), 0x88a8),
      'Ethernet/Dot1Q/Dot1Q/IPv4/UDP',
      1000,
    ],
    ['a tag that is cut', p.ethernet([0, 8, 8], 0x8100), 'Ethernet', undefined],
    [
      'SCTP with a chunk that is padded',
      p.ethernet(
        p.ipv4(
          p.sctp([
            [0, rest(13)],
            [3, []],
          ]),
          132,
        ),
      ),
      'Ethernet/IPv4/SCTP/SCTPData/SCTPSack',
      1000,
    ],
    [
      'UDP whose length is less than its header',
      p.ethernet(p.ipv4([3, 232, 0, 53, 0, 7, 0, 0, ...p.dnsQuery(1, 'a')], 17)),
      'Ethernet/IPv4/UDP',
      1000,
    ],
    [
      'UDP whose length is not said',
      p.ethernet(p.ipv4([3, 232, 0, 53, 0, 0, 0, 0, ...p.dnsQuery(1, 'a')], 17)),
      'Ethernet/IPv4/UDP/DNS',
      1000,
    ],
    [
      'a destination port before a source port',
      p.ethernet(p.ipv4(p.udp(p.dnsQuery(1, 'a'), 123, 53), 17)),
      'Ethernet/IPv4/UDP/DNS',
      123,
    ],
    [
      'a destination port of an application before a source port of a tunnel',
      p.ethernet(p.ipv4(p.udp(p.dnsQuery(1, 'a'), 4789, 53), 17)),
      'Ethernet/IPv4/UDP/DNS',
      4789,
    ],
    [
      'a signal of GTP-U, which carries nothing',
      p.ethernet(p.ipv4(p.udp([0x30, 1, 0, 0, 0, 0, 0, 5, ...p.ipv4(udp, 17)], 2152, 2152), 17)),
      'Ethernet/IPv4/UDP/GTPv1U',
      2152,
    ],
    ['a jumbogram, or what offload leaves of IPv6', p.ethernet([...p.ipv6([], 17), ...udp], 0x86dd), 'Ethernet/IPv6/UDP', 1000],
    [
      'what offload leaves of IPv4: no length',
      p.ethernet(p.ipv4(udp, 17).map((byte, i) => (i === 2 || i === 3 ? 0 : byte))),
      'Ethernet/IPv4/UDP',
      1000,
    ],
    [
      'an IPv6 datagram in one fragment',
      p.ethernet(p.ipv6(p.ipv6Fragment(udp, 17, 1, 0, false), 44), 0x86dd),
      'Ethernet/IPv6/IPv6Fragment/Fragment',
      undefined,
    ],
    ['EAP in EAPOL', p.ethernet([1, 0, 0, 4, 1, 1, 0, 4], 0x888e), 'Ethernet/EAPOL/EAP', undefined],
    ['EAPOL that starts', p.ethernet([1, 1, 0, 0, 0, 0, 0, 0], 0x888e), 'Ethernet/EAPOL', undefined],
    ['a discovery of PPPoE', p.ethernet([0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0], 0x8863), 'Ethernet/PPPoE', undefined],
    ['ARP that is cut', p.ethernet(p.arp().slice(0, 20), 0x0806), 'Ethernet', undefined],
    ['SCTP', p.ethernet(p.ipv4(p.sctp([[0, rest(12)]]), 132)), 'Ethernet/IPv4/SCTP/SCTPData', 1000],
    [
      'LLDP',
      p.ethernet([2, 7, 4, 2, 0, 0, 0, 0, 1, 4, 2, 5, 49, 6, 2, 0, 120, 0, 0], 0x88cc),
      'Ethernet/LinkLayerDiscovery/LinkLayerDiscoveryInfo',
      undefined,
    ],
  ])('%s', (_, packet, path, port) => {
    const [flow, ...others] = flowsOf([packet], LINK_TYPE.ETHERNET)
    expect([flow?.LayersPath, flow?.Transport?.A, others]).toEqual([path, port, []])
  })

  test('the padding of a frame is not read: the datagram ends where its header says', () => {
    // The bytes behind it would be chunks.
    const packet = [...p.ethernet(p.ipv4(p.sctp([[3, rest(12)]]), 132)), 0, 0, 0, 4, 0, 0, 0, 4]
    expect(flowsOf([packet], LINK_TYPE.ETHERNET).map(({ LayersPath }) => LayersPath)).toEqual(['Ethernet/IPv4/SCTP/SCTPSack'])
  })
})
