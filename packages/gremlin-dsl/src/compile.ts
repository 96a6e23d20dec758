import { loadRegex, type RegexCompiler } from '@skydive/filter'
import { StepArguments } from './arguments.ts'
import type { GremlinQuery, Param } from './ast.ts'
import { GremlinError } from './error.ts'
import { type Plan, PlanBuilder } from './plan-builder.ts'
import { bindStep } from './steps.ts'

function hasRegex(params: readonly Param[]): boolean {
  return params.some(
    (param) => 'args' in param && ((param.kind === 'predicate' && param.name === 'Regex') || hasRegex(param.args)),
  )
}

/** Whether a query needs the RE2 engine. */
export function needsRegexEngine(query: GremlinQuery): boolean {
  return query.steps.some((step) => hasRegex(step.params))
}

/**
 * Compiles a parsed query: checks every argument and the order of the steps, and builds what runs. Without an engine regular expressions are
 * only noted, which is enough to check a query. `isOutlined`: the plan tells how it came about. @throws ERR_GREMLIN_ARGUMENT, ERR_GREMLIN_STEP, ERR_GREMLIN_UNSUPPORTED.
 */
export function compilePlan(query: GremlinQuery, regex: RegexCompiler | undefined, isOutlined = false): Plan {
  const plan = new PlanBuilder(query.text, regex, isOutlined)
  for (const step of query.steps) {
    try {
      bindStep(plan, new StepArguments(query.text, step))
    } catch (error) {
      if (error instanceof GremlinError) throw error
      // A pattern that the engine refuses: the error of the filter, at this step.
      throw new GremlinError('ERR_GREMLIN_ARGUMENT', (error as Error).message, query.text, step.start, {}, error)
    }
  }
  // A bare `G` is the whole graph, which has to be read then.
  if (plan.kind === 'graph') plan.openGraph()
  return plan.build()
}

/** {@link compilePlan} with the engine loaded when the query needs it. */
export async function preparePlan(query: GremlinQuery, isOutlined = false): Promise<Plan> {
  return compilePlan(query, needsRegexEngine(query) ? await loadRegex() : undefined, isOutlined)
}
