import { InvalidArgumentError } from '@skydive/contracts'
import { describeJsonError } from '@skydive/protocol'
import type { FastifyRequest } from 'fastify'
import { parse as parseYaml } from 'yaml'

/** The body as text; empty when there is none. */
export function bodyText(request: FastifyRequest): string {
  return typeof request.body === 'string' ? request.body : ''
}

/**
 * Reads JSON that came from outside.
 *
 * @throws ERR_INVALID_ARGUMENT with the words of the original and the offset.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const { message, offset } = describeJsonError(text)
    throw new InvalidArgumentError(message, { offset })
  }
}

/** A body of a resource: YAML when the content type says so, otherwise JSON. @throws ERR_INVALID_ARGUMENT. */
export function parseResource(request: FastifyRequest): Record<string, unknown> {
  const text = bodyText(request)
  const value = request.headers['content-type']?.startsWith('application/yaml') ? readYaml(text) : parseJson(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new InvalidArgumentError(`expected an object, got ${JSON.stringify(value)?.slice(0, 80)}`)
}

function readYaml(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 0 })
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
