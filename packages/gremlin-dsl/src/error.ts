import { SkydiveError } from '@skydive/contracts'

/** What can be wrong with a query: its text, its arguments, the order of its steps, what this version lacks, or what came out. */
export type GremlinErrorCode =
  | 'ERR_GREMLIN_SYNTAX'
  | 'ERR_GREMLIN_ARGUMENT'
  | 'ERR_GREMLIN_STEP'
  | 'ERR_GREMLIN_UNSUPPORTED'
  | 'ERR_GREMLIN_EXECUTION'

/** Where in a query something is. Offsets count UTF-16 units from 0; line and column count from 1. */
export interface QueryPosition {
  readonly offset: number
  readonly line: number
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

/**
 * A query that can't be run. The first line of the message is the stable text of spec graph 4.12; then follow position and caret:
 *
 * ```text
 * found "X", expected `G`
 * at line 1, column 1:
 *   X.V()
 *   ^
 * ```
 */
export class GremlinError extends SkydiveError {
  /** The first line alone. */
  readonly summary: string
  readonly position: QueryPosition
  /** The line of the query and the caret below it. */
  readonly caret: string

  constructor(code: GremlinErrorCode, summary: string, text: string, offset: number, cause?: unknown) {
    const position = positionAt(text, offset)
    const caret = caretAt(text, offset)
    super(`${summary}\nat line ${position.line}, column ${position.column}:\n${caret}`, {
      code,
      fault: 'caller',
      fields: { position, summary },
      cause,
    })
    this.summary = summary
    this.position = position
    this.caret = caret
  }
}
