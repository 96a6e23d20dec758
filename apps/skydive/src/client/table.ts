/** One line of a table: cells by column. */
export type Row = Readonly<Record<string, string | number | undefined>>

const MAX_CELL = 60

/** Columns side by side, headers in upper case, numbers to the right, long cells cut. A column without a value in any row is left out. */
export function formatTable(columns: readonly string[], rows: readonly Row[]): string {
  const used = columns.filter((column) => rows.some((row) => row[column] !== undefined && row[column] !== ''))
  const cells = rows.map((row) => used.map((column) => cut(String(row[column] ?? ''))))
  const widths = used.map((column, i) => Math.max(column.length, ...cells.map((line) => line[i]!.length)))
  const isNumber = used.map((column) => rows.every((row) => row[column] === undefined || typeof row[column] === 'number'))
  const line = (values: readonly string[]) =>
    values
      .map((value, i) => (isNumber[i] ? value.padStart(widths[i]!) : value.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(used.map((column) => column.toUpperCase())), ...cells.map(line)].join('\n')
}

function cut(text: string): string {
  const flat = text.replace(/\s+/g, ' ')
  return flat.length > MAX_CELL ? `${flat.slice(0, MAX_CELL - 1)}…` : flat
}
