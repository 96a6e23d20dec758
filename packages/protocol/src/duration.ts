import { InvalidArgumentError } from '@skydive/contracts'

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const TERM = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y

/**
 * Milliseconds of a duration as Go writes it: `90s`, `5000ms`, `1h30m`, `-1.5s`, `0`.
 *
 * @throws ERR_INVALID_ARGUMENT `time: invalid duration "…"`, the text that clients of the original know.
 */
export function parseDurationMs(text: string): number {
  const sign = text[0] === '-' ? -1 : 1
  let at = text[0] === '-' || text[0] === '+' ? 1 : 0
  if (text.slice(at) === '0') return 0
  if (at === text.length) throw invalid(text)
  let totalMs = 0
  while (at < text.length) {
    TERM.lastIndex = at
    const match = TERM.exec(text)
    if (match === null) throw invalid(text)
    totalMs += Number(match[1]) * UNIT_MS[match[2]!]!
    at = TERM.lastIndex
  }
  return sign * totalMs
}

function invalid(text: string): InvalidArgumentError {
  return new InvalidArgumentError(`time: invalid duration ${JSON.stringify(text)}`, { value: text })
}
