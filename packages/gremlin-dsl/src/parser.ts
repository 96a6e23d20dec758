import type { GremlinQuery, Param, Step } from './ast.ts'
import { isLetter } from './characters.ts'
import { GremlinError, type GremlinErrorDetail } from './error.ts'
import { END, isQuote, Scanner, scanToken } from './scanner.ts'
import { showParams } from './show.ts'
import { suggest } from './suggest.ts'
import { type Constant, type Keyword, keyword, PREDICATES, type PredicateName, STEP_NAMES } from './vocabulary.ts'

/** Longer queries are refused before they are read. */
export const MAX_QUERY_LENGTH = 64 * 1024
/** Deeper nesting of predicates is refused. */
const MAX_DEPTH = 32
const OPEN = 40
const CLOSE = 41
const COMMA = 44
const DOT = 46
const NONE: readonly Param[] = []

/**
 * Parses a query (spec graph 4.2, 4.3) to a tree that keeps positions. Some 0.5 µs for a hundred characters. Arguments are checked later,
 * when the query is compiled. @throws ERR_GREMLIN_SYNTAX with `position` and `caret`.
 */
export function parseGremlin(text: string): GremlinQuery {
  if (text?.length > MAX_QUERY_LENGTH) {
    throw new GremlinError('ERR_GREMLIN_SYNTAX', `the query is longer than ${MAX_QUERY_LENGTH} characters`, text.slice(0, 80), 0)
  }
  // Callers without types may hand over anything: what is no text is then no query either, and is shown as it is written.
  return parseQuery(new Scanner(`${text}`, 0))
}

function parseQuery(scanner: Scanner): GremlinQuery {
  const code = scanner.peek()
  const { at: start } = scanner
  if (!isLetter(code) || scanner.keyword(code)?.name !== 'G') {
    throw unexpected(scanner, start, 'found "', 'G, with which every query begins', '", expected `G`')
  }
  const steps: Step[] = [bareG(start)]
  for (let mark = scanner.peek(); mark !== END; mark = scanner.peek()) {
    if (mark !== DOT) throw unexpected(scanner, scanner.at, 'found "', '. and a step, or the end', '", expected `.`')
    scanner.at++
    steps.push(parseStep(scanner))
  }
  return { text: scanner.text, steps }
}

function bareG(start: number): Step {
  return { name: 'G', start, end: start + 1, params: NONE }
}

function parseStep(scanner: Scanner): Step {
  const code = scanner.peek()
  const { at: start } = scanner
  let known: Keyword | undefined
  if (isLetter(code)) {
    known = scanner.keyword(code)
    // A bare `G` is a step too.
    if (known?.name === 'G') return bareG(start)
  } else scanner.at = scanToken(scanner.text, start).end
  passOpen(scanner)
  const params = parseArguments(scanner, 0)
  if (known?.kind !== 'step') throw noStep(scanner, start)
  return { name: known.name, start, end: ++scanner.at, params }
}

/** Arguments up to the closing parenthesis. Commas are decoration: missing, doubled and trailing ones are accepted. */
function parseArguments(scanner: Scanner, depth: number): readonly Param[] {
  // The first push to an empty list reserves 17 places; nearly all have one or two.
  let first: Param | undefined
  let params: Param[] | undefined
  let code = scanner.peek()
  if (depth > MAX_DEPTH)
    throw unexpected(scanner, scanner.at, `predicates are nested deeper than ${MAX_DEPTH} levels`, 'fewer levels')
  for (; code !== CLOSE; code = scanner.peek()) {
    if (code === COMMA) {
      scanner.at++
      continue
    }
    const param = parseArgument(scanner, code, depth)
    if (first === undefined) first = param
    else if (params === undefined) params = [first, param]
    else params.push(param)
  }
  return params ?? (first === undefined ? NONE : [first])
}

function parseArgument(scanner: Scanner, code: number, depth: number): Param {
  const { at: start } = scanner
  if (isQuote(code)) {
    const value = scanner.string(code)
    return { kind: 'string', value, start, end: scanner.at }
  }
  if (isLetter(code)) {
    const known = scanner.keyword(code)
    if (known === undefined || known.kind === 'step') throw noArgument(scanner, start)
    return known.kind === 'constant' ? constant(known.name, start, scanner.at) : parseCall(scanner, known, start, depth)
  }
  if (scanner.isNumber(code)) return parseNumber(scanner, code)
  throw code === END ? unexpected(scanner, start, 'Expected right parenthesis', 'an argument or )') : noArgument(scanner, start)
}

function parseCall(scanner: Scanner, known: Keyword, start: number, depth: number): Param {
  passOpen(scanner)
  const args = parseArguments(scanner, depth + 1)
  if (known.kind === 'predicate') {
    checkArity(scanner, known.name, args, start)
    return { kind: 'predicate', name: known.name, args, start, end: ++scanner.at }
  }
  if (args.length % 2 !== 0) throw syntaxError(scanner, `slice must be defined by pair k,v: ${showParams(args)}`, start)
  return { kind: 'metadata', args, start, end: ++scanner.at }
}

function parseNumber(scanner: Scanner, code: number): Param {
  const { at: start } = scanner
  const value = scanner.number(code)
  if (value === undefined) throw noArgument(scanner, start)
  const { at: end } = scanner
  if (Number.isNaN(value)) throw unexpected(scanner, start, 'Expected number token, got: ', 'a number such as 42 or -1.5', '')
  return { kind: 'number', value, text: scanner.text.slice(start, end), start, end }
}

function checkArity(scanner: Scanner, name: PredicateName, args: readonly Param[], start: number): void {
  const wanted = PREDICATES[name]
  if (wanted !== 'any' && args.length !== wanted) {
    const shown = `${wanted === 1 ? 'One parameter' : 'Two parameters'} expected with ${name.toUpperCase()}`
    throw syntaxError(scanner, `${shown}: ${showParams(args)}`, start)
  }
  if (name === 'Regex' && args[0]!.kind !== 'string') {
    throw syntaxError(scanner, 'REGEX predicate expects a string as parameter', args[0]!.start)
  }
}

function passOpen(scanner: Scanner): void {
  if (scanner.peek() !== OPEN) throw unexpected(scanner, scanner.at, 'Expected left parenthesis, got: ', '(', '')
  scanner.at++
}

/** A word at an offset in the place of a step that is none. */
function noStep(scanner: Scanner, start: number): GremlinError {
  const { text } = scanToken(scanner.text, start)
  const suggestion = suggest(text, STEP_NAMES)
  return syntaxError(scanner, `Expected step function, got: ${text}`, start, {
    expected: keyword(text) === undefined ? 'a step' : `a step; ${text} is written as an argument of one`,
    found: text,
    suggestion,
  })
}

/** Something among arguments that is none; a predicate with a typing mistake, or a word without quotes. */
function noArgument(scanner: Scanner, start: number): GremlinError {
  const { kind, text, end } = scanToken(scanner.text, start)
  const isCall = kind === 'word' && scanToken(scanner.text, end).kind === '('
  const meant = isCall ? suggest(text, [...Object.keys(PREDICATES), 'Metadata']) : suggest(text, CONSTANTS)
  const suggestion = meant ?? (kind === 'word' && !isCall ? `'${text}'` : undefined)
  return unexpected(
    scanner,
    start,
    'Unexpected token while parsing parameters, got: ',
    isCall ? 'a predicate such as Within, Regex or GT' : 'a string in quotes, a number, TRUE, FALSE or a predicate',
    '',
    suggestion,
  )
}

/** An error at a token; with something `after` it the text of the token is told too. */
function unexpected(
  scanner: Scanner,
  at: number,
  before: string,
  expected: string,
  after?: string,
  suggestion?: string,
): GremlinError {
  const { text, start, end } = scanToken(scanner.text, at)
  const found = scanner.text.slice(start, end)
  return syntaxError(scanner, after === undefined ? before : before + text + after, start, {
    expected,
    found,
    suggestion,
  })
}

function syntaxError(scanner: Scanner, summary: string, offset: number, detail: GremlinErrorDetail = {}): GremlinError {
  return new GremlinError('ERR_GREMLIN_SYNTAX', summary, scanner.text, offset, detail)
}

const CONSTANTS: readonly Constant[] = ['TRUE', 'FALSE', 'ASC', 'DESC', 'NOW', 'FOREVER']

function constant(name: Constant, start: number, end: number): Param {
  switch (name) {
    case 'TRUE':
    case 'FALSE':
      return { kind: 'boolean', value: name === 'TRUE', start, end }
    case 'ASC':
    case 'DESC':
      return { kind: 'order', value: name, start, end }
    case 'NOW':
      return { kind: 'now', start, end }
    case 'FOREVER':
      return { kind: 'forever', start, end }
  }
}
