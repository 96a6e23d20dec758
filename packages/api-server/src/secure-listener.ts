import type { Server, ServerOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { TlsServerSettings } from '@skydive/contracts'

/** Ephemeral keys and authenticated encryption alone (spec platform 6.5); the first three are those of TLS 1.3. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':')

/** What `node:https` is told. */
export function httpsOptions({ cert, key, ca, requireClientCert = false }: TlsServerSettings): ServerOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    ecdhCurve: 'P-521:P-384:P-256',
    ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: requireClientCert }),
  }
}

/** Drops who shows a certificate of a foreign authority; Node by itself takes it where none is demanded. */
export function refuseForeignCertificates(server: Server): void {
  server.on('secureConnection', (socket: TLSSocket) => {
    const isShown = Object.keys(socket.getPeerCertificate() ?? {}).length > 0
    if (isShown && !socket.authorized) socket.destroy()
  })
}
