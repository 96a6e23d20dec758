import type { GraphNode, GraphView } from '@skydive/contracts'

/** A traversal written by hand as generators over lists of neighbours, one chained to the next. */
export interface GeneratorPeer {
  /** How many nodes `V().Has(Type within host, bridge).Out().Has(Type veth).Has(MTU > 1500).Out().Dedup()` finds. */
  run(): number
}

function* within(rows: Iterable<number>, nodes: readonly GraphNode[], key: string, wanted: readonly string[]): Generator<number> {
  for (const row of rows) {
    const value = nodes[row]!.metadata[key]
    if (typeof value === 'string' && wanted.includes(value)) yield row
  }
}

function* greater(rows: Iterable<number>, nodes: readonly GraphNode[], key: string, limit: number): Generator<number> {
  for (const row of rows) {
    const value = nodes[row]!.metadata[key]
    if (typeof value === 'number' && value > limit) yield row
  }
}

function* out(rows: Iterable<number>, children: readonly (readonly number[])[]): Generator<number> {
  for (const row of rows) yield* children[row]!
}

function* dedup(rows: Iterable<number>): Generator<number> {
  const seen = new Set<number>()
  for (const row of rows) {
    if (seen.has(row)) continue
    seen.add(row)
    yield row
  }
}

/** Neighbours are laid out as arrays before anything is timed, and the first step gets what the index has, as the engine does. */
export function generatorPeer(view: GraphView): GeneratorPeer {
  const nodes: GraphNode[] = []
  const children: number[][] = []
  view.forEachNode((row) => {
    nodes[row] = view.node(row)
    const list: number[] = []
    view.forEachOut(row, (_edge, child) => {
      list.push(child)
      return true
    })
    children[row] = list
    return true
  })
  const first = ['host', 'bridge'].flatMap((type) => {
    const rows: number[] = []
    view.forEachNodeWith('Type', type, (row) => {
      rows.push(row)
      return true
    })
    return rows
  })
  return {
    run: () => {
      let count = 0
      const start = out(within(first, nodes, 'Type', ['host', 'bridge']), children)
      const veths = greater(within(start, nodes, 'Type', ['veth']), nodes, 'MTU', 1500)
      for (const _row of dedup(out(veths, children))) count++
      return count
    },
  }
}
