/**
 * Topology history, flows and API objects in embedded SQLite files, partitioned by time. One worker thread owns the files; nothing here
 * blocks the caller. A process that is killed loses at most what the last fifth of a second brought; the files open again by themselves.
 *
 * @packageDocumentation
 */

import type { Clock, FlowStore, GraphEdge, GraphNode, KeyValueStore, Logger, TopologyStore } from '@skydive/contracts'
import { SILENT_LOGGER } from '@skydive/contracts'
import { SqliteFlowStore } from './flow-store.ts'
import { SqliteObjectStore } from './object-store.ts'
import { StoreThread } from './store-thread.ts'
import { SYSTEM_CLOCK } from './system-clock.ts'
import { SqliteTopologyStore } from './topology-store.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** What the user decides. Only `dataDir` is needed. */
export interface SqliteStorageOptions {
  /** Folder of the files; made with mode 0700. One process at a time may use it. */
  readonly dataDir: string
  /** How long the past is kept. @default 7 days */
  readonly retentionAgeMs?: number
  /** How large all files together may grow; the oldest go first. @default 4 GiB */
  readonly retentionBytes?: number
  /** Length of one topology file: what retention removes at a time. @default 6 hours */
  readonly topologyPartitionMs?: number
  /** Length of one flow file. @default 1 hour */
  readonly flowPartitionMs?: number
}

/** What the runtime gives. */
export interface SqliteStorageComponents {
  readonly logger?: Logger
  readonly clock?: Clock
  /** The script of the worker, for applications that are bundled: the entry `@skydive/storage-sqlite/worker`. */
  readonly workerUrl?: URL
  /** The live graph, asked for when the medium refused for so long that changes were dropped. */
  readonly snapshot?: () => { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }
}

/** The three stores of one folder. */
export interface SqliteStorage {
  readonly topology: TopologyStore
  readonly flows: FlowStore
  readonly objects: KeyValueStore
  /** Writes what is left and closes the files. */
  close(): Promise<void>
}

/**
 * Opens the folder, making it when absent.
 * @throws InvalidArgumentError (`ERR_INVALID_ARGUMENT`) when the folder can't be used, UnavailableError when another process uses it,
 * UnsupportedError when there is no SQLite.
 */
export async function openSqliteStorage(
  options: SqliteStorageOptions,
  components: SqliteStorageComponents = {},
): Promise<SqliteStorage> {
  const { logger = SILENT_LOGGER, clock = SYSTEM_CLOCK, workerUrl, snapshot } = components
  const thread = new StoreThread(workerUrl)
  try {
    await thread.ask('open', {
      dataDir: options.dataDir,
      retentionAgeMs: options.retentionAgeMs ?? 7 * 24 * HOUR_MS,
      retentionBytes: options.retentionBytes ?? 4 * 1024 ** 3,
      topologyPartitionMs: options.topologyPartitionMs ?? 6 * HOUR_MS,
      flowPartitionMs: options.flowPartitionMs ?? HOUR_MS,
    })
  } catch (error) {
    await thread.close()
    throw error
  }
  const topology = new SqliteTopologyStore({ thread, clock, logger, ...(snapshot && { snapshot }) })
  const flows = new SqliteFlowStore({ thread, clock, logger })
  const objects = new SqliteObjectStore({ thread, clock, logger })
  await objects.start()
  return {
    topology,
    flows,
    objects,
    async close() {
      await objects.close()
      await topology.close()
      await flows.close()
      await thread.close()
    },
  }
}
