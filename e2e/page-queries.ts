// The program of a page that asks graph, Gremlin and filter single questions.
import type { Filter } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '@skydive/gremlin-dsl'
import { watch } from '@skydive/gremlin-dsl/watch'
import { elementField, prepareFilter } from '../packages/filter/src/index.ts'

const graph = createGraph()
graph.writer({ origin: 'page', host: 'page' }).transaction((tx) => {
  tx.addNode({ id: 'a', metadata: { Type: 'host', Name: 'alpha' } })
  tx.addNode({ id: 'b', metadata: { Type: 'host', Name: 'beta' } })
})
const gremlin = createGremlin({ graph })

/** Answers a query. */
export async function query(text: string): Promise<unknown> {
  return resultToJson((await gremlin.query(text)).result)
}

/** The ids in the first result of a continuous query over nodes. */
export async function watched(text: string): Promise<unknown> {
  for await (const delta of watch(graph, text)) return delta.kind === 'nodes' ? delta.added.map(({ id }) => id) : delta
  return undefined
}

/** The ids of the nodes that a filter matches. */
export async function filtered(filter: Filter): Promise<unknown> {
  const matches = await prepareFilter(filter, elementField)
  const ids: string[] = []
  graph.view.forEachNode((row) => {
    const node = graph.view.node(row)
    if (matches(node)) ids.push(node.id)
    return true
  })
  return ids
}
