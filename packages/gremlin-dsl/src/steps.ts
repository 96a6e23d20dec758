import type { StepArguments } from './arguments.ts'
import type { GremlinErrorDetail } from './error.ts'
import type { PlanBuilder } from './plan-builder.ts'
import * as element from './steps-element.ts'
import * as flow from './steps-flow.ts'
import * as graph from './steps-graph.ts'
import { bindElementGroup, bindGroup, bindMoreThan } from './steps-group.ts'
import * as metric from './steps-metric.ts'
import { bindNextHop } from './steps-next-hop.ts'
import { bindWorkflow } from './steps-workflow.ts'
import { suggest } from './suggest.ts'
import type { Kind, StepName } from './vocabulary.ts'

type Binder = graph.Binder

/** How a step works on each kind of input; what is not named here it does not accept. */
type StepTable = { readonly [Name in StepName]: Partial<Record<Kind, Binder>> }

function rows(binder: Binder): Partial<Record<Kind, Binder>> {
  return { nodes: binder, edges: binder }
}

const captureNode = { flows: flow.bindCaptureNode }

/** The steps of the language. */
const STEPS: StepTable = {
  G: { graph: graph.bindG, ...rows(graph.bindG) },
  Context: { graph: graph.bindContext },
  At: { graph: graph.bindContext },
  V: { graph: graph.bindV },
  E: { graph: graph.bindE },
  Has: { ...rows(element.bindHas), values: element.bindHas, flows: flow.bindFlowHas, sockets: metric.bindSocketHas },
  HasKey: rows(element.bindHasKey),
  HasNot: rows(element.bindHasNot),
  HasEither: { ...rows(element.bindHasEither), flows: flow.bindFlowHasEither, sockets: metric.bindSocketHasEither },
  Out: { nodes: graph.bindNeighbors('out'), flows: flow.bindFlowOut },
  In: { nodes: graph.bindNeighbors('in'), flows: flow.bindFlowIn },
  Both: { nodes: graph.bindNeighbors('both'), flows: flow.bindFlowBoth },
  OutE: { nodes: graph.bindIncidentEdges('out') },
  InE: { nodes: graph.bindIncidentEdges('in') },
  BothE: { nodes: graph.bindIncidentEdges('both') },
  OutV: { edges: graph.bindEnds('out') },
  InV: { edges: graph.bindEnds('in') },
  BothV: { edges: graph.bindEnds('both') },
  Dedup: { ...rows(element.bindDedup), paths: element.bindDedup, values: element.bindDedup, flows: flow.bindFlowDedup },
  ShortestPathTo: { nodes: graph.bindShortestPath },
  SubGraph: { ...rows(graph.bindSubGraph), paths: graph.bindSubGraph },
  Count: {
    ...rows(element.bindCount),
    paths: element.bindCount,
    values: element.bindCount,
    metrics: element.bindCount,
    flows: flow.bindFlowCount,
  },
  Range: { ...rows(element.bindRange), paths: element.bindRange, values: element.bindRange, flows: flow.bindFlowRange },
  Limit: { ...rows(element.bindRange), paths: element.bindRange, values: element.bindRange, flows: flow.bindFlowRange },
  Sort: { ...rows(element.bindSort), flows: flow.bindFlowSort },
  Values: { ...rows(element.bindValues), flows: flow.bindFlowValues, sockets: metric.bindSocketValues },
  ValueMap: rows(element.bindValueMap),
  Keys: { ...rows(element.bindKeys), flows: flow.bindFlowKeys, metrics: metric.bindMetricsKeys },
  Sum: { ...rows(element.bindSum), flows: flow.bindFlowSum, metrics: metric.bindMetricsSum },
  As: rows(element.bindAs),
  Select: { ...rows(element.bindSelect), graph: element.bindSelect },
  Flows: { graph: flow.bindFlows, nodes: flow.bindFlows, paths: flow.bindFlows },
  Hops: captureNode,
  CaptureNode: captureNode,
  Node: captureNode,
  Nodes: { flows: flow.bindFlowNodes },
  Metrics: { nodes: metric.bindNodeMetrics, flows: metric.bindFlowMetrics },
  Aggregates: { metrics: metric.bindAggregates },
  RawPackets: { flows: metric.bindRawPackets },
  BPF: { rawpackets: metric.bindBpf },
  Sockets: { nodes: metric.bindNodeSockets, flows: metric.bindFlowSockets },
  Descendants: { nodes: graph.bindReach('out') },
  Ascendants: { nodes: graph.bindReach('in') },
  Neighbors: { nodes: graph.bindReach('both') },
  Group: { ...rows(bindElementGroup), flows: bindGroup },
  MoreThan: { groups: bindMoreThan, elementgroups: bindMoreThan },
  NextHop: { nodes: bindNextHop },
  Workflow: { graph: bindWorkflow },
}

/** Steps whose error on a wrong input names them; the others say only that the query can't be executed (spec graph 4.12). */
const NAMED_IN_ERRORS = new Set<StepName>([
  'Has',
  'HasKey',
  'HasNot',
  'HasEither',
  'Dedup',
  'Out',
  'In',
  'Both',
  'Count',
  'Range',
  'Limit',
  'Sort',
  'Values',
  'ValueMap',
  'Keys',
  'Sum',
  'As',
  'Select',
  'G',
])

/** What scripts may know the kinds as, from the texts of old, behind `*traversal.`. */
const KIND_NAMES: Readonly<Record<Kind, string>> = {
  graph: 'GraphTraversal',
  nodes: 'GraphTraversalV',
  edges: 'GraphTraversalE',
  paths: 'GraphTraversalShortestPath',
  number: 'GraphTraversalValue',
  values: 'GraphTraversalValue',
  flows: 'FlowTraversalStep',
  metrics: 'MetricsTraversalStep',
  metric: 'GraphTraversalValue',
  rawpackets: 'RawPacketsTraversalStep',
  sockets: 'SocketsTraversalStep',
  groups: 'GroupTraversalStep',
  elementgroups: 'GroupTraversalStep',
  nexthops: 'NextHopTraversalStep',
}

/** Adds one step to a plan. @throws ERR_GREMLIN_STEP, or what its arguments raise. */
export function bindStep(plan: PlanBuilder, args: StepArguments): void {
  const { name, start } = args.step
  const binder = STEPS[name][plan.kind]
  if (!binder) {
    const summary = NAMED_IN_ERRORS.has(name)
      ? `Invalid step '${name}' on '*traversal.${KIND_NAMES[plan.kind]}'`
      : 'Error while executing the query'
    throw args.error('ERR_GREMLIN_STEP', summary, start, misplaced(name, plan.kind, args.written()))
  }
  plan.beginStep()
  binder(plan, args)
  plan.endStep(args.step)
}

/** What a step that can't follow could be instead. */
function misplaced(name: StepName, kind: Kind, found: string): GremlinErrorDetail {
  const possible = stepsAfter(kind)
  const shown = possible.length === 0 ? 'the end' : `a step that can follow ${KIND_WORDS[kind]}: ${possible.join(', ')}`
  const suggestion = suggest(name, possible)
  return { expected: shown, found, suggestion }
}

/** The kinds as people call them. */
export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  graph: 'a graph',
  nodes: 'nodes',
  edges: 'edges',
  paths: 'paths',
  number: 'a number',
  values: 'values',
  flows: 'flows',
  metrics: 'metrics',
  metric: 'a metric',
  rawpackets: 'raw packets',
  sockets: 'sockets',
  groups: 'groups of flows',
  elementgroups: 'groups of nodes or edges',
  nexthops: 'next hops',
}

/** The steps that may follow a result of a kind, in the order of the documents. */
export function stepsAfter(kind: Kind): readonly StepName[] {
  return (Object.keys(STEPS) as StepName[]).filter((name) => STEPS[name][kind] !== undefined)
}
