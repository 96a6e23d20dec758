import { SkydiveError } from '@skydive/contracts'
import type { ErrorAnswer } from '@skydive/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Content types as the original writes them: scripts compare them. */
export const JSON_TYPE = 'application/json; charset=UTF-8'
export const TEXT_TYPE = 'text/plain; charset=utf-8'

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  ERR_NOT_FOUND: 404,
  ERR_CONFLICT: 409,
  ERR_PERMISSION: 403,
  ERR_UNAVAILABLE: 503,
  ERR_LIMIT: 422,
  // What was asked for cannot be had here: the asker has to ask for something else.
  ERR_UNSUPPORTED: 400,
  ERR_DECODE: 400,
  ERR_PROTOCOL: 400,
}

/** The HTTP status of an error (docs/errors.md): a fault of the caller is 4xx, anything else 5xx. */
export function statusOf(error: unknown): number {
  if (!SkydiveError.isInstance(error)) return 500
  return STATUS_BY_CODE[error.code] ?? (error.fault === 'caller' ? 400 : 500)
}

/**
 * Answers an error: plain text as the original does, or an object with the stable code where the client accepts `application/json`.
 * An error that is none of ours is a fault of the server; its text stays in the log.
 */
export function sendError(request: FastifyRequest, reply: FastifyReply, error: unknown, status = statusOf(error)): FastifyReply {
  const known = SkydiveError.isInstance(error)
  const answer: ErrorAnswer = {
    Code: known ? error.code : 'ERR_INVARIANT',
    Message: known ? error.message : 'internal error; see the log of the server',
    Status: status,
    Fields: known ? { ...error.fields } : {},
  }
  reply.code(status).header('X-Content-Type-Options', 'nosniff')
  if (acceptsJson(request)) return reply.type(JSON_TYPE).send(`${JSON.stringify(answer)}\n`)
  return reply.type(TEXT_TYPE).send(`${answer.Message}\n`)
}

/** Answers a text of our own with a status, in both forms. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: string,
  message: string,
): FastifyReply {
  return sendError(request, reply, new SkydiveError(message, { code, fault: 'caller' }), status)
}

function acceptsJson(request: FastifyRequest): boolean {
  return request.headers.accept?.startsWith('application/json') === true
}
