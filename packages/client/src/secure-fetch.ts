import { request as secureRequest } from 'node:https'
import { pipeline, Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { TlsClientSettings } from '@skydive/contracts'

/** Statuses whose answer has no body, not even an empty one. */
const BODYLESS = new Set([204, 205, 304])

/**
 * A `fetch` for {@link RestClientOptions.fetch} that secures the line as it is told: the one of Node takes neither authorities nor
 * certificates. It follows no redirect and takes what the client of this package sends: text, bytes, blobs and streams.
 */
export function createSecureFetch(tls: TlsClientSettings): typeof globalThis.fetch {
  return async (input, init = {}) => {
    // As a request the body has one form, whatever it was.
    const asked = new Request(input, init)
    const headers: Record<string, string> = {}
    asked.headers.forEach((value, name) => {
      headers[name] = value
    })
    return new Promise<Response>((resolve, reject) => {
      const request = secureRequest(
        asked.url,
        {
          ...tls,
          method: asked.method,
          headers,
          signal: init.signal ?? undefined,
          // Each command is one request or few: nothing is kept open that would keep the process alive.
          agent: false,
        },
        (answer) => {
          const status = answer.statusCode ?? 0
          const answered = Object.entries(answer.headers).flatMap(([name, value]) =>
            value === undefined ? [] : [[name, String(value)] as [string, string]],
          )
          if (BODYLESS.has(status)) answer.resume()
          const body = BODYLESS.has(status) ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>)
          resolve(new Response(body, { status, statusText: answer.statusMessage ?? '', headers: answered }))
        },
      )
      const fail = (error: Error) => reject(init.signal?.aborted ? init.signal.reason : reasonOf(error))
      request.on('error', fail)
      if (asked.body === null) request.end()
      else pipeline(Readable.fromWeb(asked.body as NodeReadableStream), request, (error) => error && fail(error))
    })
  }
}

/** Codes of OpenSSL for a certificate that nothing trusted vouches for. */
const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
])

function reasonOf(error: NodeJS.ErrnoException): Error {
  const reason = UNTRUSTED.has(error.code ?? '')
    ? `the certificate of the server is not trusted (${error.code}): give its authority`
    : error.message
  return new TypeError(reason, { cause: new Error(reason, { cause: error }) })
}
