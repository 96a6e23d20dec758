import type { MetadataValue } from '@skydive/contracts'

const PLAIN_INTEGER = /^[+-]?[0-9]+$/
const PREFIXED_INTEGER = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+)$/
const OCTAL_INTEGER = /^([+-]?)0([0-7]+)$/

/**
 * The typed integer read of spec graph 1.5: integers; other numbers truncated; booleans as 0 and 1; null as 0; numeric strings, with the
 * prefixes `0x`, `0b`, `0o`, a leading `0` for octal and a trailing `.000`. Anything else: `undefined`.
 */
export function readInteger(value: unknown): number | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? Math.trunc(value) : undefined
    case 'boolean':
      return value ? 1 : 0
    case 'string':
      return parseInteger(value)
    case 'object':
      return value === null ? 0 : undefined
    default:
      return undefined
  }
}

function parseInteger(text: string): number | undefined {
  const first = text.charCodeAt(0)
  // Most strings are names and addresses: leave at the first character that starts no number.
  if (!((first >= 48 && first <= 57) || first === 43 || first === 45)) return undefined
  const point = text.indexOf('.')
  if (point > 0) {
    if (!/^0+$/.test(text.slice(point + 1))) return undefined
    return parseInteger(text.slice(0, point))
  }
  const octal = OCTAL_INTEGER.exec(text)
  if (octal) return Number.parseInt(octal[1]! + octal[2]!, 8)
  if (PLAIN_INTEGER.test(text)) return Number.parseInt(text, 10)
  const prefixed = PREFIXED_INTEGER.exec(text)
  if (!prefixed) return undefined
  const magnitude = Number(prefixed[2])
  return prefixed[1] === '-' ? -magnitude : magnitude
}

/** Strings only. */
export function readString(value: MetadataValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Booleans only. */
export function readBoolean(value: MetadataValue | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}
