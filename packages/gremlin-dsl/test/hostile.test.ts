import { describe, expect, test } from '@jest/globals'
import type { Flow, Metadata } from '@skydive/contracts'
import { SkydiveError } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { SAMPLE_FLOWS } from '@skydive/testkit/graph'
import fc from 'fast-check'
import { expectEqual, expectIdentical } from '../../graph-core/test/expect-equal.ts'
import {
  checkGremlin,
  createGremlin,
  GremlinError,
  MAX_QUERY_LENGTH,
  PREDICATES,
  parseGremlin,
  resultToJson,
  STEP_NAMES,
} from '../src/index.ts'
import { flowReader } from './flow-reader.ts'
import { sampleGraph } from './sample-graph.ts'

/** Names that every object inherits, or that change what it inherits. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']

describe('a key that objects inherit is a key like any other', () => {
  const own = (value: unknown): Metadata =>
    JSON.parse(`{${INHERITED.map((key) => `"${key}":${JSON.stringify(value)}`).join()}}`) as Metadata
  const graph = createGraph()
  graph.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
    tx.addNode({ id: '__proto__', metadata: own(7) })
    tx.addNode({
      id: 'constructor',
      metadata: { Name: 'plain', RoutingTables: [{ Routes: [{ Prefix: '0.0.0.0/0', NextHops: [{ IfIndex: 1 }] }] }] },
    })
    tx.addNode({ id: 'tree', metadata: { below: own('x'), LastUpdateMetric: { ...own(3), Start: 1, Last: 2 } } })
    tx.addEdge({ id: '__proto__', parent: '__proto__', child: 'constructor', metadata: own('edge') })
  })
  const flow = (UUID: string, rest: object): Flow =>
    ({ UUID, Start: 0, Last: 1, ParentUUID: '', RawPacketsCaptured: 0, ...rest }) as Flow
  const flows = flowReader([
    flow('__proto__', { TrackingID: '__proto__', NodeTID: 'constructor' }),
    flow('b', { TrackingID: 'constructor' }),
  ])
  const engine = createGremlin({ graph, flows })
  const text = async (query: string): Promise<string> => JSON.stringify(resultToJson((await engine.query(query)).result))

  test.each(INHERITED)('%s', async (key) => {
    expect([
      await text(`G.V().Has('${key}').Count()`),
      await text(`G.V().HasNot('${key}').Count()`),
      await text(`G.V().Has('${key}',7).Values('@ID')`),
      await text(`G.V().Has('below.${key}','x').Values('@ID')`),
      await text(`G.V().Values('${key}')`),
      await text(`G.V().ValueMap('${key}')`),
      await text(`G.V().Sum('${key}')`),
      await text(`G.V().Dedup('${key}').Count()`),
      await text(`G.V().Sort(DESC,'${key}').Limit(1).Values('@ID')`),
      await text(`G.E().Values('${key}')`),
      await text(`G.V().Has('Name','plain').Values('${key}')`),
      await text(`G.V().Metrics().Sum('${key}')`),
      await text(`G.V('tree').As('${key}').Select('${key}').Count()`),
    ]).toEqual([
      '1',
      '2',
      '["__proto__"]',
      '["tree"]',
      '[7]',
      `[{"${key}":7}]`,
      '7',
      '3',
      '["__proto__"]',
      '["edge"]',
      'null',
      '3',
      '1',
    ])
    const metrics = JSON.parse(await text('G.V().Metrics().Aggregates(1)')) as [{ Aggregated: Record<string, number>[] }]
    expect(Object.entries(metrics[0].Aggregated[0]!).find(([name]) => name === key)).toEqual([key, 3])
    const sum = JSON.parse(await text('G.V().Metrics().Sum()')) as Record<string, number>
    expect(Object.entries(sum).find(([name]) => name === key)).toEqual([key, 3])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('ids and groups', async () => {
    expect(await text("G.V('__proto__').Out().Values('@ID')")).toBe('["constructor"]')
    expect(await text("G.V().NextHop('8.8.8.8')")).toBe('[{"constructor":{"Priority":0,"IP":"8.8.8.8","IfIndex":1}}]')
    const [groups] = JSON.parse(await text('G.Flows().Group()')) as [Record<string, Flow[]>]
    expect(Object.entries(groups).map(([name, list]) => [name, list.map(({ UUID }) => UUID)])).toEqual([
      ['__proto__', ['__proto__']],
      ['constructor', ['b']],
    ])
    expect(await text("G.Flows().Has('constructor','x').Count()")).toBe('0')
    await expect(text("G.Flows().Values('constructor')")).rejects.toMatchObject({ summary: 'Field not found' })
  })
})

describe('work grows with the length of the query alone', () => {
  /** A text that counts how often it is looked at. */
  function counted(text: string) {
    const looks = { count: 0 }
    const proxy = new Proxy(Object(text) as object, {
      get(target, name) {
        looks.count++
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    return { text: proxy as unknown as string, looks }
  }
  const fill = (piece: string): string => piece.repeat(Math.floor((MAX_QUERY_LENGTH - 200) / piece.length))

  test.each<[title: string, text: string]>([
    ['a long word', `G.${fill('x')}()`],
    ['a long string', `G.V('${fill('x')}')`],
    ['backslashes', `G.V('${fill('\\')}')`],
    ['escaped quotes', `G.V('${fill("\\'")}')`],
    ['a string without an end', `G.V('${fill('a(')}`],
    ['commas', `G.V(${fill(',')})`],
    ['blanks', `G${fill(' ')}.V()`],
    ['steps', `G${fill('.V()')}`],
    ['digits and dots', `G.V(${fill('1.')})`],
    ['parentheses', `G.V(${fill('(')})`],
    ['arguments', `G.V().Has(${fill("'a',1,")})`],
    ['predicates', `G.V().Has('a',Within(${fill('1,')}))`],
  ])('%s', (_title, text) => {
    const { text: proxy, looks } = counted(text)
    try {
      parseGremlin(proxy)
    } catch (error) {
      expect(error).toBeInstanceOf(GremlinError)
    }
    expect(looks.count).toBeLessThan(12 * text.length)
  })

  test('a query of 10 MB is refused without a look at it', () => {
    const refuse = (): never => {
      throw new Error('the scanner was entered')
    }
    const huge = {
      length: 10_000_000,
      slice: (from: number, to: number) => 'G'.repeat(to - from),
      charCodeAt: refuse,
      [Symbol.iterator]: refuse,
    }
    expect(() => parseGremlin(huge as unknown as string)).toThrow(`the query is longer than ${MAX_QUERY_LENGTH} characters`)
  })

  test.each<[title: string, text: string]>([
    ['many conditions', `G.V().Has(${Array.from({ length: 4000 }, (_, i) => `'k${i}',${i}`).join()})`],
    ['many alternatives', `G.V().HasEither(${Array.from({ length: 4000 }, (_, i) => `'k${i}',${i}`).join()})`],
    ['many values', `G.V().Has('Type',Within(${Array.from({ length: 10_000 }, (_, i) => i).join()}))`],
    ['many steps', `G.V()${'.Out()'.repeat(5000)}.Limit(1)`],
    ['deep predicates', `G.V().Has('Type',${'Within('.repeat(30)}1${')'.repeat(30)})`],
    ['many aliases', `G.V()${Array.from({ length: 3000 }, (_, i) => `.As('a${i}')`).join('')}.Count()`],
    ['a deep pattern', `G.V().Has('Name',Regex('${'('.repeat(900)}a${')'.repeat(900)}'))`],
    ['a hostile pattern', "G.V().Has('Name',Regex('(a+)+b'))"],
    ['a pattern that counts', "G.V().Has('Name',Regex('((a{0,100}){0,100}){0,100}'))"],
  ])('%s: an answer or an own error', async (_title, text) => {
    const engine = createGremlin({ graph: sampleGraph() })
    await engine.query(text).then(
      ({ result }) => expect(result.kind).toMatch(/nodes|number/),
      (error: unknown) => expect(SkydiveError.isInstance(error)).toBe(true),
    )
  })
})

const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 18_000)
const word = fc.oneof(
  fc.constantFrom('Name', 'Type', 'MTU', '@ID', 'Network', 'Metric.ABBytes', ...INHERITED),
  fc.string({ maxLength: 4 }),
)
const quoted = word.map((text) => `'${text.replace(/[\\']/g, '')}'`)
const plain = fc.oneof(
  quoted,
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '1.5',
    '1500',
    'TRUE',
    'FALSE',
    'NOW',
    'FOREVER',
    'ASC',
    'DESC',
    "'10.0.0.0/8'",
    "'::/0'",
    "'8.8.8.8'",
    "'-1m'",
  ),
)
const argument = fc.oneof(
  { weight: 3, arbitrary: plain },
  fc
    .tuple(fc.constantFrom(...Object.keys(PREDICATES), 'Metadata'), fc.array(plain, { maxLength: 3 }))
    .map(([name, args]) => `${name}(${args.join()})`),
)
const step = fc
  .tuple(fc.constantFrom(...STEP_NAMES.filter((name) => name !== 'G')), fc.array(argument, { maxLength: 3 }))
  .map(([name, args]) => `${name}(${args.join()})`)
const query = fc
  .tuple(
    fc.constantFrom('G.', 'G.V().', 'G.E().', 'G.Flows().', 'G.At(1).V().', 'G.V().G.'),
    fc.array(step, { minLength: 1, maxLength: 4 }),
  )
  .map(([start, steps]) => start + steps.join('.'))

test('under a fuzzer well-formed queries answer or raise own errors, and what is checked is what is run', async () => {
  const engine = createGremlin({
    graph: sampleGraph(),
    flows: flowReader(SAMPLE_FLOWS),
    clock: { now: () => 20_000 },
    budgets: { visited: 20_000, results: 5000 },
    packetFilter: () => () => true,
    workflow: async () => ({ nodes: [], edges: [] }),
    cachedPlans: 1,
  })
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      let checked: unknown
      try {
        checkGremlin(text)
      } catch (error) {
        checked = error
        expectIdentical(error instanceof GremlinError, true)
      }
      try {
        const { result } = await engine.query(text)
        JSON.stringify(resultToJson(result))
        expectIdentical(checked, undefined)
      } catch (error) {
        expectEqual([text, SkydiveError.isInstance(error) && error.code !== 'ERR_INVARIANT'], [text, true])
        if (checked) expectIdentical((error as Error).message, (checked as Error).message)
      }
    }),
    { numRuns: NUM_RUNS },
  )
})
