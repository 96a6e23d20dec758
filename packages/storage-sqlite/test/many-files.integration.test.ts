import { readdirSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { EnhancedFlow } from '@skydive/contracts'
import type { TopologyChange } from '../src/messages.ts'
import { openDatabase } from '../src/sqlite.ts'
import { StorageEngine } from '../src/storage-engine.ts'
import { memoryFolder } from './memory-folder.ts'

// A week kept in short files is hundreds of them; a process may have 1,024 descriptors, and needs them for sockets.

const FILES = 200
const FILE_MS = 1_000
/** Sixteen files of three descriptors (database, log, index of the log) and the lock. */
const MOST_DESCRIPTORS = 16 * 3 + 1

let dataDir: string
let store: StorageEngine
let most: number

function descriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dataDir)
    } catch {
      return false
    }
  }).length
}

function watched<T>(body: () => T): T {
  const result = body()
  most = Math.max(most, descriptors())
  return result
}

const put = (id: string, timeMs: number): TopologyChange => ({
  op: 'put',
  element: { kind: 'node', id, parent: '', child: '', host: 'alpha', origin: 'agent.alpha', createdAtMs: timeMs },
  revision: 1,
  updatedAtMs: timeMs,
  metadata: { Name: id },
})

const patch = (revision: number, timeMs: number): TopologyChange => ({
  op: 'patch',
  kind: 'node',
  id: 'always',
  revision,
  updatedAtMs: timeMs,
  ops: [{ op: 'set', key: 'Turn', value: revision }],
})

const flow = (number: number, timeMs: number): EnhancedFlow => ({
  flow: {
    UUID: `f${number}`,
    Start: timeMs,
    Last: timeMs,
    ParentUUID: '',
    RawPacketsCaptured: 1,
    NodeTID: 't',
    LastUpdateMetric: { ABPackets: 1, ABBytes: 2, BAPackets: 3, BABytes: 4, Start: timeMs, Last: timeMs },
    LastRawPackets: [{ Timestamp: timeMs, Index: 1, Data: Uint8Array.of(number), LinkType: 1 }],
  },
  places: {},
})

const timeOf = (number: number) => 1_000_000 + number * FILE_MS
const everything = { startMs: timeOf(0), lastMs: timeOf(FILES) }

function open(): StorageEngine {
  return new StorageEngine({
    dataDir,
    retentionAgeMs: 1e12,
    retentionBytes: 1e12,
    topologyPartitionMs: FILE_MS,
    flowPartitionMs: FILE_MS,
  })
}

beforeEach(() => {
  dataDir = memoryFolder()
  store = open()
  most = 0
})

afterEach(() => {
  store.close()
  rmSync(dataDir, { recursive: true })
})

test(`${FILES} files of each kind are written and read with ${MOST_DESCRIPTORS} descriptors, and none is left`, async () => {
  for (let number = 0; number < FILES; number++) {
    const timeMs = timeOf(number)
    watched(() =>
      store.appendTopology(
        number === 0 ? [put('always', timeMs)] : [put(`n${number}`, timeMs), patch(number + 1, timeMs)],
        timeMs,
      ),
    )
    watched(() => store.appendFlows([flow(number, timeMs)], timeMs))
  }
  expect(readdirSync(dataDir).filter((file) => /^(flow|topology)-\d+\.db$/.test(file))).toHaveLength(2 * FILES)

  for (let number = 0; number < FILES; number++) {
    expect(watched(() => store.readTopology({ startMs: timeOf(number), lastMs: timeOf(number) }))).toHaveLength(number + 1)
  }
  expect(watched(() => store.readTopology(everything))).toHaveLength(2 * FILES - 1)
  expect(watched(() => store.topologyHistory('always', undefined)).map(({ revision }) => revision)).toEqual(
    Array.from({ length: FILES }, (_, i) => i + 1),
  )
  expect(watched(() => store.diffTopology(everything.startMs, everything.lastMs, [])).nodes).toHaveLength(FILES)
  const uuids = Array.from({ length: FILES }, (_, number) => `f${number}`)
  const search = { Sort: true, SortBy: 'Last' }
  expect((await store.searchFlows(search, everything)).map(({ flow: { UUID } }) => UUID)).toEqual(uuids)
  most = Math.max(most, descriptors())
  expect((await store.flowMetrics(search, everything)).map(([uuid]) => uuid)).toEqual(uuids)
  most = Math.max(most, descriptors())
  expect((await store.rawPackets(search, everything)).map(([uuid]) => uuid)).toEqual(uuids)
  most = Math.max(most, descriptors())

  expect(most).toBe(MOST_DESCRIPTORS)
  store.close()
  expect(descriptors()).toBe(0)
  store = open()
}, 120_000)

test('a file that was only begun when the process was killed is no hole in the history', () => {
  store.appendTopology([put('always', timeOf(0))], timeOf(0))
  store.close()
  const begun = openDatabase(join(dataDir, `topology-${timeOf(2)}.db`))
  begun.exec('PRAGMA journal_mode=WAL')
  begun.close()
  store = open()
  expect(readdirSync(dataDir).filter((file) => file.startsWith('topology'))).toEqual([`topology-${timeOf(0)}.db`])
  expect(store.readTopology({ startMs: timeOf(5), lastMs: timeOf(5) })).toHaveLength(1)
})
