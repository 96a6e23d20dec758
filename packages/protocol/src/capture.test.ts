import { describe, expect, it } from '@jest/globals'
import { captureSchema, checkCapture, isDuplicateCapture, toWireCapture } from './capture.ts'

const accept = { gremlin() {}, bpf() {} }
const capture = (init: object) => captureSchema.parse({ GremlinQuery: 'G.V()', ...init })

describe('checkCapture', () => {
  it.each([
    [
      { Type: 'nosuch' },
      'Type: Not a valid capture type: nosuch, available types: [ovssflow pcapsocket ovsmirror dpdk afpacket pcap ebpf sflow ovsnetflow]',
    ],
    [{ HeaderSize: -5 }, 'HeaderSize: A valid header size is >= 14 && <= 4096'],
    [{ HeaderSize: 13 }, 'HeaderSize: A valid header size is >= 14 && <= 4096'],
    [{ LayerKeyMode: 'L9' }, 'LayerKeyMode: Not a valid layer key mode'],
    [{ RawPacketLimit: 999999 }, 'RawPacketLimit: A valid raw packet limit size is > 0 && <= 10'],
    [{ Target: 'bad' }, 'Target: Not a valid address'],
    [{ TargetType: 'x' }, 'TargetType: Not a valid target type: x, available types: [netflowv5 erspanv1]'],
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

  it.each([{}, { Target: '10.0.0.1:6343' }, { Target: '[::1]:1' }, { Target: ':80' }, { Type: 'afpacket', HeaderSize: 14 }])(
    '%j is accepted',
    async (init) => {
      await expect(checkCapture(capture(init), accept)).resolves.toBeUndefined()
    },
  )
})

it('the wire form has the order and presence of the recorded one', () => {
  const stored = { ...capture({ BPFFilter: 'icmp', Name: 'cap1', Description: 'd', LayerKeyMode: 'L2' }), UUID: 'c1' }
  expect(JSON.stringify(toWireCapture(stored))).toBe(
    '{"UUID":"c1","GremlinQuery":"G.V()","BPFFilter":"icmp","Name":"cap1","Description":"d","Count":0,"SamplingRate":0,"PollingInterval":0,"ExtraTCPMetric":false,"IPDefrag":false,"ReassembleTCP":false,"LayerKeyMode":"L2"}',
  )
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
