import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  CancelledError,
  type Detection,
  type NamespaceFeed,
  type NamespaceListener,
  type NamespaceRegistry,
  type NodeIds,
  NotFoundError,
  type Probe,
  type ProbeComponents,
  ProbeStatusHolder,
  UnsupportedError,
} from '@skydive/contracts'
import { type DirectoryWatch, watchDirectory } from './directory-watch.ts'
import { NamespaceBook, type Sighting } from './namespace-book.ts'
import { readIdentity } from './namespace-handle.ts'
import { type NetnsOptions, parseOptions } from './options.ts'
import { processName, scanProcesses } from './process-scan.ts'

const OWN_NAMESPACE = '/proc/thread-self/ns/net'
/** A file that is no handle yet is looked at again after 1, 1, 2, 4 … ms, about a second in all. */
const HANDLE_ATTEMPTS = 11

/** What the probe stands on. */
export interface NetnsComponents extends ProbeComponents {
  readonly nodeIds: NodeIds
  /** The TID of the host node. */
  readonly hostTid: string
}

/** The probe, which also tells others of the namespaces and takes those that others know of. */
export interface NetnsProbe extends Probe, NamespaceFeed, NamespaceRegistry {}

/**
 * The probe of network namespaces: a node for each one that has a handle in one of the folders, was registered, or, when asked, that a
 * process lives in. `start` resolves when those that are there are in the graph; a folder that is missing is waited for.
 * @throws ERR_INVALID_ARGUMENT for a bad option, at once.
 */
export function netnsProbe(options: NetnsOptions = {}): (components: NetnsComponents) => NetnsProbe {
  const parsed = parseOptions(options)
  return (components) => new Netns(components, parsed)
}

class Netns implements NetnsProbe {
  readonly name = 'netns'
  readonly interfaceVersion = 1
  readonly #components: NetnsComponents
  readonly #options: Required<NetnsOptions>
  readonly #status = new ProbeStatusHolder()
  readonly #book: NamespaceBook
  readonly #hostKey: string
  #watches: DirectoryWatch[] = []
  /** Timers of files that are no handles yet, by path. */
  readonly #pending = new Map<string, unknown>()
  readonly #processPaths = new Map<string, string>()
  #processTimer: unknown
  /** Sightings of the first listing, which make one transaction. */
  #first: Sighting[] | undefined

  constructor(components: NetnsComponents, options: Required<NetnsOptions>) {
    const { graph, nodeIds, hostNodeId, hostTid } = components
    this.#components = components
    this.#options = options
    this.#hostKey = readIdentity(OWN_NAMESPACE)?.key ?? ''
    this.#book = new NamespaceBook(graph, nodeIds, { nodeId: hostNodeId, tid: hostTid, key: this.#hostKey })
  }

  get status() {
    return this.#status.current
  }

  onStatus(listener: Parameters<Probe['onStatus']>[0]) {
    return this.#status.onStatus(listener)
  }

  follow(listener: NamespaceListener) {
    return this.#book.follow(listener)
  }

  async detect(): Promise<Detection> {
    if (this.#hostKey !== '') return { available: true }
    return { available: false, reason: `${OWN_NAMESPACE} can not be read`, remedy: 'run on Linux with /proc mounted' }
  }

  async start(signal?: AbortSignal): Promise<void> {
    if (this.#status.current.state !== 'stopped') return
    if (signal?.aborted) throw new CancelledError(`probe ${this.name}: start was cancelled`)
    if (this.#hostKey === '') {
      throw new UnsupportedError(`probe netns: ${OWN_NAMESPACE} can not be read; run on Linux with /proc mounted`, {
        file: OWN_NAMESPACE,
      })
    }
    this.#status.set({ state: 'starting' })
    this.#first = []
    this.#watches = this.#options.runPaths.map((folder) =>
      watchDirectory(folder, this.#components.clock, {
        changed: (name) => this.#look(join(folder, name), name),
        listed: (names) => this.#compare(folder, names),
      }),
    )
    const first = this.#first
    this.#first = undefined
    this.#book.add(first)
    if (this.#options.processes) this.#scan()
    this.#book.forgetOthers()
    this.#status.set({ state: 'running' })
  }

  async stop(): Promise<void> {
    if (this.#status.current.state === 'stopped') return
    this.#status.set({ state: 'stopping' })
    const { clock } = this.#components
    for (const watch of this.#watches) watch.close()
    this.#watches = []
    for (const timer of this.#pending.values()) clock.clearTimeout(timer)
    this.#pending.clear()
    clock.clearTimeout(this.#processTimer)
    this.#status.set({ state: 'stopped' })
  }

  register(path: string, name: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#look(path, name, (found) => {
        const nodeId = found && this.#book.nodeIdOf(found)
        if (nodeId !== undefined) resolve(nodeId)
        else reject(new NotFoundError(`register ${path}: no network namespace appeared there`, { path }))
      })
    })
  }

  unregister(path: string): void {
    this.#book.remove([path])
  }

  /** Looks what is at a path now; a file that is no handle yet is looked at again. `done` has it wait for a file that is not there. */
  #look(path: string, name: string, done?: (key: string | undefined) => void, attempt = 0): void {
    const { clock } = this.#components
    clock.clearTimeout(this.#pending.get(path))
    this.#pending.delete(path)
    const identity = readIdentity(path)
    if (identity) {
      if (this.#first) this.#first.push({ path, name, identity })
      else this.#book.add([{ path, name, identity }])
      done?.(identity.key)
      return
    }
    if (this.#book.keyAt(path) !== undefined) this.#book.remove([path])
    if (attempt >= HANDLE_ATTEMPTS || !this.#running || !(done || existsSync(path))) {
      done?.(undefined)
      return
    }
    const delayMs = attempt === 0 ? 1 : 2 ** (attempt - 1)
    this.#pending.set(
      path,
      clock.setTimeout(() => this.#look(path, name, done, attempt + 1), delayMs),
    )
  }

  get #running(): boolean {
    const { state } = this.#status.current
    return state === 'starting' || state === 'running'
  }

  /** Brings what is known of a folder in line with its listing. */
  #compare(folder: string, names: readonly string[]): void {
    const present = new Set(names.map((name) => join(folder, name)))
    const gone = [...this.#book.paths].filter((path) => path.startsWith(`${folder}/`) && !present.has(path))
    this.#book.remove(gone)
    for (const name of names) if (!this.#pending.has(join(folder, name))) this.#look(join(folder, name), name)
  }

  /** Compares the namespaces of processes with those that are known. */
  #scan(): void {
    const { clock } = this.#components
    const device = this.#hostKey.slice(0, this.#hostKey.indexOf(':'))
    const found = new Map([...scanProcesses().values()].map((item) => [`${device}:${item.inode}`, item]))
    const sightings: Sighting[] = []
    const left: string[] = []
    for (const [key, path] of this.#processPaths) {
      const item = found.get(key)
      if (item && path === `/proc/${item.pid}/ns/net`) continue
      left.push(path)
      this.#processPaths.delete(key)
    }
    for (const [key, { pid, inode }] of found) {
      // One that has a name of its own is shown by that.
      if (this.#processPaths.has(key) || (this.#book.knows(key) && !left.some((path) => this.#book.keyAt(path) === key))) continue
      const path = `/proc/${pid}/ns/net`
      const identity = readIdentity(path)
      if (identity?.key !== key) continue
      this.#processPaths.set(key, path)
      sightings.push({ path, name: `${processName(pid)}-${pid}`, identity, tidPath: `net:[${inode}]` })
    }
    // First the new paths, then the old: a namespace whose first process ended stays the same.
    this.#book.add(sightings)
    this.#book.remove(left)
    this.#processTimer = clock.setTimeout(() => this.#scan(), this.#options.processIntervalMs)
  }
}
