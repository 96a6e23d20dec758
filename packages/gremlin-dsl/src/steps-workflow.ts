import { SkydiveError } from '@skydive/contracts'
import { elementView } from '@skydive/filter'
import type { WorkflowArgument } from './runtime.ts'
import type { Binder } from './steps-graph.ts'

/** What only those load who run workflows. */
const loadWorkflow = () => import('./workflow.ts')

/** `Workflow(idOrName, args…)`: the graph that a stored workflow makes. */
export const bindWorkflow: Binder = (plan, args) => {
  if (args.params.length === 0) throw args.wrong('Workflow requires at least 1 parameter')
  const name = args.string(0, 'Workflow accepts a workflow id or name as first parameter')
  const values = args.params.slice(1).map((param): WorkflowArgument => {
    if (param.kind === 'string' || param.kind === 'number' || param.kind === 'boolean') return param.value
    throw args.fail('Workflow arguments have to be strings, numbers or booleans', param)
  })
  plan.outerStage('graph', async (_input, run) => {
    const { runWorkflow } = await loadWorkflow()
    run.graph = await runWorkflow(name, values, run, args, { SkydiveError, elementView })
    return run.graph
  })
}
