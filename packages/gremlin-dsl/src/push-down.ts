import type { ElementSelection } from '@skydive/contracts'
import { allOf } from '@skydive/filter'
import type { PlannedStep, PlanOutline } from './plan-builder.ts'
import type { StepName } from './vocabulary.ts'

const TIMES: ReadonlySet<StepName> = new Set(['Context', 'At'])
/** Steps that need nothing of a graph but the elements that they are given. */
const READS_ROWS_ALONE: ReadonlySet<StepName> = new Set([
  'Has',
  'HasKey',
  'HasNot',
  'HasEither',
  'Dedup',
  'Limit',
  'Range',
  'Sort',
  'Count',
  'Values',
  'ValueMap',
  'Keys',
  'Sum',
  'As',
  'Select',
  'Metrics',
  'Aggregates',
  'Sockets',
  'NextHop',
])

/**
 * What a store may be asked for instead of the whole graph of a time: the elements that pass the first conditions, when the query follows no
 * edge. A limit right behind the conditions goes along, because a store tells rows in the order of a view. `undefined` otherwise.
 */
export function selectionOf({ steps, walks }: PlanOutline): ElementSelection | undefined {
  // The outline may begin with the first step that sets a time.
  const first = steps.findIndex(({ step }) => step.name !== 'G')
  const start = steps.findIndex(({ step }) => step.name !== 'G' && !TIMES.has(step.name))
  const source = steps[start]
  if (start <= first || !source || (source.step.name !== 'V' && source.step.name !== 'E')) return undefined
  const rest = steps.slice(start + 1)
  if (!rest.every(({ step }) => READS_ROWS_ALONE.has(step.name))) return undefined
  const conditions = walks[source.stage]?.source.conditions ?? []
  const next = rest.find(({ place, stage }) => stage !== source.stage || place !== 'source')
  const limit = next ? limitOf(next) : undefined
  return {
    kind: source.step.name === 'V' ? 'node' : 'edge',
    ...(conditions.length > 0 && { filter: allOf(conditions) }),
    ...(limit !== undefined && { limit }),
  }
}

function limitOf({ step }: PlannedStep): number | undefined {
  if (step.name !== 'Limit' && step.name !== 'Range') return undefined
  const last = step.params.at(-1)
  return last?.kind === 'number' ? last.value : undefined
}
