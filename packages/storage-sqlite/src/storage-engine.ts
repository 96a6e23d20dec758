import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { EnhancedFlow, FlowMetric, FlowQuery, KeyValueEntry, RawPacket, TimeSlice } from '@skydive/contracts'
import { InvalidArgumentError, UnavailableError } from '@skydive/contracts'
import { FLOW_SCHEMA, FlowPartition } from './flow-partition.ts'
import { searchPartitions } from './flow-search.ts'
import type { LiveElement, StorageSettings, StoredRevision, TopologyChange } from './messages.ts'
import { ObjectTable } from './object-table.ts'
import { Partitions } from './partitions.ts'
import { type Database, openDatabase } from './sqlite.ts'
import { TOPOLOGY_SCHEMA, TopologyPartition } from './topology-partition.ts'

/**
 * Everything that the store does: what the worker runs, and what tests call without a thread. One engine owns a data
 * directory; a second one is refused.
 */
export class StorageEngine {
  readonly #settings: StorageSettings
  /** Held until close: two processes writing one history would tear it. */
  readonly #lock: Database
  readonly #objectsDatabase: Database
  readonly #objects: ObjectTable
  readonly #topologyFiles: Partitions
  readonly #flowFiles: Partitions
  /** Topology readers by start; the newest is the one that is written. */
  readonly #topology = new Map<number, TopologyPartition>()
  readonly #flows = new Map<number, FlowPartition>()

  /**
   * @throws InvalidArgumentError when the directory can't be used, UnavailableError when another process owns it.
   */
  constructor(settings: StorageSettings) {
    this.#settings = settings
    prepareDirectory(settings.dataDir)
    this.#lock = lockDirectory(settings.dataDir)
    this.#objectsDatabase = openDatabase(join(settings.dataDir, 'objects.db'), 'FULL')
    this.#objects = new ObjectTable(this.#objectsDatabase)
    this.#topologyFiles = new Partitions(settings.dataDir, 'topology', TOPOLOGY_SCHEMA)
    this.#flowFiles = new Partitions(settings.dataDir, 'flow', FLOW_SCHEMA)
  }

  #topologyAt(startMs: number): TopologyPartition {
    let partition = this.#topology.get(startMs)
    if (!partition) {
      partition = new TopologyPartition(startMs, this.#topologyFiles.at(startMs).database)
      this.#topology.set(startMs, partition)
    }
    return partition
  }

  /** The topology file to write to at `nowMs`; a new one begins with what lived at the end of the one before. */
  #topologyForWriting(nowMs: number): TopologyPartition {
    const newest = this.#topologyFiles.starts.at(-1)
    if (newest !== undefined && nowMs < newest + this.#settings.topologyPartitionMs) return this.#topologyAt(newest)
    const carried = newest === undefined ? [] : this.#topologyAt(newest).live()
    // Without what it inherits the file would be a hole in the history: it begins with that or not at all.
    this.#topologyFiles.create(nowMs, ({ database }) => {
      const partition = new TopologyPartition(nowMs, database)
      partition.write(carried)
      this.#topology.set(nowMs, partition)
    })
    this.#retain(nowMs)
    return this.#topologyAt(nowMs)
  }

  #flowsAt(startMs: number): FlowPartition {
    let partition = this.#flows.get(startMs)
    if (!partition) {
      partition = new FlowPartition(startMs, this.#flowFiles.at(startMs).database)
      this.#flows.set(startMs, partition)
    }
    return partition
  }

  #flowsForWriting(nowMs: number): FlowPartition {
    const newest = this.#flowFiles.starts.at(-1)
    if (newest !== undefined && nowMs < newest + this.#settings.flowPartitionMs) return this.#flowsAt(newest)
    this.#flowFiles.create(nowMs)
    this.#retain(nowMs)
    return this.#flowsAt(nowMs)
  }

  #retain(nowMs: number): void {
    const oldestMs = nowMs - this.#settings.retentionAgeMs
    // Flows are far larger than topology: each series may have half, so that neither starves the other.
    this.#topologyFiles.retain(oldestMs, this.#settings.retentionBytes / 2)
    this.#flowFiles.retain(oldestMs, this.#settings.retentionBytes / 2)
    for (const [files, readers] of [
      [this.#topologyFiles, this.#topology],
      [this.#flowFiles, this.#flows],
    ] as const) {
      const kept = new Set(files.starts)
      for (const start of readers.keys()) if (!kept.has(start)) readers.delete(start)
    }
  }

  appendTopology(changes: readonly TopologyChange[], nowMs: number): void {
    this.#topologyForWriting(nowMs).write(changes)
  }

  reconcile(live: readonly LiveElement[], timeMs: number): void {
    this.#topologyForWriting(timeMs).reconcile(live, timeMs)
  }

  /** The revisions of a slice by time of update; a keyframe that a file inherited is not told twice. */
  readTopology(slice: TimeSlice): StoredRevision[] {
    const byIdentity = new Map<string, StoredRevision>()
    for (const { startMs } of this.#topologyFiles.overlapping(slice.startMs, slice.lastMs)) {
      for (const revision of this.#topologyAt(startMs).read(slice)) {
        byIdentity.set(`${revision.kind}/${revision.id}/${revision.createdAtMs}/${revision.revision}`, revision)
      }
    }
    return [...byIdentity.values()].sort((a, b) => a.updatedAtMs - b.updatedAtMs)
  }

  /** Since when the topology is known; `undefined` in an empty store. */
  topologyCoverage(): number | undefined {
    return this.#topologyFiles.starts[0]
  }

  appendFlows(flows: readonly EnhancedFlow[], nowMs: number): void {
    this.#flowsForWriting(nowMs).write(flows)
  }

  searchFlows(query: FlowQuery, slice: TimeSlice): Promise<readonly EnhancedFlow[]> {
    return searchPartitions(this.#flowPartitions(slice), query, slice)
  }

  flowMetrics(query: FlowQuery, slice: TimeSlice): Promise<[string, FlowMetric[]][]> {
    return this.#perFlow(query, slice, (partition, uuid) => partition.metrics(uuid, slice))
  }

  rawPackets(query: FlowQuery, slice: TimeSlice): Promise<[string, RawPacket[]][]> {
    return this.#perFlow(query, slice, (partition, uuid) => partition.rawPackets(uuid, slice))
  }

  async #perFlow<T>(
    query: FlowQuery,
    slice: TimeSlice,
    read: (partition: FlowPartition, uuid: string) => T[],
  ): Promise<[string, T[]][]> {
    const partitions = this.#flowPartitions(slice)
    return (await searchPartitions(partitions, query, slice)).flatMap(({ flow }): [string, T[]][] => {
      const found = partitions.flatMap((partition) => read(partition, flow.UUID))
      return found.length === 0 ? [] : [[flow.UUID, found]]
    })
  }

  /** A flow lies in the files of its reports, which come after its packets by up to one update interval: later files count as well. */
  #flowPartitions(slice: TimeSlice): FlowPartition[] {
    return this.#flowFiles.overlapping(slice.startMs, Number.MAX_SAFE_INTEGER).map(({ startMs }) => this.#flowsAt(startMs))
  }

  getObject(key: string): KeyValueEntry | undefined {
    return this.#objects.get(key)
  }

  listObjects(prefix: string): KeyValueEntry[] {
    return this.#objects.list(prefix)
  }

  writeObject(key: string, value: string, expiresAtMs: number | null, exclusive: boolean): KeyValueEntry | undefined {
    return this.#objects.write(key, value, expiresAtMs, exclusive)
  }

  deleteObject(key: string): KeyValueEntry | undefined {
    return this.#objects.delete(key)
  }

  bytes(): number {
    return this.#topologyFiles.bytes() + this.#flowFiles.bytes()
  }

  close(): void {
    this.#topologyFiles.close()
    this.#flowFiles.close()
    this.#objectsDatabase.close()
    this.#lock.exec('ROLLBACK')
    this.#lock.close()
  }
}

/** File systems of the kernel, where nothing can be kept. Making folders below `/proc` never returns in Node. */
const KERNEL_FOLDERS = /^\/(proc|sys)(\/|$)/

/** Makes the directory, readable by its owner alone: it holds what the network did. */
function prepareDirectory(dataDir: string): void {
  try {
    if (KERNEL_FOLDERS.test(resolve(dataDir))) throw new Error('the kernel keeps no files there')
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    if (!statSync(dataDir).isDirectory()) throw new Error('not a directory')
    chmodSync(dataDir, 0o700)
  } catch (error) {
    throw new InvalidArgumentError(
      `the data directory ${dataDir} can't be used (${(error as Error).message}): give a directory that this user may write, with --data-dir or SKYDIVE_DATA_DIR`,
      { dataDir },
      error,
    )
  }
}

/** Takes the directory for this process; a killed process leaves no lock behind. */
function lockDirectory(dataDir: string): Database {
  let lock: Database | undefined
  try {
    lock = openDatabase(join(dataDir, 'lock.db'), 'NORMAL')
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (!/locked|busy/i.test(String(error))) throw error
    throw new UnavailableError(
      `the data directory ${dataDir} is in use by another process: stop it, or give another --data-dir`,
      {
        retryable: true,
        fields: { dataDir },
        cause: error,
      },
    )
  }
}
