import type { EnhancedFlow, GraphEdge, GraphNode, MetadataValue } from '@skydive/contracts'
import { canonicalFlowField, elementField, enhancedFlowField } from '@skydive/filter'
import { elementKey, type StepArguments } from './arguments.ts'
import type { FlowsValue, RowsValue, Value } from './runtime.ts'
import { checkFlowField } from './steps-flow.ts'
import type { Binder } from './steps-graph.ts'
import type { RowKind } from './stream.ts'

/** The text that a group is known by; what lacks the field is together under the empty one. */
export function groupName(value: MetadataValue | undefined): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `Group([key])`: flows by the value of a field, `TrackingID` by default. */
export const bindGroup: Binder = (plan, args) => {
  if (args.params.length > 1) throw args.wrong(`Group accepts at most one parameter : ${args.shown()}`)
  const written = args.params.length === 0 ? 'TrackingID' : args.string(0, 'Group parameter has to be a string key')
  const key = canonicalFlowField(written)
  const read = enhancedFlowField(key)
  plan.outerStage('groups', async (input, run) => {
    const flows = await run.flowsOf(input as FlowsValue)
    const groups = new Map<string, EnhancedFlow[]>()
    let isKnown = false
    for (const flow of flows) {
      const value = read(flow)
      isKnown ||= value !== undefined
      const name = groupName(value)
      const group = groups.get(name)
      if (group) group.push(flow)
      else groups.set(name, [flow])
    }
    if (!isKnown && flows.length > 0) checkFlowField(key, args)
    return { kind: 'groups', groups }
  })
}

/** The groups that an element is in: of an array one for each of its elements. */
export function groupNames(value: MetadataValue | undefined): readonly string[] {
  return Array.isArray(value) && value.length > 0 ? [...new Set(value.map(groupName))] : [groupName(value)]
}

/** The key by which nodes or edges are grouped when none is given. */
export function elementGroupKey(kind: RowKind, args: StepArguments): string {
  if (args.params.length > 1) throw args.wrong(`Group accepts at most one parameter : ${args.shown()}`)
  if (args.params.length === 0) return kind === 'nodes' ? 'Type' : 'RelationType'
  return args.string(0, 'Group parameter has to be a string key')
}

/** `Group([key])`: nodes by the value of a field, `Type` by default; edges by `RelationType`. */
export const bindElementGroup: Binder = (plan, args) => {
  const rowKind = plan.kind as RowKind
  const key = elementGroupKey(rowKind, args)
  const read = elementField(key)
  plan.keys.add(elementKey(key))
  plan.stage('elementgroups', (input) => {
    const { view, rows } = input as RowsValue
    const groups = new Map<string, (GraphNode | GraphEdge)[]>()
    for (const row of rows) {
      const element = rowKind === 'nodes' ? view.node(row) : view.edge(row)
      for (const name of groupNames(read(element))) {
        const group = groups.get(name)
        if (group) group.push(element)
        else groups.set(name, [element])
      }
    }
    return { kind: 'elementgroups', groups }
  })
}

function larger<T>(groups: ReadonlyMap<string, readonly T[]>, threshold: number): ReadonlyMap<string, readonly T[]> {
  return new Map([...groups].filter(([, members]) => members.length > threshold))
}

/** `MoreThan([n])`: the groups of more than n members, 1 by default. */
export const bindMoreThan: Binder = (plan, args) => {
  if (args.params.length > 1) throw args.wrong(`MoreThan accepts at most one parameter : ${args.shown()}`)
  const threshold = args.params.length === 0 ? 1 : args.index(0)
  if (plan.kind === 'elementgroups') {
    plan.stage('elementgroups', (input) => {
      const { groups } = input as Extract<Value, { kind: 'elementgroups' }>
      return { kind: 'elementgroups', groups: larger(groups, threshold) }
    })
    return
  }
  plan.outerStage('groups', (input) => {
    const { groups } = input as Extract<Value, { kind: 'groups' }>
    return { kind: 'groups', groups: larger(groups, threshold) }
  })
}
