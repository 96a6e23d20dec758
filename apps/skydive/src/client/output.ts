import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { CliStreams } from '../cli.ts'
import { formatTable, type Row } from './table.ts'

/** How an answer is shown to people. */
export type Rendering =
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly Row[]; readonly empty: string }
  | { readonly kind: 'text'; readonly text: string }

/**
 * Writes an answer: for people when the output is a terminal, as JSON when it is not or `--json` was given. `indent` is that of the
 * original: two blanks, tabs for queries.
 */
export function printAnswer(
  command: Command,
  { stdout }: CliStreams,
  value: unknown,
  render: () => Rendering,
  indent: string | number = 2,
): void {
  const isJson = command.optsWithGlobals<{ json?: boolean }>().json === true || stdout.isTTY !== true
  stdout.write(`${isJson ? JSON.stringify(value, null, indent) : renderText(render())}\n`)
}

/** A single object for people. */
export function asText(value: unknown): Rendering {
  return { kind: 'text', text: stringify(value, { lineWidth: 0 }).trimEnd() }
}

function renderText(rendering: Rendering): string {
  if (rendering.kind === 'text') return rendering.text
  return rendering.rows.length === 0 ? rendering.empty : formatTable(rendering.columns, rendering.rows)
}
