import { Errno, type Kernel, type ReceiveBuffer, systemError } from '@skydive/kernel'
import {
  AF_NETLINK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  SOCK_RAW,
  SOL_NETLINK,
} from './rtnetlink.ts'
import { type AttributeInit, type Bytes, buildRequest, bytesOf, type Message, readMessages } from './wire.ts'

/** A dump that the kernel says changed under its hands is asked for again, at most so often. */
const MAX_DUMP_ATTEMPTS = 4

/** Takes one message of an answer; the bytes are valid until it returns. */
export type MessageVisitor = (bytes: Bytes, message: Message) => void

/**
 * Questions to the kernel about one namespace. Everything is synchronous: rtnetlink has the answer ready when the request returns.
 * Open, ask, close: an open socket keeps its namespace alive.
 */
export interface RouteSocket {
  /** The descriptor, for calls that want any socket of the namespace (ioctl). */
  readonly fd: number
  /** All objects of a kind. `reset` is called before a second attempt, when the first was not of one piece. */
  dump(
    type: number,
    fixed: Uint8Array,
    visit: MessageVisitor,
    options?: { attributes?: readonly AttributeInit[]; reset?: () => void },
  ): void
  /** One object, or none. `flags` are added to those of a request. Answers the kernel's error number, 0 for success. */
  request(type: number, fixed: Uint8Array, attributes: readonly AttributeInit[], visit?: MessageVisitor, flags?: number): number
  close(): void
}

/** Opens the socket, inside `netns` when given (a path). @throws as `Kernel.socket`. */
export function openRouteSocket(kernel: Kernel, buffer: ReceiveBuffer, netns?: string): RouteSocket {
  const fd = kernel.socket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: NETLINK_ROUTE, ...(netns !== undefined && { netns }) })
  const bytes = bytesOf(buffer.data)
  let sequence = 0

  /** Reads the answer to the end. Answers the error number and whether it was interrupted. */
  const readAnswer = (visit?: MessageVisitor): { errno: number; interrupted: boolean } => {
    let interrupted = false
    for (;;) {
      const length = kernel.receiveMessage(fd, buffer)
      if (length < 0) {
        if (length === -Errno.EINTR) continue
        return { errno: -length, interrupted }
      }
      let ended = -1
      readMessages(bytes, length, (message) => {
        if (message.sequence !== sequence) return
        if (message.flags & NLM_F_DUMP_INTR) interrupted = true
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
          ended = message.end - message.start >= 4 ? -bytes.view.getInt32(message.start, true) : 0
        } else visit?.(bytes, message)
      })
      if (ended >= 0) return { errno: ended, interrupted }
    }
  }

  return {
    fd,
    dump(type, fixed, visit, { attributes = [], reset } = {}) {
      for (let attempt = 1; ; attempt++) {
        const sent = kernel.send(fd, buildRequest(type, NLM_F_REQUEST | NLM_F_DUMP, ++sequence, fixed, attributes))
        if (sent < 0) throw systemError(`rtnetlink dump ${type}`, -sent)
        const { errno, interrupted } = readAnswer(visit)
        if (errno !== 0) throw systemError(`rtnetlink dump ${type}`, errno)
        if (!interrupted || attempt === MAX_DUMP_ATTEMPTS) return
        reset?.()
      }
    },
    request(type, fixed, attributes, visit, flags = 0) {
      const sent = kernel.send(fd, buildRequest(type, NLM_F_REQUEST | NLM_F_ACK | flags, ++sequence, fixed, attributes))
      return sent < 0 ? -sent : readAnswer(visit).errno
    },
    close() {
      kernel.close(fd)
    },
  }
}

/** Has the kernel look at every attribute of a request: it takes that to ask about a third namespace. Linux 4.20. */
export function checkStrictly(kernel: Kernel, socket: RouteSocket): void {
  kernel.setSocketOption(socket.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
}

/** The fixed part of a request about a family: `struct rtgenmsg` and the like, with zeros after it. */
export function familyHeader(family: number, byteLength: number): Uint8Array {
  const header = new Uint8Array(byteLength)
  header[0] = family
  return header
}
