import { expect, test } from '@jest/globals'
import { EMPTY_PATH, LAYER, type LayerName, LayerPaths } from '@skydive/packet'
import { PathHeadersCache } from './path-headers.ts'

test.each([
  ['Ethernet/IPv4/TCP', 14, 255],
  ['Ethernet/Dot1Q/Dot1Q/IPv4/TCP', 22, 255],
  ['Ethernet/PPPoE/PPP/IPv4/TCP', 22, 255],
  ['Ethernet/LLC/SNAP/IPv4/TCP', 22, 255],
  ['IPv4/TCP', 0, 255],
  ['Ethernet/IPv4/EtherIP/Ethernet/IPv4/TCP', 14, 97],
  ['Ethernet/IPv4/GRE', 14, 47],
  ['Ethernet/IPv4/IGMP', 14, 2],
  ['Ethernet/IPv4/IPSecESP', 14, 50],
  ['Ethernet/IPv4/ICMPv4', 14, 1],
  ['Ethernet/IPv6/IPv6HopByHop/ICMPv6', 14, 58],
  ['Ethernet/IPv4/IPv6/TCP', 14, 41],
  ['Ethernet/IPv4/Fragment', 14, 255],
  ['Ethernet/IPv4', 14, 255],
])('%s: %d bytes of each packet are before IP, which carries protocol %d', (text, linkBytes, protocol) => {
  const paths = new LayerPaths()
  const path = text.split('/').reduce((shorter, name) => paths.append(shorter, LAYER[name as LayerName]), EMPTY_PATH)
  expect(paths.text(path)).toBe(text)
  const cache = new PathHeadersCache(paths)
  expect(cache.of(path)).toEqual({ linkBytes, protocol })
  expect(cache.of(path)).toBe(cache.of(path))
})
