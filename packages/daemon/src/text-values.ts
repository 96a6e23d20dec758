import { InvalidArgumentError } from '@skydive/contracts'
import type { z } from 'zod'
import { kindOf } from './schema/walk.ts'

const TRUE = new Set(['1', 't', 'true', 'y', 'yes', 'on'])
const FALSE = new Set(['0', 'f', 'false', 'n', 'no', 'off'])

/**
 * Turns the text of an environment variable or flag into what the key takes: lists are split at white space, maps and sections are JSON
 * (spec platform 5.1). Text that fits nothing is handed on as it is, so that the schema names the fault.
 *
 * @throws ERR_INVALID_ARGUMENT for a map that is no JSON object.
 */
export function fromText(schema: z.ZodType, value: string, where: string): unknown {
  const kind = kindOf(schema)
  switch (kind.kind) {
    case 'number':
      return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
    case 'boolean': {
      const word = value.trim().toLowerCase()
      return TRUE.has(word) ? true : FALSE.has(word) ? false : value
    }
    case 'list':
      return value.trim().startsWith('[') ? parseMap(value, where) : value.split(/\s+/).filter((item) => item !== '')
    case 'map':
    case 'section':
    case 'union':
      return parseMap(value, where)
    default:
      return value
  }
}

/** YAML and JSON values in the forms that the original takes: a number as text, a list as text, a scalar where text is wanted. */
export function loosen(schema: z.ZodType, value: unknown, where: string): unknown {
  const kind = kindOf(schema)
  if (typeof value === 'string')
    return kind.kind === 'map' || kind.kind === 'section' || kind.kind === 'union' ? value : fromText(schema, value, where)
  if (kind.kind === 'text' && (typeof value === 'number' || typeof value === 'boolean')) return String(value)
  if (kind.kind === 'list' && Array.isArray(value)) return value.map((item) => loosen(kind.item, item, where))
  return value
}

function parseMap(value: string, where: string): unknown {
  try {
    return JSON.parse(value)
  } catch (error) {
    throw new InvalidArgumentError(
      `${where}: expected JSON, got ${JSON.stringify(value.slice(0, 80))}: ${(error as Error).message}`,
      {
        where,
      },
    )
  }
}
