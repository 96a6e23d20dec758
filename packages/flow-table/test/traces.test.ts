import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { EXTRA_LAYERS, type Flow, type FlowLayer } from '@skydive/contracts'
import { BPF, createCaptureFileReader, createPacketFilter, LINK_TYPE } from '@skydive/packet'
import { decodeLldp } from '@skydive/packet/lldp'
import { FlowStreamWriter } from '@skydive/protocol/flow'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'

const TRACES = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'traces')
const isHere = existsSync(TRACES)

/** Not about flows. */
const WITHOUT_FLOWS = ['lldp-detailed.pcap']

interface ExpectedFlow {
  readonly UUID?: string
  readonly Metric?: Readonly<Record<string, number>>
  readonly TCPMetric?: Readonly<Record<string, number>>
  readonly parentIndex?: number | null
  readonly [member: string]: unknown
}

interface HashVector {
  readonly name: string
  readonly trace: string
  readonly packetIndex: number
  readonly mode: 'L2' | 'L3'
  readonly start: number
  readonly nodeTID: string
  readonly L3TrackingID: string
  readonly TrackingID: string
  readonly UUID: string
}

interface Trace {
  readonly file: string
  readonly packets: number
  readonly cases: readonly {
    readonly test: string
    readonly decodeFirstLayerAs: string
    readonly bpf?: string
    readonly options: Readonly<Record<string, unknown>>
    readonly asserts: { readonly flowCount?: number; readonly contains?: readonly ExpectedFlow[] }
  }[]
  readonly computed?: readonly {
    readonly options?: Readonly<Record<string, unknown>>
    readonly flows?: readonly ExpectedFlow[]
    /** Set when `flows` holds only the first ones. */
    readonly flowsTotal?: number
  }[]
}

const expectations: { traces: readonly Trace[]; hashVectors: { packetBased: readonly HashVector[] } } = isHere
  ? JSON.parse(readFileSync(join(TRACES, 'expectations.json'), 'utf8'))
  : { traces: [], hashVectors: { packetBased: [] } }
const { traces } = expectations
const inScope = traces.filter(({ file }) => !WITHOUT_FLOWS.includes(file))

/** OpenContrail's port for MPLS, which the test of its trace registers. */
const MPLS_UDP_PORTS = [51_234]

function tableOf(file: string, options: FlowTableOptions, firstLayer: string): FlowTable {
  const table = createFlowTable({ mplsUdpPorts: MPLS_UDP_PORTS, ...options })
  const reader = createCaptureFileReader((buffer, offset, byteLength, format) =>
    table.consumer(firstLayer === 'RawIP' ? { ...format, linkType: LINK_TYPE.RAW } : format)(buffer, offset, byteLength),
  )
  reader.push(readFileSync(join(TRACES, file)))
  reader.end()
  return table
}

function flowsOf(file: string, options: FlowTableOptions, firstLayer: string): readonly Flow[] {
  return [...tableOf(file, options, firstLayer).snapshot()].flat()
}

const byUuid = (a: { UUID?: unknown }, b: { UUID?: unknown }) => (String(a.UUID) < String(b.UUID) ? -1 : 1)

/** A flow as the expectations spell it. */
function comparable(flow: Flow, _: number, flows: readonly Flow[]): ExpectedFlow {
  const { LastUpdateMetric: _u, FinishType: _f, RawPacketsCaptured: _r, Metric, TCPMetric, ICMP, DNS: _d, ...rest } = flow
  const { Start: _s, Last: _l, ...metric } = Metric!
  return {
    ...rest,
    ...(ICMP && { ICMP: { Code: 0, ID: 0, ...ICMP } }),
    Metric: { RTT: 0, ...metric },
    ...(TCPMetric && { TCPMetric: { ...TCPMetric } }),
    parentIndex: flow.ParentUUID === '' ? null : flows.findIndex(({ UUID }) => UUID === flow.ParentUUID),
  }
}

const STREAM = ['SegmentOutOfOrder', 'SegmentSkipped', 'SegmentSkippedBytes', 'Packets', 'Bytes', 'SawStart', 'SawEnd']
const TCP_MEMBERS = ['SynStart', 'FinStart', 'RstStart', ...STREAM].flatMap((name) => [`AB${name}`, `BA${name}`])

/** Absent members are 0, but for the TTLs, which are absent. */
function expected({ TCPMetric, ...flow }: ExpectedFlow): ExpectedFlow {
  const zeros = Object.fromEntries(TCP_MEMBERS.map((name) => [name, 0]))
  return { ...flow, ...(TCPMetric && { TCPMetric: { ...zeros, ...TCPMetric } }) }
}

/** The options of a case; its extra layers are given by name. */
function tableOptions(options: Readonly<Record<string, unknown>>): FlowTableOptions {
  const layers = (options['ExtraLayers'] ?? []) as readonly (keyof typeof EXTRA_LAYERS)[]
  return {
    extraTcpMetric: options['ExtraTCPMetric'] === true,
    reassembleTcp: options['ReassembleTCP'] === true,
    ipDefrag: options['IPDefrag'] === true,
    layerKeyMode: options['LayerKeyMode'] === 'L3' ? 'L3' : 'L2',
    extraLayers: layers.reduce((mask, layer) => mask | EXTRA_LAYERS[layer], 0),
  }
}

/** The members of a DNS layer that the wire spells otherwise than the expectations. */
const DNS_NAMES: Readonly<Record<string, string>> = {
  OpCode: 'op_code',
  ResponseCode: 'response_code',
  DataLength: 'data_length',
  ...Object.fromEntries(
    ['Questions', 'Answers', 'Authorities', 'Additionals', 'Name', 'Type', 'Class', 'Timestamp'].map((name) => [
      name,
      name.toLowerCase(),
    ]),
  ),
  ...Object.fromEntries(['Serial', 'Refresh', 'Retry', 'Expire', 'Minimum'].map((name) => [name, name.toLowerCase()])),
}

function asOnTheWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asOnTheWire)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [DNS_NAMES[name] ?? name, asOnTheWire(inner)]))
}

/** `port 53 or port 80` of an Ethernet frame over IPv4 without options, as libpcap has it in short. */
const PORT_53_OR_80 = [
  { code: BPF.LD | BPF.H | BPF.ABS, jt: 0, jf: 0, k: 12 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 7, k: 0x0800 },
  { code: BPF.LD | BPF.H | BPF.ABS, jt: 0, jf: 0, k: 34 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 4, jf: 0, k: 53 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 3, jf: 0, k: 80 },
  { code: BPF.LD | BPF.H | BPF.ABS, jt: 0, jf: 0, k: 36 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 1, jf: 0, k: 53 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 1, k: 80 },
  { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 256 },
  { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 0 },
]
/** `icmp or (vlan and icmp)`. */
const ICMP_OR_VLAN = [
  { code: BPF.LD | BPF.H | BPF.ABS, jt: 0, jf: 0, k: 12 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 2, k: 0x0800 },
  { code: BPF.LD | BPF.B | BPF.ABS, jt: 0, jf: 0, k: 23 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 5, jf: 6, k: 1 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 5, k: 0x8100 },
  { code: BPF.LD | BPF.H | BPF.ABS, jt: 0, jf: 0, k: 16 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 3, k: 0x0800 },
  { code: BPF.LD | BPF.B | BPF.ABS, jt: 0, jf: 0, k: 27 },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 1, k: 1 },
  { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 256 },
  { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 0 },
]

/** What a case checks besides flows. */
const OTHER_CASES: Readonly<
  Record<
    string,
    (file: string, options: FlowTableOptions, asserts: { flowCount?: number }, firstLayer: string) => void | Promise<void>
  >
> = {
  TestBPFFilter(file, options, { flowCount }, firstLayer) {
    expect(flowsOf(file, { ...options, filter: createPacketFilter(PORT_53_OR_80) }, firstLayer).length).toBe(flowCount)
  },
  TestVlanBPF(file, options, _, firstLayer) {
    const table = tableOf(file, { ...options, filter: createPacketFilter(ICMP_OR_VLAN) }, firstLayer)
    expect(table.stats()).toMatchObject({ packets: 2, filteredPackets: 0, flows: 1 })
  },
  TestFlowCreateUpdate(file, options, { flowCount }, firstLayer) {
    const flows = flowsOf(file, options, firstLayer)
    expect([flows.length, new Set(flows.map(({ UUID }) => UUID)).size]).toEqual([flowCount, flowCount])
  },
  TestFlowExpire(file, options, { flowCount }, firstLayer) {
    const table = tableOf(file, options, firstLayer)
    expect([...table.drain()].flat().length).toBe(100)
    expect(table.size).toBe(flowCount)
  },
  async TestGetFlowsWithFilters(file, options, { flowCount }, firstLayer) {
    const table = tableOf(file, { ...options, nodeTid: 'probe-1' }, firstLayer)
    const filter = { BoolFilter: { Op: 0 as const, Filters: [{ TermStringFilter: { Key: 'NodeTID', Value: 'probe-1' } }] } }
    expect((await table.search({ Filter: filter })).length).toBe(flowCount)
    const sorted = await table.search({ Filter: filter, Sort: true, SortBy: 'Network.A', SortOrder: 1 })
    const ends = sorted.map(({ Network }) => Network!.A!)
    expect(ends).toEqual([...ends].sort())
    const down = await table.search({ Filter: filter, Sort: true, SortBy: 'Network.A', SortOrder: 2 })
    expect(down.map(({ Network }) => Network!.A!)).toEqual([...ends].sort().reverse())
    expect((await table.search({ Filter: filter, Dedup: true, DedupBy: 'NodeTID' })).length).toBe(1)
  },
}

const suite = isHere || process.env['SKYDIVE_CI'] === '1' ? describe : describe.skip

suite('recorded traces', () => {
  test('every trace is compared, but for one that is not about flows', () => {
    expect(traces.map(({ file }) => file)).toEqual(expect.arrayContaining(WITHOUT_FLOWS))
    expect(inScope.length).toBe(traces.length - WITHOUT_FLOWS.length)
  })

  test.each(
    inScope.flatMap(({ file, cases, computed }) =>
      (computed ?? [])
        .filter((list) => list.flows)
        .map((list) => ({
          file,
          first: cases[0]!.decodeFirstLayerAs,
          flows: list.flows!,
          total: list.flowsTotal ?? list.flows!.length,
          options: list.options ?? {},
        })),
    ),
  )('$file: all computed flows with $options', ({ file, first, flows, total, options }) => {
    const actual = flowsOf(file, tableOptions(options), first)
    const listed = new Set(flows.map(({ UUID }) => UUID))
    expect(actual.length).toBe(total)
    expect(new Set(actual.map(({ UUID }) => UUID)).size).toBe(total)
    const compared = actual.filter(({ UUID }) => total === flows.length || listed.has(UUID))
    expect(compared.map(comparable).sort(byUuid)).toEqual(flows.map(expected).sort(byUuid))
  })

  test.each(
    traces.flatMap(({ file, cases }) =>
      (['L2', 'L3'] as const).map((mode) => ({ file, mode, first: cases[0]?.decodeFirstLayerAs })),
    ),
  )('$file in mode $mode: protobuf from the columns is that of the objects', ({ file, mode, first }) => {
    const table = tableOf(
      file,
      { layerKeyMode: mode, extraTcpMetric: true, nodeTid: 'tid', captureId: 'c1' },
      first ?? 'Ethernet',
    )
    const chunks = Buffer.concat([...table.snapshotAsProtobuf()])
    expect(chunks.toString('hex')).toBe(Buffer.from(new FlowStreamWriter().encode([...table.snapshot()].flat())).toString('hex'))
  })

  test.each(expectations.hashVectors.packetBased)('identifiers: $name', (vector) => {
    const flows = flowsOf(vector.trace, { layerKeyMode: vector.mode, nodeTid: vector.nodeTID }, 'Ethernet')
    const { TrackingID, L3TrackingID, UUID } = flows.find(({ UUID: uuid }) => uuid === vector.UUID) ?? flows[0]!
    expect({ TrackingID, L3TrackingID, UUID }).toEqual({
      TrackingID: vector.TrackingID,
      L3TrackingID: vector.L3TrackingID,
      UUID: vector.UUID,
    })
  })

  test.each(
    inScope.flatMap(({ file, cases }) =>
      cases.filter((one) => one.asserts.contains && one.options['captureType'] !== 'ebpf').map((one) => ({ file, ...one })),
    ),
  )('$file: what $test asserts', ({ file, decodeFirstLayerAs, asserts, options }) => {
    const actual = flowsOf(file, tableOptions(options), decodeFirstLayerAs)
    if (asserts.flowCount !== undefined) expect(actual.length).toBe(asserts.flowCount)
    for (const wanted of asserts.contains!) {
      const { LastUpdateMetric, DNS, statedButNotCompared: _, ...rest } = wanted
      expect(actual).toContainEqual(
        expect.objectContaining({ ...subset(rest), ...(DNS !== undefined && { DNS: asOnTheWire(DNS) }) }),
      )
      if (LastUpdateMetric === null) expect(actual.every((flow) => flow.LastUpdateMetric === undefined)).toBe(true)
    }
  })

  test.each(
    inScope.flatMap(({ file, cases }) => cases.filter(({ test: name }) => name in OTHER_CASES).map((one) => ({ file, ...one }))),
  )('$file: $test', async ({ file, test: name, options, asserts, decodeFirstLayerAs }) => {
    await OTHER_CASES[name]!(file, tableOptions(options), asserts, decodeFirstLayerAs)
  })

  test('lldp-detailed.pcap: what the switch tells of itself', () => {
    // One packet: file header, record header, Ethernet header.
    const bytes = readFileSync(join(TRACES, 'lldp-detailed.pcap')).subarray(24 + 16 + 14)
    const decoded = decodeLldp(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
    expect(decoded).toMatchObject({
      message: {
        chassisId: { type: 'MAC Address', text: '00:01:30:f9:ad:a0' },
        portId: { type: 'Interface Name', text: '1/1' },
        ttlSeconds: 120,
        portDescription: 'Summit300-48-Port 1001',
        systemName: 'Summit300-48',
        capabilities: { supported: ['Bridge', 'Router'], enabled: ['Bridge', 'Router'] },
        managementAddresses: [{ family: 6, text: '00:01:30:f9:ad:a0', numbering: 2, interfaceNumber: 1001 }],
        portVlanId: 488,
        protocolVlans: [{ id: 0, isSupported: false, isEnabled: false }],
        vlanNames: [{ id: 488, name: 'v2-0488-03-0505' }],
        linkAggregation: { isSupported: true, isEnabled: false, portId: 0 },
        maxFrameBytes: 1522,
      },
    })
  })

  test('every case is run but for those that need a kernel, a server or a switch', () => {
    const elsewhere = ['TestFlowsEBPFPCAPTrace', 'TestReplayCapture', 'TestPcapInject', 'TestLLDP']
    const names = traces.flatMap(({ cases }) => cases.map(({ test: name, asserts }) => ({ name, asserts })))
    const notRun = names.filter(({ name, asserts }) => !asserts.contains && !(name in OTHER_CASES)).map(({ name }) => name)
    expect(notRun.filter((name) => !elsewhere.includes(name))).toEqual([])
  })
})

/** The wanted members, each inner object as a partial match. */
function subset(wanted: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null ? expect.objectContaining(value as FlowLayer & Record<string, unknown>) : value,
    ]),
  )
}
