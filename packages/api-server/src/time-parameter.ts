import { InvalidArgumentError } from '@skydive/contracts'
import { parseDurationMs } from '@skydive/protocol'

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/
const RFC1123 = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} ([A-Z]{2,4}|[+-]\d{4})$/
const NUMBER = /^\d{1,16}(\.\d{1,9})?$/
const DURATION = /^[+-]?[\d.]+[a-zµμ]/
/** Numbers from here on are ms, smaller ones s: as ms this is March 1973, as s the year 5138. */
const MS_FROM = 100_000_000_000

/**
 * A time that a user wrote, in ms since the epoch: `now`, ms or s since the epoch, RFC 3339, RFC 1123, or a duration from now such as `-1h30m`.
 *
 * @throws ERR_INVALID_ARGUMENT naming the parameter, the value and what may be written.
 */
export function parseTimeParameter(name: string, text: string, nowMs: number): number {
  const timeMs = readTime(text.trim(), nowMs)
  if (timeMs !== undefined && Number.isFinite(timeMs)) return timeMs
  throw new InvalidArgumentError(
    `${name}: ${JSON.stringify(text)} is no time; write ms or s since the epoch, 2026-01-31T12:00:00Z, an RFC 1123 date, a duration such as -1h, or now`,
    { name, value: text },
  )
}

function readTime(text: string, nowMs: number): number | undefined {
  if (text === 'now') return nowMs
  if (NUMBER.test(text)) return Number(text) >= MS_FROM ? Math.trunc(Number(text)) : Math.round(Number(text) * 1000)
  if (RFC3339.test(text) || RFC1123.test(text)) return Date.parse(text)
  if (!DURATION.test(text)) return undefined
  try {
    return Math.round(nowMs + parseDurationMs(text))
  } catch {
    return undefined
  }
}
