import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Authenticator, type CredentialSources, findToken, parseToken } from './auth/authenticator.ts'
import { sendProblem } from './error-answer.ts'
import type { RequestGuard } from './guard.ts'
import type { ApiServerOptions } from './options.ts'

/** The methods that routes have. */
export const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const
const ALLOWED_HEADERS =
  'X-Requested-With, Content-Type, Authorization, X-Auth-Token, X-Resource-TTL, X-Skydive-Allow-Partial, X-Skydive-Places'
/** What an answer lacks must be readable for whoever may read the answer. */
const EXPOSED_HEADERS = 'X-Skydive-Coverage, X-Skydive-Incomplete, X-Skydive-Partial'

/** How credentials are asked for, in `WWW-Authenticate`. */
export const CHALLENGE = 'Basic realm="Skydive Authentication"'

/** Refuses what the guard refuses and who has no credentials, and answers what browsers ask before they ask (CORS). */
export function guardRequests(app: FastifyInstance, options: ApiServerOptions, guard: RequestGuard): void {
  // Every request passes here, so there is a promise only where credentials are checked.
  app.addHook('onRequest', (request, reply, pass) => {
    const { host, origin } = request.headers
    const reason = guard.refuse(host, origin)
    if (reason) {
      sendProblem(request, reply, 403, 'ERR_PERMISSION', reason)
      return
    }
    reply.header('Vary', 'Accept-Encoding')
    if (origin !== undefined && guard.isAllowedOrigin(origin)) {
      reply.headers({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Allow-Credentials': 'true',
        'Access-Control-Expose-Headers': EXPOSED_HEADERS,
        Vary: 'Accept-Encoding, Origin',
      })
      if (request.method === 'OPTIONS') {
        reply
          .code(204)
          .headers({
            'Access-Control-Allow-Methods': `${METHODS.join(', ')}, HEAD, OPTIONS`,
            'Access-Control-Allow-Headers': ALLOWED_HEADERS,
          })
          .send()
        return
      }
    }
    const backend = options.auth?.api
    if (backend === undefined || !needsCredentials(request)) {
      pass()
      return
    }
    void isAuthenticated(backend, requestCredentials(request)).then((isKnown) => {
      if (isKnown) pass()
      else sendProblem(request, reply.header('WWW-Authenticate', CHALLENGE), 401, 'ERR_PERMISSION', 'Unauthorized')
    }, pass)
  })
}

/** The files of the page are served without credentials: it is the page that asks for them. */
function needsCredentials(request: FastifyRequest): boolean {
  if (request.routeOptions.config.open === true) return false
  return request.url.startsWith('/api') || request.url.startsWith('/metrics')
}

function requestCredentials(request: FastifyRequest): CredentialSources {
  const parameter = (request.query as Record<string, unknown>)['x-auth-token']
  return credentials(request.headers, typeof parameter === 'string' ? parameter : undefined)
}

/** What a WebSocket brings along. */
export function upgradeCredentials(request: IncomingMessage): CredentialSources {
  const parameter = new URL(request.url ?? '/', 'http://localhost').searchParams.get('x-auth-token')
  return credentials(request.headers, parameter ?? undefined)
}

function credentials(headers: IncomingMessage['headers'], tokenParameter: string | undefined): CredentialSources {
  const tokenHeader = headers['x-auth-token']
  return {
    cookie: headers.cookie,
    authorization: headers.authorization,
    tokenHeader: typeof tokenHeader === 'string' ? tokenHeader : undefined,
    tokenParameter,
  }
}

/** Whether one of the sources has credentials that the backend knows. */
export async function isAuthenticated(backend: Authenticator, sources: CredentialSources): Promise<boolean> {
  const token = findToken(sources)
  const pair = token === undefined ? undefined : parseToken(token)
  return pair !== undefined && (await backend.authenticate(pair.user, pair.password)) !== undefined
}
