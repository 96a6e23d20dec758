import type { Cursor } from '@skydive/contracts'

/** A cursor as the wire has it: `<epoch>:<version>`. */
export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}:${cursor.version}`
}

/** Reads {@link formatCursor}; `undefined` for anything else, which a server takes as "knows cursors, has none". Never throws. */
export function parseCursor(text: string): Cursor | undefined {
  const at = text.lastIndexOf(':')
  const digits = text.slice(at + 1)
  if (at <= 0 || !/^\d{1,15}$/.test(digits)) return undefined
  return { epoch: text.slice(0, at), version: Number(digits) }
}
