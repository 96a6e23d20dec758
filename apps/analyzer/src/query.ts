import type { ExplainFunction, QueryAnswer, QueryFunction } from '@skydive/api-server'
import type { EnhancedFlow, GraphNode } from '@skydive/contracts'
import { type GremlinAnswer, type GremlinEngine, type GremlinResult, resultToJson } from '@skydive/gremlin-dsl'
import { explanationText } from '@skydive/gremlin-dsl/explain-text'

/** Gremlin as the API serves it. */
export function queryFunction(engine: GremlinEngine): QueryFunction {
  return (text, options) => {
    const answer = engine.answer(text, options.allowPartial ? { ...options, onBudget: 'partial' } : options)
    return answer instanceof Promise ? answer.then(present) : present(answer)
  }
}

function present({ result, missing, partial, flowCoverage }: GremlinAnswer): QueryAnswer {
  return {
    json: (form) => JSON.stringify(form?.places && result.kind === 'flows' ? result.flows.map(withPlace) : resultToJson(result)),
    ...(missing.length > 0 && { incomplete: missing }),
    ...(partial && { partial }),
    // Flows that an agent holds and did not tell are missing, whatever was watched.
    ...(flowCoverage && { coverage: missing.length > 0 ? { ...flowCoverage, complete: false } : flowCoverage }),
    ...(result.kind === 'graph' && { graph: result }),
    ...(result.kind === 'rawpackets' && { rawPackets: packetsOf(result) }),
  }
}

/** How Gremlin is run, as the API serves it. */
export function explainFunction(engine: GremlinEngine): ExplainFunction {
  return async (text, { profile, ...options }) => {
    const explanation = profile ? await engine.profile(text, options) : await engine.explain(text, options)
    return { json: explanation, text: explanationText(explanation) }
  }
}

/** The Flow JSON with the names of its nodes beside it, for those who ask for them. */
function withPlace({ flow: { LastRawPackets: _packets, ...flow }, places }: EnhancedFlow): object {
  return { ...flow, Place: places }
}

/** The nodes of a result, also those of paths; a result of anything else has none. */
export function nodesOf(result: GremlinResult): readonly GraphNode[] {
  if (result.kind === 'nodes' || result.kind === 'graph') return result.nodes
  return result.kind === 'paths' ? result.paths.flat() : []
}

function packetsOf(result: GremlinResult & { kind: 'rawpackets' }) {
  return [...result.packets.values()].flat().sort((a, b) => a.Timestamp - b.Timestamp)
}
