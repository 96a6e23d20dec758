import { statSync } from 'node:fs'
import {
  CancelledError,
  type Detection,
  type NamespaceFeed,
  type NetworkNamespace,
  type NodeIds,
  type Probe,
  type ProbeComponents,
  ProbeStatusHolder,
} from '@skydive/contracts'
import type { Kernel, Readiness } from '@skydive/kernel'
import type { Written } from './graph-sync.ts'
import { type NetlinkOptions, parseOptions } from './options.ts'
import { NetlinkWatch } from './watch.ts'

/** Where the kernel shows the namespace of the thread that asks. */
const OWN_NAMESPACE = '/proc/thread-self/ns/net'
const RETRY_FIRST_MS = 1000
const RETRY_MAX_MS = 30_000

/** What the probe stands on. */
export interface NetlinkComponents extends ProbeComponents {
  readonly kernel: Kernel
  readonly readiness: Readiness
  readonly nodeIds: NodeIds
  /** The TID of the host node. */
  readonly hostTid: string
  /** Which namespaces to look into besides the host's own; absent: none. */
  readonly namespaces?: NamespaceFeed
}

/**
 * The probe of network interfaces: every link of the host and of the namespaces that `namespaces` tells, with addresses, routes, neighbours
 * and counters, as children of the node of their namespace.
 *
 * `start` resolves when everything that was there is in the graph. A namespace that can't be entered is logged and left out.
 * @throws ERR_INVALID_ARGUMENT for a bad option, at once.
 */
export function netlinkProbe(options: NetlinkOptions = {}): (components: NetlinkComponents) => Probe {
  const parsed = parseOptions(options)
  return (components) => new NetlinkProbe(components, parsed)
}

class NetlinkProbe implements Probe {
  readonly name = 'netlink'
  readonly interfaceVersion = 1
  readonly #components: NetlinkComponents
  readonly #options: Required<NetlinkOptions>
  readonly #status = new ProbeStatusHolder()
  #watch: NetlinkWatch | undefined
  #written: Written | undefined
  #retryTimer: unknown
  #retryMs = RETRY_FIRST_MS

  constructor(components: NetlinkComponents, options: Required<NetlinkOptions>) {
    this.#components = components
    this.#options = options
  }

  get status() {
    return this.#status.current
  }

  onStatus(listener: Parameters<Probe['onStatus']>[0]) {
    return this.#status.onStatus(listener)
  }

  async detect(): Promise<Detection> {
    if (process.platform === 'linux') return { available: true }
    return { available: false, reason: `rtnetlink is Linux's; this is ${process.platform}` }
  }

  async start(signal?: AbortSignal): Promise<void> {
    if (this.#status.current.state !== 'stopped') return
    if (signal?.aborted) throw new CancelledError(`probe ${this.name}: start was cancelled`)
    this.#status.set({ state: 'starting' })
    try {
      this.#open()
    } catch (error) {
      this.#status.set({ state: 'stopped' })
      throw error
    }
    this.#status.set({ state: 'running' })
  }

  async stop(): Promise<void> {
    if (this.#status.current.state === 'stopped') return
    this.#status.set({ state: 'stopping' })
    this.#components.clock.clearTimeout(this.#retryTimer)
    this.#close()
    this.#retryMs = RETRY_FIRST_MS
    this.#status.set({ state: 'stopped' })
  }

  #open(): void {
    const { hostNodeId, hostTid } = this.#components
    const { dev, ino } = statSync(OWN_NAMESPACE)
    const host: NetworkNamespace = { key: `${dev}:${ino}`, path: OWN_NAMESPACE, name: '', nodeId: hostNodeId, tid: hostTid }
    this.#watch = new NetlinkWatch(this.#components, this.#options, host, (error) => this.#degrade(error), this.#written)
  }

  #close(): void {
    this.#written = this.#watch?.written ?? this.#written
    this.#watch?.close()
    this.#watch = undefined
  }

  /** The socket broke: everything is opened and read anew, which finds the nodes that are there already by their ids. */
  #degrade(error: Error): void {
    const { clock, logger } = this.#components
    this.#close()
    if (this.#status.current.state !== 'degraded') {
      logger.warn({ error: error.message, retryMs: this.#retryMs }, 'netlink probe is degraded')
    }
    this.#status.set({ state: 'degraded', error, nextRetryAtMs: clock.now() + this.#retryMs })
    this.#retryTimer = clock.setTimeout(() => this.#retry(), this.#retryMs)
  }

  #retry(): void {
    try {
      this.#open()
    } catch (reason) {
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS)
      this.#degrade(reason as Error)
      return
    }
    this.#retryMs = RETRY_FIRST_MS
    this.#status.set({ state: 'running' })
    this.#components.logger.info({}, 'netlink probe runs again')
  }
}
