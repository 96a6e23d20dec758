import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EXTRA_LAYERS } from '@skydive/contracts'
import { BPF, encodeBpfProgram, encodePcap } from '@skydive/packet'
import { decodeFlowStream, encodeFlowJson } from '@skydive/protocol/flow'
import { type FlowFileOptions, flowsOfFile } from '../index.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'b-flow-file-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function frame(port: number): Uint8Array {
  const bytes = new Uint8Array(60)
  bytes.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
  new DataView(bytes.buffer).setUint16(34, port)
  new DataView(bytes.buffer).setUint16(36, 7)
  return bytes
}

const PCAP = encodePcap([1001, 1002, 1001].map((port, i) => ({ timeMs: 1_700_000_000_000 + i, data: frame(port) })))

async function run(bytes: Uint8Array, over: Partial<FlowFileOptions> = {}) {
  const file = join(folder, 'a.pcap')
  writeFileSync(file, bytes)
  const chunks: Buffer[] = []
  const output = new Writable({
    // The smallest buffer there is: every write waits for the one before.
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  const summary = await flowsOfFile({ file, output, format: 'json', ...over })
  return { summary, text: Buffer.concat(chunks).toString('utf8'), bytes: Buffer.concat(chunks) }
}

describe('flows of a file', () => {
  test('JSON lines, in the order of the first packets', async () => {
    const { summary, text } = await run(PCAP)
    expect(summary).toEqual({ packets: 3, flows: 2, filteredPackets: 0, ignoredPackets: 0, bytesRead: PCAP.length })
    const flows = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(flows.map(({ Transport, Metric }) => [Transport.A, Metric.ABPackets])).toEqual([
      [1001, 2],
      [1002, 1],
    ])
  })

  test('fragments, connections and extra layers, when they are asked for', async () => {
    const fragment = (place: number, bytes: readonly number[]) => {
      const packet = frame(0).slice(0, 34 + bytes.length)
      packet.set([0, 20 + bytes.length], 16)
      packet.set([place >>> 8, place & 0xff], 20)
      packet.set(bytes, 34)
      return packet
    }
    // A question for the address of "a", in two fragments.
    const question = [0x03, 0xe8, 0, 53, 0, 27, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1]
    const data = [fragment(0x2000, question.slice(0, 16)), fragment(2, question.slice(16))]
    // A connection that has not ended.
    const segment = frame(1234)
    segment.set([6], 23)
    segment.set([0, 0, 0, 9, 0, 0, 0, 0, 0x50, 2], 38)
    const file = encodePcap([...data, segment].map((bytes, i) => ({ timeMs: 1_700_000_000_000 + i, data: bytes })))
    const options = { ipDefrag: true, reassembleTcp: true, extraLayers: EXTRA_LAYERS.DNS }
    const flows = (await run(file, options)).text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(flows).toMatchObject([
      {
        LayersPath: 'Ethernet/IPv4/Fragment/UDP/DNS',
        IPMetric: { Fragments: 1, FragmentErrors: 0 },
        DNS: { questions: [{ name: 'a', type: 'A', class: 'IN' }], timestamp: '2023-11-14T22:13:20.001000Z' },
      },
      { LayersPath: 'Ethernet/IPv4/TCP', TCPMetric: { ABSawStart: 1, ABPackets: 1 } },
    ])
    const { bytes } = await run(file, { ...options, format: 'binary' })
    expect(decodeFlowStream(bytes).map((flow) => JSON.parse(encodeFlowJson(flow)))).toEqual(flows)
  })

  test('a table for people and CSV for programs', async () => {
    expect((await run(PCAP, { format: 'table' })).text.split('\n').slice(0, 2)).toEqual([
      'START                   LASTED    APPLICATION A                                       B                                       A->B                   B->A                   RTT',
      '2023-11-14 22:13:20.000 0.002s    UDP         10.0.0.1:1001                           10.0.0.2:7                              2 / 120 B              0 / 0 B                -',
    ])
    const [head, first] = (await run(PCAP, { format: 'csv' })).text.split('\n').map((line) => line.split(','))
    expect([head?.length, first?.length, first?.[head!.indexOf('Transport.A')]]).toEqual([25, 25, '1001'])
  })

  test('below others, without a second head', async () => {
    const { text } = await run(PCAP, { format: 'csv' })
    expect((await run(PCAP, { format: 'csv', isContinued: true })).text).toBe(text.slice(text.indexOf('\n') + 1))
  })

  test('packets of a link type that nothing can be made of are told, and need no filter', async () => {
    const foreign = encodePcap([{ timeMs: 1, data: frame(1) }], 147)
    const compileBpf = (_expression: string, { linkType }: { linkType: number }) => {
      if (linkType === 147) throw new Error('DLT 147 link-layer type filtering not implemented')
      return encodeBpfProgram([{ code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 262_144 }])
    }
    const summary = {
      packets: 1,
      flows: 0,
      filteredPackets: 0,
      ignoredPackets: 1,
      bytesRead: foreign.length,
      foreignLinkTypes: [147],
    }
    expect(await run(foreign)).toMatchObject({ summary, text: '' })
    expect(await run(foreign, { bpf: 'udp', compileBpf })).toMatchObject({ summary, text: '' })
  })

  test('binary reads back', async () => {
    const { bytes } = await run(PCAP, { format: 'binary' })
    expect(decodeFlowStream(bytes).map(({ Transport }) => Transport?.A)).toEqual([1001, 1002])
  })

  test('a cut file is told with its offset, and what was read is there', async () => {
    const { summary, text } = await run(PCAP.subarray(0, PCAP.length - 10))
    expect(summary).toMatchObject({ packets: 2, flows: 2, damage: { code: 'ERR_DECODE', offset: 24 + 2 * 76 } })
    expect(text.trim().split('\n').length).toBe(2)
  })

  test.each([
    ['of some pieces', 20_000],
    ['of many pieces', 240_000],
  ])('a file %s, with packets that lie in two of them', async (_title, count) => {
    const data = Array.from({ length: 500 }, (_, port) => frame(port + 1))
    const file = encodePcap(Array.from({ length: count }, (_, i) => ({ timeMs: 1_700_000_000_000 + i, data: data[i % 500]! })))
    const { summary, bytes } = await run(file, { format: 'binary' })
    expect(summary).toEqual({ packets: count, flows: 500, filteredPackets: 0, ignoredPackets: 0, bytesRead: file.length })
    const flows = decodeFlowStream(bytes)
    expect(flows.map(({ Transport }) => Transport?.A)).toEqual(data.map((_, port) => port + 1))
    const [packets, octets] = [count / 500, (count / 500) * 60]
    expect(flows.filter(({ Metric }) => Metric?.ABPackets !== packets || Metric.ABBytes !== octets)).toEqual([])
  })

  test('standard input in pieces', async () => {
    const input = Readable.from([PCAP.subarray(0, 31), PCAP.subarray(31, 100), PCAP.subarray(100)])
    expect((await run(PCAP, { file: '-', input })).summary.flows).toBe(2)
  })

  test('a filter', async () => {
    // What libpcap makes of "udp src port 1002" in short: the port at 34.
    const compileBpf = () =>
      encodeBpfProgram([
        { code: BPF.LD | BPF.H | BPF.ABS, jt: 0, jf: 0, k: 34 },
        { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 1, k: 1002 },
        { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 262_144 },
        { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 0 },
      ])
    expect((await run(PCAP, { bpf: 'udp src port 1002', compileBpf })).summary).toMatchObject({
      packets: 3,
      filteredPackets: 2,
      flows: 1,
    })
  })

  test('few flows at once: the oldest are written early, none is lost', async () => {
    const { summary, text } = await run(PCAP, { maxFlows: 1 })
    expect(summary.flows).toBe(3)
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).FinishType),
    ).toEqual([1, 1, undefined])
  })

  test.each([
    ['no such file', { file: '/nonexistent/x.pcap' }, 'ERR_NOT_FOUND'],
    ['a directory', { file: tmpdir() }, 'ERR_INVALID_ARGUMENT'],
    ["what can't be read", { file: '/proc/self/mem' }, 'ERR_UNAVAILABLE'],
    ['another kind of file', { file: import.meta.filename }, 'ERR_DECODE'],
    ['no input', { file: '-' }, 'ERR_INVALID_ARGUMENT'],
    ['empty input', { file: '-', input: Readable.from([]) }, 'ERR_DECODE'],
  ])('%s is refused', async (_, over, code) => {
    const output = new PassThrough()
    await expect(flowsOfFile({ output, format: 'json', ...over })).rejects.toMatchObject({ code })
    expect(output.read()).toBeNull()
  })
})
