import type { GraphBatch, Logger, Probe, ProbeComponents } from '@skydive/contracts'
import { createManualClock, createMemoryLogger, createMemoryMetrics, type ManualClock, type MemoryLogger } from './components.ts'

/** The three functions of a test runner that a suite is written with; those of jest, vitest and node:test will do. */
export interface TestRunner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void> | void): void
  /** `expect(value).toEqual(other)` must fail the test when the two differ. */
  expect(actual: unknown): { toEqual(expected: unknown): unknown }
}

/** A graph to probe into, as `createGraph` of `@skydive/graph` makes one. */
export interface ProbedGraph {
  writer(options: { readonly origin: string; readonly host: string }): ProbeComponents['graph']
  subscribe(listener: (batch: GraphBatch) => void): () => void
}

/** What a suite is given for each test. */
export interface ProbeCase {
  /** The probe, made from these components and whatever else its factory wants; not started. */
  create(components: ProbeComponents): Probe
  /** Changes what the probe watches, so that it has something to write; absent: that is not tested. */
  change?(): Promise<void> | void
  /** Takes away what `create` and `change` made. */
  dispose?(): Promise<void> | void
}

/** What the suite needs. */
export interface ProbeSuiteOptions {
  readonly runner: TestRunner
  readonly createGraph: () => ProbedGraph
  readonly createCase: () => Promise<ProbeCase> | ProbeCase
  /** How long a test waits for what a change must cause, ms. Default 2,000. */
  readonly timeoutMs?: number
}

interface Stage {
  readonly probe: Probe
  readonly batches: GraphBatch[]
  readonly clock: ManualClock
  readonly logger: MemoryLogger
  readonly subject: ProbeCase
  /** Resolves when there are more batches than so many, or in time when none comes; answers whether there are. */
  moreThan(batches: number): Promise<boolean>
}

const HOST = 'suite'

/**
 * The obligations of a probe (`Probe` of `@skydive/contracts`) as tests. Call it in the test file of the probe:
 * `describeProbe('docker', { runner: { describe, it, expect }, createGraph, createCase })`.
 */
export function describeProbe(name: string, options: ProbeSuiteOptions): void {
  const { runner, timeoutMs = 2000 } = options
  const { describe, it, expect } = runner
  const staged = (body: (stage: Stage) => Promise<void>) => async () => {
    const subject = await options.createCase()
    try {
      const stage = setUp(options, subject, timeoutMs)
      try {
        await body(stage)
      } finally {
        await stage.probe.stop()
      }
    } finally {
      await subject.dispose?.()
    }
  }

  describe(`probe ${name}`, () => {
    it(
      'does nothing until it is started',
      staged(async ({ probe, batches, clock, logger }) => {
        expect({
          state: probe.status.state,
          batches: batches.length,
          timers: clock.pending,
          logged: logger.lines.length,
        }).toEqual({
          state: 'stopped',
          batches: 0,
          timers: 0,
          logged: 0,
        })
      }),
    )

    it(
      'looks without touching',
      staged(async ({ probe, batches, clock }) => {
        const detection = await probe.detect()
        expect({ told: typeof detection.available, batches: batches.length, timers: clock.pending }).toEqual({
          told: 'boolean',
          batches: 0,
          timers: 0,
        })
      }),
    )

    it(
      'runs when it has started, and tells so',
      staged(async ({ probe }) => {
        const states: string[] = []
        const stop = probe.onStatus((status) => states.push(status.state))
        await probe.start()
        stop()
        expect({ first: states[0], last: states.at(-1), now: probe.status.state }).toEqual({
          first: 'starting',
          last: 'running',
          now: 'running',
        })
      }),
    )

    it(
      'starts once, however often it is told to',
      staged(async ({ probe, batches }) => {
        await probe.start()
        const written = batches.length
        await probe.start()
        expect(batches.length).toEqual(written)
      }),
    )

    it(
      'stop before start is nothing, and stop twice is once',
      staged(async ({ probe }) => {
        await probe.stop()
        await probe.start()
        await probe.stop()
        await probe.stop()
        expect(probe.status).toEqual({ state: 'stopped' })
      }),
    )

    it(
      'does not start for somebody who has given up',
      staged(async ({ probe, batches }) => {
        const refused = await probe.start(AbortSignal.abort()).then(
          () => undefined,
          (error: { readonly code?: unknown }) => error.code,
        )
        expect({ refused, state: probe.status.state, batches: batches.length }).toEqual({
          refused: 'ERR_CANCELLED',
          state: 'stopped',
          batches: 0,
        })
      }),
    )

    it(
      'finds its own nodes again after a restart, and writes nothing that is there',
      staged(async ({ probe, batches }) => {
        await probe.start()
        await probe.stop()
        const before = batches.length
        await probe.start()
        const later = batches.slice(before).flatMap(({ events }) => events)
        const doubled = later.filter(({ kind }) => kind === 'node-added' || kind === 'node-deleted')
        expect(doubled).toEqual([])
      }),
    )

    it(
      'writes nodes with Type and Name, as its origin',
      staged(async ({ probe, batches }) => {
        await probe.start()
        const nodes = batches.flatMap(({ events }) =>
          events.flatMap((event) => (event.kind === 'node-added' ? [event.node] : [])),
        )
        const wrong = nodes.filter(
          ({ metadata, origin }) => !isText(metadata['Type']) || !isText(metadata['Name']) || origin !== `agent.${HOST}`,
        )
        expect(wrong).toEqual([])
      }),
    )

    it(
      'follows what changes while it runs',
      staged(async ({ probe, subject, batches, moreThan }) => {
        if (!subject.change) return
        await probe.start()
        const before = batches.length
        // It may hold this thread up for any time: waiting begins behind it.
        await subject.change()
        expect(await moreThan(before)).toEqual(true)
      }),
    )

    it(
      'leaves no timer and writes nothing after it has stopped',
      staged(async ({ probe, subject, batches, clock }) => {
        await probe.start()
        await probe.stop()
        const before = batches.length
        await subject.change?.()
        clock.advance(3_600_000)
        await new Promise((resolve) => setImmediate(resolve))
        expect({ timers: clock.pending, written: batches.length - before }).toEqual({ timers: 0, written: 0 })
      }),
    )
  })
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function setUp({ createGraph }: ProbeSuiteOptions, subject: ProbeCase, timeoutMs: number): Stage {
  const graph = createGraph()
  const writer = graph.writer({ origin: `agent.${HOST}`, host: HOST })
  const hostNodeId = 'suite-host'
  writer.transaction((tx) => tx.addNode({ id: hostNodeId, metadata: { Type: 'host', Name: HOST } }))
  const batches: GraphBatch[] = []
  const waiting = new Set<() => void>()
  graph.subscribe((batch) => {
    batches.push(batch)
    for (const look of waiting) look()
  })
  const clock = createManualClock()
  const logger = createMemoryLogger()
  const probe = subject.create({ graph: writer, hostNodeId, logger: logger as Logger, clock, metrics: createMemoryMetrics() })
  return {
    probe,
    batches,
    clock,
    logger,
    subject,
    moreThan: (count) =>
      new Promise((resolve) => {
        // Real time for what the outside world does; the probe's own timers are turned along.
        const turn = setInterval(() => clock.advance(10), 10)
        const timer = setTimeout(() => finish(), timeoutMs)
        const finish = () => {
          clearInterval(turn)
          clearTimeout(timer)
          waiting.delete(look)
          resolve(batches.length > count)
        }
        const look = () => {
          if (batches.length > count) finish()
        }
        waiting.add(look)
        look()
      }),
  }
}
