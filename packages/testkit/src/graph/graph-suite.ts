import type { Flow, GraphTransaction } from '@skydive/contracts'
import { FLOW_CASES, FLOW_NODES, FLOW_SIZES } from './flow-cases.ts'
import type { GraphSuiteOptions } from './graph-case.ts'
import { T_CASES, T_EDGES, T_NODES } from './graph-t.ts'
import { LIST_CASES, LIST_NODES } from './list-cases.ts'
import { SAMPLE_CASES } from './sample-cases.ts'
import { SAMPLE_EDGES, SAMPLE_FLOWS, SAMPLE_NODES } from './sample-data.ts'
import { comparable, shown } from './shown.ts'
import { type Stage, setStage, type Write } from './stage.ts'
import { TIME_CASES } from './time-cases.ts'

const SAMPLE_WRITTEN_MS = 6000
const SAMPLE_NOW_MS = 20_000

/** Writes graph S of spec graph 0.1, in one transaction. */
export function writeSampleGraph(tx: GraphTransaction): void {
  for (const [id, createdAtMs, metadata] of SAMPLE_NODES) tx.addNode({ id, createdAtMs, updatedAtMs: createdAtMs, metadata })
  for (const [id, parent, child, relation] of SAMPLE_EDGES)
    tx.addEdge({ id, parent, child, metadata: { RelationType: relation } })
}

function writeT(tx: GraphTransaction): void {
  for (const [id, metadata] of T_NODES) tx.addNode({ id, metadata })
  for (const [id, parent, child, metadata] of T_EDGES) tx.addEdge({ id, parent, child, metadata })
}

const TIMELINE: readonly Write[] = [
  {
    timeMs: 100_000,
    write(tx) {
      tx.addNode({ id: 'n1', metadata: { State: 'DOWN' } })
      tx.addEdge({ id: 'e', parent: 'n1', child: 'n1', metadata: {} })
    },
  },
  { timeMs: 200_000, write: (tx) => void tx.patchNode('n1', { State: 'UP' }) },
  {
    timeMs: 300_000,
    write(tx) {
      tx.deleteNode('n1')
      tx.addNode({ id: 'n2', metadata: {} })
    },
  },
]

/** One stage for many tests, set when the first of them runs and taken down by the last. */
class SharedStage {
  private stage: Promise<Stage> | undefined
  private readonly set: () => Promise<Stage>

  constructor(set: () => Promise<Stage>) {
    this.set = set
  }

  get(): Promise<Stage> {
    this.stage ??= this.set()
    return this.stage
  }

  async close(): Promise<void> {
    await (await this.stage)?.close()
    this.stage = undefined
  }
}

/**
 * What every source of graphs has to answer, as tests: the examples of the language, the acceptance list of spec graph 5 as far as it is
 * about what a source holds, and the rules of time. Call it in the test file of the source:
 * `describeGraphSource('my store', { runner: { describe, it, expect }, createGraph, createGremlin, resultToJson, createCase })`.
 */
export function describeGraphSource(name: string, options: GraphSuiteOptions): void {
  const { describe } = options.runner
  describe(`graph source ${name}`, () => {
    describe('graph S and flows F', () => describeSample(options))
    describe('graph T', () => describeT(options))
    describe('lists and ranks', () => describeLists(options))
    describe('flows of the acceptance list', () => describeFlows(options))
    describe('timeline H', () => describeTime(options))
    describe('graph S at another time', () => describeReplay(options))
  })
}

const asksFlows = (query: string): boolean => /flows/i.test(query)

function describeSample(options: GraphSuiteOptions): void {
  const { it, expect } = options.runner
  const stage = new SharedStage(() =>
    setStage(options, [{ timeMs: SAMPLE_WRITTEN_MS, write: writeSampleGraph }], SAMPLE_NOW_MS, SAMPLE_FLOWS),
  )
  for (const [query, answer] of SAMPLE_CASES) {
    it(query, async () => {
      const { engine, subject } = await stage.get()
      if (asksFlows(query) && !subject.flows) return
      const { result } = await engine.query(query)
      expect(comparable(query, shown(result, options.resultToJson))).toEqual(comparable(query, answer))
    })
  }
  it('is taken down', () => stage.close())
}

function describeT(options: GraphSuiteOptions): void {
  const { it, expect } = options.runner
  const stage = new SharedStage(() => setStage(options, [{ timeMs: SAMPLE_WRITTEN_MS, write: writeT }], SAMPLE_NOW_MS))
  for (const [item, query, answer] of T_CASES) {
    it(`${item} ${query}`, async () => {
      const { engine } = await stage.get()
      expect(shown((await engine.query(query)).result, options.resultToJson)).toEqual(answer)
    })
  }
  it('is taken down', () => stage.close())
}

function describeLists(options: GraphSuiteOptions): void {
  const { it, expect } = options.runner
  const write: Write = {
    timeMs: SAMPLE_WRITTEN_MS,
    write(tx) {
      for (const [id, createdAtMs, metadata] of LIST_NODES) tx.addNode({ id, createdAtMs, updatedAtMs: createdAtMs, metadata })
    },
  }
  const stage = new SharedStage(() => setStage(options, [write], SAMPLE_NOW_MS))
  for (const [item, query, ids] of LIST_CASES) {
    it(`${item} ${query}`, async () => {
      const { engine } = await stage.get()
      expect(shown((await engine.query(query)).result, options.resultToJson)).toEqual(ids)
    })
  }
  it('is taken down', () => stage.close())
}

function describeFlows(options: GraphSuiteOptions): void {
  const { it, expect } = options.runner
  const write: Write = {
    timeMs: SAMPLE_WRITTEN_MS,
    write(tx) {
      for (const tid of FLOW_NODES) {
        tx.addNode({ id: tid, metadata: { Type: 'veth', TID: tid, MAC: tid, PeerIntfMAC: `p${tid}` } })
      }
    },
  }
  const stages = new Map<readonly Flow[], SharedStage>()
  const stageOf = (flows: readonly Flow[]): SharedStage => {
    const stage = stages.get(flows) ?? new SharedStage(() => setStage(options, [write], SAMPLE_NOW_MS, flows))
    stages.set(flows, stage)
    return stage
  }
  for (const [item, query, flows, answer] of FLOW_CASES) {
    const stage = stageOf(flows)
    it(`${item} ${query}`, async () => {
      const { subject, engine } = await stage.get()
      if (!subject.flows) return
      const { result } = await engine.query(query)
      expect(comparable(query, shown(result, options.resultToJson))).toEqual(comparable(query, answer))
    })
  }
  for (const [item, query, flows, size] of FLOW_SIZES) {
    const stage = stageOf(flows)
    it(`${item} ${query}`, async () => {
      const { subject, engine } = await stage.get()
      if (!subject.flows) return
      const found = shown((await engine.query(query)).result, options.resultToJson)
      expect((found as readonly unknown[]).length).toEqual(size)
    })
  }
  it('is taken down', async () => {
    for (const stage of stages.values()) await stage.close()
  })
}

function describeTime(options: GraphSuiteOptions): void {
  const { it, expect } = options.runner
  const stage = new SharedStage(() => setStage(options, TIMELINE, 500_000))
  for (const [query, revisions] of TIME_CASES) {
    it(query, async () => {
      const { engine, subject } = await stage.get()
      if (!subject.hasHistory) return
      const json = options.resultToJson((await engine.query(query)).result as never)
      const found = (json as readonly { ID: string; Revision: number; DeletedAt: number | null }[]).map(
        ({ ID, Revision, DeletedAt }) => (DeletedAt === null ? [ID, Revision] : [ID, Revision, DeletedAt]),
      )
      expect(found).toEqual(revisions)
    })
  }
  it('is taken down', () => stage.close())
}

/** A97: a query of the topology answers for a time what it answered then. */
function describeReplay(options: GraphSuiteOptions): void {
  const { it, expect } = options.runner
  const stage = new SharedStage(() => setStage(options, [{ timeMs: SAMPLE_WRITTEN_MS, write: writeSampleGraph }], SAMPLE_NOW_MS))
  for (const [query, answer] of SAMPLE_CASES) {
    if (asksFlows(query) || /aggregates/i.test(query)) continue
    const then = query.replaceAll(/\bG\b/gi, 'G.At(20)')
    it(`A97 ${then}`, async () => {
      const { engine, subject } = await stage.get()
      if (!subject.hasHistory) return
      expect(shown((await engine.query(then)).result, options.resultToJson)).toEqual(answer)
    })
  }
  it('is taken down', () => stage.close())
}
