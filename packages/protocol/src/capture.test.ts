import { describe, expect, it } from '@jest/globals'
import { captureSchema, checkCapture, isDuplicateCapture, toWireCapture } from './capture.ts'
import { captureDestination } from './capture-target.ts'

const accept = { gremlin() {}, bpf() {} }
const capture = (init: object) => captureSchema.parse({ GremlinQuery: 'G.V()', ...init })

const TARGETS = 'give host:port, [IPv6]:port, :port, a port from 0 to 65535, or an IPv4 address'

describe('checkCapture', () => {
  it.each([
    [
      { Type: 'nosuch' },
      'Type: Not a valid capture type: nosuch, available types: [ovssflow pcapsocket ovsmirror dpdk afpacket pcap ebpf sflow ovsnetflow netflow]',
    ],
    [
      { HeaderSize: -5 },
      'HeaderSize: A valid header size is >= 14 && <= 4096\n-5 is refused: give 0 (the default) or 14 to 4096',
    ],
    [
      { HeaderSize: 13 },
      'HeaderSize: A valid header size is >= 14 && <= 4096\n13 is refused: give 0 (the default) or 14 to 4096',
    ],
    [
      { LayerKeyMode: 'L9' },
      'LayerKeyMode: Not a valid layer key mode\n"L9" is refused: give L2, L3 or nothing (flow.default_layer_key_mode)',
    ],
    [
      { RawPacketLimit: 999999 },
      'RawPacketLimit: A valid raw packet limit size is > 0 && <= 10\n999999 is refused: give 0 (none) to 10',
    ],
    [{ Target: 'bad' }, `Target: Not a valid address\n"bad" is refused: ${TARGETS}`],
    [{ Target: 'bad:' }, `Target: Not a valid address\n"bad:" is refused: ${TARGETS}`],
    [{ Target: '10.0.0.1:65536' }, `Target: Not a valid address\n"10.0.0.1:65536" is refused: ${TARGETS}`],
    [{ Target: '10.0.0.256' }, `Target: Not a valid address\n"10.0.0.256" is refused: ${TARGETS}`],
    [{ Target: 'bad host:1', TargetType: 'ipfix' }, `Target: Not a valid address\n"bad host:1" is refused: ${TARGETS}`],
    [{ Target: `${'x'.repeat(200)}:` }, `Target: Not a valid address\n"${'x'.repeat(99)}… is refused: ${TARGETS}`],
    [{ TargetType: 'x' }, 'TargetType: Not a valid target type: x, available types: [netflowv5 erspanv1 ipfix]'],
    [{ TargetType: 'netflowv5' }, 'Target: a target of type netflowv5 takes host:port, such as 10.0.0.9:2055'],
    [{ TargetType: 'netflowv5', Target: '10.0.0.1' }, 'Target: a target of type netflowv5 takes host:port'],
    [{ TargetType: 'ipfix', Target: '10.0.0.1:0' }, 'Target: a target of type ipfix takes host:port, such as 10.0.0.9:4739'],
    [{ TargetType: 'erspanv1' }, 'Target: an erspanv1 target takes an IPv4 address, such as 10.0.0.9'],
    [{ TargetType: 'erspanv1', Target: 'host:0' }, 'Target: an erspanv1 target takes an IPv4 address, such as 10.0.0.9'],
    [{ TargetType: 'erspanv1', Target: '[::1]:0' }, 'Target: an erspanv1 target takes an IPv4 address, such as 10.0.0.9'],
    [
      { Type: 'netflow', TargetType: 'erspanv1', Target: '10.0.0.1' },
      'TargetType: netflow capture has no packets that erspanv1 could mirror',
    ],
    [{ Type: 'ebpf', BPFFilter: 'icmp' }, "BPFFilter: ebpf capture doesn't support BPF filtering"],
  ])('%j is refused', async (init, message) => {
    await expect(checkCapture(capture(init), accept)).rejects.toThrow(message)
  })

  it('a refusal of the Gremlin validator names the member', async () => {
    const refuse = {
      gremlin() {
        throw new Error('Expected right parenthesis')
      },
      bpf() {},
    }
    await expect(checkCapture(capture({}), refuse)).rejects.toThrow(
      'GremlinQuery: Not a valid Gremlin expression: Expected right parenthesis',
    )
  })

  it.each([
    {},
    { Target: '10.0.0.1:6343' },
    { Target: '[::1]:1' },
    { Target: ':80' },
    { Target: '80', TargetType: 'local' },
    { Target: 'collector.example:2055', TargetType: 'netflowv5' },
    { Target: '[fd00::9]:4739', TargetType: 'ipfix', Type: 'netflow' },
    { Target: '10.0.0.1', TargetType: 'erspanv1' },
    { Target: '10.0.0.1:0', TargetType: 'erspanv1' },
    { Type: 'afpacket', HeaderSize: 14 },
  ])('%j is accepted', async (init) => {
    await expect(checkCapture(capture(init), accept)).resolves.toBeUndefined()
  })
})

it('the wire form has the order and presence of the recorded one', () => {
  const stored = { ...capture({ BPFFilter: 'icmp', Name: 'cap1', Description: 'd', LayerKeyMode: 'L2' }), UUID: 'c1' }
  expect(JSON.stringify(toWireCapture(stored))).toBe(
    '{"UUID":"c1","GremlinQuery":"G.V()","BPFFilter":"icmp","Name":"cap1","Description":"d","Count":0,"SamplingRate":0,"PollingInterval":0,"ExtraTCPMetric":false,"IPDefrag":false,"ReassembleTCP":false,"LayerKeyMode":"L2"}',
  )
})

describe('captureDestination', () => {
  it.each([
    ['', '', undefined],
    ['10.0.0.1:1', 'local', undefined],
    ['10.0.0.1:2055', 'netflowv5', { type: 'netflowv5', host: '10.0.0.1', port: 2055 }],
    [':4739', 'ipfix', { type: 'ipfix', host: 'localhost', port: 4739 }],
    ['4739', 'ipfix', { type: 'ipfix', host: 'localhost', port: 4739 }],
    ['[fd00::9]:4739', 'ipfix', { type: 'ipfix', host: 'fd00::9', port: 4739 }],
    ['10.0.0.1', 'erspanv1', { type: 'erspanv1', host: '10.0.0.1', port: 0 }],
    ['10.0.0.1:9', 'erspanv1', { type: 'erspanv1', host: '10.0.0.1', port: 9 }],
  ])('"%s" of type "%s"', (Target, TargetType, expected) => {
    expect(captureDestination({ Target, TargetType })).toEqual(expected)
  })
})

describe('isDuplicateCapture', () => {
  it.each([
    [{}, {}, true],
    [{}, { BPFFilter: 'icmp' }, false],
    [{ Type: 'sflow' }, { Type: 'sflow', BPFFilter: 'icmp' }, true],
    [{ Type: 'afpacket' }, { Type: 'afpacket', BPFFilter: 'icmp' }, false],
    [{ Type: 'pcap' }, { Type: 'afpacket' }, false],
    [{}, { GremlinQuery: 'G' }, false],
  ])('%j beside %j', (a, b, expected) => {
    expect(isDuplicateCapture(capture(a), capture(b))).toBe(expected)
  })
})
