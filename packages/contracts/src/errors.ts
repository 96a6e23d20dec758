/** Whose fault an error is; it decides the exit code of the CLI and the status of the API. */
export type ErrorFault = 'caller' | 'environment' | 'peer' | 'ours'

/** What every error of the project carries. Shape: `{ code: 'ERR_NOT_FOUND', fault: 'caller', fields: { id: 'n1' } }`. */
export interface SkydiveErrorInit {
  /** Stable and public: callers switch on it, never on the class or the text. Upper snake, prefixed `ERR_`. */
  readonly code: string
  readonly fault: ErrorFault
  /** The offending value and its surroundings, for machines. Never a secret. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: unknown
}

const MARKER = Symbol.for('skydive.error')

/**
 * Base of all errors that cross a package border. The message says what was asked, the offending value and what to do.
 * Recognised by {@link SkydiveError.isInstance}, which also works when two copies of this package are loaded.
 */
export class SkydiveError extends Error {
  readonly code: string
  readonly fault: ErrorFault
  readonly fields: Readonly<Record<string, unknown>>

  constructor(message: string, init: SkydiveErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause })
    this.name = new.target.name
    this.code = init.code
    this.fault = init.fault
    this.fields = init.fields ?? {}
    Object.defineProperty(this, MARKER, { value: true })
  }

  /** True for an error of this family with, when given, this code. Never throws. */
  static isInstance(value: unknown, code?: string): value is SkydiveError {
    if (typeof value !== 'object' || value === null || (value as Record<symbol, unknown>)[MARKER] !== true) return false
    return code === undefined || (value as SkydiveError).code === code
  }
}

/** An argument, option or message that can't be accepted. `ERR_INVALID_ARGUMENT`, fault of the caller (HTTP 400). */
export class InvalidArgumentError extends SkydiveError {
  constructor(message: string, fields?: Readonly<Record<string, unknown>>, cause?: unknown) {
    super(message, { code: 'ERR_INVALID_ARGUMENT', fault: 'caller', fields, cause })
  }
}

/** The thing named does not exist. `ERR_NOT_FOUND`, fault of the caller (HTTP 404). */
export class NotFoundError extends SkydiveError {
  constructor(message: string, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'ERR_NOT_FOUND', fault: 'caller', fields })
  }
}

/** The thing exists already, or changed meanwhile. `ERR_CONFLICT`, fault of the caller (HTTP 409). */
export class ConflictError extends SkydiveError {
  constructor(message: string, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'ERR_CONFLICT', fault: 'caller', fields })
  }
}

/** What it takes to make an unsupported feature work. Shape: `{ kernel: '5.17' }` or `{ file: 'libpcap.so.0.8', package: 'libpcap0.8' }`. */
export type Requirement = Readonly<Record<'kernel' | 'capability' | 'file' | 'package' | 'node' | 'service', string>>

/** This machine lacks a feature. `ERR_UNSUPPORTED`; `requires` says what is missing and `skydive doctor` prints it. */
export class UnsupportedError extends SkydiveError {
  readonly requires: Partial<Requirement>
  constructor(message: string, requires: Partial<Requirement>, cause?: unknown) {
    super(message, { code: 'ERR_UNSUPPORTED', fault: 'environment', fields: { requires }, cause })
    this.requires = requires
  }
}

/** The process may not do this. `ERR_PERMISSION`; `requires.capability` names the missing capability, such as `CAP_NET_ADMIN`. */
export class PermissionError extends SkydiveError {
  readonly requires: Partial<Requirement>
  constructor(message: string, requires: Partial<Requirement>, cause?: unknown) {
    super(message, { code: 'ERR_PERMISSION', fault: 'environment', fields: { requires }, cause })
    this.requires = requires
  }
}

/** A daemon, file or link is not there at the moment. `ERR_UNAVAILABLE`; `retryable` says whether waiting helps (HTTP 503). */
export class UnavailableError extends SkydiveError {
  readonly retryable: boolean
  constructor(message: string, init: { retryable: boolean; fields?: Readonly<Record<string, unknown>>; cause?: unknown }) {
    super(message, {
      code: 'ERR_UNAVAILABLE',
      fault: 'environment',
      fields: { ...init.fields, retryable: init.retryable },
      cause: init.cause,
    })
    this.retryable = init.retryable
  }
}

/** Foreign bytes that make no sense. `ERR_DECODE`; `offset` is the position of the first byte that was refused. */
export class DecodeError extends SkydiveError {
  readonly offset: number
  constructor(message: string, offset: number, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'ERR_DECODE', fault: 'peer', fields: { ...fields, offset } })
    this.offset = offset
  }
}

/** A peer broke the protocol. `ERR_PROTOCOL`; the connection it came from is closed. */
export class ProtocolError extends SkydiveError {
  constructor(message: string, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'ERR_PROTOCOL', fault: 'peer', fields })
  }
}

/** A limit that was set on purpose was reached. `ERR_LIMIT`; `limit` names the setting (HTTP 413 or 422). */
export class LimitError extends SkydiveError {
  readonly limit: string
  constructor(message: string, limit: string, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'ERR_LIMIT', fault: 'caller', fields: { ...fields, limit } })
    this.limit = limit
  }
}

/** The asker gave up. `ERR_CANCELLED`; thrown by whatever takes an `AbortSignal`. */
export class CancelledError extends SkydiveError {
  constructor(message = 'the operation was cancelled', cause?: unknown) {
    super(message, { code: 'ERR_CANCELLED', fault: 'caller', cause })
  }
}

/** A state that can't be: our own mistake. `ERR_INVARIANT`; please report it with the message. */
export class InvariantError extends SkydiveError {
  constructor(message: string, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'ERR_INVARIANT', fault: 'ours', fields })
  }
}
