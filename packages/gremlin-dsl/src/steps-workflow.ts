import { SkydiveError } from '@skydive/contracts'
import { elementView } from '@skydive/filter'
import type { Param } from './ast.ts'
import type { WorkflowArgument } from './runtime.ts'
import type { Binder } from './steps-graph.ts'

function argumentOf(param: Param): WorkflowArgument | undefined {
  return param.kind === 'string' || param.kind === 'number' || param.kind === 'boolean' ? param.value : undefined
}

/** What only those load who run workflows. */
const loadWorkflow = () => import('./workflow.ts')

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
    const { runWorkflow } = await loadWorkflow()
    run.graph = await runWorkflow(name, values, run, args, { SkydiveError, elementView })
    return run.graph
  })
}
