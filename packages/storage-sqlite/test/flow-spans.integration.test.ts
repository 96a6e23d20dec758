import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { EnhancedFlow } from '@skydive/contracts'
import fc from 'fast-check'
import { Connection } from '../src/connection.ts'
import { openDatabase } from '../src/sqlite.ts'
import { StorageEngine } from '../src/storage-engine.ts'
import { memoryFolder } from './memory-folder.ts'

// A search looks into the files that tell of its time, and into no other: which these are is known of each file.

const FILES = 60
const FILE_MS = 1_000
const timeOf = (number: number) => 1_000_000 + number * FILE_MS
const SEED = Number(process.env['SKYDIVE_SEED'] ?? 20_261_127)

let dataDir: string
let store: StorageEngine
const opened = jest.spyOn(Connection.prototype, 'attach')

const open = () =>
  new StorageEngine({
    dataDir,
    retentionAgeMs: 1e12,
    retentionBytes: 1e12,
    topologyPartitionMs: 1e12,
    flowPartitionMs: FILE_MS,
  })

beforeEach(() => {
  dataDir = memoryFolder()
  store = open()
})

afterEach(() => {
  store.close()
  rmSync(dataDir, { recursive: true })
})

function flow(uuid: string, startMs: number, lastMs: number): EnhancedFlow {
  const metric = { ABPackets: 1, ABBytes: 2, BAPackets: 3, BABytes: 4, Start: startMs, Last: lastMs }
  const packet = { Timestamp: lastMs, Index: 1, Data: Uint8Array.of(1), LinkType: 1 }
  const common = { ParentUUID: '', RawPacketsCaptured: 1, NodeTID: 't' }
  return {
    flow: { UUID: uuid, Start: startMs, Last: lastMs, ...common, LastUpdateMetric: metric, LastRawPackets: [packet] },
    places: {},
  }
}

/** A flow of each file, reported a file later than it was, and one that lives from the first to the last. */
function fill(): void {
  for (let number = 1; number <= FILES; number++) {
    const reports = [flow(`f${number}`, timeOf(number - 1), timeOf(number - 1) + 10)]
    if (number === FILES) reports.push(flow('long', timeOf(0), timeOf(FILES)))
    store.appendFlows(reports, timeOf(number))
  }
}

/** What a search of some ms answers, and the flow files that were opened for it. */
async function search(startMs: number, lastMs: number): Promise<[string[], string[]]> {
  opened.mockClear()
  const found = await store.searchFlows({}, { startMs, lastMs })
  return [found.map(({ flow: { UUID } }) => UUID).sort(), opened.mock.calls.map(([path]) => path.slice(dataDir.length + 1))]
}

test('only the files that tell of the time are opened, also by a process that has not written them', async () => {
  fill()
  const file = (number: number) => `flow-${timeOf(number)}.db`
  expect(await search(timeOf(5), timeOf(5) + 1)).toEqual([['f6', 'long'], [file(6)]])
  store.close()
  store = open()
  // Each says once what it tells of.
  const [found, first] = await search(timeOf(5), timeOf(5) + 1)
  expect([found, new Set(first).size]).toEqual([['f6', 'long'], FILES - 4])
  expect(await search(timeOf(6), timeOf(6) + 1)).toEqual([['f7', 'long'], [file(7)]])
  expect(await store.flowMetrics({}, { startMs: timeOf(6), lastMs: timeOf(6) + 10 })).toMatchObject([['f7', [{ ABPackets: 1 }]]])
})

test('files of earlier versions, which do not say it, are searched, and written on', async () => {
  fill()
  store.close()
  const file = openDatabase(join(dataDir, `flow-${timeOf(FILES)}.db`))
  file.exec('DROP TABLE span')
  file.close()
  store = open()
  store.appendFlows([flow('more', timeOf(FILES), timeOf(FILES) + 1)], timeOf(FILES) + 1)
  expect((await search(timeOf(FILES), timeOf(FILES) + 1))[0]).toEqual(['long', 'more'])
  store.close()
  store = open()
  expect((await search(timeOf(FILES), timeOf(FILES) + 1))[0]).toEqual(['long', 'more'])
})

test(`whatever was reported when, a search finds what is active in its slice (seed ${SEED})`, async () => {
  const time = fc.integer({ min: 0, max: 8_000 })
  const report = fc.record({ uuid: fc.constantFrom('a', 'b', 'c', 'd'), from: time, lasts: fc.nat(3_000), later: fc.nat(3_000) })
  await fc.assert(
    fc.asyncProperty(fc.array(report, { maxLength: 20 }), time, fc.nat(2_000), async (reports, from, lasts) => {
      const folder = memoryFolder()
      const settings = { dataDir: folder, retentionAgeMs: 1e12, retentionBytes: 1e12, topologyPartitionMs: 1e12 }
      let engine = new StorageEngine({ ...settings, flowPartitionMs: FILE_MS })
      // Times of writing do not go back; a flow keeps its start and does not go back either.
      const written = new Map<string, EnhancedFlow>()
      const inOrder = [...reports].sort((a, b) => a.from + a.lasts + a.later - (b.from + b.lasts + b.later))
      for (const { uuid, from: startMs, lasts: ms, later } of inOrder) {
        const start = written.get(uuid)?.flow.Start ?? startMs
        const last = Math.max(start, startMs + ms, written.get(uuid)?.flow.Last ?? 0)
        const one = flow(uuid, start, last)
        written.set(uuid, one)
        engine.appendFlows([one], Math.max(last, startMs + ms + later))
      }
      const expected = [...written.values()]
        .filter(({ flow: { Start, Last } }) => Start <= from + lasts && Last >= from)
        .map(({ flow: { UUID } }) => UUID)
        .sort()
      for (let round = 0; round < 2; round++) {
        const found = await engine.searchFlows({}, { startMs: from, lastMs: from + lasts })
        expect(
          found
            .map(({ flow: { UUID } }) => UUID)

            .sort(),
        ).toEqual(expected)
        engine.close()
        engine = new StorageEngine({ ...settings, flowPartitionMs: FILE_MS })
      }
      engine.close()
      rmSync(folder, { recursive: true })
    }),
    { seed: SEED, numRuns: 50 },
  )
}, 120_000)
