import { statSync } from 'node:fs'
import { type Logger, type NetworkNamespace, SkydiveError } from '@skydive/contracts'
import type { Kernel, ReceiveBuffer } from '@skydive/kernel'
import type { Link } from './decode-link.ts'
import { type DeviceInfo, type Ethtool, openEthtool } from './ethtool.ts'
import type { KernelQueries } from './graph-sync.ts'
import { createNamespaceIds, HOST_NSID, type NamespaceIds } from './namespace-ids.ts'
import { checkStrictly, openRouteSocket, type RouteSocket } from './route-socket.ts'
import { getLink } from './snapshot.ts'
import { WatchedNamespace } from './watched-namespace.ts'

/** Calls each namespace's names for the others, where that was asked. */
interface PeerNames {
  names: ReadonlyMap<number, number>
  /** Whether an unknown name may be asked for once more. */
  mayAsk: boolean
}

/**
 * The namespaces that are watched, how to look into them, and how they call each other. Sockets are opened inside, used and closed: an
 * open one would keep its namespace alive after everybody else has left it.
 */
export class Namespaces implements KernelQueries {
  readonly host: WatchedNamespace
  readonly #byKey = new Map<string, WatchedNamespace>()
  readonly #byNsid = new Map<number, WatchedNamespace>()
  readonly #nsids = new Map<WatchedNamespace, number>()
  readonly #peerNames = new Map<WatchedNamespace, PeerNames>()
  readonly #kernel: Kernel
  readonly #buffer: ReceiveBuffer
  readonly #logger: Logger
  readonly #ethtool: Ethtool
  readonly #hostSocket: RouteSocket
  readonly #idSocket: RouteSocket
  readonly #ids: NamespaceIds

  constructor(kernel: Kernel, hostInfo: NetworkNamespace, logger: Logger) {
    this.#kernel = kernel
    this.#logger = logger
    this.host = new WatchedNamespace(hostInfo, false)
    this.#byKey.set(hostInfo.key, this.host)
    this.#buffer = kernel.receiveBuffer(64 << 10)
    this.#hostSocket = openRouteSocket(kernel, this.#buffer)
    this.#idSocket = openRouteSocket(kernel, this.#buffer)
    checkStrictly(kernel, this.#idSocket)
    this.#ids = createNamespaceIds(this.#idSocket)
    this.#ethtool = openEthtool(kernel)
  }

  get all(): Iterable<WatchedNamespace> {
    return this.#byKey.values()
  }

  byKey(key: string): WatchedNamespace | undefined {
    return this.#byKey.get(key)
  }

  /** The namespace that the host calls `nsid`; `undefined` stands for the host's own. */
  byNsid(nsid: number | undefined): WatchedNamespace | undefined {
    return nsid === undefined ? this.host : this.#byNsid.get(nsid)
  }

  /** Begins to watch. Answers whether the host has a number for it, so that its news are heard. */
  add(info: NetworkNamespace): { namespace: WatchedNamespace; hasNumber: boolean } {
    const namespace = new WatchedNamespace(info, true)
    this.#byKey.set(info.key, namespace)
    return { namespace, hasNumber: this.assign(namespace) }
  }

  /** Asks for the namespace's number again: one that is gone may have made room for another. */
  assign(namespace: WatchedNamespace): boolean {
    const held = this.#nsids.get(namespace)
    if (held !== undefined && this.#byNsid.get(held) === namespace) this.#byNsid.delete(held)
    this.#nsids.delete(namespace)
    const nsid = this.#guard(namespace, () => this.#ids.assign(namespace.info.path))
    if (nsid === undefined) return false
    this.#nsids.set(namespace, nsid)
    this.#byNsid.set(nsid, namespace)
    return true
  }

  remove(key: string): WatchedNamespace | undefined {
    const namespace = this.#byKey.get(key)
    if (!namespace?.foreign) return undefined
    this.#byKey.delete(key)
    this.#peerNames.delete(namespace)
    const nsid = this.#nsids.get(namespace)
    this.#nsids.delete(namespace)
    if (nsid !== undefined && this.#byNsid.get(nsid) === namespace) this.#byNsid.delete(nsid)
    return namespace
  }

  /** The names that `namespace` gives to others have changed. */
  forgetNames(namespace: WatchedNamespace): void {
    this.#peerNames.delete(namespace)
  }

  /** From now on an unknown name is asked for again, once. */
  allowQuestions(): void {
    for (const peer of this.#peerNames.values()) peer.mayAsk = true
  }

  /** Runs `body` with a socket of the namespace; `undefined` when that is gone or closed to us, which is logged. */
  within<T>(namespace: WatchedNamespace, body: (socket: RouteSocket) => T): T | undefined {
    if (!namespace.foreign) return body(this.#hostSocket)
    return this.#guard(namespace, () => {
      const { path, key } = namespace.info
      // The path of a process may lead elsewhere by now.
      const { dev, ino } = statSync(path)
      if (`${dev}:${ino}` !== key) return undefined
      const socket = openRouteSocket(this.#kernel, this.#buffer, path)
      try {
        return body(socket)
      } finally {
        socket.close()
      }
    })
  }

  devices(namespace: WatchedNamespace, links: readonly Link[]): ReadonlyMap<number, DeviceInfo> {
    const answer = this.within(
      namespace,
      ({ fd }) => new Map(links.map((link) => [link.index, this.#ethtool.query(fd, link.name)])),
    )
    return answer ?? new Map()
  }

  link(namespace: WatchedNamespace, index: number): Link | undefined {
    return this.within(namespace, (socket) => getLink(socket, index))
  }

  resolve(namespace: WatchedNamespace, netnsid: number): WatchedNamespace | undefined {
    if (!namespace.foreign) return this.#byNsid.get(netnsid)
    const nsid = this.#nsids.get(namespace)
    if (nsid === undefined) return undefined
    let peer = this.#peerNames.get(namespace)
    if (!peer?.names.has(netnsid) && (peer?.mayAsk ?? true)) {
      const names = this.#guard(namespace, () => this.#ids.readNeighbors(nsid)) ?? new Map<number, number>()
      peer = { names, mayAsk: false }
      this.#peerNames.set(namespace, peer)
    }
    const hostNsid = peer?.names.get(netnsid)
    if (hostNsid === undefined) return undefined
    return hostNsid === HOST_NSID ? this.host : this.#byNsid.get(hostNsid)
  }

  close(): void {
    this.#hostSocket.close()
    this.#idSocket.close()
    this.#ethtool.close()
    this.#buffer.close()
  }

  /** Namespaces may go at any moment, and some may be closed to us: neither is a reason to stop. */
  #guard<T>(namespace: WatchedNamespace, body: () => T): T | undefined {
    try {
      return body()
    } catch (error) {
      const gone = SkydiveError.isInstance(error, 'ERR_NOT_FOUND') || (error as NodeJS.ErrnoException).code === 'ENOENT'
      const fields = { namespace: namespace.info.name, path: namespace.info.path, error: (error as Error).message }
      if (gone) this.#logger.debug(fields, 'namespace is gone')
      else this.#logger.warn(fields, 'namespace can not be read')
      return undefined
    }
  }
}
