import { expect, test } from '@jest/globals'
import { captureTypesOf, needsInterface } from './capture-types.ts'

const ON_INTERFACE = ['afpacket', 'pcap', 'pcapsocket', 'sflow', 'netflow', 'ebpf']

test.each([
  ['veth', ON_INTERFACE],
  ['device', ON_INTERFACE],
  ['ovsbridge', ['ovssflow', 'pcapsocket', 'ovsnetflow', 'netflow']],
  ['ovsport', ['ovsmirror']],
  ['dpdkport', ['dpdk']],
  ['netns', []],
  [undefined, []],
])('%s', (nodeType, expected) => {
  expect(captureTypesOf(nodeType)).toEqual(expected)
})

test.each([
  ['afpacket', 'veth', true],
  ['netflow', 'veth', true],
  ['pcapsocket', 'veth', false],
  ['netflow', 'ovsbridge', false],
] as const)('%s on a %s needs its interface: %s', (captureType, nodeType, expected) => {
  expect(needsInterface(captureType, nodeType)).toBe(expected)
})
