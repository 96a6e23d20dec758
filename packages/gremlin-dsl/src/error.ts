import { SkydiveError } from '@skydive/contracts'

/** What can be wrong with a query: its text, its arguments, the order of its steps, what this version lacks, or what came out. */
export type GremlinErrorCode =
  | 'ERR_GREMLIN_SYNTAX'
  | 'ERR_GREMLIN_ARGUMENT'
  | 'ERR_GREMLIN_STEP'
  | 'ERR_GREMLIN_UNSUPPORTED'
  | 'ERR_GREMLIN_EXECUTION'

/** Where in a query something is. */
export interface QueryPosition {
  /** UTF-16 units from 0. */
  readonly offset: number
  /** From 1. */
  readonly line: number
  /** UTF-16 units from 1. */
  readonly column: number
}

const MAX_SHOWN = 120

/** The place of an offset in a text. */
export function positionAt(text: string, offset: number): QueryPosition {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { offset, line: before.split('\n').length, column: offset - lineStart + 1 }
}

/** The line around an offset with a caret below it; a long line is cut to what is near. */
export function caretAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1
  const lineEnd = text.indexOf('\n', offset)
  const line = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).replaceAll('\t', ' ')
  const column = offset - lineStart
  const from = Math.max(0, Math.min(column - MAX_SHOWN / 2, line.length - MAX_SHOWN))
  return `  ${line.slice(from, from + MAX_SHOWN)}\n  ${' '.repeat(column - from)}^`
}

/** What helps to mend a query. */
export interface GremlinErrorDetail {
  /** What stands there, as written; shortened when long. */
  readonly found?: string | undefined
  /** What could stand there: `a step such as Has or Out`. */
  readonly expected?: string
  /** What was probably meant: `Has`. */
  readonly suggestion?: string | undefined
}

const MAX_FOUND = 80

function helpOf({ found, expected, suggestion }: GremlinErrorDetail): string {
  let help = ''
  if (expected !== undefined) help += `\nexpected: ${expected}`
  if (found !== undefined) help += `\nfound: ${found === '' ? 'the end' : shortened(found)}`
  if (suggestion !== undefined) help += `\ndid you mean ${suggestion}?`
  return help
}

function shortened(found: string): string {
  const line = found.replace(/\s+/g, ' ')
  return line.length > MAX_FOUND ? `${line.slice(0, MAX_FOUND)}…` : line
}

/**
 * A query that can't be run. The first line of the message is the stable text of spec graph 4.12; then follow position, caret and help:
 *
 * ```text
 * Expected step function, got: Hass
 * at line 1, column 7:
 *   G.V().Hass('x')
 *         ^
 * expected: a step
 * found: Hass
 * did you mean Has?
 * ```
 */
export class GremlinError extends SkydiveError {
  /** The first line alone. */
  readonly summary: string
  /** Where the mistake is. */
  readonly position: QueryPosition
  /** The line of the query and the caret below it. */
  readonly caret: string
  /** What stands there, what could, and what was probably meant. */
  readonly detail: GremlinErrorDetail

  /** `offset` is where the mistake is in `text`; position, caret and message are made from it. */
  constructor(
    code: GremlinErrorCode,
    summary: string,
    text: string,
    offset: number,
    detail: GremlinErrorDetail = {},
    cause?: unknown,
  ) {
    const position = positionAt(text, offset)
    const caret = caretAt(text, offset)
    super(`${summary}\nat line ${position.line}, column ${position.column}:\n${caret}${helpOf(detail)}`, {
      code,
      fault: 'caller',
      fields: { position, summary, ...detail },
      cause,
    })
    this.summary = summary
    this.position = position
    this.caret = caret
    this.detail = detail
  }
}
