import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ElementSelection, GraphEdge, GraphNode, TimeSlice } from '@skydive/contracts'
import { allOf, elementField, isPresent, not, prepareFilter, term } from '@skydive/filter'
import { createGraph } from '@skydive/graph'
import { openSqliteStorage, type SqliteStorage } from '../src/index.ts'
import { SYSTEM_CLOCK } from '../src/system-clock.ts'
import { memoryFolder } from './memory-folder.ts'

const NODES = 1200

describe('select', () => {
  const clock = { ms: 100_000 }
  let dataDir: string
  let storage: SqliteStorage

  beforeAll(async () => {
    dataDir = memoryFolder()
    storage = await openSqliteStorage({ dataDir }, { clock: { ...SYSTEM_CLOCK, now: () => clock.ms } })
    const graph = createGraph({ clock: { now: () => clock.ms } })
    graph.subscribe((batch) => storage.topology.append(batch))
    const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
    writer.transaction((tx) => {
      for (let i = 0; i < NODES; i++) {
        tx.addNode({ id: `n${i}`, metadata: { Type: i % 3 === 0 ? 'veth' : 'device', Name: `n${i}`, MTU: i % 2 ? 1500 : 9000 } })
      }
      for (let i = 1; i < 50; i++) tx.addEdge({ id: `e${i}`, parent: 'n0', child: `n${i}`, metadata: { RelationType: 'layer2' } })
    })
    await storage.topology.flush()
    clock.ms = 200_000
    writer.transaction((tx) => {
      for (let i = 0; i < 10; i++) tx.patchNode(`n${i}`, { Type: 'bridge' })
      tx.deleteNode('n20')
    })
    await storage.topology.flush()
  })
  afterAll(async () => {
    await storage.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  /** What `open` shows and the filter passes. */
  async function expected(
    { kind, filter = {}, limit }: ElementSelection,
    slice: TimeSlice,
  ): Promise<readonly (GraphNode | GraphEdge)[]> {
    const view = await storage.topology.open(slice)
    const matches = await prepareFilter<GraphNode | GraphEdge>(filter, elementField)
    const found: (GraphNode | GraphEdge)[] = []
    if (kind === 'node') view.forEachNode((row) => found.push(view.node(row)) > 0)
    else view.forEachEdge((row) => found.push(view.edge(row)) > 0)
    return found.filter(matches).slice(0, limit)
  }

  const at = (ms: number): TimeSlice => ({ startMs: ms, lastMs: ms })
  it.each<[selection: ElementSelection, slice: TimeSlice, count: number]>([
    [{ kind: 'node' }, at(150_000), NODES],
    [{ kind: 'node' }, at(250_000), NODES - 1],
    [{ kind: 'node', filter: term('Type', 'veth') }, at(150_000), 400],
    [{ kind: 'node', filter: term('Type', 'bridge') }, at(150_000), 0],
    [{ kind: 'node', filter: term('Type', 'bridge') }, at(250_000), 10],
    [{ kind: 'node', filter: term('@ID', 'n5') }, { startMs: 100_000, lastMs: 250_000 }, 2],
    [{ kind: 'node', filter: allOf([term('Type', 'veth'), term('MTU', 1500)]), limit: 7 }, at(150_000), 7],
    [{ kind: 'node', filter: { RegexFilter: { Key: 'Name', Value: '^n1[0-9]$' } } }, at(150_000), 10],
    [{ kind: 'node', filter: not(isPresent('MTU')) }, at(150_000), 0],
    [{ kind: 'edge', filter: term('Child', 'n20') }, at(150_000), 1],
    [{ kind: 'edge', filter: term('Child', 'n20') }, at(250_000), 0],
  ])('%j at %j', async (selection, slice, count) => {
    const found: (GraphNode | GraphEdge)[] = []
    for await (const batch of storage.topology.select!(selection, slice)) {
      expect(batch.length).toBeLessThanOrEqual(500)
      found.push(...batch)
    }
    expect([found.length, found]).toEqual([count, await expected(selection, slice)])
  })

  it('refuses the present, a bad pattern, and gives up when it is told to', async () => {
    const take = async (selection: ElementSelection, slice: TimeSlice | undefined, signal?: AbortSignal): Promise<void> => {
      for await (const _batch of storage.topology.select!(selection, slice, signal ? { signal } : {})) void _batch
    }
    await expect(take({ kind: 'node' }, undefined)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(take({ kind: 'node', filter: { RegexFilter: { Key: 'a', Value: '(' } } }, at(150_000))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
    await expect(take({ kind: 'node' }, at(150_000), AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
  })
})
