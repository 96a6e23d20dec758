import { CancelledError, LimitError, NotFoundError } from '@skydive/contracts'
import type { FastifyRequest } from 'fastify'
import { formatToken } from '../auth/authenticator.ts'
import { JSON_TYPE, sendProblem } from '../error-answer.ts'
import { describeApi } from '../openapi.ts'
import { OPEN_ROUTE, type RouteContext } from './context.ts'

/** Objects and actions of the permission list that `/login` answers (spec platform 6.2). */
const PERMISSIONS: readonly (readonly [string, string])[] = [
  ...['capture', 'node', 'edge'].flatMap((object) => [[object, 'read'] as const, [object, 'write'] as const]),
  ['capture', 'rawpackets'],
  ['config', 'read'],
  ['pcap', 'write'],
  ['status', 'read'],
  ['topology', 'read'],
]

/** Identity, status, configuration, login, metrics, description and the upload of capture files (spec platform 1.6). */
export function miscRoutes(context: RouteContext, connections: () => Record<string, object>): void {
  const { app, options } = context
  const identity = `${JSON.stringify({ Host: options.hostId, Version: options.version, Service: options.service })}\n`
  app.get('/api', (_request, reply) => reply.header('Content-Type', JSON_TYPE).send(identity))

  app.get('/api/status', async (_request, reply) => {
    const status = { ...connections(), ...(await options.status()) }
    return reply.header('Content-Type', JSON_TYPE).send(`${JSON.stringify(status)}\n`)
  })

  const { configValue, metricsText } = options
  if (configValue) {
    app.get('/api/config/:key', (request, reply) => {
      const value = configValue((request.params as { key: string }).key) ?? ''
      return reply.header('Content-Type', JSON_TYPE).send(`${JSON.stringify(value)}\n`)
    })
  }

  if (metricsText) {
    app.get('/metrics', async (_request, reply) =>
      reply.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').send(await metricsText()),
    )
  }

  const description = JSON.stringify(describeApi(options))
  app.get('/api/openapi.json', (_request, reply) => reply.header('Content-Type', JSON_TYPE).send(description))
  loginRoutes(context)
  if (options.importPcap) pcapRoute(context, options.importPcap)
}

function loginRoutes({ app, options }: RouteContext): void {
  app.get('/login', OPEN_ROUTE, (_request, reply) =>
    reply.code(302).header('Location', '/').type('text/html; charset=utf-8').send('<a href="/">Found</a>.\n\n'),
  )

  app.post('/login', OPEN_ROUTE, async (request, reply) => {
    const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '')
    const user = form.get('username') ?? ''
    const password = form.get('password') ?? ''
    const backend = options.auth?.api
    if (backend && user === '' && password === '')
      return sendProblem(request, reply, 401, 'ERR_PERMISSION', 'No credentials provided')
    if (backend && (await backend.authenticate(user, password)) === undefined) {
      return sendProblem(request, reply, 401, 'ERR_PERMISSION', 'Wrong credentials')
    }
    const token = backend ? formatToken(user, password) : ''
    const permissions = PERMISSIONS.map(([object, action]) => ({ Object: object, Action: action, Allowed: true }))
    // Scripts never need to read the cookie, and no page of another site may make a browser send it.
    const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure(request) ? '; Secure' : ''}`
    reply.header('Set-Cookie', [
      `authtoken=${encodeURIComponent(token)}; ${attributes}`,
      `permissions=${Buffer.from(JSON.stringify(permissions)).toString('base64url')}; Path=/; SameSite=Strict`,
    ])
    return reply.header('Content-Type', JSON_TYPE).send(`${JSON.stringify({ Token: token, Permissions: permissions })}\n`)
  })
}

function isSecure(request: FastifyRequest): boolean {
  return request.protocol === 'https'
}

/** A scope of its own, because here the body is handed on as it comes in and never held. */
function pcapRoute({ app, limits }: RouteContext, importPcap: NonNullable<RouteContext['options']['importPcap']>): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.post('/api/pcap', { bodyLimit: limits.pcapBytes }, async (request, reply) => {
      const gone = new AbortController()
      request.raw.once('aborted', () => gone.abort())
      await importPcap(bounded(request.raw, limits.pcapBytes), { signal: gone.signal })
      return reply.code(202).header('Content-Type', JSON_TYPE).send('')
    })
  })
}

async function* bounded(stream: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const chunk of untilBrokenOff(stream)) {
    total += chunk.length
    if (total > maxBytes)
      throw new LimitError(`the capture file is larger than ${maxBytes} bytes`, 'http.max_pcap_bytes', { maxBytes })
    yield chunk
  }
}

/** What a stream fails with is the fault of nobody here: its sender went away. */
async function* untilBrokenOff(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch {
    throw new CancelledError('the upload of the capture file was broken off')
  }
}

/** The answer where nothing is, in the words that clients of the original know. */
export function pageNotFound(): NotFoundError {
  return new NotFoundError('404 page not found')
}
