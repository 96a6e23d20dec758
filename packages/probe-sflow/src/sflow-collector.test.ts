import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import fc from 'fast-check'
import { hex } from '../../packet/test/bytes-writer.ts'
import { rawHeader, writeSFlow } from '../../packet/test/sflow-writer.ts'
import { AGENT, collecting, frame, NOW_MS, raw, sample } from '../test/collecting.ts'
import { SAMPLE_FORMAT, SFlowCollector } from './index.ts'

const counted = (flows: readonly Flow[]) =>
  flows.map(({ Network, Metric }) => [
    `${Network?.A} ${Network?.B}`,
    Metric!.ABPackets,
    Metric!.ABBytes,
    Metric!.BAPackets,
    Metric!.BABytes,
  ])

describe('samples', () => {
  test('become flows, each packet counted by its rate and with its length on the wire less what was taken off', () => {
    const { send, flows } = collecting()
    expect(send([sample([raw(1, 2)], { samplingRate: 100 }), sample([raw(2, 1)], { samplingRate: 100 })])).toBe(2)
    const [flow] = flows()
    expect(flow).toMatchObject({
      LayersPath: 'Ethernet/IPv4/ICMPv4',
      Link: { A: '02:00:00:00:00:01', B: '02:00:00:00:00:02' },
      Metric: { ABPackets: 100, ABBytes: 9800, BAPackets: 100, BABytes: 9800, Start: NOW_MS, Last: NOW_MS },
    })
  })

  test('of one datagram at several rates, with switch data before and two headers in one', () => {
    const { send, flows } = collecting()
    const switchData = { format: 1001, data: new Uint8Array(16) }
    const count = send([
      sample([switchData, raw(1, 2)], { samplingRate: 10 }),
      sample([raw(1, 2), raw(1, 3)], { samplingRate: 10, isExpanded: true }),
      sample([raw(1, 2)], { samplingRate: 7 }),
      sample([raw(1, 3), raw(1, 3), raw(1, 3)]),
    ])
    expect([count, counted(flows())]).toEqual([
      7,
      [
        ['10.0.0.1 10.0.0.2', 27, 27 * 98, 0, 0],
        ['10.0.0.1 10.0.0.3', 13, 13 * 98, 0, 0],
      ],
    ])
  })

  test('tell by which interfaces of the switch the first packet of a flow came and went', () => {
    const { send, flows } = collecting()
    send([
      sample([raw(1, 2)], { input: 3, output: 4 }),
      sample([raw(2, 1)], { input: 4, output: 3 }),
      // The head of the first packet is written over the sample that both lie in.
      sample([raw(1, 3), raw(1, 4)], { input: 5, output: 0x3ffffffe }),
      sample([{ format: 1001, data: new Uint8Array(16) }, raw(1, 5), raw(1, 6)], {
        isExpanded: true,
        input: 0x1000001,
        output: 0xfffffffe,
      }),
      sample([raw(1, 7)], { input: 0x3fffffff, output: 0x80000002 }),
    ])
    expect(flows().map(({ Network, Exporter: exporter }) => [Network!.B, exporter!.Input, exporter!.Output])).toEqual([
      ['10.0.0.2', 3, 4],
      ['10.0.0.3', 5, 0x3ffffffe],
      ['10.0.0.4', 5, 0x3ffffffe],
      ['10.0.0.5', 0x1000001, 0xfffffffe],
      ['10.0.0.6', 0x1000001, 0xfffffffe],
      ['10.0.0.7', 0, 0],
    ])
  })

  test.each([
    ['an IPv4 agent', AGENT],
    ['an IPv6 agent', new Uint8Array(16).fill(1)],
    ['an agent that says no address', new Uint8Array(0)],
  ])('of %s keep the bytes of their packets', (_, agent) => {
    const { send, flows, table } = collecting()
    send([sample([raw(1, 2)]), sample([raw(1, 2)]), sample([raw(2, 1)])], agent)
    const [flow] = flows()
    expect([...table.rawPackets().get(flow!.UUID)!].map(({ Data }) => [...Data])).toEqual(
      [frame(1, 2), frame(1, 2), frame(2, 1)].map((bytes) => [...bytes]),
    )
  })

  test('are cut to the snap length', () => {
    const { send, flows, table } = collecting(undefined, 42)
    send([sample([raw(1, 2)])])
    expect(table.rawPackets().get(flows()[0]!.UUID)![0]!.Data).toEqual(frame(1, 2).subarray(0, 42))
  })

  test('that the filter refuses are left out and counted', () => {
    // Byte 33, the last of the destination's address, must be 2.
    const { collector, send, flows } = collecting([
      { code: 0x30, jt: 0, jf: 0, k: 33 },
      { code: 0x15, jt: 0, jf: 1, k: 2 },
      { code: 6, jt: 0, jf: 0, k: 256 },
      { code: 6, jt: 0, jf: 0, k: 0 },
    ])
    send([sample([raw(1, 2)]), sample([raw(1, 3)])])
    expect(counted(flows())).toEqual([['10.0.0.1 10.0.0.2', 1, 98, 0, 0]])
    expect(collector.metadata()['Unused']).toEqual({ Filtered: 1 })
  })

  test('without a usable length count what was captured; headers of other protocols are counted', () => {
    const { collector, send, flows } = collecting()
    send([sample([raw(1, 2, 4, 4)]), sample([rawHeader(11, 100, 0, frame(1, 2).subarray(14))])])
    expect(counted(flows())).toEqual([['10.0.0.1 10.0.0.2', 1, 60, 0, 0]])
    expect(collector.metadata()['Unused']).toEqual({ ForeignHeaders: 1 })
    expect(collector.stats()).toEqual({ packetsReceived: 1, packetsDropped: 0, packetsIfDropped: 0 })
  })

  test('that are cut leave the ones before them', () => {
    const { collector, flows, table } = collecting()
    const bytes = writeSFlow({
      agent: AGENT,
      subAgentId: 0,
      sequence: 1,
      uptimeMs: 1,
      samples: [sample([raw(1, 2)]), sample([raw(1, 3)])],
    })
    const consume = table.consumer(SAMPLE_FORMAT)
    collector.consume(new DataView(bytes.buffer), 0, bytes.length - 8, NOW_MS, consume)
    expect(counted(flows())).toEqual([['10.0.0.1 10.0.0.2', 1, 98, 0, 0]])
    expect(collector.metadata()['Unused']).toEqual({ MalformedDatagrams: 1 })
  })
})

describe('what can not be used', () => {
  const HEAD = '00000005 00000001 0a000009 00000000 00000001 00000001'

  test.each<readonly [string, string, object]>([
    ['another version', '00000004 00000001 0a000009', { ForeignVersions: 1 }],
    ['a head that is cut', HEAD, { MalformedDatagrams: 1 }],
    ['a sample of an enterprise', `${HEAD} 00000001 00001001 00000004 00000000`, { UnknownSamples: 1 }],
    ['a sample without its head', `${HEAD} 00000001 00000001 00000004 00000009`, { TruncatedSamples: 1 }],
  ])('%s: counted by that cause and no other', (_, bytes, unused) => {
    const { collector, flows, table } = collecting()
    const datagram = hex(bytes)
    collector.consume(new DataView(datagram.buffer), 0, datagram.length, NOW_MS, table.consumer(SAMPLE_FORMAT))
    expect([flows(), collector.metadata()['Unused']]).toEqual([[], unused])
  })

  test('datagrams that were cut before they came here', () => {
    expect(collecting().collector.metadata(3)['Unused']).toEqual({ TruncatedDatagrams: 3 })
  })
})

describe('datagrams that lie one behind the other', () => {
  const written = fc.record({
    agent: fc.constantFrom(AGENT, new Uint8Array(16).fill(1), new Uint8Array(0)),
    samples: fc.array(
      fc.record({
        samplingRate: fc.constantFrom(1, 10),
        headers: fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), { maxLength: 3 }),
        hasSwitchData: fc.boolean(),
        isExpanded: fc.boolean(),
        input: fc.nat(9),
        output: fc.integer({ min: 0x3ffffff0, max: 0x3fffffff }),
      }),
      { maxLength: 4 },
    ),
    gap: fc.nat(40),
  })

  test('make the flows that they make one by one, in fewer blocks', () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 8 }), (datagrams) => {
        const bytes = datagrams.map(({ agent, samples }, sequence) =>
          writeSFlow({
            ...{ agent, subAgentId: 0, sequence, uptimeMs: 1 },
            samples: samples.map(({ headers, hasSwitchData, ...over }) => {
              const records = headers.map(([from, to]) => raw(from, to))
              return sample([...(hasSwitchData ? [{ format: 1001, data: new Uint8Array(16) }] : []), ...records], over)
            }),
          }),
        )
        const memory = new Uint8Array(64 + bytes.reduce((sum, { length }, i) => sum + length + datagrams[i]!.gap, 0))
        const view = new DataView(memory.buffer)
        const flowsOf = (isOneByOne: boolean) => {
          const collector = new SFlowCollector(undefined, 256)
          const table = createFlowTable({ rawPacketLimit: 10, exporterAddress: 'switch' })
          const consume = table.consumer(SAMPLE_FORMAT)
          let blocks = 0
          const sink: typeof consume = (...block) => {
            blocks++
            return consume(...block)
          }
          let offset = 64
          const places = bytes.map((datagram, i) => {
            const at = offset
            memory.set(datagram, at)
            offset += datagram.length + datagrams[i]!.gap
            return at
          })
          places.forEach((at, i) => {
            if (isOneByOne) collector.consume(view, at, bytes[i]!.length, NOW_MS, sink)
            else collector.gather(view, at, bytes[i]!.length, NOW_MS, sink)
          })
          collector.flush()
          const raws = table.rawPackets()
          const flows = [...table.snapshot()].flat()
          const kept = flows.map(({ UUID }) => raws.get(UUID)?.map(({ Data }) => [...Data]))
          const interfaces = flows.map(({ Exporter: exporter }) => [exporter!.Input, exporter!.Output])
          return {
            blocks,
            told: { flows: counted(flows), interfaces, kept, metadata: collector.metadata(), stats: collector.stats() },
          }
        }
        const first = new Map<string, readonly number[]>()
        for (const { headers, input, output } of datagrams.flatMap(({ samples }) => samples)) {
          for (const ends of headers) {
            const key = [...ends].sort().join(' ')
            if (!first.has(key)) first.set(key, [input, output === 0x3fffffff ? 0 : output])
          }
        }
        const [one, together] = [flowsOf(true), flowsOf(false)]
        expect(one.told.interfaces).toEqual([...first.values()])
        expect(together.told).toEqual(one.told)
        expect(together.blocks).toBeLessThanOrEqual(one.blocks)
      }),
      { numRuns: 300 },
    )
  })
})

test('each block says whose samples it holds', () => {
  const collector = new SFlowCollector(undefined, 256)
  const memory = new Uint8Array(4096)
  const view = new DataView(memory.buffer)
  const blocks: [number, string | undefined][] = []
  const agents = [AGENT, AGENT, Uint8Array.of(10, 0, 0, 10), new Uint8Array(0), AGENT]
  agents.forEach((agent, i) => {
    const bytes = writeSFlow({ agent, subAgentId: 0, sequence: i, uptimeMs: 1, samples: [sample([raw(1, 2)])] })
    memory.set(bytes, i * 512)
    collector.gather(view, i * 512, bytes.length, NOW_MS, (buffer, offset, _length, _rate, _linkType, exporter) => {
      blocks.push([new DataView(buffer.buffer).getUint32(offset + 12, true), exporter])
    })
  })
  collector.flush()
  expect(blocks).toEqual([
    [2, '10.0.0.9'],
    [1, '10.0.0.10'],
    [1, ''],
    [1, '10.0.0.9'],
  ])
})
