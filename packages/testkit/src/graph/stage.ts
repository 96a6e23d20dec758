import type { Flow, FlowReader, GraphSource, GraphTransaction, TimeSlice } from '@skydive/contracts'
import type { GraphSourceCase, GraphSuiteOptions, SuiteEngine } from './graph-case.ts'

/** One write at one time. */
export interface Write {
  readonly timeMs: number
  write(tx: GraphTransaction): void
}

/** A source that has been written to, and an engine over it. */
export interface Stage {
  readonly subject: GraphSourceCase
  /** Queries without a time are answered as of what was written. */
  readonly engine: SuiteEngine
  close(): Promise<void>
}

/** Asks the source for the slice of the case wherever nobody names another. */
function pinnedSource(source: GraphSource, pinned: TimeSlice | undefined): GraphSource {
  if (!pinned) return source
  const { select } = source
  return {
    open: (slice, options) => source.open(slice ?? pinned, options),
    coverage: (slice) => source.coverage(slice),
    ...(select && { select: (selection, slice, options) => select.call(source, selection, slice ?? pinned, options) }),
  }
}

function pinnedFlows(reader: FlowReader, pinned: TimeSlice | undefined): FlowReader {
  if (!pinned) return reader
  return {
    search: (query, slice, options) => reader.search(query, slice ?? pinned, options),
    metrics: (query, slice, options) => reader.metrics(query, slice ?? pinned, options),
    rawPackets: (query, slice, options) => reader.rawPackets(query, slice ?? pinned, options),
  }
}

/** Writes, waits until the source shows it, and makes an engine whose present is `nowMs`. */
export async function setStage(
  options: GraphSuiteOptions,
  writes: readonly Write[],
  nowMs: number,
  flows?: readonly Flow[],
): Promise<Stage> {
  let timeMs = writes[0]?.timeMs ?? nowMs
  const clock = { now: () => timeMs }
  const graph = options.createGraph({ clock })
  const subject = await options.createCase(graph, clock)
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  for (const { timeMs: at, write } of writes) {
    timeMs = at
    writer.transaction((tx) => write(tx))
    await subject.settle?.()
  }
  timeMs = nowMs
  const pinned = await subject.ready(nowMs)
  const reader = flows && (await subject.flows?.(flows))
  const engine = options.createGremlin({
    graph: pinnedSource(subject.source, pinned),
    ...(reader && { flows: pinnedFlows(reader, pinned && { startMs: 0, lastMs: pinned.lastMs }) }),
    clock: { now: () => nowMs },
    packetFilter: () => (packet) => packet.Data[0] === 1,
  })
  return { subject, engine, close: async () => subject.close?.() }
}
