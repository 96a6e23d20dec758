import { InvalidArgumentError, NotFoundError } from '@skydive/contracts'
import { jsonPatchSchema, parseDurationMs } from '@skydive/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { JSON_TYPE, sendError } from '../error-answer.ts'
import { applyJsonPatch, equalJson } from '../json-patch.ts'
import { bodyText, parseJson, parseResource } from '../request-body.ts'

/** One kind of resource behind the generic routes of spec platform 1.3. Everything may throw a `SkydiveError`. */
export interface Resource {
  /** Path below `/api`: `capture`. */
  readonly name: string
  /** How texts call it: `Capture`. */
  readonly title: string
  /** All of them as JSON by id. */
  list(): Promise<ReadonlyMap<string, object>>
  read(id: string): Promise<object | undefined>
  create(body: Record<string, unknown>, options: { readonly ttlMs?: number }): Promise<object>
  /**
   * Stores the patched form of what {@link read} answered; answers what is stored then, or `undefined` when that changed nothing.
   * Absent: not updatable.
   */
  update?(id: string, patched: unknown): Promise<object | undefined>
  /** `false` when there is none. */
  remove(id: string): Promise<boolean>
}

/** Hangs the five routes of a resource in. Ids are everything after `/api/<name>/`, slashes included. */
export function resourceRoutes(app: FastifyInstance, resource: Resource): void {
  const path = `/api/${resource.name}`

  app.get(path, async (_request, reply) => {
    const members = [...(await resource.list())].map(([id, value]) => `${JSON.stringify(id)}:${JSON.stringify(value)}`)
    return json(reply, 200, `{${members.join(',')}}\n`)
  })

  app.get(`${path}/*`, async (request, reply) => {
    const id = idOf(request)
    if (id === '') return redirect(reply, path)
    const value = await resource.read(id)
    if (value === undefined) throw missing(resource, id)
    return json(reply, 200, `${JSON.stringify(value)}\n`)
  })

  app.post(path, async (request, reply) => {
    const header = request.headers['x-resource-ttl']
    const ttlMs = typeof header === 'string' && header !== '' ? parseTtlMs(header) : undefined
    const body = parseResource(request)
    const stored = await resource.create(body, ttlMs === undefined ? {} : { ttlMs })
    return json(reply, 201, JSON.stringify(stored))
  })

  app.patch(`${path}/*`, async (request, reply) => {
    const id = idOf(request)
    const patch = parsePatch(bodyText(request))
    const current = await resource.read(id)
    // The original answers an unknown id without a body, and its clients compare the text.
    if (current === undefined) return reply.code(404).type('text/plain; charset=utf-8').send('')
    const patched = step('applying JSON patch', () => applyJsonPatch(current, patch))
    if (resource.update === undefined) {
      throw new InvalidArgumentError('updating resource with patched version: resource not updatable', {
        resource: resource.name,
      })
    }
    if (equalJson(current, patched)) return reply.code(304).send()
    const stored = await resource.update(id, patched)
    return stored === undefined ? reply.code(304).send() : json(reply, 200, JSON.stringify(stored))
  })

  app.delete(`${path}/*`, async (request, reply) => {
    const id = idOf(request)
    if (!(await resource.remove(id))) return sendError(request, reply, missing(resource, id))
    return reply.header('Content-Type', 'text/plain').send('')
  })
}

/** Runs a stage and names it in front of what goes wrong. */
export function step<T>(stage: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw new InvalidArgumentError(`${stage}: ${(error as Error).message}`, {}, error)
  }
}

function parsePatch(text: string) {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    throw new InvalidArgumentError(`incorrect JSON patch: ${(error as Error).message}. Patch: ${text.slice(0, 200)}`, {}, error)
  }
  const parsed = jsonPatchSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new InvalidArgumentError(
    `incorrect JSON patch: ${issue?.path.join('/') ?? ''}: ${issue?.message ?? ''}. Patch: ${text.slice(0, 200)}`,
  )
}

function parseTtlMs(text: string): number {
  const ttlMs = parseDurationMs(text)
  if (ttlMs > 0) return ttlMs
  throw new InvalidArgumentError(`X-Resource-TTL: ${JSON.stringify(text)} is not greater than zero`, { value: text })
}

function idOf(request: FastifyRequest): string {
  return (request.params as { '*': string })['*']
}

function missing(resource: Resource, id: string): NotFoundError {
  return new NotFoundError(`${resource.title} '${id}' not found`, { id })
}

function json(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('Content-Type', JSON_TYPE).send(text)
}

/** The canonical path has no slash at its end. */
export function redirect(reply: FastifyReply, path: string): FastifyReply {
  return reply
    .code(301)
    .header('Location', path)
    .type('text/html; charset=utf-8')
    .send(`<a href="${path}">Moved Permanently</a>.\n\n`)
}
