/**
 * Queries as selections of elements. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

import { type GraphView, InvalidArgumentError } from '@skydive/contracts'
import { compileGraphQuery } from './engine.ts'

/** The ids of nodes and of edges that a query means in one view of a graph. */
export interface SelectedElements {
  /** Of nodes, and of the nodes of a graph. */
  readonly nodes: ReadonlySet<string>
  /** Of edges, and of the edges of a graph. */
  readonly edges: ReadonlySet<string>
}

/**
 * Compiles a query over the graph at one time to what tells which elements it means in a view, as often as wanted: `G.V().Has('Type','veth')`.
 * @throws GremlinError, at once; ERR_INVALID_ARGUMENT, when it is used, for a query that answers neither nodes nor edges nor a graph.
 */
export async function elementSelector(gremlin: string): Promise<(view: GraphView) => SelectedElements> {
  const query = await compileGraphQuery(gremlin)
  return (view) => {
    const result = query.run(view)
    if (result.kind !== 'nodes' && result.kind !== 'edges' && result.kind !== 'graph') {
      throw new InvalidArgumentError(`gremlin: the query answers ${result.kind}; it must answer nodes, edges or a graph`, {
        gremlin,
      })
    }
    const ids = (elements: readonly { readonly id: string }[]): ReadonlySet<string> => new Set(elements.map(({ id }) => id))
    return {
      nodes: ids(result.kind === 'edges' ? [] : result.nodes),
      edges: ids(result.kind === 'nodes' ? [] : result.edges),
    }
  }
}
