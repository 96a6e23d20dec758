import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { expectEqual, expectIdentical } from '../../graph-core/test/expect-equal.ts'
import type { GremlinQuery, Param } from './ast.ts'
import { completeGremlin } from './completion.ts'
import { checkGremlin, GremlinError, isGraphQuery, MAX_QUERY_LENGTH, PREDICATES, parseGremlin, STEP_NAMES } from './index.ts'
import { scanToken, type Token } from './scanner.ts'

function syntaxError(text: string): GremlinError {
  try {
    parseGremlin(text)
  } catch (error) {
    if (error instanceof GremlinError && error.code === 'ERR_GREMLIN_SYNTAX') return error
    throw error
  }
  throw new Error(`parsed: ${text}`)
}

describe('parseGremlin', () => {
  test('keeps names, arguments and positions', () => {
    expect(parseGremlin(`G.v().Has('Name', Regex("a\\.b"), -3 1.5)`).steps).toEqual([
      { name: 'G', start: 0, end: 1, params: [] },
      { name: 'V', start: 2, end: 5, params: [] },
      {
        name: 'Has',
        start: 6,
        end: 40,
        params: [
          { kind: 'string', value: 'Name', start: 10, end: 16 },
          {
            kind: 'predicate',
            name: 'Regex',
            start: 18,
            end: 31,
            args: [{ kind: 'string', value: 'a\\.b', start: 24, end: 30 }],
          },
          { kind: 'number', value: -3, text: '-3', start: 33, end: 35 },
          { kind: 'number', value: 1.5, text: '1.5', start: 36, end: 39 },
        ],
      },
    ])
  })

  test.each<[text: string, value: string]>([
    [`G.V('a"b')`, 'a"b'],
    [`G.V("a'b")`, "a'b"],
    [`G.V('it\\'s')`, "it's"],
    [`G.V('10\\..*')`, '10\\..*'],
    [`G.V("a \\"b\\" <&>")`, 'a "b" <&>'],
  ])('%s holds the string %s', (text, value) => {
    expect(parseGremlin(text).steps[1]!.params[0]).toMatchObject({ kind: 'string', value })
  })

  test.each<[text: string, summary: string, offset: number]>([
    ['', 'found "", expected `G`', 0],
    ['X.V()', 'found "X", expected `G`', 0],
    ['G V()', 'found "V", expected `.`', 2],
    ['G.V() G', 'found "G", expected `.`', 6],
    ['G.Hass()', 'Expected step function, got: Hass', 2],
    ['G.NE(1)', 'Expected step function, got: NE', 2],
    ['G.ASC()', 'Expected step function, got: ASC', 2],
    ["G.V()..Has('Name')", 'Expected left parenthesis, got: Has', 7],
    ['G.V', 'Expected left parenthesis, got: ', 3],
    ['G.V(', 'Expected right parenthesis', 4],
    ["G.V('abc)", 'Expected right parenthesis', 9],
    ['G.V(x)', 'Unexpected token while parsing parameters, got: x', 4],
    ['G.V(Out)', 'Unexpected token while parsing parameters, got: Out', 4],
    ['G.V(%)', 'Unexpected token while parsing parameters, got: %', 4],
    ['G.At(30s)', 'Unexpected token while parsing parameters, got: 30s', 5],
    ['G.V(1.2.3)', 'Expected number token, got: 1.2.3', 4],
    ["G.V().ShortestPathTo(Metadata('a'))", 'slice must be defined by pair k,v: [a]', 21],
    ["G.V().Has('a',LT())", 'One parameter expected with LT: []', 14],
    ["G.V().Has('a',LT(1,2))", 'One parameter expected with LT: [1 2]', 14],
    ["G.V().Has('a',INSIDE(1))", 'Two parameters expected with INSIDE: [1]', 14],
    ["G.V().Has('a',REGEX(1))", 'REGEX predicate expects a string as parameter', 20],
    [`G.V().Has('a',${'Within('.repeat(40)}`, 'predicates are nested deeper than 32 levels', 245],
    [`G.V('${'x'.repeat(MAX_QUERY_LENGTH)}')`, `the query is longer than ${MAX_QUERY_LENGTH} characters`, 0],
  ])('%#: refuses with "%s"', (text, summary, offset) => {
    const error = syntaxError(text)
    expect({ summary: error.summary, offset: error.position.offset }).toEqual({ summary, offset })
  })

  test.each([
    [undefined, 'found "undefined", expected `G`'],
    [null, 'found "null", expected `G`'],
    [5, 'found "5", expected `G`'],
    [{}, 'found "[", expected `G`'],
  ])('%p, which is no text, is refused as a query', (value, summary) => {
    expect(syntaxError(value as unknown as string).summary).toBe(summary)
  })

  test('a query may be as long as the limit', () => {
    const text = `G.V('${'x'.repeat(MAX_QUERY_LENGTH - 7)}')`
    expect([text.length, parseGremlin(text).steps.length]).toEqual([MAX_QUERY_LENGTH, 2])
    expect(() => parseGremlin(`${text} `)).toThrow('the query is longer than')
  })

  test('an error shows line, column and caret', () => {
    expect(syntaxError("G.V()\n\t.Hass('x')").message).toBe(
      "Expected step function, got: Hass\nat line 2, column 3:\n   .Hass('x')\n    ^\nexpected: a step\nfound: Hass\ndid you mean Has?",
    )
  })

  test('a caret in a long line is still on the screen', () => {
    const { caret } = syntaxError(`G.V('${'x'.repeat(5000)}').Hass()${'.V()'.repeat(100)}`)
    const [line, mark] = caret.split('\n')
    expect({ width: line!.length <= 122, at: line!.slice(mark!.indexOf('^'), mark!.indexOf('^') + 4) }).toEqual({
      width: true,
      at: 'Hass',
    })
  })
})

const piece = fc.oneof(
  fc.constantFrom(...STEP_NAMES, ...Object.keys(PREDICATES), 'Metadata', 'ASC', 'NOW', 'TRUE', 'G', '__proto__', 'constructor'),
  fc.constantFrom('(', ')', ',', '.', "'", '"', '\\', '-', ' ', '\n', '\r', '\0', '1', '9.5', "'a'", '"b"', '()', ').', 'G.V().'),
  fc.string({ maxLength: 5 }),
)
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 20_000)

/** What a query holds in the order in which it is written: where it begins, and where it ends when it is one token. */
function written(params: readonly Param[]): readonly (readonly [start: number, end: number | undefined])[] {
  return params.flatMap((param) =>
    param.kind === 'predicate' || param.kind === 'metadata'
      ? [[param.start, undefined] as const, ...written(param.args)]
      : [[param.start, param.end] as const],
  )
}

/** The tokens of a query without marks. */
function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = []
  for (let token = scanToken(query, 0); token.kind !== 'end'; token = scanToken(query, token.end)) tokens.push(token)
  return tokens.filter(({ kind }) => !['(', ')', ',', '.'].includes(kind))
}

describe('under a fuzzer', () => {
  test('the parser reads the tokens that the scanner tells', () => {
    const step = fc.tuple(
      fc.constantFrom('.', ' . ', '.\n'),
      fc.constantFrom(...STEP_NAMES, 'has', 'SHORTESTPATHTO'),
      fc.array(
        fc.constantFrom("'it\\'s'", '"\\\\"', "''", '007', '-1.5', '1e', 'NOW', 'asc', "within('a' 2)", "Metadata('k',NE(1))"),
        {
          maxLength: 3,
        },
      ),
      fc.constantFrom(',', ' ', ', ,'),
    )
    let parsed = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), (steps) => {
        const query = `G${steps.map(([dot, name, args, comma]) => `${dot}${name}(${args.join(comma)})`).join('')}`
        let read: GremlinQuery
        try {
          read = parseGremlin(query)
        } catch {
          return
        }
        parsed++
        const told = tokensOf(query)
        const places = read.steps.flatMap(({ start, params }) => [[start, undefined] as const, ...written(params)])
        expectEqual(
          places,
          told.map(({ start, end }, i) => [start, places[i]?.[1] === undefined ? undefined : end]),
        )
      }),
      { numRuns: NUM_RUNS / 10 },
    )
    expect(parsed).toBeGreaterThan(NUM_RUNS / 100)
  })

  test('parsing and checking raise nothing but own errors', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (rest, anchored) => {
        const query = anchored ? `G.V().${rest}` : rest
        try {
          checkGremlin(query)
        } catch (error) {
          expectIdentical(error instanceof GremlinError, true)
          expectIdentical((error as GremlinError).position.offset <= query.length, true)
        }
      }),
      { numRuns: NUM_RUNS },
    )
  })

  test('completion never throws, and what it offers begins with what is there', () => {
    fc.assert(
      fc.property(text, fc.nat(), (query, at) => {
        const offset = at % (query.length + 1)
        const { from, to } = completeGremlin(query, offset, { keys: ['Name', "it's"] })
        expect(from <= to && to === offset).toBe(true)
      }),
      { numRuns: NUM_RUNS / 10 },
    )
  })
})

describe('isGraphQuery', () => {
  test.each<[text: string, answer: boolean]>([
    ["G.V().Has('Name','a')", true],
    ["G.V().Has('Name',Regex('a'))", true],
    ['G.V().SubGraph()', true],
    ['G.Flows()', false],
    ["G.At('-1m').V()", false],
    ['G.V().V()', false],
  ])('%s: %s', (query, answer) => expect(isGraphQuery(parseGremlin(query))).toBe(answer))
})

describe('completeGremlin', () => {
  const labels = (query: string, keys: readonly string[] = ['MTU', 'Name', 'Master']): readonly string[] =>
    completeGremlin(query, query.length, { keys }).candidates.map(({ label }) => label)

  test.each<[query: string, first: readonly string[]]>([
    ['', ['G']],
    ['G.', ['G', 'Context', 'At', 'V', 'E', 'Select', 'Flows', 'Workflow']],
    ['G.V().Sh', ['ShortestPathTo']],
    ['G.V().has', ['Has', 'HasKey', 'HasNot', 'HasEither']],
    ['G.E().OutV().Flows().Ho', ['Hops']],
    ["G.V().Has('M", ['MTU', 'Master']],
    ['G.V().Has(', ['MTU', 'Name', 'Master']],
    ["G.V().Has('MTU', G", ['GT', 'GTE']],
    ["G.V().Has('MTU', 1, 'N", ['Name']],
    ["G.V().Values('", ['MTU', 'Name', 'Master']],
    ['G.V().Sort(D', ['DESC']],
    ['G.V().ShortestPathTo(M', ['Metadata']],
    ["G.V().Has('Name','x')", []],
  ])('%s', (query, first) => expect(labels(query)).toEqual(first))

  test('says what part of the text it replaces, and with what', () => {
    expect(completeGremlin("G.V().Has('Na", 13, { keys: ['Name', "it's"] })).toEqual({
      from: 10,
      to: 13,
      candidates: [{ label: 'Name', insert: "'Name'", kind: 'key' }],
    })
  })
})
