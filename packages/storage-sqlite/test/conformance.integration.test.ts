import { rmSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '@skydive/gremlin-dsl'
import { describeGraphSource } from '@skydive/testkit/graph'
import { openSqliteStorage } from '../src/index.ts'
import { SYSTEM_CLOCK } from '../src/system-clock.ts'
import { memoryFolder } from './memory-folder.ts'

describeGraphSource('the SQLite store', {
  runner: { describe, it, expect },
  createGraph,
  createGremlin,
  resultToJson,
  async createCase(graph, clock) {
    const dataDir = memoryFolder()
    const storage = await openSqliteStorage({ dataDir }, { clock: { ...SYSTEM_CLOCK, now: () => clock.now() } })
    graph.subscribe((batch) => storage.topology.append(batch))
    return {
      source: storage.topology,
      settle: () => storage.topology.flush(),
      ready: (nowMs) => ({ startMs: nowMs, lastMs: nowMs }),
      async flows(flows) {
        storage.flows.append(flows.map((flow) => ({ flow, places: {} })))
        await storage.flows.flush()
        return storage.flows
      },
      hasHistory: true,
      async close() {
        await storage.close()
        rmSync(dataDir, { recursive: true, force: true })
      },
    }
  },
})
