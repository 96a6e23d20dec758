import type { Counter, DecodeError, NetworkNamespace } from '@skydive/contracts'
import { applyMessage } from './apply-message.ts'
import { CostLimit } from './cost-limit.ts'
import { decodeNamespaceId } from './decode-nsid.ts'
import { type EventHandler, type EventSocket, openEventSocket } from './event-socket.ts'
import { GraphSync, type Written } from './graph-sync.ts'
import { Aspect } from './namespace-mirror.ts'
import { Namespaces } from './namespaces.ts'
import type { NetlinkOptions } from './options.ts'
import { readingSteps } from './periodic-reading.ts'
import type { NetlinkComponents } from './probe.ts'
import type { MessageVisitor } from './route-socket.ts'
import { RTM_DELNSID, RTM_NEWNSID } from './rtnetlink.ts'
import { dumpRoutes, takeSnapshot } from './snapshot.ts'
import { interfaceKey, type WatchedNamespace } from './watched-namespace.ts'

/** Messages of the kernel that fit into its longest datagram. */
const DATAGRAM_BYTES = 64 << 10
/** When changes that are in no hurry go out. */
const SETTLE_MS = 1000
const NOTHING = { links: [], addresses: [], routes: [], neighbors: [] }
/** The periodic reading gives the thread back after so long. */
const SLICE_MS = 5
/** Every so many readings of counters everything else is read again that the kernel may not have told. */
const INSPECTION_EVERY = 10

/**
 * Watches the host and the namespaces of the feed: dumps once, then follows the kernel's news. What the news can't tell (see
 * {@link RouteTable}, overruns of the queue) is read again, at most a tenth of the time.
 */
export class NetlinkWatch implements EventHandler {
  readonly #components: NetlinkComponents
  readonly #options: Required<NetlinkOptions>
  readonly #onFailure: (error: Error) => void
  readonly #namespaces: Namespaces
  readonly #sync: GraphSync
  readonly #buffer
  readonly #sockets = new Map<string, EventSocket>()
  readonly #routeLimits = new Map<WatchedNamespace, CostLimit>()
  readonly #resyncLimit = new CostLimit()
  readonly #overruns: Counter
  #overrun = false
  /** Namespaces that lost their number, which is how the kernel tells that one is gone; not a word of its interfaces. */
  readonly #unread = new Set<WatchedNamespace>()
  #undecodable = false
  #open = true
  #readings = 0
  readonly #timers = new Map<string, unknown>()
  #unfollow: () => void = () => {}

  constructor(
    components: NetlinkComponents,
    options: Required<NetlinkOptions>,
    host: NetworkNamespace,
    onFailure: (error: Error) => void,
    predecessor: Written | undefined,
  ) {
    this.#components = components
    this.#options = options
    this.#onFailure = onFailure
    const { kernel, graph, nodeIds, logger, clock, metrics, namespaces } = components
    this.#overruns = metrics.counter('skydive_netlink_overruns_total', 'How often the kernel dropped netlink messages.')
    this.#namespaces = new Namespaces(kernel, host, logger)
    this.#sync = new GraphSync(graph, nodeIds, this.#namespaces, options, () => clock.now())
    this.#buffer = kernel.receiveBuffer(DATAGRAM_BYTES)
    try {
      this.#listen(this.#namespaces.host)
      this.#read(this.#namespaces.host)
      let initial: readonly NetworkNamespace[] | undefined = []
      this.#unfollow =
        namespaces?.follow({
          added: (infos) => {
            if (initial) initial = [...initial, ...infos]
            else this.#attempt(() => this.#add(infos))
          },
          removed: (infos) => this.#attempt(() => this.#remove(infos)),
        }) ?? this.#unfollow
      const first = initial
      initial = undefined
      this.#add(first)
      if (predecessor) this.#sync.deleteLeftovers(predecessor, this.#namespaces.all)
    } catch (error) {
      this.close()
      throw error
    }
    this.#schedule('metrics', options.metricsIntervalMs, () => this.#updateMetrics())
  }

  /** What stands in the graph because of this one; its successor deletes what it does not find again. */
  get written(): Written {
    return this.#sync.written(this.#namespaces.all)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#unfollow()
    for (const timer of this.#timers.values()) this.#components.clock.clearTimeout(timer)
    for (const socket of this.#sockets.values()) socket.close()
    this.#namespaces.close()
    this.#buffer.close()
  }

  // --- the kernel's news

  message(nsid: number | undefined, ...[bytes, message]: Parameters<MessageVisitor>): void {
    const namespace = this.#namespaces.byNsid(nsid)
    if (namespace) this.#apply(namespace, bytes, message)
  }

  #apply(namespace: WatchedNamespace, ...[bytes, message]: Parameters<MessageVisitor>): void {
    if (message.type === RTM_NEWNSID || message.type === RTM_DELNSID) {
      this.#namespaces.forgetNames(namespace)
      if (message.type === RTM_NEWNSID) this.#touchUnresolved(namespace)
      // A number of ours may be free, or given away again before this was read.
      const gone = message.type === RTM_DELNSID && !namespace.foreign
      const owner = gone ? this.#namespaces.byNsid(decodeNamespaceId(bytes, message.start, message.end).nsid) : undefined
      if (owner?.foreign) this.#unread.add(owner)
      return
    }
    applyMessage(namespace.mirror, bytes, message)
  }

  overrun(): void {
    this.#overrun = true
    this.#overruns.add(1)
  }

  undecodable(error: DecodeError): void {
    if (!this.#undecodable) this.#components.logger.warn({ error: error.message }, 'a netlink message makes no sense')
    this.#undecodable = true
  }

  drained(): void {
    this.#attempt(() => this.#catchUp())
  }

  #catchUp(): void {
    if (this.#overrun) this.#resync()
    for (const namespace of this.#unread) {
      // Should its path lead to a successor by now, all of that is new.
      if (this.#namespaces.assign(namespace)) this.#read(namespace)
      else namespace.mirror.replaceAll(NOTHING)
    }
    this.#unread.clear()
    this.#flush()
  }

  failed(error: Error): void {
    if (this.#open) this.#onFailure(error)
  }

  /** What goes wrong on the way is a failure of the whole, which its owner gets over. */
  #attempt(job: () => void): void {
    if (!this.#open) return
    try {
      job()
    } catch (error) {
      this.failed(error as Error)
    }
  }

  // --- namespaces

  #add(infos: readonly NetworkNamespace[]): void {
    this.#namespaces.allowQuestions()
    for (const info of infos) {
      if (this.#namespaces.byKey(info.key)) continue
      const { namespace, hasNumber } = this.#namespaces.add(info)
      if (!hasNumber || !this.#hearsAll) this.#listen(namespace)
      this.#read(namespace)
    }
    // Interfaces whose other end was in no known namespace may know it now.
    for (const namespace of this.#namespaces.all) this.#touchUnresolved(namespace)
    this.#flush()
  }

  /** A namespace is watched, or has a number, that it had not: it may be where the other ends are. */
  #touchUnresolved({ mirror, unresolved }: WatchedNamespace): void {
    for (const index of unresolved) mirror.touch(index, Aspect.link)
  }

  #remove(infos: readonly NetworkNamespace[]): void {
    for (const { key } of infos) {
      const namespace = this.#namespaces.remove(key)
      if (!namespace) continue
      this.#sockets.get(key)?.close()
      this.#sockets.delete(key)
      this.#routeLimits.delete(namespace)
      this.#unread.delete(namespace)
      this.#sync.remove(namespace)
      const { name } = namespace.info
      for (const { mirror, published } of this.#namespaces.all) {
        for (const [index, item] of published) {
          if (item.metadata['LinkNetNsName'] === name) mirror.touch(index, Aspect.link)
        }
      }
    }
    this.#flush()
  }

  get #hearsAll(): boolean {
    return this.#sockets.get(this.#namespaces.host.info.key)?.hearsAll ?? false
  }

  #listen(namespace: WatchedNamespace): void {
    const { kernel, readiness, logger } = this.#components
    const { key, path, name } = namespace.info
    const handler: EventHandler = namespace.foreign
      ? {
          message: (_, bytes, message) => this.#apply(namespace, bytes, message),
          overrun: () => this.overrun(),
          undecodable: (error) => this.undecodable(error),
          drained: () => this.drained(),
          failed: (error) => logger.warn({ namespace: name, error: error.message }, 'namespace is not heard any more'),
        }
      : this
    try {
      this.#sockets.set(
        key,
        openEventSocket(kernel, readiness, this.#buffer, handler, this.#options.queueBytes, namespace.foreign ? path : undefined),
      )
    } catch (error) {
      if (!namespace.foreign) throw error
      logger.warn({ namespace: name, error: (error as Error).message }, 'namespace can not be heard')
    }
  }

  // --- reading

  #read(namespace: WatchedNamespace): void {
    const snapshot = this.#namespaces.within(namespace, takeSnapshot)
    if (!snapshot) return
    namespace.mirror.replaceAll(snapshot)
    const keys = new Set(snapshot.links.map((link) => interfaceKey(namespace, link.index, link.kind)))
    this.#components.nodeIds.retain(`${namespace.info.key}/`, keys)
  }

  #resync(): void {
    const waitMs = this.#resyncLimit.run(() => {
      this.#overrun = false
      for (const namespace of this.#namespaces.all) this.#read(namespace)
      this.#components.logger.info({}, 'netlink messages were lost; everything was read again')
    })
    if (waitMs > 0) this.#schedule('resync', waitMs, () => this.drained())
  }

  #flush(): void {
    for (const namespace of this.#namespaces.all) {
      if (namespace.mirror.routes.uncertain) this.#readRoutes(namespace)
      if (namespace.mirror.restless.size > 0) this.#schedule('settle', SETTLE_MS, () => this.#settle())
    }
    this.#namespaces.allowQuestions()
    this.#sync.flush(this.#namespaces.all)
    if (this.#sync.moving) this.#schedule('moving', SETTLE_MS, () => this.#flush())
  }

  #readRoutes(namespace: WatchedNamespace): void {
    let limit = this.#routeLimits.get(namespace)
    if (!limit) this.#routeLimits.set(namespace, (limit = new CostLimit()))
    const waitMs = limit.run(() => {
      const routes = this.#namespaces.within(namespace, dumpRoutes)
      if (routes) namespace.mirror.replaceRoutes(routes)
    })
    if (waitMs > 0) this.#schedule('routes', waitMs, () => this.#flush())
  }

  #settle(): void {
    for (const { mirror } of this.#namespaces.all) mirror.settle()
    this.#flush()
  }

  /** Reads counters of all namespaces, in slices. */
  #updateMetrics(): void {
    this.#schedule('metrics', this.#options.metricsIntervalMs, () => this.#updateMetrics())
    const steps = readingSteps(this.#namespaces, this.#sync, ++this.#readings % INSPECTION_EVERY === 0)
    const slice = () => {
      const endMs = performance.now() + SLICE_MS
      while (performance.now() < endMs) if (steps.next().done) return this.#flush()
      setImmediate(() => this.#attempt(slice))
    }
    slice()
  }

  /** One timer for each purpose; an earlier one that still runs stays. */
  #schedule(purpose: string, delayMs: number, job: () => void): void {
    if (this.#timers.has(purpose)) return
    const timer = this.#components.clock.setTimeout(() => {
      this.#timers.delete(purpose)
      this.#attempt(job)
    }, delayMs)
    this.#timers.set(purpose, timer)
  }
}
