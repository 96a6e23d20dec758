import type { FastifyInstance } from 'fastify'
import type { ApiServerLimits, ApiServerOptions } from '../options.ts'

/** What the routes share: where they hang themselves in, and what they answer from. */
export interface RouteContext {
  readonly app: FastifyInstance
  readonly options: ApiServerOptions
  readonly limits: ApiServerLimits
}

/** Config of a route that needs no credentials. */
export const OPEN_ROUTE = { config: { open: true } }

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served without credentials. */
    open?: boolean
  }
}
