import { createHash, timingSafeEqual } from 'node:crypto'

/** Who asks. */
export interface Identity {
  readonly user: string
  readonly role: string
}

/** Says who holds a user name and password; `undefined` when they are wrong. Never throws. */
export interface Authenticator {
  /** For the header `WWW-Authenticate`. */
  readonly scheme: 'Basic'
  authenticate(user: string, password: string): Promise<Identity | undefined>
}

/** Where credentials may stand, in the order in which they are looked for (spec platform 6.1): the first one found decides. */
export interface CredentialSources {
  readonly cookie?: string | undefined
  readonly authorization?: string | undefined
  readonly tokenHeader?: string | undefined
  readonly tokenParameter?: string | undefined
}

const MAX_TOKEN_CHARS = 4096

/** Finds the token: base64 of `user:password`. `undefined` when there is none. */
export function findToken(sources: CredentialSources): string | undefined {
  const cookie = /(?:^|;\s*)authtoken=([^;]*)/.exec(sources.cookie ?? '')?.[1]
  if (cookie) return decodeURIComponentSafely(cookie)
  if (sources.authorization) return sources.authorization.trim().split(/\s+/).at(-1)
  return sources.tokenHeader || sources.tokenParameter || undefined
}

/** Splits a token; `undefined` when it is none. */
export function parseToken(token: string): { user: string; password: string } | undefined {
  if (token.length > MAX_TOKEN_CHARS || !/^[A-Za-z0-9+/_=-]+$/.test(token)) return undefined
  const text = Buffer.from(token, 'base64').toString('utf8')
  const at = text.indexOf(':')
  return at < 0 ? undefined : { user: text.slice(0, at), password: text.slice(at + 1) }
}

/** The token of a user: what `/login` answers, the cookie holds and the Basic header carries. */
export function formatToken(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`, 'utf8').toString('base64')
}

/** Whether two texts are equal, in a time that tells nothing of where they differ. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}

const REMEMBERED = 256

/**
 * Remembers which credentials were right, so that a slow hash is computed once and not with every request. Only digests are kept, at
 * most 256 and each for `rememberMs`.
 */
export function rememberingAuthenticator(inner: Authenticator, rememberMs = 60_000, now: () => number = Date.now): Authenticator {
  const known = new Map<string, { identity: Identity; untilMs: number }>()
  return {
    scheme: inner.scheme,
    async authenticate(user, password) {
      const key = createHash('sha256').update(`${user}\0${password}`).digest('base64')
      const hit = known.get(key)
      if (hit && hit.untilMs > now()) return hit.identity
      known.delete(key)
      const identity = await inner.authenticate(user, password)
      if (identity === undefined) return undefined
      if (known.size >= REMEMBERED) known.delete(known.keys().next().value!)
      known.set(key, { identity, untilMs: now() + rememberMs })
      return identity
    },
  }
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
