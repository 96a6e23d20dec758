import { describe, expect, test } from '@jest/globals'
import {
  type GraphBatch,
  type GraphEdge,
  type GraphNode,
  type GraphView,
  type MetadataValue,
  NeighborSpan,
  type NeighborVisitor,
  type TimeSlice,
} from '@skydive/contracts'
import fc from 'fast-check'
import { expectEqual, expectIdentical } from '../test/expect-equal.ts'
import { createGraph, type Graph } from './index.ts'

/** What a random run does; ids are drawn from few, so that conflicts, reuse and absence all happen. */
type Step =
  | { readonly op: 'put-node'; readonly id: number; readonly key: number; readonly value: number }
  | { readonly op: 'delete-node'; readonly id: number }
  | { readonly op: 'put-edge'; readonly id: number; readonly parent: number; readonly child: number }
  | { readonly op: 'delete-edge'; readonly id: number }
  | { readonly op: 'fail' }
  | { readonly op: 'tick'; readonly ms: number }

const KEYS = ['Name', 'Type', 'MTU', 'A.B'] as const
const VALUES: readonly MetadataValue[] = ['x', 'y', '7', 7, true, ['x', 'y'], [7, '8']]
const small = fc.integer({ min: 0, max: 7 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('put-node' as const), id: small, key: small, value: small }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete-node' as const), id: small }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('put-edge' as const), id: small, parent: small, child: small }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete-edge' as const), id: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('fail' as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('tick' as const), ms: fc.integer({ min: 0, max: 3 }) }) },
)
const transactions = fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 25 })

/** The simplest thing that could be a graph: two maps in order of insertion, copied at every version. */
interface Model {
  readonly nodes: Map<string, GraphNode>
  readonly edges: Map<string, GraphEdge>
}

function contents(view: GraphView): Model {
  const nodes = new Map<string, GraphNode>()
  const edges = new Map<string, GraphEdge>()
  view.forEachNode((row) => {
    nodes.set(view.node(row).id, view.node(row))
    return true
  })
  view.forEachEdge((row) => {
    edges.set(view.edge(row).id, view.edge(row))
    return true
  })
  return { nodes, edges }
}

/** Runs the transactions; the model follows the events alone, so that it also proves them. */
function run(graph: Graph, now: { ms: number }, script: readonly (readonly Step[])[], after: (model: Model) => void): void {
  const model: Model = { nodes: new Map(), edges: new Map() }
  graph.subscribe(({ events }) => {
    for (const event of events) {
      if (event.kind === 'node-added') expectIdentical(model.nodes.has(event.node.id), false)
      if (event.kind === 'node-updated') expectIdentical(model.nodes.get(event.node.id), event.previous)
      if (event.kind === 'node-deleted') {
        model.nodes.delete(event.node.id)
        const { id } = event.node
        const hanging = [...model.edges.values()].filter((edge) => edge.parent === id || edge.child === id)
        expectEqual(hanging, [])
      } else if (event.kind === 'edge-deleted') model.edges.delete(event.edge.id)
      else if ('node' in event) model.nodes.set(event.node.id, event.node)
      else model.edges.set(event.edge.id, event.edge)
    }
  })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  for (const steps of script) {
    try {
      writer.transaction((tx) => {
        for (const item of steps) {
          if (item.op === 'tick') now.ms += item.ms
          else if (item.op === 'fail') throw new Error('rolled back')
          else if (item.op === 'delete-node') tx.deleteNode(`n${item.id}`)
          else if (item.op === 'delete-edge') tx.deleteEdge(`e${item.id}`)
          else if (item.op === 'put-node') {
            const id = `n${item.id}`
            const key = KEYS[item.key % KEYS.length]!
            const value = VALUES[item.value % VALUES.length]!
            if (tx.node(id)) tx.patchNode(id, { [key]: item.value === 7 ? undefined : value })
            else tx.addNode({ id, metadata: { [key === 'A.B' ? 'A' : key]: key === 'A.B' ? { B: value } : value } })
          } else if (!tx.edge(`e${item.id}`) && tx.node(`n${item.parent}`) && tx.node(`n${item.child}`)) {
            const metadata = { RelationType: item.id % 2 ? 'layer2' : 'ownership' }
            tx.addEdge({ id: `e${item.id}`, parent: `n${item.parent}`, child: `n${item.child}`, metadata })
          }
        }
      })
    } catch (error) {
      expect((error as Error).message).toBe('rolled back')
    }
    after(model)
  }
}

function read({ edges, nodes, start, end }: NeighborSpan): readonly (readonly number[])[] {
  return Array.from(edges.subarray(start, end), (edge, i) => [edge, nodes[start + i]!])
}

function visited(walk: (visit: NeighborVisitor) => void): readonly (readonly number[])[] {
  const pairs: (readonly number[])[] = []
  walk((edge, node) => pairs.push([edge, node]) > 0)
  return pairs
}

function expectSame(view: GraphView, model: Model, isPresent: boolean): void {
  const got = contents(view)
  expectEqual([...got.nodes.values()], [...model.nodes.values()])
  expectEqual([...got.edges.values()], [...model.edges.values()])
  expectEqual([view.nodeCount, view.edgeCount], [model.nodes.size, model.edges.size])
  for (let i = 0; i < 8; i++) {
    const row = view.nodeOrdinal(`n${i}`)
    const node = model.nodes.get(`n${i}`)
    const shown = row < 0 ? undefined : view.node(row)
    expectEqual(shown, node)
    // The present has the very objects that were written, and every view the same one each time.
    expectIdentical(shown, isPresent || !node ? node : view.node(row))
    if (!node) continue
    const out: string[] = []
    const into: string[] = []
    const span = new NeighborSpan()
    view.readOut(row, span)
    const allOut = visited((visit) => view.forEachOut(row, visit))
    expectEqual(read(span), allOut)
    view.readIn(row, span)
    const allIn = visited((visit) => view.forEachIn(row, visit))
    expectEqual(read(span), allIn)
    view.forEachOut(row, (edge, child) => {
      out.push(`${view.edge(edge).id}>${view.node(child).id}`)
      return true
    })
    view.forEachIn(row, (edge, parent) => {
      into.push(`${view.edge(edge).id}<${view.node(parent).id}`)
      return true
    })
    const edges = [...model.edges.values()]
    expectEqual(
      out.sort(),
      edges
        .filter((edge) => edge.parent === node.id)
        .map((edge) => `${edge.id}>${edge.child}`)
        .sort(),
    )
    expectEqual(
      into.sort(),
      edges
        .filter((edge) => edge.child === node.id)
        .map((edge) => `${edge.id}<${edge.parent}`)
        .sort(),
    )
  }
  expectIndexes(view, model)
}

function expectIndexes(view: GraphView, model: Model): void {
  const matches = (node: GraphNode, key: string, wanted: string | number | boolean): boolean => {
    const value = key === 'A.B' ? (node.metadata['A'] as { B?: MetadataValue } | undefined)?.B : node.metadata[key]
    return (Array.isArray(value) ? value : [value]).some(
      (item) => item === wanted || (typeof wanted === 'number' && item !== undefined && Number(item) === wanted),
    )
  }
  for (const key of ['Name', 'Type', 'MTU', 'A.B']) {
    for (const wanted of ['x', 'y', '7', 7, 8, 1, true, 'nope']) {
      const found: string[] = []
      view.forEachNodeWith(key, wanted, (row) => {
        found.push(view.node(row).id)
        return true
      })
      const expected = [...model.nodes.values()].filter((node) => matches(node, key, wanted)).map((node) => node.id)
      const isFound = found.length === expected.length && found.every((id, i) => id === expected[i])
      if (!isFound) expect({ key, wanted, found }).toEqual({ key, wanted, found: expected })
      expectIdentical(view.nodeCardinality(key, wanted), expected.length)
    }
  }
}

function snapshot(model: Model): Model {
  return { nodes: new Map(model.nodes), edges: new Map(model.edges) }
}

const options = { nodeIndexes: ['MTU', 'A.B'], epoch: 'test' }

describe('a graph under random transactions', () => {
  test('equals a pair of maps that follows its events', () => {
    fc.assert(
      fc.property(transactions, (script) => {
        const now = { ms: 1000 }
        const graph = createGraph({ ...options, clock: { now: () => now.ms } })
        run(graph, now, script, (model) => expectSame(graph.view, model, true))
      }),
      { numRuns: 150 },
    )
  })

  test('shows every pinned version for ever, also with a short memory', () => {
    fc.assert(
      fc.property(transactions, fc.boolean(), (script, forgetful) => {
        const now = { ms: 1000 }
        const retention = forgetful ? { ageMs: 0, bytes: 1 } : {}
        const graph = createGraph({ ...options, retention, clock: { now: () => now.ms } })
        const pinned: { view: GraphView; model: Model }[] = []
        run(graph, now, script, (model) => pinned.push({ view: graph.view, model: snapshot(model) }))
        for (const { view, model } of pinned) expectSame(view, model, view === graph.view)
      }),
      { numRuns: 100 },
    )
  })

  test('tells the batches again as they were told, from every version, to who listened and who did not', () => {
    fc.assert(
      fc.property(transactions, (script) => {
        const told: GraphBatch[] = []
        const played = (isHeard: boolean): Graph => {
          const now = { ms: 1000 }
          const graph = createGraph({ ...options, clock: { now: () => now.ms } })
          if (isHeard) graph.subscribe((batch) => told.push(batch))
          run(graph, now, script, () => {})
          return graph
        }
        const [graph, silent] = [played(true), played(false)]
        for (let version = 0; version <= graph.view.version; version++) {
          expectEqual(graph.since({ epoch: 'test', version }), told.slice(version))
          expectEqual(silent.since({ epoch: 'test', version }), told.slice(version))
        }
      }),
      { numRuns: 150 },
    )
  })

  test('answers at(t) and between(t1, t2) as a list of all revisions does', () => {
    fc.assert(
      fc.property(transactions, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }), (script, from, length) => {
        const now = { ms: 1000 }
        const graph = createGraph({ ...options, clock: { now: () => now.ms } })
        const revisions: { element: GraphNode | GraphEdge; until: number | undefined }[] = []
        graph.subscribe(({ events }) => {
          for (const event of events) {
            const element = 'node' in event ? event.node : event.edge
            const open = revisions.findLast((other) => other.element.id === element.id && other.element.kind === element.kind)
            if (event.kind.endsWith('deleted')) open!.element = element
            else {
              if (event.kind.endsWith('updated')) open!.until = element.updatedAtMs
              revisions.push({ element, until: undefined })
            }
          }
        })
        run(graph, now, script, () => {
          now.ms += 1
        })
        const slice = { startMs: 1000 + from, lastMs: 1000 + from + length }
        const wanted = naive(revisions, slice)
        expect(sorted(contentsOf(graph.between(slice.startMs, slice.lastMs)))).toEqual(
          sorted(length === 0 ? newest(wanted) : wanted),
        )
        const point = { startMs: 1000 + from, lastMs: 1000 + from }
        expect(sorted(contentsOf(graph.at(1000 + from)))).toEqual(sorted(newest(naive(revisions, point))))
      }),
      { numRuns: 150 },
    )
  })
})

type Element = GraphNode | GraphEdge

function contentsOf(view: GraphView): Element[] {
  const elements: Element[] = []
  view.forEachNode((row) => {
    elements.push(view.node(row))
    return true
  })
  view.forEachEdge((row) => {
    elements.push(view.edge(row))
    return true
  })
  return elements
}

function naive(revisions: readonly { element: Element; until: number | undefined }[], slice: TimeSlice): Element[] {
  return revisions
    .filter(
      ({ element, until }) =>
        element.updatedAtMs <= slice.lastMs &&
        (until === undefined || until > slice.startMs) &&
        (element.deletedAtMs ?? Number.POSITIVE_INFINITY) >= slice.startMs,
    )
    .map(({ element }) => {
      // What ended later had not ended then.
      const endsLater = element.deletedAtMs !== null && element.deletedAtMs > slice.lastMs
      return endsLater ? { ...element, deletedAtMs: null } : element
    })
}

/** At an instant the younger life of an id stands. */
function newest(elements: readonly Element[]): Element[] {
  const last = new Map<string, Element>()
  for (const element of elements) {
    const key = element.kind + element.id
    if (!last.has(key) || last.get(key)!.deletedAtMs !== null) last.set(key, element)
  }
  return [...last.values()]
}

function sorted(elements: readonly Element[]): string[] {
  return elements.map((element) => JSON.stringify(element)).sort()
}
