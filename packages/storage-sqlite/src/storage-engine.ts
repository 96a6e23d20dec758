import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type {
  ElementSelection,
  EnhancedFlow,
  FlowMetric,
  FlowQuery,
  GraphDiff,
  GraphEdge,
  GraphNode,
  KeyValueEntry,
  RawPacket,
  TimeSlice,
} from '@skydive/contracts'
import { InvalidArgumentError, UnavailableError } from '@skydive/contracts'
import { DatabaseFile } from './database-file.ts'
import { FLOW_SCHEMA, FlowPartition } from './flow-partition.ts'
import { searchPartitions } from './flow-search.ts'
import type { StorageSettings, StoredRevision, TopologyChange } from './messages.ts'
import { ObjectTable } from './object-table.ts'
import { OpenFiles } from './open-files.ts'
import { Partitions } from './partitions.ts'
import { type Database, openDatabase } from './sqlite.ts'
import { TopologyPast } from './topology-past.ts'
import { TopologyReader } from './topology-reader.ts'
import { TOPOLOGY_SCHEMA } from './topology-schema.ts'
import { selectRevisions } from './topology-select.ts'
import { TopologyWriter } from './topology-writer.ts'

/**
 * Everything that the store does: what the worker runs, and what tests call without a thread. One engine owns a data
 * directory; a second one is refused.
 */
export class StorageEngine {
  readonly #settings: StorageSettings
  /** Held until close: two processes writing one history would tear it. */
  readonly #lock: Database
  readonly #files = new OpenFiles()
  readonly #objects: ObjectTable
  readonly #topology: Partitions<TopologyReader>
  readonly #flows: Partitions<FlowPartition>
  readonly #past: TopologyPast
  /** Of the newest topology file, once something was written. */
  #topologyWriter: TopologyWriter | undefined

  /**
   * @throws InvalidArgumentError when the directory can't be used, UnavailableError when another process owns it.
   */
  constructor(settings: StorageSettings) {
    this.#settings = settings
    const dir = resolve(settings.dataDir)
    prepareDirectory(dir)
    this.#lock = lockDirectory(dir)
    try {
      this.#objects = new ObjectTable(new DatabaseFile(this.#files, join(dir, 'objects.db'), { synchronous: 'FULL' }))
      this.#topology = new Partitions({
        files: this.#files,
        dir,
        series: 'topology',
        schema: TOPOLOGY_SCHEMA,
        reader: (startMs, file) => new TopologyReader(startMs, file, () => startMs < (this.#topology.starts.at(-1) ?? 0)),
      })
      this.#flows = new Partitions({
        files: this.#files,
        dir,
        series: 'flow',
        schema: FLOW_SCHEMA,
        reader: (startMs, file) => new FlowPartition(startMs, file),
      })
    } catch (error) {
      this.close()
      throw error
    }
    this.#past = new TopologyPast(this.#topology)
  }

  /** The topology file to write to at `nowMs`; a new one begins with what lived at the end of the one before. */
  #topologyForWriting(nowMs: number): TopologyWriter {
    const newest = this.#topology.starts.at(-1)
    if (newest !== undefined && nowMs < newest + this.#settings.topologyPartitionMs) {
      if (this.#topologyWriter?.startMs !== newest) this.#topologyWriter = new TopologyWriter(newest, this.#topology.file(newest))
      return this.#topologyWriter
    }
    const heirs = newest === undefined ? [] : this.#topology.at(newest).heirs(nowMs)
    // Without what it inherits the file would be a hole in the history: it begins with that or not at all.
    this.#topologyWriter = this.#topology.create(nowMs, (file) => {
      const writer = new TopologyWriter(nowMs, file)
      writer.inherit(heirs)
      return writer
    })
    this.#retain(nowMs)
    return this.#topologyWriter
  }

  #flowsForWriting(nowMs: number): FlowPartition {
    const newest = this.#flows.starts.at(-1)
    if (newest !== undefined && nowMs < newest + this.#settings.flowPartitionMs) return this.#flows.at(newest)
    this.#flows.create(nowMs, () => undefined)
    this.#retain(nowMs)
    return this.#flows.at(nowMs)
  }

  #retain(nowMs: number): void {
    const oldestMs = nowMs - this.#settings.retentionAgeMs
    // Flows are far larger than topology: each series may have half, so that neither starves the other.
    this.#topology.retain(oldestMs, this.#settings.retentionBytes / 2)
    this.#flows.retain(oldestMs, this.#settings.retentionBytes / 2)
  }

  appendTopology(changes: readonly TopologyChange[], nowMs: number): void {
    this.#topologyForWriting(nowMs).write(changes)
  }

  /** The revisions of a slice by time of update, at an instant one an id; a keyframe that a file inherited is not told twice. */
  readTopology(slice: TimeSlice): StoredRevision[] {
    if (slice.startMs === slice.lastMs) return this.#past.at(slice.startMs)
    const byIdentity = new Map<string, StoredRevision>()
    for (const reader of this.#topology.overlapping(slice.startMs, slice.lastMs)) {
      for (const revision of reader.read(slice)) {
        byIdentity.set(`${revision.kind}/${revision.id}/${revision.createdAtMs}/${revision.revision}`, revision)
      }
    }
    return [...byIdentity.values()].sort((a, b) => a.updatedAtMs - b.updatedAtMs)
  }

  /** Of the revisions of a slice those that a selection means. @throws InvalidArgumentError for a filter that can't be compiled. */
  selectTopology(selection: ElementSelection, slice: TimeSlice): Promise<readonly StoredRevision[]> {
    return selectRevisions(this.readTopology(slice), selection)
  }

  /** What differs between two times. @throws InvalidArgumentError when they are in the wrong order. */
  diffTopology(fromMs: number, toMs: number, ignoreKeys: readonly string[]): GraphDiff {
    return this.#past.diff(fromMs, toMs, ignoreKeys)
  }

  /** The revisions of one id, oldest first. */
  topologyHistory(id: string, slice: TimeSlice | undefined): (GraphNode | GraphEdge)[] {
    return this.#past.history(id, slice)
  }

  /** Since when the topology is known; `undefined` in an empty store. */
  topologyCoverage(): number | undefined {
    return this.#topology.starts[0]
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
    const found = new Map((await searchPartitions(partitions, query, slice)).map(({ flow }): [string, T[]] => [flow.UUID, []]))
    // File after file, so that each is opened once however many flows there are.
    for (const partition of partitions) for (const [uuid, rows] of found) rows.push(...read(partition, uuid))
    return [...found].filter(([, rows]) => rows.length > 0)
  }

  /**
   * A flow lies in the files of its reports, which come after its packets by up to one update interval: later files count as well, as far as
   * they tell of the slice.
   */
  #flowPartitions(slice: TimeSlice): FlowPartition[] {
    return this.#flows.overlapping(slice.startMs, Number.MAX_SAFE_INTEGER).filter((partition) => partition.mayHold(slice))
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
    return this.#topology.bytes() + this.#flows.bytes()
  }

  close(): void {
    this.#files.close()
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
    lock = openDatabase(join(dataDir, 'lock.db'))
    // Nothing is written into it: no journal needs a descriptor.
    lock.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
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
