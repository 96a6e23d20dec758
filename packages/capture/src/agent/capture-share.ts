import type { CaptureStart } from './messages.ts'

/** A capture as one of several threads runs it that take its packets together: the tables of all have room for as many flows as one. */
export function shareOf(start: CaptureStart, others: number): CaptureStart {
  if (others === 0) return start
  const { table } = start
  return { ...start, table: { ...table, maxFlows: Math.ceil(table.maxFlows / (others + 1)) } }
}
