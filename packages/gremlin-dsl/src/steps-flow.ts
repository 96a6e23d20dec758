import type { EnhancedFlow, FlowQuery, GraphView, MetadataValue } from '@skydive/contracts'
import {
  allOf,
  anyOf,
  arrangeFlows,
  canonicalFlowField,
  compileFilter,
  dedupBy,
  enhancedFlowField,
  FLOW_FIELDS,
  isFlowSide,
} from '@skydive/filter'
import { elementKey, type StepArguments } from './arguments.ts'
import { FlowDraft, flowFilters } from './flow-draft.ts'
import { NodeFinder } from './node-finder.ts'
import type { PlanBuilder } from './plan-builder.ts'
import type { FlowsValue, RowsValue, Run, Value } from './runtime.ts'
import { rangeArguments, sortArguments, sumKey } from './steps-element.ts'
import type { Binder } from './steps-graph.ts'
import { suggest } from './suggest.ts'

/** Nodes on which traffic can be captured; flows of others are not even asked for (spec graph 4.8). */
const CAPTURABLE = new Set(
  (
    'ovsbridge ovsport dpdkport internal veth tun bridge dummy gre bond can hsr ifb macvlan macvtap vlan vxlan gretap ip6gretap ' +
    'geneve ipoib vcan ipip ipvlan lowpan ip6tnl ip6gre sit device'
  ).split(' '),
)

/** Of which nodes flows are wanted: all of them, or those with these TIDs. */
function scopeOf(input: Value): Pick<FlowQuery, 'nodeTids' | 'hosts'> {
  if (input.kind === 'graph') return {}
  const { view, rows } = input.kind === 'paths' ? { view: input.view, rows: input.paths.flat() } : (input as RowsValue)
  const tids = new Set<string>()
  const hosts = new Set<string>()
  for (const row of rows) {
    const { metadata, host } = view.node(row)
    const tid = metadata['TID']
    if (typeof tid !== 'string' || tid === '' || !CAPTURABLE.has(String(metadata['Type']))) continue
    tids.add(tid)
    hosts.add(host)
  }
  return { nodeTids: [...tids], hosts: [...hosts] }
}

export const bindFlows: Binder = (plan, args) => {
  const draft = new FlowDraft()
  draft.filter(flowFilters(args))
  plan.outerStage('flows', (input, run) => {
    const query: FlowQuery = { ...draft.query(), ...scopeOf(input) }
    return { kind: 'flows', query, slice: run.graph.slice, flows: undefined }
  })
  plan.flowDraft = draft
}

/** Adds a step that works on the flows themselves, because the reader can't do it in its order. */
function inMemory(plan: PlanBuilder, change: (flows: readonly EnhancedFlow[]) => readonly EnhancedFlow[]): void {
  plan.outerStage('flows', async (input, run) => {
    const value = input as FlowsValue
    return { ...value, flows: change(await run.flowsOf(value)) }
  })
}

function filterFlows(plan: PlanBuilder, filters: ReturnType<typeof flowFilters>): void {
  if (plan.flowDraft?.filter(filters)) return
  const test = compileFilter(allOf(filters), enhancedFlowField, plan.regex)
  inMemory(plan, (flows) => flows.filter(test))
}

export const bindFlowHas: Binder = (plan, args) => {
  args.atLeastTwo()
  filterFlows(plan, flowFilters(args))
}

export const bindFlowHasEither: Binder = (plan, args) => {
  args.atLeastTwo()
  filterFlows(plan, [anyOf(flowFilters(args))])
}

export const bindFlowDedup: Binder = (plan, args) => {
  const keys = args.strings(`Dedup parameters have to be string keys : ${args.shown()}`).map(canonicalFlowField)
  const [key = 'TrackingID', ...others] = keys
  if (others.length === 0 && plan.flowDraft?.dedup(key)) return
  const fields = [key, ...others].map(enhancedFlowField)
  inMemory(plan, (flows) => dedupBy(flows, fields))
}

export const bindFlowSort: Binder = (plan, args) => {
  const { key, descending } = sortArguments(args, 'Last')
  const field = canonicalFlowField(key)
  if (plan.flowDraft?.sort(field, descending)) return
  inMemory(plan, (flows) => arrangeFlows(flows, { Sort: true, SortBy: field, SortOrder: descending ? 2 : 1 }))
}

export const bindFlowRange: Binder = (plan, args) => {
  const { from, to } = rangeArguments(args)
  if (plan.flowDraft?.range(from, to)) return
  inMemory(plan, (flows) => flows.slice(from, to))
}

export const bindFlowCount: Binder = (plan, args) => {
  args.none()
  plan.outerStage('number', async (input, run) => ({ kind: 'number', value: (await run.flowsOf(input as FlowsValue)).length }))
}

export const bindFlowKeys: Binder = (plan, args) => {
  args.none()
  plan.outerStage('values', () => ({ kind: 'values', values: FLOW_FIELDS }))
}

const KNOWN_FIELDS = new Set(FLOW_FIELDS)

/** Refuses a field that no flow ever has. @throws ERR_GREMLIN_EXECUTION. */
export function checkFlowField(key: string, args: StepArguments): void {
  if (KNOWN_FIELDS.has(key) || key.startsWith('Place.') || isFlowSide(key)) return
  const suggestion = suggest(key, FLOW_FIELDS)
  throw args.error('ERR_GREMLIN_EXECUTION', 'Field not found', args.params[0]?.start, {
    expected: 'a field of flows, such as Metric.ABBytes',
    found: key,
    suggestion,
  })
}

export const bindFlowValues: Binder = (plan, args) => {
  args.exactly(1)
  const key = canonicalFlowField(args.string(0, 'Values parameter has to be a string key'))
  const read = enhancedFlowField(key)
  plan.outerStage('values', async (input, run) => {
    const flows = await run.flowsOf(input as FlowsValue)
    const values: MetadataValue[] = []
    for (const flow of flows) {
      const value = read(flow)
      if (value !== undefined) values.push(value)
    }
    // A field that this flow lacks is left out; a field that no flow ever has is a mistake.
    if (values.length === 0 && flows.length > 0) checkFlowField(key, args)
    return { kind: 'values', values }
  })
}

export const bindFlowSum: Binder = (plan, args) => {
  const key = sumKey(args)
  if (!/^(LastUpdate)?Metric\./.test(key)) throw args.wrong(`Sum on flows needs a key of Metric or LastUpdateMetric, got: ${key}`)
  const read = enhancedFlowField(key)
  plan.outerStage('number', async (input, run) => {
    let total = 0
    for (const flow of await run.flowsOf(input as FlowsValue)) {
      const value = read(flow)
      if (typeof value === 'number') total += value
      else if (!KNOWN_FIELDS.has(key)) throw args.error('ERR_GREMLIN_EXECUTION', 'Field not found')
    }
    return { kind: 'number', value: total }
  })
}

/** Which nodes a flow leads to, in order. */
type Places = (flow: EnhancedFlow['flow'], finder: NodeFinder) => readonly number[]

const captureNode: Places = ({ NodeTID = '' }, finder) => [finder.find('TID', NodeTID)]

const allNodes: Places = (flow, finder) => [
  ...captureNode(flow, finder),
  finder.find('MAC', flow.Link?.A ?? ''),
  finder.find('MAC', flow.Link?.B ?? ''),
]

/** The interface that has the address, or the one whose peer has it. */
function interfaceOf(mac: string | undefined, finder: NodeFinder): number {
  const own = finder.find('MAC', mac ?? '')
  return own >= 0 ? own : finder.find('PeerIntfMAC', mac ?? '')
}

const sourceNode: Places = ({ Link }, finder) => [interfaceOf(Link?.A, finder)]
const targetNode: Places = ({ Link }, finder) => [interfaceOf(Link?.B, finder)]
const bothNodes: Places = (flow, finder) => [...sourceNode(flow, finder), ...targetNode(flow, finder)]

function bindPlaces(places: Places): Binder {
  return (plan, args) => {
    const filters = args.optionalFilters(elementKey)
    plan.outerStage('nodes', async (input, run) => {
      const flows = await run.flowsOf(input as FlowsValue)
      const view = await run.openView()
      return { kind: 'nodes', view, rows: rowsOf(flows, view, run, places) }
    })
    for (const filter of filters) plan.filter(filter)
  }
}

function rowsOf(flows: readonly EnhancedFlow[], view: GraphView, run: Run, places: Places): readonly number[] {
  const finder = new NodeFinder(view, run.budget)
  return flows.flatMap(({ flow }) => places(flow, finder).filter((row) => row >= 0))
}

export const bindCaptureNode = bindPlaces(captureNode)
export const bindFlowNodes = bindPlaces(allNodes)
export const bindFlowIn = bindPlaces(sourceNode)
export const bindFlowOut = bindPlaces(targetNode)
export const bindFlowBoth = bindPlaces(bothNodes)

/** The query for what belongs to the flows of a value: the one that found them, or their UUIDs when they were worked on since. */
export function queryFor(value: FlowsValue): FlowQuery {
  if (!value.flows) return value.query
  return { Filter: anyOf(value.flows.map(({ flow }) => ({ TermStringFilter: { Key: 'UUID', Value: flow.UUID } }))) }
}

/** Whether it is known that there is no flow at all, so that nobody has to be asked. */
export function isKnownEmpty(value: FlowsValue): boolean {
  return value.flows?.length === 0 || value.query.nodeTids?.length === 0
}
