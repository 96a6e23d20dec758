import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Clock, GraphDiff } from '@skydive/contracts'
import { createGraph, type Graph } from '../../graph-core/src/index.ts'
import { openSqliteStorage, type SqliteStorage } from '../../storage-sqlite/src/index.ts'
import { createHistory, type History } from '../src/index.ts'

// The real halves: a graph that forgets after 100 ms, a store with files of 60 ms that follows it, and a graph that forgets nothing to compare with.

const clock = { ms: 1_000 }
const CLOCK: Clock = {
  now: () => clock.ms,
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}
let dataDir: string
let storage: SqliteStorage
let history: History
let memory: Graph
let everything: Graph

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'skydive-seam-'))
  storage = await openSqliteStorage({ dataDir, topologyPartitionMs: 60 }, { clock: CLOCK })
  memory = createGraph({ clock: CLOCK, retention: { ageMs: 100 } })
  everything = createGraph({ clock: CLOCK })
  memory.subscribe((batch) => storage.topology.append(batch))
  history = createHistory({ memory, store: storage.topology })
  const writers = [memory, everything].map((graph) => graph.writer({ origin: 'agent.alpha', host: 'alpha' }))
  for (let i = 0; i < 40; i++) {
    clock.ms += 10
    for (const writer of writers) {
      writer.transaction((tx) => {
        tx.putNode({ id: 'n', metadata: { MTU: 1_500 + i } })
        if (i % 4 === 0) tx.putNode({ id: 'now and then', metadata: { i } })
        if (i % 4 === 2) tx.deleteNode('now and then')
        tx.addNode({ id: `m${i}`, metadata: {} })
        tx.addEdge({ id: `e${i}`, parent: 'n', child: `m${i}`, metadata: { RelationType: 'ownership' } })
      })
    }
    await storage.topology.flush()
  }
}, 60_000)

afterAll(async () => {
  await storage.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const withoutCoverage = ({ coverage: _coverage, ...diff }: GraphDiff): object => diff

describe('the seam between memory and store', () => {
  test('lies within the times that are asked for', () => {
    const { knownFromMs } = memory.stats()
    expect(knownFromMs).toBeGreaterThan(1_100)
    expect(knownFromMs).toBeLessThan(1_390)
  })

  test('no difference that crosses it lacks or doubles anything', async () => {
    for (let fromMs = 1_015; fromMs < 1_400; fromMs += 15) {
      for (const toMs of [fromMs + 1, fromMs + 35, 1_400]) {
        const found = await history.diff(fromMs, toMs)
        expect(found.coverage).toEqual({ complete: true })
        expect(withoutCoverage(found)).toEqual(withoutCoverage(everything.diff(fromMs, toMs)))
      }
    }
  })

  test('a history that crosses it has every revision once', async () => {
    expect((await history.history('n')).map(({ revision }) => revision)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    for (let startMs = 1_015; startMs < 1_400; startMs += 15) {
      for (const id of ['n', 'now and then', 'e20']) {
        const slice = { startMs, lastMs: 1_400 }
        expect(await history.history(id, slice)).toEqual(everything.history(id, slice))
      }
    }
  })

  test('before the store began it is said that the answer is not whole', async () => {
    const { coverage, nodes } = await history.diff(0, 1_400)
    expect([coverage, nodes.length > 0]).toEqual([{ complete: false, knownFromMs: 1_010 }, true])
  })
})
