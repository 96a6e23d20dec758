import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { GraphNode } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { openSqliteStorage, type SqliteStorage } from '../src/index.ts'
import { memoryFolder } from './memory-folder.ts'

let dataDir: string
let storage: SqliteStorage

beforeEach(async () => {
  dataDir = memoryFolder()
  storage = await openSqliteStorage({ dataDir })
})

afterEach(async () => {
  await storage.close()
  rmSync(dataDir, { recursive: true, force: true })
})

test('what is appended while the store is told what lives is not taken for gone', async () => {
  const graph = createGraph()
  graph.subscribe((batch) => storage.topology.append(batch))
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const add = (id: string) => writer.transaction((tx) => tx.addNode({ id, metadata: { Name: id, Type: 'device' } }))
  add('early')
  const live: GraphNode[] = []
  graph.view.forEachNode((ordinal) => live.push(graph.view.node(ordinal)) > 0)
  const told = storage.topology.reconcile({ nodes: live, edges: [] }, Date.now(), { origin: 'agent.alpha' })
  add('late')
  await told
  const nowMs = Date.now() + 1
  const view = await storage.topology.open({ startMs: nowMs, lastMs: nowMs })
  const names: string[] = []
  view.forEachNode((ordinal) => names.push(view.node(ordinal).id) > 0)
  expect(names.sort()).toEqual(['early', 'late'])
})
