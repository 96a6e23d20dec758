import { closeSync, openSync } from 'node:fs'
import { decodeNamespaceId } from './decode-nsid.ts'
import { familyHeader, type RouteSocket } from './route-socket.ts'
import { RTM_GETNSID, RTM_NEWNSID } from './rtnetlink.ts'
import type { AttributeInit } from './wire.ts'

const RTGEN_BYTES = 4
const NETNSA_NSID = 1
const NETNSA_FD = 3
const NETNSA_TARGET_NSID = 4
const NOT_ASSIGNED = -1
const OWN_NAMESPACE = '/proc/thread-self/ns/net'

/**
 * Namespaces know each other by small numbers, each its own. Answers come through a socket of the host's namespace that checks strictly.
 */
export interface NamespaceIds {
  /** The number of the namespace at `path` in the host's; gives it one where it has none. `undefined` when the kernel refuses. */
  assign(path: string): number | undefined
  /** What namespace `nsid` (a number of the host's) calls the others: its number → the host's number, -1 for the host itself. */
  readNeighbors(nsid: number): ReadonlyMap<number, number>
}

/** The number that stands for the host's own namespace in the answers of {@link NamespaceIds.readNeighbors}. */
export const HOST_NSID = -1

export function createNamespaceIds(socket: RouteSocket): NamespaceIds {
  const header = familyHeader(0, RTGEN_BYTES)
  const withHandle = <T>(path: string, body: (fd: number) => T): T => {
    const fd = openSync(path, 'r')
    try {
      return body(fd)
    } finally {
      closeSync(fd)
    }
  }
  const read = (fd: number, more: readonly AttributeInit[] = []) => {
    let nsid = NOT_ASSIGNED
    socket.request(RTM_GETNSID, header, [[NETNSA_FD, fd], ...more], (bytes, { start, end }) => {
      nsid = decodeNamespaceId(bytes, start, end).nsid
    })
    return nsid
  }

  return {
    assign: (path) =>
      withHandle(path, (fd) => {
        let nsid = read(fd)
        if (nsid === NOT_ASSIGNED) {
          socket.request(RTM_NEWNSID, header, [
            [NETNSA_NSID, NOT_ASSIGNED],
            [NETNSA_FD, fd],
          ])
          nsid = read(fd)
        }
        return nsid === NOT_ASSIGNED ? undefined : nsid
      }),
    readNeighbors(target) {
      const found = new Map<number, number>()
      const attributes: readonly AttributeInit[] = [[NETNSA_TARGET_NSID, target]]
      socket.dump(
        RTM_GETNSID,
        header,
        (bytes, { start, end }) => {
          const { nsid, currentNsid } = decodeNamespaceId(bytes, start, end)
          if (currentNsid !== NOT_ASSIGNED) found.set(nsid, currentNsid)
        },
        { attributes },
      )
      const host = withHandle(OWN_NAMESPACE, (fd) => read(fd, attributes))
      if (host !== NOT_ASSIGNED) found.set(host, HOST_NSID)
      return found
    },
  }
}
