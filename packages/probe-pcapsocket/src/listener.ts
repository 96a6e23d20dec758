import { InvalidArgumentError, SkydiveError, UnavailableError } from '@skydive/contracts'
import { AF_INET6, Errno, type Kernel, SystemCallError, socketAddress } from '@skydive/kernel'

/** asm-generic/socket.h, linux/in6.h. */
const SOCK_STREAM = 1
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26

/** Where to listen. */
export interface ListenRange {
  /** An IPv4 or IPv6 address of this host, without brackets; `::` takes IPv4 as well. */
  readonly address: string
  readonly minPort: number
  readonly maxPort: number
  /** Connections that may wait. */
  readonly backlog: number
}

/** A listening socket. */
export interface Listener {
  readonly fd: number
  readonly port: number
}

/**
 * Listens on the first port of a range that is free.
 * @throws ERR_UNAVAILABLE when none is, ERR_INVALID_ARGUMENT for an address or a port that is none.
 */
export function listen(kernel: Kernel, { address, minPort, maxPort, backlog }: ListenRange): Listener {
  if (!(isPort(minPort) && isPort(maxPort) && minPort <= maxPort)) {
    throw new InvalidArgumentError(`pcapsocket: ports ${minPort} to ${maxPort} are no range from 1 to 65535`, {
      minPort,
      maxPort,
    })
  }
  for (let port = minPort; port <= maxPort; port++) {
    const name = socketAddress('pcapsocket', address, port)
    const domain = name[0]!
    const fd = kernel.socket({ domain, type: SOCK_STREAM, protocol: 0 })
    try {
      // Connections of a capture that ended are no hindrance.
      kernel.setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
      if (domain === AF_INET6) kernel.setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)
      kernel.bind(fd, name)
      kernel.listen(fd, backlog)
      return { fd, port }
    } catch (error) {
      kernel.close(fd)
      if (!isTaken(error)) throw error
    }
  }
  throw new UnavailableError(
    `pcapsocket: ports ${minPort} to ${maxPort} of ${address} are all taken: stop another capture, or widen agent.flow.pcapsocket`,
    { retryable: true, fields: { address, minPort, maxPort } },
  )
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}

function isTaken(error: unknown): boolean {
  return SkydiveError.isInstance(error) && error instanceof SystemCallError && error.errno === Errno.EADDRINUSE
}
