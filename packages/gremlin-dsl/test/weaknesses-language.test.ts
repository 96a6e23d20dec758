import { describe, expect, test } from '@jest/globals'
import type { FlowReader } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { SAMPLE_FLOWS } from '@skydive/testkit/graph'
import { compileGraphQuery, createGremlin, parseGremlin } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'
import { sampleGraph } from './sample-graph.ts'
import { flow, graphOf, json, timeline } from './small-graphs.ts'

/** Faults of the original, by their number in the table of `docs/decisions`, each with what is done instead. */

describe('language', () => {
  const sample = createGremlin({ graph: sampleGraph(), flows: flowReader(SAMPLE_FLOWS), clock: { now: () => 20_000 } })

  test('W23 negative numbers and carriage returns are read; commas may still be missing', async () => {
    const engine = createGremlin({ graph: graphOf({ a: { T: -5 }, b: { T: 5 } }) })
    expect(await json(engine, "G.V()\r\n.Has('T' Lt(-1)).Values('@ID')")).toEqual(['a'])
    expect(() => parseGremlin('G.V()\0')).toThrow('found "\0", expected `.`')
  })

  test.each(['G.Flows().%()', 'G.Flows().?()', 'G.Flows().;()'])('W26 %s is no Group', async (query) => {
    await expect(sample.query(query)).rejects.toMatchObject({ code: 'ERR_GREMLIN_SYNTAX' })
  })

  test.each<[query: string, answer: unknown]>([
    ["G.V().As('a').Limit(1).Count()", 1],
    ["G.V().As('a').Select('a').Limit(2).Count()", 2],
    ["G.V().Sockets().Has('Pid',42).Values('Pid').Limit(0)", null],
    ['G.Flows().Limit(2).Limit(1).Count()', 1],
    ['G.Flows().Range(1,3).Limit(1).Count()', 1],
  ])('W30 a limit is never lost: %s', async (query, answer) => expect(await json(sample, query)).toEqual(answer))

  test.each<[query: string, answer: unknown]>([
    ['G.V().Out().Dedup().Limit(3).Count()', 3],
    ["G.V().Dedup('Type').Limit(4).Count()", 4],
    ["G.E().Dedup('RelationType').Limit(1).Count()", 1],
    ["G.E().Dedup('RelationType').Count()", 2],
  ])('W31 a limit behind Dedup counts what is left: %s', async (query, answer) =>
    expect(await json(sample, query)).toEqual(answer),
  )

  test('W32 several conditions on the nodes of flows all count', async () => {
    expect(await json(sample, "G.Flows().Nodes('Type','veth').Has('MTU',9000).Has('State','UP').Count()")).toBe(0)
    expect(await json(sample, "G.Flows().Hops('Type','device').Has('State','UP').Dedup().Values('Name')")).toEqual(['eth0'])
  })

  test('W33 a query answers the same however often it is run', async () => {
    const { graph, clock, writer } = timeline()
    writer.transaction((tx) => {
      for (const id of ['a', 'b', 'c', 'd']) tx.addNode({ id, metadata: { Type: 'device', TID: id } })
    })
    clock.ms = 200_000
    const engine = createGremlin({ graph, clock, flows: flowReader([flow('f', { NodeTID: 'a', Application: 'TCP' })]) })
    const queries = ['G.At(150).At(150).V().Range(1,3).Count()', "G.Flows().Has('Application','TCP').Has('NodeTID','a').Count()"]
    for (let round = 0; round < 3; round++) expect(await Promise.all(queries.map((text) => json(engine, text)))).toEqual([2, 1])
    const compiled = await compileGraphQuery('G.V().Range(1,3)')
    expect([1, 2, 3].map(() => compiled.runNodes(graph.view).length)).toEqual([2, 2, 2])
  })

  test('W35 values are told as they are stored', async () => {
    const engine = createGremlin({
      graph: graphOf({ a: { v: '042' }, b: { v: '42' }, c: { v: true }, d: { v: 44.5 }, e: { v: 42 } }),
    })
    expect(await json(engine, "G.V().Values('v')")).toEqual(['042', '42', true, 44.5, 42])
    expect(await json(engine, "G.V().Dedup('v').Count()")).toBe(5)
    expect(await json(engine, "G.V('a').ValueMap('v')")).toEqual([{ v: '042' }])
  })

  test('W36 Metadata takes predicates, paths and lists', async () => {
    const engine = createGremlin({
      graph: graphOf({ a: {}, b: { Deep: { x: { y: 7 } }, List: ['p', 'q'] } }, ['a>b']),
    })
    for (const target of ["'Deep.x.y',Gt(5)", "'List','q'", "'List',Within('q','z')", "'Deep.x.y',7,'List','p'"]) {
      expect(await json(engine, `G.V('a').ShortestPathTo(Metadata(${target})).Count()`)).toBe(1)
    }
  })

  test('W37 absent is not equal to TRUE, and none of no values is everything, one of no values nothing', async () => {
    const engine = createGremlin({ graph: graphOf({ a: { Up: true }, b: { Up: false }, c: {} }) })
    expect(await json(engine, "G.V().Has('Up',NEE(TRUE)).Values('@ID')")).toEqual(['b', 'c'])
    expect(await json(engine, "G.V().Has('Up',NE(TRUE)).Values('@ID')")).toEqual(['b'])
    expect(await json(engine, "G.V().Has('Up',Within()).Count()")).toBe(0)
    expect(await json(engine, "G.V().Has('Up',Without()).Count()")).toBe(3)
  })

  test('W38 SubGraph takes several revisions, honours its filter everywhere, and keeps the time', async () => {
    const { graph, clock, writer } = timeline()
    writer.transaction((tx) => {
      tx.addNode({ id: 'a', metadata: { Name: 'a', Type: 'device', TID: 't' } })
      tx.addNode({ id: 'b', metadata: { Name: 'b' } })
      tx.addEdge({ id: 'x', parent: 'a', child: 'b', metadata: { Kind: 'x' } })
      tx.addEdge({ id: 'y', parent: 'a', child: 'b', metadata: { Kind: 'y' } })
    })
    clock.ms = 200_000
    writer.transaction((tx) => tx.patchNode('a', { Name: 'a2' }))
    clock.ms = 300_000
    const slices: unknown[] = []
    const flows: FlowReader = {
      ...flowReader([]),
      search: async (_query, slice) => {
        slices.push(slice)
        return { flows: [], missing: [] }
      },
    }
    const engine = createGremlin({ graph, clock, flows })
    expect(await json(engine, "G.At(250, 200).V().SubGraph().V().Values('Name')")).toEqual(['a2', 'b'])
    expect(await json(engine, "G.E().SubGraph('Kind','x').E().Values('@ID')")).toEqual(['x'])
    expect(await json(engine, "G.V('a').ShortestPathTo(Metadata('Name','b')).SubGraph('Kind','y').E().Values('@ID')")).toEqual([
      'y',
    ])
    await engine.query('G.At(250, 50).V().SubGraph().Flows()')
    expect(slices).toEqual([{ startMs: 200_000, lastMs: 250_000 }])
  })

  test('W39 an id has all its revisions in a duration, and all its neighbours at a time', async () => {
    const { graph, clock, writer } = timeline()
    writer.transaction((tx) => {
      for (const id of ['a', 'b', 'c']) tx.addNode({ id, metadata: {} })
      for (const child of ['b', 'c']) tx.addEdge({ parent: 'a', child, metadata: { RelationType: 'ownership' } })
    })
    clock.ms = 200_000
    writer.transaction((tx) => tx.patchNode('a', { x: 1 }))
    clock.ms = 300_000
    const engine = createGremlin({ graph, clock })
    expect(await json(engine, "G.At(250, 200).V('a').Values('@Revision')")).toEqual([1, 2])
    expect(await json(engine, "G.At(250).V('a').Neighbors().Count()")).toBe(3)
  })

  test('W41 one parser for all; where flows are not to be had, a query for them is refused before it is kept', async () => {
    await expect(compileGraphQuery("G.V().Has('Type','veth').Flows()")).rejects.toMatchObject({ code: 'ERR_GREMLIN_UNSUPPORTED' })
    expect((await compileGraphQuery("G.V().Neighbors('RelationType','layer2',2)")).kind).toBe('nodes')
  })

  test('W42 gaps in a tuple count, and 1 is not "1"', async () => {
    const engine = createGremlin({ graph: graphOf({ a: { A: 1 }, b: { B: 1 }, c: { A: '1' }, d: { A: 1 } }) })
    expect(await json(engine, "G.V().Dedup('A','B').Values('@ID')")).toEqual(['a', 'b', 'c'])
    const flows = flowReader([
      flow('x', { NodeTID: 'n' }),
      flow('y', { NodeTID: 'n' }),
      flow('z', { NodeTID: 'n', TrackingID: 'x' }),
    ])
    const own = createGremlin({ graph: createGraph(), flows })
    expect(await json(own, "G.Flows().Dedup('NodeTID','TrackingID').Values('UUID')")).toEqual(['x', 'y'])
  })

  test.each<[pattern: string, ids: readonly string[]]>([
    ['a|b', ['a', 'b']],
    ['^a|b$', ['a', 'b']],
    ['^a$', ['a']],
    ['.*\\$', ['c$']],
    ['(?i)A|XB', ['a', 'xb']],
    ['\\Qc$', ['c$']],
    ['\\Qa|b', ['a|b']],
  ])('W69 Regex(%j) matches whole texts', async (pattern, ids) => {
    const names = ['a', 'b', 'ax', 'xb', 'c$', 'a|b']
    const engine = createGremlin({ graph: graphOf(Object.fromEntries(names.map((name) => [name, { Name: name }]))) })
    expect(await json(engine, `G.V().Has('Name',Regex('${pattern}')).Values('Name')`)).toEqual(ids)
  })
})
