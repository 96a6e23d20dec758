import { describe, expect, test } from '@jest/globals'
import type { GraphDiff, GraphView, MetadataValue } from '@skydive/contracts'
import { elementField } from '@skydive/filter'
import fc from 'fast-check'
import { createGraph, type Graph } from '../src/index.ts'
import { HISTORY_STARTS_MS, histories, playHistory, type Window, windows } from './random-history.ts'

// What looks back is made when somebody reads it. Whatever has happened until then, it must be what it was when it was asked for.

const PATHS = [
  ...['MTU', 'State', 'Features', 'Features.gro', 'Metadata.Vlan', 'Metric.RxBytes', 'Captures.ID', 'a\\.b', 'Type', 'Parent'],
  ...['@ID', '@Host', '@Origin', '@CreatedAt', '@UpdatedAt', '@DeletedAt', '@Revision'],
]

/** So short a memory that what is looked back at is soon forgotten. */
const FORGETFUL = { ageMs: 25, bytes: 20_000 }

interface Looked {
  readonly diff: GraphDiff
  readonly views: readonly GraphView[]
}

function look(graph: Graph, times: readonly Window[]): readonly Looked[] {
  return times.map(([fromMs, toMs]) => ({ diff: graph.diff(fromMs, toMs), views: [graph.at(fromMs), graph.at(toMs)] }))
}

/** Every element of a view with its fields; the fields are read before the element, and after. */
function readView(view: GraphView): object[] {
  const rows: object[] = []
  const values = (read: (path: string) => MetadataValue | undefined): unknown[] => PATHS.map((path) => [path, read(path)])
  view.forEachNode((row) => {
    const before = values((path) => view.nodeValue(row, path))
    const node = view.node(row)
    expect(view.node(row)).toBe(node)
    expect(values((path) => view.nodeValue(row, path))).toEqual(before)
    expect(before).toEqual(values((path) => elementField(path)(node)))
    rows.push({ node, before })
    return true
  })
  view.forEachEdge((row) => {
    const before = values((path) => view.edgeValue(row, path))
    const edge = view.edge(row)
    expect(before).toEqual(values((path) => elementField(path)(edge)))
    rows.push({ edge, before })
    return true
  })
  return rows
}

/** Everything, as plain values. */
function read(looked: readonly Looked[]): unknown {
  return structuredClone(looked.map(({ diff, views }) => ({ diff, views: views.map(readView) })))
}

describe('what looks back', () => {
  test('reads the same however late, whatever was written, forgotten or taken back in between', () => {
    fc.assert(
      fc.property(histories(20), histories(20), windows, fc.boolean(), (history, later, times, isForgetful) => {
        const clock = { ms: HISTORY_STARTS_MS }
        const options = { epoch: 'test', clock: { now: () => clock.ms } }
        const graph = createGraph(isForgetful ? { ...options, retention: FORGETFUL } : options)
        playHistory(graph, clock, history)
        const [late, early] = [look(graph, times), read(look(graph, times))]
        playHistory(graph, clock, later)
        expect(read(late)).toEqual(early)
      }),
      { numRuns: 200 },
    )
  })

  test('within a transaction sees its changes, and goes on seeing them after it was taken back', () => {
    fc.assert(
      fc.property(histories(10), histories(10), windows, (history, later, times) => {
        const clock = { ms: HISTORY_STARTS_MS }
        const graph = createGraph({ epoch: 'test', clock: { now: () => clock.ms } })
        const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
        playHistory(graph, clock, history)
        let late: readonly Looked[] = []
        let early: unknown
        const write = (tx: Parameters<Parameters<typeof writer.transaction>[0]>[0], value: number): void => {
          for (let i = 0; i < 3; i++) {
            tx.putNode({ id: `n${i}`, metadata: { MTU: value } })
            tx.patchNode(`n${i}`, { State: `S${value}` })
          }
          tx.deleteNode('n1')
        }
        const body = (tx: Parameters<typeof write>[0]): never => {
          write(tx, 7)
          late = look(graph, times)
          early = read(look(graph, times))
          throw new RangeError('not this time')
        }
        expect(() => writer.transaction(body)).toThrow(RangeError)
        // What is written then takes the places of what was taken back, in other rows and keys.
        writer.transaction((tx) => {
          for (const [i, key] of ['Vlan', 'Type', 'MTU', 'Vlan', 'State', 'Type'].entries()) {
            const id = `n${2 - (i % 3)}`
            if (tx.node(id)) tx.patchNode(id, { [key]: `other ${i}` })
            else tx.addNode({ id, metadata: {} })
          }
        })
        playHistory(graph, clock, later)
        expect(read(late)).toEqual(early)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a change that a diff tells', () => {
  function changed() {
    const clock = { ms: 1000 }
    const graph = createGraph({ epoch: 'e', clock: { now: () => clock.ms } })
    const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
    for (const MTU of [1500, 1400, 1300]) {
      clock.ms += 100
      writer.transaction((tx) => (tx.node('a') ? tx.patchNode('a', { MTU }) : tx.addNode({ id: 'a', metadata: { MTU } })))
    }
    return graph.diff(1250, 1300).nodes
  }
  const revision = { kind: 'node', id: 'a', host: 'alpha', origin: 'agent.alpha', createdAtMs: 1100, deletedAtMs: null }
  const told = {
    change: 'changed',
    id: 'a',
    keys: [{ key: 'MTU', before: 1400, after: 1300 }],
    revisions: [3],
    before: { ...revision, updatedAtMs: 1200, revision: 2, metadata: { MTU: 1400 } },
    after: { ...revision, updatedAtMs: 1300, revision: 3, metadata: { MTU: 1300 } },
  }

  test('is a plain object to those who copy, send, serialise or compare it', () => {
    const [change] = changed()
    expect(change).toEqual(told)
    expect({ ...change }).toEqual(told)
    expect(structuredClone(change)).toEqual(told)
    expect(JSON.parse(JSON.stringify(change))).toEqual(told)
    expect(Object.keys(change!).sort()).toEqual(Object.keys(told).sort())
  })

  test('has the same revisions each time, in whatever order they are read', () => {
    const [change] = changed()
    const { before, after } = change!
    expect([change!.after, change!.before]).toEqual([told.after, told.before])
    expect([change!.before === before, change!.after === after]).toEqual([true, true])
  })
})
