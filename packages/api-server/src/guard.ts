import { isIP } from 'node:net'

/** What a browser may be led to send and a server must not answer: see {@link RequestGuard.refuse}. */
export interface RequestGuard {
  /** Why a request with these headers is refused (403); `undefined` when it may pass. */
  refuse(host: string | undefined, origin: string | undefined): string | undefined
  /** Whether pages of this origin may read the answers (CORS). */
  isAllowedOrigin(origin: string): boolean
}

/**
 * Guards against pages of other sites (design "Browsers and other local users").
 *
 * - `Host` must be `localhost`, an address or a configured name: a name that somebody else resolves to us (DNS rebinding) is refused.
 *   An address cannot be rebound.
 * - `Origin`, when there is one, must be that of the listener itself or configured. No `Origin` is not a browser and passes.
 */
export function createRequestGuard(options: {
  readonly names: readonly string[]
  readonly origins: readonly string[]
}): RequestGuard {
  const names = new Set(['localhost', ...options.names.map((name) => name.toLowerCase())])
  const origins = new Set(options.origins.map((origin) => origin.replace(/\/$/, '').toLowerCase()))
  const passed = new Set<string>()

  const isKnownHost = (host: string): boolean => {
    if (passed.has(host)) return true
    const name = host.replace(/:\d+$/, '').toLowerCase()
    const known = names.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
    if (known && passed.size < 64) passed.add(host)
    return known
  }

  return {
    refuse(host, origin) {
      if (host === undefined || !isKnownHost(host)) {
        return `the host ${JSON.stringify(host ?? '')} is not one of this server; add it to http.allowed_hosts`
      }
      if (origin === undefined || isSameOrigin(origin, host) || origins.has(origin.toLowerCase())) return undefined
      return `the origin ${JSON.stringify(origin)} may not use this server; add it to http.allowed_origins`
    },
    isAllowedOrigin: (origin) => origins.has(origin.toLowerCase()),
  }
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}

/** Whether a listening address is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
