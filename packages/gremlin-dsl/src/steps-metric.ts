import type { MetadataObject, MetadataValue, RawPacket, TimeSlice } from '@skydive/contracts'
import { UnsupportedError } from '@skydive/contracts'
import { allOf, compileFilter, compilePath, elementField, isMetadataObject } from '@skydive/filter'
import { aggregate, MAX_SLICES, sumRecords } from './aggregate.ts'
import type { StepArguments } from './arguments.ts'
import type { FlowsValue, MetricRecord, RowsValue, Run, Value } from './runtime.ts'
import type { SocketList } from './sockets.ts'
import { sumKey } from './steps-element.ts'
import { isKnownEmpty, queryFor } from './steps-flow.ts'
import type { Binder } from './steps-graph.ts'

type MetricsValue = Extract<Value, { kind: 'metrics' }>
type PacketsValue = Extract<Value, { kind: 'rawpackets' }>
type SocketsValue = Extract<Value, { kind: 'sockets' }>

/** Whose metrics a name asks for, if not those of the interface itself. */
const METRIC_NAME = /^(?:(SFlow|Ovs)(?:\.LastUpdateMetric)?|LastUpdateMetric)$/

function isRecord(value: MetadataValue): value is MetadataObject & MetricRecord {
  return isMetadataObject(value) && Object.values(value).every((member) => typeof member === 'number')
}

/** Records that touch the slice. At an instant it is the record of that revision, whenever it was measured. */
function touches(record: MetricRecord, slice: TimeSlice | undefined): boolean {
  if (!slice || slice.startMs === slice.lastMs) return true
  return (record['Start'] ?? 0) <= slice.lastMs && (record['Last'] ?? 0) >= slice.startMs
}

export const bindNodeMetrics: Binder = (plan, args) => {
  const name = args.params.length === 0 ? 'LastUpdateMetric' : args.string(0, `Metric field unknown : ${args.shown()}`)
  const known = args.params.length > 1 ? null : METRIC_NAME.exec(name)
  if (!known) throw args.wrong(`Metric field unknown : ${args.shown()}`)
  const path = `${known[1] ? `${known[1]}.` : ''}LastUpdateMetric`
  const read = elementField(path)
  plan.keys.add(path)
  plan.stage('metrics', (input) => {
    const { view, rows } = input as RowsValue
    const metrics = new Map<string, MetricRecord[]>()
    const seen = new Set<string>()
    for (const row of rows) {
      const node = view.node(row)
      const record = read(node)
      if (record === undefined) continue
      if (!isRecord(record)) throw args.error('ERR_GREMLIN_EXECUTION', 'wrong interface metric type')
      const key = `${node.id} ${record['Start'] ?? 0}`
      if (seen.has(key) || !touches(record, view.slice)) continue
      seen.add(key)
      const known = metrics.get(node.id)
      if (known) known.push(record)
      else metrics.set(node.id, [record])
    }
    for (const records of metrics.values()) records.sort((a, b) => (a['Start'] ?? 0) - (b['Start'] ?? 0))
    return { kind: 'metrics', metrics, aggregated: false }
  })
}

export const bindFlowMetrics: Binder = (plan, args) => {
  args.none()
  plan.outerStage('metrics', async (input, run) => {
    const value = input as FlowsValue
    const metrics = isKnownEmpty(value)
      ? new Map<string, readonly MetricRecord[]>()
      : await run.wait((options) => run.flowReader().metrics(queryFor(value), value.slice, options))
    run.budget.check()
    return { kind: 'metrics', metrics: metrics as ReadonlyMap<string, readonly MetricRecord[]>, aggregated: false }
  })
}

export const bindMetricsSum: Binder = (plan, args) => {
  if (args.params.length === 0) {
    plan.stage('metric', (input) => ({ kind: 'metric', metric: sumRecords(recordsOf(input)) }))
    return
  }
  const key = sumKey(args)
  plan.stage('number', (input) => {
    let value = 0
    for (const record of recordsOf(input)) if (Object.hasOwn(record, key)) value += record[key]!
    return { kind: 'number', value }
  })
}

function* recordsOf(input: Value): Iterable<MetricRecord> {
  for (const records of (input as MetricsValue).metrics.values()) yield* records
}

export const bindMetricsKeys: Binder = (plan, args) => {
  args.none()
  plan.stage('values', (input) => {
    const keys = new Set<string>()
    for (const record of recordsOf(input)) for (const key of Object.keys(record)) keys.add(key)
    return { kind: 'values', values: [...keys] }
  })
}

const DEFAULT_SLICE_SECONDS = 30

export const bindAggregates: Binder = (plan, args) => {
  const seconds = sliceSeconds(args)
  plan.stage('metrics', (input, run) => {
    const { metrics } = input as MetricsValue
    const window = windowOf(input, run)
    const stepMs = seconds * 1000
    const count = Math.ceil((window.lastMs - window.startMs) / stepMs)
    if (count > MAX_SLICES) {
      throw args.error('ERR_GREMLIN_EXECUTION', `Aggregates available slices exceeded: ${count}/${MAX_SLICES}`)
    }
    const aggregated = aggregate(metrics.values(), { ...window, stepMs })
    return { kind: 'metrics', metrics: new Map([['Aggregated', aggregated]]), aggregated: true }
  })
}

function sliceSeconds(args: StepArguments): number {
  const [first, ...others] = args.params
  if (first === undefined) return DEFAULT_SLICE_SECONDS
  if (first.kind !== 'number' || !Number.isInteger(first.value) || first.value <= 0 || others.length > 0) {
    throw args.wrong('Aggregates parameter has to be a positive number')
  }
  return first.value
}

/** The slice of the query, else from the first to the last thing measured. */
function windowOf(input: Value, run: Run): { startMs: number; lastMs: number } {
  const { slice } = run.graph
  if (slice && slice.startMs < slice.lastMs) {
    // `FOREVER` has no beginning worth slicing: begin where the data do.
    if (slice.startMs > 0) return slice
  }
  let startMs = Number.POSITIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY
  for (const record of recordsOf(input)) {
    startMs = Math.min(startMs, record['Start'] ?? 0)
    lastMs = Math.max(lastMs, record['Last'] ?? 0)
  }
  return startMs <= lastMs
    ? { startMs, lastMs: slice && slice.startMs < slice.lastMs ? slice.lastMs : lastMs }
    : { startMs: 0, lastMs: 0 }
}

export const bindRawPackets: Binder = (plan, args) => {
  args.none()
  plan.outerStage('rawpackets', async (input, run) => {
    const value = input as FlowsValue
    const packets = isKnownEmpty(value)
      ? new Map<string, readonly RawPacket[]>()
      : await run.wait((options) => run.flowReader().rawPackets(queryFor(value), value.slice, options))
    run.budget.check()
    return { kind: 'rawpackets', packets }
  })
}

export const bindBpf: Binder = (plan, args) => {
  if (args.params.length !== 1) throw args.wrong('BPF requires 1 parameter')
  const expression = args.string(0, 'BPF parameter has to be a string')
  plan.outerStage('rawpackets', async (input, run) => {
    const { packets } = input as PacketsValue
    const tests = new Map<number, (packet: RawPacket) => boolean>()
    const kept = new Map<string, readonly RawPacket[]>()
    for (const [uuid, list] of packets) {
      for (const { LinkType } of list) {
        if (!tests.has(LinkType)) tests.set(LinkType, await compilePacketFilter(run, expression, LinkType))
      }
      kept.set(
        uuid,
        list.filter((packet) => tests.get(packet.LinkType)!(packet)),
      )
    }
    return { kind: 'rawpackets', packets: kept }
  })
}

async function compilePacketFilter(run: Run, expression: string, linkType: number): Promise<(packet: RawPacket) => boolean> {
  const { packetFilter } = run.sources
  if (!packetFilter)
    throw new UnsupportedError('BPF is not available here: no compiler of packet filters', { package: 'libpcap0.8' })
  return packetFilter(expression, linkType)
}

const socketList: SocketList = (value) => (Array.isArray(value) ? value.filter(isMetadataObject) : undefined)

/** What only those load who look for the sockets of flows. */
const loadSockets = () => import('./sockets.ts')

export const bindNodeSockets: Binder = (plan, args) => {
  args.none()
  plan.keys.add('Sockets')
  plan.stage('sockets', (input) => {
    const { view, rows } = input as RowsValue
    const sockets = new Map<string, readonly MetadataObject[]>()
    for (const row of rows) {
      const node = view.node(row)
      const list = socketList(node.metadata['Sockets'])
      if (list) sockets.set(node.id, list)
    }
    return { kind: 'sockets', sockets }
  })
}

export const bindFlowSockets: Binder = (plan, args) => {
  args.none()
  plan.outerStage('sockets', async (input, run) => {
    const flows = await run.flowsOf(input as FlowsValue)
    const { SocketIndex } = await loadSockets()
    const index = new SocketIndex(await run.openView(), run.budget, socketList)
    const sockets = new Map<string, readonly MetadataObject[]>()
    for (const { flow } of flows) {
      const found = index.find(flow)
      if (found.length > 0) sockets.set(flow.UUID, found)
    }
    return { kind: 'sockets', sockets }
  })
}

function filterSockets(plan: Parameters<Binder>[0], test: (socket: MetadataObject) => boolean): void {
  plan.stage('sockets', (input) => {
    const kept = new Map<string, readonly MetadataObject[]>()
    for (const [key, list] of (input as SocketsValue).sockets) {
      const passing = list.filter(test)
      if (passing.length > 0) kept.set(key, passing)
    }
    return { kind: 'sockets', sockets: kept }
  })
}

export const bindSocketHas: Binder = (plan, args) => {
  args.atLeastTwo()
  filterSockets(plan, compileFilter<MetadataObject>(allOf(args.filters((key) => key)), compilePath, plan.regex))
}

export const bindSocketHasEither: Binder = (plan, args) => {
  args.atLeastTwo()
  filterSockets(
    plan,
    compileFilter<MetadataObject>(
      args.either((key) => key),
      compilePath,
      plan.regex,
    ),
  )
}

export const bindSocketValues: Binder = (plan, args) => {
  args.exactly(1)
  const read = compilePath(args.string(0, 'Values parameter has to be a string key'))
  plan.stage('values', (input) => {
    const values: MetadataValue[] = []
    for (const list of (input as SocketsValue).sockets.values()) {
      for (const socket of list) {
        const value = read(socket)
        if (value === undefined) throw args.error('ERR_GREMLIN_EXECUTION', 'Field not found')
        values.push(value)
      }
    }
    return { kind: 'values', values }
  })
}
