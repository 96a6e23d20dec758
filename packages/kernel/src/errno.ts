import { NotFoundError, PermissionError, SkydiveError, UnsupportedError } from '@skydive/contracts'
import koffi from 'koffi'

/** Error numbers that callers branch on (asm-generic/errno.h; the same on every architecture that Node runs on). */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSYS: 38,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  ENETDOWN: 100,
  ENOBUFS: 105,
} as const

/** The name of an error number, such as `ENODEV`; `errno 133` for one that this machine does not name. */
export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(koffi.os.errno)) if (value === errno) return name
  return `errno ${errno}`
}

/** A system call was refused for a reason without an error class of its own. `ERR_SYSTEM_CALL`; `errno` is the kernel's reason. */
export class SystemCallError extends SkydiveError {
  readonly errno: number
  constructor(message: string, errno: number, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'ERR_SYSTEM_CALL', fault: 'environment', fields: { ...fields, errno: errnoName(errno) } })
    this.errno = errno
  }
}

/**
 * The error for a refused call: `EPERM` and `EACCES` become `ERR_PERMISSION`, `ENOENT` and `ENODEV` `ERR_NOT_FOUND`, a protocol or call
 * that the kernel was built without `ERR_UNSUPPORTED`, everything else `ERR_SYSTEM_CALL`.
 * `what` says what was tried (`open socket in /run/netns/x`); `capability` what it takes to be allowed.
 */
export function systemError(
  what: string,
  errno: number,
  fields: Readonly<Record<string, unknown>> = {},
  capability = 'CAP_NET_ADMIN',
): SkydiveError {
  const message = `${what}: ${errnoName(errno)}`
  switch (errno) {
    case Errno.EPERM:
    case Errno.EACCES:
      return new PermissionError(`${message}; it takes ${capability}`, { capability })
    case Errno.ENOENT:
    case Errno.ENODEV:
      return new NotFoundError(message, { ...fields, errno: errnoName(errno) })
    case Errno.ENOSYS:
    case Errno.EPROTONOSUPPORT:
    case Errno.EOPNOTSUPP:
    case Errno.EAFNOSUPPORT:
      return new UnsupportedError(`${message}; this kernel was built without it`, { kernel: what })
    default:
      return new SystemCallError(message, errno, fields)
  }
}
