import type { StepArguments } from './arguments.ts'
import type { GraphValue, Run, WorkflowArgument, WorkflowGraph } from './runtime.ts'

/** What this shares with the rest, and is handed: it is loaded when it is first needed, and an import would part the code of all others. */
export type WorkflowTools = Pick<typeof import('@skydive/contracts'), 'SkydiveError'> &
  Pick<typeof import('@skydive/filter'), 'elementView'>

/** Errors of a runner that mean the same to whoever asks; any other is the workflow's own. */
const PASSED_ON = new Set(['ERR_NOT_FOUND', 'ERR_CANCELLED', 'ERR_LIMIT', 'ERR_UNAVAILABLE'])

/** The graph that a stored workflow makes. @throws ERR_GREMLIN_UNSUPPORTED, ERR_GREMLIN_EXECUTION; ERR_LIMIT; what {@link PASSED_ON} has. */
export async function runWorkflow(
  name: string,
  values: readonly WorkflowArgument[],
  run: Run,
  args: StepArguments,
  { SkydiveError, elementView }: WorkflowTools,
): Promise<GraphValue> {
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
  return {
    kind: 'graph',
    slice: run.graph.slice,
    view: elementView({ nodes: made.nodes, edges: made.edges, slice: undefined }),
    free: true,
  }
}
