import { describe, expect, test } from '@jest/globals'
import { createGremlin, GremlinError, STEP_NAMES } from '../src/index.ts'
import { sampleGraph } from './sample-graph.ts'

const engine = createGremlin({ graph: sampleGraph() })

async function errorOf(query: string): Promise<GremlinError> {
  const error: unknown = await engine.query(query).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof GremlinError) return error
  throw error ?? new Error(`answered: ${query}`)
}

describe('the table of errors (spec graph 4.12)', () => {
  test.each<[condition: string, query: string, summary: string]>([
    ['query does not start with G', 'X.V()', 'found "X", expected `G`'],
    ['something other than `.` between steps', 'G V()', 'found "V", expected `.`'],
    ['unknown step', 'G.Foo()', 'Expected step function, got: Foo'],
    ['predicate used as a step', 'G.Within(1)', 'Expected step function, got: Within'],
    ['constant used as a step', 'G.NOW()', 'Expected step function, got: NOW'],
    ['missing (', 'G.V', 'Expected left parenthesis, got: '],
    ['missing ( with more behind', 'G.V.E()', 'Expected left parenthesis, got: .'],
    ['input ends inside parentheses', "G.V('a'", 'Expected right parenthesis'],
    ['unexpected token in arguments', 'G.V(foo)', 'Unexpected token while parsing parameters, got: foo'],
    ['malformed number', 'G.At(1.2.3)', 'Expected number token, got: 1.2.3'],
    ['Metadata with odd arguments', "G.V().ShortestPathTo(Metadata('a'))", 'slice must be defined by pair k,v: [a]'],
  ])('%s: %s', async (_condition, query, summary) => expect((await errorOf(query)).summary).toBe(summary))

  /** A query that ends with a result of each kind. */
  const KINDS: readonly string[] = [
    'G',
    'G.V()',
    'G.E()',
    "G.V().ShortestPathTo(Metadata('a','b'))",
    'G.V().Count()',
    "G.V().Values('a')",
    'G.V().Metrics()',
    'G.V().Metrics().Sum()',
    'G.V().Sockets()',
    "G.V().NextHop('8.8.8.8')",
  ]
  const GROUP_2 = 'Has HasKey HasNot HasEither Dedup Out In Both Count Range Limit Sort Values ValueMap Keys Sum As Select'.split(
    ' ',
  )
  test.each(STEP_NAMES.filter((name) => name !== 'G').flatMap((name) => KINDS.map((query) => [query, name])))(
    '%s.%s() where it is not applicable',
    async (query, name) => {
      const error: unknown = await engine.query(`${query}.${name}()`).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (!(error instanceof GremlinError) || error.code !== 'ERR_GREMLIN_STEP') return
      expect(error.summary).toMatch(
        GROUP_2.includes(name) ? new RegExp(`^Invalid step '${name}' on '.+'$`) : /^Error while executing the query$/,
      )
      expect(error.position.offset).toBe(query.length + 1)
      expect(error.detail.found).toBe(`${name}()`)
    },
  )
})

describe('what an error tells besides', () => {
  test.each<[query: string, detail: object]>([
    ["G.V().Hass('a')", { expected: 'a step', found: 'Hass', suggestion: 'Has' }],
    ['G.V().Cuont()', { expected: 'a step', found: 'Cuont', suggestion: 'Count' }],
    ['G.V().xyzzy()', { expected: 'a step', found: 'xyzzy' }],
    ['G.Within(1)', { expected: 'a step; Within is written as an argument of one', found: 'Within' }],
    ["G.V().Has('a', Witin(1))", { expected: 'a predicate such as Within, Regex or GT', found: 'Witin', suggestion: 'Within' }],
    [
      "G.V().Has(Name, 'x')",
      { expected: 'a string in quotes, a number, TRUE, FALSE or a predicate', found: 'Name', suggestion: "'Name'" },
    ],
    [
      "G.V().Has('a', TURE)",
      { expected: 'a string in quotes, a number, TRUE, FALSE or a predicate', found: 'TURE', suggestion: 'TRUE' },
    ],
    ['G.V(', { expected: 'an argument or )', found: '' }],
    ['G.V().Limit()', { expected: 'Limit(number)', found: 'Limit()' }],
    ["G.V().Limit('x')", { expected: 'Limit(number)', found: "'x'" }],
    ["G.V().As('left').Select('lfet')", { expected: 'Select(name, …)', found: "Select('lfet')", suggestion: 'left' }],
    [
      'G.E().Out()',
      {
        expected: expect.stringMatching(/^a step that can follow edges: G, Has, .*OutV/) as unknown as string,
        found: 'Out()',
        suggestion: 'OutV',
      },
    ],
    ["G.V().NextHop('8.8.8.8').Count()", { expected: 'the end', found: 'Count()' }],
  ])('%s', async (query, detail) => expect((await errorOf(query)).detail).toEqual(detail))

  test('is printed below the caret, shortened', async () => {
    const { message } = await errorOf(`G.V().Limit('${'x'.repeat(300)}')`)
    expect(message.split('\n').slice(4)).toEqual(['expected: Limit(number)', `found: '${'x'.repeat(79)}…`])
  })

  test('is in the fields of the error, for machines', async () => {
    const { fields } = await errorOf("G.V().Hass('a')")
    expect(fields).toEqual({
      position: { offset: 6, line: 1, column: 7 },
      summary: 'Expected step function, got: Hass',
      expected: 'a step',
      found: 'Hass',
      suggestion: 'Has',
    })
  })
})
