import { SkydiveError } from '@skydive/contracts'
import { elementView } from '@skydive/filter'
import type { Param } from './ast.ts'
import type { WorkflowArgument, WorkflowGraph } from './runtime.ts'
import type { Binder } from './steps-graph.ts'

/** Errors of a runner that mean the same to whoever asks; any other is the workflow's own. */
const PASSED_ON = new Set(['ERR_NOT_FOUND', 'ERR_CANCELLED', 'ERR_LIMIT', 'ERR_UNAVAILABLE'])

function argumentOf(param: Param): WorkflowArgument | undefined {
  return param.kind === 'string' || param.kind === 'number' || param.kind === 'boolean' ? param.value : undefined
}

/** `Workflow(idOrName, args…)`: the graph that a stored workflow makes. */
export const bindWorkflow: Binder = (plan, args) => {
  if (args.params.length === 0) throw args.wrong('Workflow requires at least 1 parameter')
  const name = args.string(0, 'Workflow accepts a workflow id or name as first parameter')
  const values = args.params.slice(1).map((param) => {
    const value = argumentOf(param)
    if (value === undefined) throw args.fail('Workflow arguments have to be strings, numbers or booleans', param)
    return value
  })
  plan.outerStage('graph', async (_input, run) => {
    const { workflow } = run.sources
    if (!workflow) throw args.error('ERR_GREMLIN_UNSUPPORTED', 'Workflow is not available here: nobody runs workflows')
    let made: WorkflowGraph
    try {
      made = await run.wait((options) => workflow(name, values, { ...options, query: (text) => run.nested(text) }))
    } catch (error) {
      if (SkydiveError.isInstance(error) && PASSED_ON.has(error.code)) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw args.error('ERR_GREMLIN_EXECUTION', `error while executing workflow: ${reason}`)
    }
    run.budget.results(made.nodes.length + made.edges.length)
    run.graph = {
      kind: 'graph',
      slice: run.graph.slice,
      view: elementView({ nodes: made.nodes, edges: made.edges, slice: undefined }),
      free: true,
    }
    return run.graph
  })
}
