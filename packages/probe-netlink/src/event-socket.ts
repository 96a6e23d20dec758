import { DecodeError } from '@skydive/contracts'
import { Errno, type Kernel, type Readiness, type ReceiveBuffer, SystemCallError } from '@skydive/kernel'
import type { MessageVisitor } from './route-socket.ts'
import {
  AF_NETLINK,
  GROUPS,
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_LISTEN_ALL_NSID,
  NETLINK_ROUTE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from './rtnetlink.ts'
import { bytesOf, readMessages } from './wire.ts'

/** So many datagrams are read before what they said goes out: the line is busy, and others want the thread too. */
const MAX_DATAGRAMS = 256

/** What the owner of an {@link EventSocket} does with what comes. */
export interface EventHandler {
  /** One message; `nsid` is the host's number of its namespace, `undefined` for the host's own. */
  message(nsid: number | undefined, ...args: Parameters<MessageVisitor>): void
  /** The kernel had to drop messages: everything must be read again. */
  overrun(): void
  /** A datagram that makes no sense was skipped. */
  undecodable(error: DecodeError): void
  /** No more for now (or a pause on a busy line): put what was learnt where it belongs. */
  drained(): void
  /** The socket can't be read any more. */
  failed(error: Error): void
}

/** The kernel's news of all namespaces that have a number in the host's. */
export interface EventSocket {
  /** Whether it hears other namespaces too, which takes CAP_NET_BROADCAST and Linux 4.2. */
  readonly hearsAll: boolean
  close(): void
}

/** Subscribes. `netns` (a path) listens inside one namespace instead; for where one socket can't hear all. */
export function openEventSocket(
  kernel: Kernel,
  readiness: Readiness,
  buffer: ReceiveBuffer,
  handler: EventHandler,
  queueBytes: number,
  netns?: string,
): EventSocket {
  const fd = kernel.socket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: NETLINK_ROUTE, ...(netns !== undefined && { netns }) })
  let hearsAll = false
  try {
    try {
      kernel.setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, queueBytes)
    } catch {
      kernel.setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, queueBytes)
    }
    if (netns === undefined) {
      try {
        kernel.setSocketOption(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
        hearsAll = true
      } catch {
        // Without it each namespace gets a socket of its own.
      }
    }
    // An unbound socket has the kernel's own port number and hears nothing. struct sockaddr_nl: family, port, groups.
    kernel.bind(fd, Uint16Array.of(AF_NETLINK, 0, 0, 0, 0, 0))
    for (const group of GROUPS) kernel.setSocketOption(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
  } catch (error) {
    kernel.close(fd)
    throw error
  }

  const bytes = bytesOf(buffer.data)
  let open = true
  const drain = () => {
    if (!open) return
    for (let count = 0; count < MAX_DATAGRAMS; count++) {
      const length = kernel.receiveMessage(fd, buffer)
      if (length === -Errno.EAGAIN) return handler.drained()
      if (length === -Errno.EINTR) continue
      if (length === -Errno.ENOBUFS) {
        handler.overrun()
        continue
      }
      if (length < 0) return handler.failed(new SystemCallError(`read rtnetlink events: errno ${-length}`, -length))
      const nsid = buffer.controlInt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID)
      try {
        readMessages(bytes, length, (message) => handler.message(nsid, bytes, message))
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        handler.undecodable(error)
      }
    }
    handler.drained()
    setImmediate(drain)
  }
  const unwatch = readiness.watch(fd, drain)

  return {
    hearsAll,
    close() {
      if (!open) return
      open = false
      unwatch()
      kernel.close(fd)
    },
  }
}
