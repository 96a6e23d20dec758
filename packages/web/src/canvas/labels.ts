/** At most so many characters, the last an ellipsis when some are left out. */
export function shorten(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, Math.max(1, characters - 1))}…`
}

/** A count in at most four characters: `950`, `1.2k`, `34k`. */
export function compact(count: number): string {
  return count < 1_000 ? String(count) : `${(count / 1_000).toFixed(count < 10_000 ? 1 : 0)}k`
}
