import type { GremlinQuery, Param, Step } from './ast.ts'
import { GremlinError } from './error.ts'
import { scanToken, type Token } from './scanner.ts'
import { showParams } from './show.ts'
import { type Constant, keyword, PREDICATES, type PredicateName } from './vocabulary.ts'

/** Longer queries are refused before they are read. */
export const MAX_QUERY_LENGTH = 64 * 1024
/** Deeper nesting of predicates is refused. */
const MAX_DEPTH = 32

/**
 * Parses a query (spec graph 4.2, 4.3) to a tree that keeps positions. About 1 µs for a hundred characters. Arguments are checked later,
 * when the query is compiled. @throws ERR_GREMLIN_SYNTAX with `position` and `caret`.
 */
export function parseGremlin(text: string): GremlinQuery {
  if (text.length > MAX_QUERY_LENGTH) {
    throw new GremlinError('ERR_GREMLIN_SYNTAX', `the query is longer than ${MAX_QUERY_LENGTH} characters`, text.slice(0, 80), 0)
  }
  return new Parser(text).query()
}

class Parser {
  private readonly text: string
  private token: Token

  constructor(text: string) {
    this.text = text
    this.token = scanToken(text, 0)
  }

  query(): GremlinQuery {
    if (!this.isG()) throw this.unexpected(`found "${this.token.text}", expected \`G\``)
    const steps: Step[] = [this.bareG()]
    while (this.token.kind !== 'end') {
      if (this.token.kind !== '.') throw this.unexpected(`found "${this.token.text}", expected \`.\``)
      this.advance()
      steps.push(this.step())
    }
    return { text: this.text, steps }
  }

  private bareG(): Step {
    const { start, end } = this.advance()
    return { name: 'G', start, end, params: [] }
  }

  private step(): Step {
    if (this.isG()) return this.bareG()
    const name = this.advance()
    if (this.token.kind !== '(') throw this.unexpected(`Expected left parenthesis, got: ${this.token.text}`)
    this.advance()
    const params = this.params(0)
    const known = name.kind === 'word' ? keyword(name.text) : undefined
    if (known?.kind !== 'step') throw this.error(`Expected step function, got: ${name.text}`, name.start)
    return { name: known.name, start: name.start, end: this.close(), params }
  }

  /** Arguments up to the closing parenthesis. Commas are decoration: missing, doubled and trailing ones are accepted. */
  private params(depth: number): readonly Param[] {
    if (depth > MAX_DEPTH) throw this.unexpected(`predicates are nested deeper than ${MAX_DEPTH} levels`)
    const params: Param[] = []
    while (this.token.kind !== ')') {
      if (this.token.kind === 'end') throw this.unexpected('Expected right parenthesis')
      if (this.token.kind === ',') this.advance()
      else params.push(this.param(depth))
    }
    return params
  }

  private param(depth: number): Param {
    const { kind, text, start, end } = this.token
    if (kind === 'string') {
      this.advance()
      return { kind, value: text, start, end }
    }
    if (kind === 'number') return this.number()
    const known = kind === 'word' ? keyword(text) : undefined
    if (known === undefined || known.kind === 'step') {
      throw this.unexpected(`Unexpected token while parsing parameters, got: ${text}`)
    }
    this.advance()
    if (known.kind === 'constant') return { ...constant(known.name), start, end }
    this.open()
    const args = this.params(depth + 1)
    if (known.kind === 'metadata') {
      if (args.length % 2 !== 0) throw this.error(`slice must be defined by pair k,v: ${showParams(args)}`, start)
      return { kind: 'metadata', args, start, end: this.close() }
    }
    this.checkArity(known.name, args, start)
    return { kind: 'predicate', name: known.name, args, start, end: this.close() }
  }

  private number(): Param {
    const { text, start, end } = this.token
    const value = Number(text)
    if (Number.isNaN(value)) throw this.unexpected(`Expected number token, got: ${text}`)
    this.advance()
    return { kind: 'number', value, text, start, end }
  }

  private checkArity(name: PredicateName, args: readonly Param[], start: number): void {
    const wanted = PREDICATES[name]
    const shown = name.toUpperCase()
    if (wanted === 1 && args.length !== 1) throw this.error(`One parameter expected with ${shown}: ${showParams(args)}`, start)
    if (wanted === 2 && args.length !== 2) throw this.error(`Two parameters expected with ${shown}: ${showParams(args)}`, start)
    if (name === 'Regex' && args[0]!.kind !== 'string') {
      throw this.error('REGEX predicate expects a string as parameter', args[0]!.start)
    }
  }

  private open(): void {
    if (this.token.kind !== '(') throw this.unexpected(`Expected left parenthesis, got: ${this.token.text}`)
    this.advance()
  }

  /** Passes the closing parenthesis, which is known to be there, and answers its end. */
  private close(): number {
    return this.advance().end
  }

  private isG(): boolean {
    const { text } = this.token
    return text === 'G' || text === 'g'
  }

  private advance(): Token {
    const passed = this.token
    this.token = scanToken(this.text, passed.end)
    return passed
  }

  private unexpected(summary: string): GremlinError {
    return this.error(summary, this.token.start)
  }

  private error(summary: string, offset: number): GremlinError {
    return new GremlinError('ERR_GREMLIN_SYNTAX', summary, this.text, offset)
  }
}

function constant(
  name: Constant,
): { kind: 'boolean'; value: boolean } | { kind: 'order'; value: 'ASC' | 'DESC' } | { kind: 'now' | 'forever' } {
  switch (name) {
    case 'TRUE':
    case 'FALSE':
      return { kind: 'boolean', value: name === 'TRUE' }
    case 'ASC':
    case 'DESC':
      return { kind: 'order', value: name }
    case 'NOW':
      return { kind: 'now' }
    case 'FOREVER':
      return { kind: 'forever' }
  }
}
