import { describe, expect, test } from '@jest/globals'
import { NeighborSpan } from '@skydive/contracts'
import fc from 'fast-check'
import { Adjacency, type EdgeLists } from './adjacency.ts'

const NODES = 70
type Link = { readonly edge: number; readonly parent: number; readonly child: number }

/** What is read at once and what is told one by one, which has to be the same, of every node. */
function listsOf(
  lists: EdgeLists,
  readAt: (node: number, span: NeighborSpan) => void,
): readonly (readonly (readonly number[])[])[] {
  const span = new NeighborSpan()
  return Array.from({ length: NODES + 1 }, (_, node) => {
    const told: (readonly number[])[] = []
    lists.forEach(node, (edge, other) => told.push([edge, other]) > 0)
    readAt(node, span)
    const { edges, nodes, start, end } = span
    const read = Array.from(edges.subarray(start, end), (edge, i) => [edge, nodes[start + i]!])
    if (JSON.stringify(read) !== JSON.stringify(told)) throw new Error(`node ${node}: read ${read}, told ${told}`)
    return told
  })
}

function expectLinks(adjacency: Adjacency, links: readonly Link[]): void {
  const wanted = (of: (link: Link) => readonly [node: number, other: number]) =>
    Array.from({ length: NODES + 1 }, (_, node) =>
      links.filter((link) => of(link)[0] === node).map((link) => [link.edge, of(link)[1]]),
    )
  // The third and fourth time they are laid out in a row.
  for (let turn = 0; turn < 4; turn++) {
    expect(listsOf(adjacency.outgoing, (node, span) => adjacency.readOut(node, span))).toEqual(
      wanted(({ parent, child }) => [parent, child]),
    )
    expect(listsOf(adjacency.incoming, (node, span) => adjacency.readIn(node, span))).toEqual(
      wanted(({ parent, child }) => [child, parent]),
    )
  }
}

const node = fc.nat(NODES - 1)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ parent: node, child: node }) },
  { weight: 1, arbitrary: fc.record({ unlink: fc.nat() }) },
)

describe('adjacency', () => {
  test('tells what is linked in order of creation, however it is read, and goes back the way it came', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 5 }), (steps, last) => {
        const adjacency = new Adjacency()
        let links: readonly Link[] = []
        let edge = 0
        for (const each of steps) {
          if ('parent' in each) {
            links = [...links, { edge, ...each }]
            adjacency.link(edge++, each.parent, each.child)
          } else if (links.length > 0) {
            const gone = links[each.unlink % links.length]!
            adjacency.unlink(gone.edge)
            links = links.filter((link) => link !== gone)
          }
        }
        expectLinks(adjacency, links)
        const undo: number[] = []
        let left = links
        for (const pick of last) {
          if (left.length === 0) break
          const gone = left[pick % left.length]!
          adjacency.unlink(gone.edge)
          undo.push(gone.edge)
          left = left.filter((link) => link !== gone)
        }
        expectLinks(adjacency, left)
        for (const gone of undo.reverse()) adjacency.relink(gone)
        expectLinks(adjacency, links)
      }),
      { numRuns: 30 },
    )
  })

  test('what was read stays as it was when something is linked', () => {
    const adjacency = new Adjacency()
    for (let edge = 0; edge < 100; edge++) adjacency.link(edge, 0, 1)
    const span = new NeighborSpan()
    for (let turn = 0; turn < 5; turn++) adjacency.readOut(0, span)
    const again = new NeighborSpan()
    adjacency.readOut(0, again)
    expect(again.nodes).toBe(span.nodes)
    const { nodes, start, end } = span
    adjacency.link(100, 0, 2)
    adjacency.unlink(0)
    expect(Array.from(nodes.subarray(start, end))).toEqual(new Array(100).fill(1))
  })
})
