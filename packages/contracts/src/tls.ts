/**
 * How the one who connects secures the line (spec platform 6.5). Certificates and keys are PEM text, not names of files; `{}` is TLS that
 * trusts the authorities of the system. Members have the names of `node:tls`.
 */
export interface TlsClientSettings {
  /** Authorities that the server's certificate is checked against, in place of those of the system. */
  readonly ca?: string
  /** What we show to the server, with `key`. */
  readonly cert?: string
  readonly key?: string
  /** `false` takes any certificate: the line is encrypted, and nobody knows to whom. @default true */
  readonly rejectUnauthorized?: boolean
}

/** How the one who listens secures the line (spec platform 6.5), in PEM text. */
export interface TlsServerSettings {
  readonly cert: string
  readonly key: string
  /** Authorities of clients. With it a certificate that a client shows must be one of theirs. */
  readonly ca?: string
  /** Clients without a certificate are turned away; takes `ca`. @default false */
  readonly requireClientCert?: boolean
}
