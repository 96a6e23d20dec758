const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}
const DURATION_PART = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/y

/**
 * A duration such as `-1h30m` or `1.5s` in ms; `undefined` when the text is none. Integer ms, rounded.
 */
export function parseDurationMs(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1
  let offset = text.startsWith('-') || text.startsWith('+') ? 1 : 0
  if (text.slice(offset) === '0') return 0
  if (offset === text.length) return undefined
  let total = 0
  while (offset < text.length) {
    DURATION_PART.lastIndex = offset
    const part = DURATION_PART.exec(text)
    if (!part) return undefined
    total += Number(part[1]) * UNIT_NS[part[2]!]!
    offset = DURATION_PART.lastIndex
  }
  return Math.round((sign * total) / 1e6)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const RFC1123 =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([A-Z]{3,5})$/
/** The zones that mean one thing everywhere; others are read as UTC, as the reference does for names that its host does not know. */
const ZONE_HOURS: Readonly<Record<string, number>> = { EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 }

/** An RFC 1123 date with a named zone in ms since the epoch; `undefined` when the text is none. */
export function parseRfc1123Ms(text: string): number | undefined {
  const parts = RFC1123.exec(text)
  if (!parts) return undefined
  const [, day, month, year, hour, minute, second, zone] = parts
  const monthIndex = MONTHS.indexOf(month!)
  if (monthIndex < 0) return undefined
  const utc = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second))
  if (new Date(utc).getUTCDate() !== Number(day)) return undefined
  return utc - (ZONE_HOURS[zone!] ?? 0) * 3_600_000
}
