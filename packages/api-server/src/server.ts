import type { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { InvalidArgumentError, LimitError, SILENT_LOGGER, UnavailableError } from '@skydive/contracts'
import type { MessageInit } from '@skydive/protocol'
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify'
import { systemClock } from './clock.ts'
import { sendError, sendProblem } from './error-answer.ts'
import { createRequestGuard, isLoopback } from './guard.ts'
import { type ApiServerOptions, DEFAULT_LIMITS } from './options.ts'
import { CHALLENGE, guardRequests, isAuthenticated, METHODS, upgradeCredentials } from './request-access.ts'
import { captureResource, notifyCaptures } from './routes/capture.ts'
import { coverageRoute } from './routes/coverage.ts'
import { edgeResource, nodeResource } from './routes/elements.ts'
import { miscRoutes, pageNotFound } from './routes/misc.ts'
import { redirect, resourceRoutes } from './routes/resource.ts'
import { staticRoutes } from './routes/static-files.ts'
import { topologyRoutes } from './routes/topology.ts'
import { topologyDiffRoute } from './routes/topology-diff.ts'
import { httpsOptions, refuseForeignCertificates } from './secure-listener.ts'
import { createFlowSubscriberEndpoint } from './websocket/flow-subscriber.ts'
import { type ServerEndpoint, WebSocketHub } from './websocket/hub.ts'
import { createSubscriberEndpoint } from './websocket/subscriber.ts'

/** ms in which a request must have come in whole: a client that trickles holds nothing for ever. An upload of a gigabyte fits. */
const REQUEST_TIMEOUT_MS = 600_000

/** ms that open requests get to finish when the server stops. */
const STOP_GRACE_MS = 10_000

/** A running API. */
export interface ApiServer {
  /**
   * Listens. Resolves with the address, whose port is the real one.
   *
   * @throws ERR_INVALID_ARGUMENT when it would be reachable from other machines without authentication; ERR_UNAVAILABLE when the
   * address is taken or not ours.
   */
  start(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>
  /** Closes every connection, after those that are in the middle of an answer. */
  stop(): Promise<void>
  /** Tells all subscribers something that is not of the graph, such as an alert or that a capture was created. */
  notify(message: MessageInit): void
  /** The connections as `/api/status` shows them. */
  connections(): Record<string, Record<string, object>>
}

/** Makes the server; nothing listens before {@link ApiServer.start}. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? SILENT_LOGGER
  const app = createApp(options, limits.bodyBytes)
  const guard = createRequestGuard({
    names: [options.hostId, ...(options.allowedHosts ?? [])],
    origins: options.allowedOrigins ?? [],
  })

  const subscriber = createSubscriberEndpoint({
    graph: options.graph,
    query: options.query,
    queries: options.queries,
    logger,
    statusKey: options.service === 'agent' ? 'Clients' : 'Subscribers',
  })
  const flowSubscriber =
    options.flows && createFlowSubscriberEndpoint(options.flows, { clock, ...(options.metrics && { metrics: options.metrics }) })
  const endpoints: ServerEndpoint[] = [subscriber, ...(flowSubscriber ? [flowSubscriber] : []), ...(options.endpoints ?? [])]
  const counters = connectionCounters(options)
  const hub = new WebSocketHub({
    service: options.service,
    hostId: options.hostId,
    endpoints,
    limits,
    pingDelayMs: options.pingDelayMs ?? 2000,
    pongTimeoutMs: options.pongTimeoutMs ?? 5000,
    clock,
    logger,
    bounds: { queuedMessages: limits.queuedMessages, queuedBytes: limits.queuedBytes, ...counters },
    async refuse(request, endpoint) {
      const reason = guard.refuse(request.headers.host, request.headers.origin)
      if (reason) return { status: 403, text: reason }
      const backend = options.auth?.[endpoint.auth]
      if (backend === undefined || (await isAuthenticated(backend, upgradeCredentials(request)))) return undefined
      return { status: 401, text: 'Unauthorized', headers: `WWW-Authenticate: ${CHALLENGE}\r\n` }
    },
  })

  guardRequests(app, options, guard)
  readBodies(app)
  const context = { app, options, limits }
  topologyRoutes(context)
  if (options.graph.diff) topologyDiffRoute(context, () => clock.now())
  if (options.coverage) coverageRoute(context, options.coverage, () => clock.now())
  miscRoutes(context, () => hub.status())
  if (options.resources) {
    resourceRoutes(app, captureResource(options.resources, options.graph))
    resourceRoutes(
      app,
      nodeResource(options.resources.writer, () => clock.now()),
    )
    resourceRoutes(
      app,
      edgeResource(options.resources.writer, () => clock.now()),
    )
  }
  if (options.staticFolder) staticRoutes(app, options.staticFolder)
  answerTheRest(app, logger)

  const unwatch: (() => void)[] = []
  let started: Promise<{ host: string; port: number; url: string }> | undefined
  return {
    start() {
      started ??= listen(app, options).then((address) => {
        subscriber.start()
        flowSubscriber?.start()
        hub.start(app.server)
        if (options.resources) unwatch.push(notifyCaptures(options.resources.store, (message) => subscriber.broadcast(message)))
        return address
      })
      return started
    },
    async stop() {
      for (const stop of unwatch.splice(0)) stop()
      subscriber.stop()
      flowSubscriber?.stop()
      hub.stop()
      const timer = clock.setTimeout(() => app.server.closeAllConnections(), STOP_GRACE_MS)
      await app.close()
      clock.clearTimeout(timer)
    },
    notify: (message) => subscriber.broadcast(message),
    connections: () => hub.status(),
  }
}

/** A server of `node:https` has all that is used of one of `node:http`, so that the rest does not tell them apart. */
function createApp({ tls }: ApiServerOptions, bodyLimit: number): FastifyInstance {
  const plain: FastifyServerOptions = {
    logger: false,
    bodyLimit,
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_TIMEOUT_MS,
  }
  if (!tls) return fastify(plain)
  const app = fastify({ ...plain, https: httpsOptions(tls) } as FastifyServerOptions)
  refuseForeignCertificates(app.server as SecureServer)
  return app
}

/** Every body is text for the routes: the original reads JSON whatever the content type says. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  // Not '*', which fastify looks up anew for every request.
  app.addContentTypeParser(/^/, { parseAs: 'string' }, (_request, body, done) => done(null, body))
}

function answerTheRest(app: FastifyInstance, logger: NonNullable<ApiServerOptions['logger']>): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      const maxBytes = request.routeOptions.bodyLimit
      const limit = new LimitError(`the body is larger than ${maxBytes} bytes`, 'http.max_body_bytes', { maxBytes })
      return sendError(request, reply, limit, 413)
    }
    if (error.statusCode !== undefined && error.statusCode < 500 && error.code?.startsWith('FST_')) {
      return sendProblem(request, reply, error.statusCode, 'ERR_INVALID_ARGUMENT', error.message)
    }
    if (!('fault' in error)) logger.error({ err: error, url: request.url }, 'request failed')
    return sendError(request, reply, error)
  })

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    if (path.length > 1 && path.endsWith('/') && isServed(app, path.slice(0, -1))) return redirect(reply, path.slice(0, -1))
    if (isServed(app, path)) return reply.code(405).send()
    return refuseUnknown(request, reply)
  })
}

function refuseUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendError(request, reply, pageNotFound())
}

function isServed(app: FastifyInstance, path: string): boolean {
  const resource = /^\/api\/[a-z]+\/./.test(path) ? `${path.split('/').slice(0, 3).join('/')}/*` : path
  return METHODS.some((method) => app.hasRoute({ method, url: path }) || app.hasRoute({ method, url: resource }))
}

/**
 * Refuses an address that other machines can reach while nobody is asked for credentials. {@link ApiServer.start} calls it too; call it
 * yourself before anything is made that a refused start would leave behind.
 *
 * @throws ERR_INVALID_ARGUMENT naming the ways out.
 */
export function checkListen(options: Pick<ApiServerOptions, 'service' | 'listen' | 'insecureListen' | 'auth'>): void {
  const { host, port } = options.listen
  if (isLoopback(host) || options.auth?.api !== undefined || options.insecureListen === true) return
  throw new InvalidArgumentError(
    `${options.service}.listen: ${host} can be reached from other machines, but ${options.service}.auth.api.backend asks for no ` +
      'credentials; set a backend (basic), listen on 127.0.0.1, or accept it with http.insecure_listen: true or --insecure-listen',
    { host, port },
  )
}

async function listen(app: FastifyInstance, options: ApiServerOptions): Promise<{ host: string; port: number; url: string }> {
  const { host, port } = options.listen
  checkListen(options)
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const hint =
      code === 'EADDRINUSE' ? 'another process listens there; stop it or choose another port' : (error as Error).message
    throw new UnavailableError(`${options.service}.listen: cannot listen on ${host}:${port}: ${hint}`, {
      retryable: false,
      fields: { host, port },
      cause: error,
    })
  }
  const address = app.server.address() as AddressInfo
  const shown = host.includes(':') ? `[${host}]` : host
  return { host, port: address.port, url: `${options.tls ? 'https' : 'http'}://${shown}:${address.port}` }
}

function connectionCounters(options: ApiServerOptions) {
  const sent = options.metrics?.counter('skydive_websocket_messages_sent_total', 'Messages handed to WebSockets')
  const slow = options.metrics?.counter('skydive_websocket_slow_total', 'WebSockets closed because they could not keep up')
  const lost = options.metrics?.counter(
    'skydive_websocket_messages_dropped_total',
    'Messages dropped with a WebSocket that was too slow',
  )
  return {
    onSent: (messages: number) => sent?.add(messages),
    onTooSlow(messages: number) {
      slow?.add(1)
      lost?.add(messages)
    },
  }
}
