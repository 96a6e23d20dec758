import {
  type Clock,
  ConflictError,
  type KeyValueEntry,
  type KeyValueEvent,
  type KeyValueStore,
  type Logger,
} from '@skydive/contracts'
import type { StoreThread } from './store-thread.ts'

/** The longest delay that a timer takes (2^31 - 1 ms); a later expiry is looked at again then. */
const LONGEST_TIMER_MS = 2_147_483_647

interface Watcher {
  readonly prefix: string
  readonly listener: (event: KeyValueEvent) => void
}

/** API objects in the store's files, with watch and expiry. */
export class SqliteObjectStore implements KeyValueStore {
  readonly #thread: StoreThread
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #watchers = new Set<Watcher>()
  readonly #expiries = new Map<string, unknown>()

  constructor({ thread, clock, logger }: { readonly thread: StoreThread; readonly clock: Clock; readonly logger: Logger }) {
    this.#thread = thread
    this.#clock = clock
    this.#logger = logger
  }

  /** Takes up the expiries of what was stored before; what ran out meanwhile goes at once. */
  async start(): Promise<void> {
    for (const entry of await this.#thread.ask('listObjects', '')) this.#armExpiry(entry)
  }

  get(key: string): Promise<KeyValueEntry | undefined> {
    return this.#thread.ask('getObject', key)
  }

  list(prefix: string): Promise<readonly KeyValueEntry[]> {
    return this.#thread.ask('listObjects', prefix)
  }

  async create(key: string, value: string, options: { readonly ttlMs?: number } = {}): Promise<KeyValueEntry> {
    const entry = await this.#write(key, value, options.ttlMs, true)
    if (!entry) throw new ConflictError(`${key} exists already`, { key })
    return entry
  }

  async set(key: string, value: string, options: { readonly ttlMs?: number } = {}): Promise<KeyValueEntry> {
    return (await this.#write(key, value, options.ttlMs, false))!
  }

  async #write(key: string, value: string, ttlMs: number | undefined, exclusive: boolean): Promise<KeyValueEntry | undefined> {
    const expiresAtMs = ttlMs === undefined ? null : this.#clock.now() + ttlMs
    const entry = await this.#thread.ask('writeObject', { key, value, expiresAtMs, exclusive })
    if (!entry) return undefined
    this.#armExpiry(entry)
    this.#tell({ type: 'set', entry })
    return entry
  }

  async delete(key: string): Promise<boolean> {
    return this.#remove(key, 'delete')
  }

  async #remove(key: string, type: 'delete' | 'expire'): Promise<boolean> {
    const entry = await this.#thread.ask('deleteObject', key)
    if (!entry) return false
    this.#disarmExpiry(key)
    this.#tell({ type, entry })
    return true
  }

  #armExpiry(entry: KeyValueEntry): void {
    this.#disarmExpiry(entry.key)
    if (entry.expiresAtMs === undefined) return
    const remainingMs = Math.max(0, entry.expiresAtMs - this.#clock.now())
    const timer = this.#clock.setTimeout(
      () => {
        if (remainingMs > LONGEST_TIMER_MS) this.#armExpiry(entry)
        else
          void this.#remove(entry.key, 'expire').catch((error: Error) =>
            this.#logger.error({ key: entry.key, error: error.message }, 'object could not expire'),
          )
      },
      Math.min(remainingMs, LONGEST_TIMER_MS),
    )
    this.#expiries.set(entry.key, timer)
  }

  #disarmExpiry(key: string): void {
    const timer = this.#expiries.get(key)
    if (timer !== undefined) this.#clock.clearTimeout(timer)
    this.#expiries.delete(key)
  }

  #tell(event: KeyValueEvent): void {
    for (const { prefix, listener } of this.#watchers) if (event.entry.key.startsWith(prefix)) listener(event)
  }

  watch(prefix: string, listener: (event: KeyValueEvent) => void): () => void {
    const watcher = { prefix, listener }
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  async close(): Promise<void> {
    for (const key of [...this.#expiries.keys()]) this.#disarmExpiry(key)
    this.#watchers.clear()
  }
}
