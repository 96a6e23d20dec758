import type { GremlinEngine, QueryOptions } from '../engine.ts'
import type { GremlinResult } from '../result.ts'
import type { Query } from './queries.ts'

/**
 * Runs a typed query and answers its bare result: `const hosts = await ask(engine, g.V().has('Type', 'host'))` is `readonly GraphNode[]`.
 * What an answer says besides (coverage, sources that did not answer) comes by `engine.query(String(query))`. @throws as that does.
 */
export async function ask<R>(engine: Pick<GremlinEngine, 'query'>, query: Query<R>, options?: QueryOptions): Promise<R> {
  const { result } = await engine.query(String(query), options)
  return bare(result) as R
}

function bare(result: GremlinResult): unknown {
  switch (result.kind) {
    case 'graph':
      return { nodes: result.nodes, edges: result.edges }
    case 'nodes':
      return result.nodes
    case 'edges':
      return result.edges
    case 'paths':
      return result.paths
    case 'number':
      return result.value
    case 'values':
      return result.values
    case 'flows':
      return result.flows
    case 'metrics':
      return result.metrics
    case 'metric':
      return result.metric
    case 'rawpackets':
      return result.packets
    case 'sockets':
      return result.sockets
    case 'groups':
    case 'elementgroups':
      return result.groups
    case 'nexthops':
      return result.nextHops
  }
}
