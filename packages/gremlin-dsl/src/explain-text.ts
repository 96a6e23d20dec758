/**
 * How a query is run, written for people. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

import type { ExplainedStep, Explanation } from './explain.ts'
import { KIND_WORDS } from './steps.ts'

const MAX_STEP = 60

function clipped(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > MAX_STEP ? `${line.slice(0, MAX_STEP - 1)}…` : line
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : String(value)
}

/** Columns as wide as their widest cell; numbers to the right. */
function table(rows: readonly (readonly string[])[], toTheRight: readonly boolean[]): readonly string[] {
  const widths = toTheRight.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (toTheRight[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}

function storeText({ store }: ExplainedStep): readonly string[] {
  if (!store) return []
  const limit = store.limit === undefined ? '' : `, at most ${store.limit}`
  return [`store: ${store.kind}s${store.filter ? ` with ${JSON.stringify(store.filter)}` : ''}${limit}`]
}

function flowsText({ flows }: ExplainedStep): readonly string[] {
  if (!flows) return []
  const { of, hosts: _hosts, nodeTids: _tids, ...query } = flows
  return Object.keys(query).length === 0 ? [] : [`${of}: ${JSON.stringify(query)}`]
}

/**
 * An explanation for people, without a line break at its end:
 *
 * ```text
 * answers nodes
 * 1  G                     the graph that is being read
 * 2  V()                   index Type = "host": about 2 rows
 * 3  Has('Type','host')    done together with the step before
 * 4  Out()                 follows edges from parent to child, row by row
 * hint: …
 * ```
 *
 * Of a query that was run there are three columns more: rows in, rows out and ms.
 */
export function explanationText(explanation: Explanation): string {
  const { steps, kind, slice, hints, timeMs, missing, partial } = explanation
  const isRun = timeMs !== undefined
  const heads = isRun ? [['', 'step', 'rows in', 'rows out', 'ms', 'how']] : []
  const rows = steps.map((step, index) => {
    const figures = [figure(step.rowsIn), figure(step.rowsOut), step.timeMs === undefined ? '' : step.timeMs.toFixed(3)]
    return [String(index + 1), clipped(step.step), ...(isRun ? figures : []), step.how]
  })
  const lines = table([...heads, ...rows], isRun ? [true, false, true, true, true, false] : [true, false, false])
  const time = slice && `, of ${new Date(slice.startMs).toISOString()} to ${new Date(slice.lastMs).toISOString()}`
  return [
    `answers ${KIND_WORDS[kind]}${time ?? ''}${isRun ? `, in ${timeMs.toFixed(3)} ms` : ''}`,
    ...lines,
    ...steps.flatMap((step) => [...storeText(step), ...flowsText(step)]),
    ...(missing ?? []).map((name) => `missing: ${name} did not answer`),
    ...(partial ? [`partial: the budget ${partial} was spent`] : []),
    ...hints.map((hint) => `hint: ${hint}`),
  ].join('\n')
}
