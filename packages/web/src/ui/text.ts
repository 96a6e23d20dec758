/** The first line of an error's words: what fits a bar; the whole belongs into a tooltip. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.trim()
}

/** The time of day, local, always as wide: `03:57:18`. */
export function clockTime(timeMs: number): string {
  return new Date(timeMs).toLocaleTimeString([], { hour12: false })
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** Bytes with a unit, three digits at most: `950 B`, `1.5 kB`, `23.4 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** Bytes a second: `1.5 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}
