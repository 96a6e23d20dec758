import { InvalidArgumentError as SkydiveInvalidArgumentError } from '@skydive/contracts'
import { InvalidArgumentError } from 'commander'

/** A whole number of an option; commander adds the option to the message. */
export function parseInteger(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number.')
}

/** A Gremlin query of the command line; commander adds the argument to the message. A server has no answer to an empty one. */
export function parseQuery(text: string): string {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('the query is empty; write one such as "G.V()".')
}

/**
 * `key=value,key=value` as metadata; values are text.
 *
 * @throws ERR_INVALID_ARGUMENT naming the part without `=`.
 */
export function parseMetadata(text: string): Record<string, string> {
  const metadata: Record<string, string> = {}
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const at = part.indexOf('=')
    if (at <= 0) throw new SkydiveInvalidArgumentError(`--metadata: expected key=value, got ${JSON.stringify(part)}`)
    metadata[part.slice(0, at)] = part.slice(at + 1)
  }
  return metadata
}

/**
 * `key=JSON` of `--add`; text that is no JSON is a string.
 *
 * @throws ERR_INVALID_ARGUMENT without `=`.
 */
export function parseAssignment(text: string): { readonly key: string; readonly value: unknown } {
  const at = text.indexOf('=')
  if (at <= 0) throw new SkydiveInvalidArgumentError(`--add: expected key=JSON, got ${JSON.stringify(text)}`)
  const raw = text.slice(at + 1)
  try {
    return { key: text.slice(0, at), value: JSON.parse(raw) }
  } catch {
    return { key: text.slice(0, at), value: raw }
  }
}

/** The JSON pointer of a dotted metadata key. */
export function metadataPointer(key: string): string {
  return `/Metadata/${key
    .split('.')
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .join('/')}`
}
