import { describe, expect, test } from '@jest/globals'
import { childTid, hostTid, netnsTid, ovsTid } from './index.ts'

// Known answers of spec topology 34.1.
const host = hostTid('h1')
const netns = netnsTid(host, '/var/run/netns/ns1')

describe('TID', () => {
  test.each([
    ['host h1', host, 'e6d3b7c9-69aa-54e1-bd31-9b3f7fffb12c'],
    ['netns /var/run/netns/ns1', netns, 'c748f116-1409-5c7b-a485-29a62798a6d8'],
    ['eth0, a device of the host', childTid(host, 'eth0', 'device'), 'bfcd3d8e-50da-5a90-b309-65980e8ae3d6'],
    ['eth0, a veth of the netns', childTid(netns, 'eth0', 'veth'), 'ab6d95fa-498f-5766-b9bf-92907b70b097'],
    [
      'an Open vSwitch bridge',
      ovsTid(host, '3f0c9a4e-1111-4222-8333-444455556666', 'ovsbridge'),
      '5f2ab2a6-21b8-58f1-a532-277e9b8f529c',
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected)
  })
})
