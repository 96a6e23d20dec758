import type { FlowQuery } from '@skydive/contracts'
import type { Operator } from './operators.ts'
import type { Value } from './runtime.ts'

/** What went through a step and how long it worked, without the steps that it fed. */
export interface StepFigures {
  readonly rowsIn: number | undefined
  readonly rowsOut: number | undefined
  readonly timeMs: number
}

interface StageRecord {
  rowsIn: number | undefined
  rowsOut: number | undefined
  startedMs: number
  timeMs: number
  /** Rows that reached each operator of a walk, and time spent in it and all after it. */
  readonly arrived: number[]
  readonly insideMs: number[]
}

/** How many things a value is; `undefined` for a graph that nobody has read and flows that nobody has asked for. */
function sizeOf(value: Value): number | undefined {
  switch (value.kind) {
    case 'graph':
      return value.view && value.view.nodeCount + value.view.edgeCount
    case 'nodes':
    case 'edges':
      return value.rows.length
    case 'paths':
      return value.paths.length
    case 'values':
      return value.values.length
    case 'flows':
      return value.flows?.length
    case 'metrics':
      return value.metrics.size
    case 'rawpackets':
      return value.packets.size
    case 'sockets':
      return value.sockets.size
    case 'groups':
    case 'elementgroups':
      return value.groups.size
    case 'nexthops':
      return value.nextHops.size
    case 'number':
    case 'metric':
      return 1
  }
}

/** Counts rows and takes times while one query runs. Costs about 0.2 µs for every row and step. */
export class Profiler {
  /** What readers of flows were asked. */
  readonly asked: FlowQuery[] = []
  readonly #stages: StageRecord[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  begin(input: Value): void {
    const record = { rowsIn: sizeOf(input), rowsOut: undefined, startedMs: this.#nowMs(), timeMs: 0, arrived: [], insideMs: [] }
    this.#stages.push(record)
  }

  end(output: Value): void {
    const record = this.#stages.at(-1)!
    record.timeMs = this.#nowMs() - record.startedMs
    record.rowsOut = sizeOf(output)
  }

  /** The operators of the stage that runs, each behind a counter, and one more counter behind the last. */
  instrument(operators: readonly Operator[]): readonly Operator[] {
    const { arrived, insideMs } = this.#stages.at(-1)!
    const counter =
      (index: number): Operator =>
      (_view, _budget, sink) => {
        arrived[index] = 0
        insideMs[index] = 0
        return (row) => {
          arrived[index]!++
          const startedMs = this.#nowMs()
          const wanted = sink(row)
          insideMs[index]! += this.#nowMs() - startedMs
          return wanted
        }
      }
    return [...operators.flatMap((operator, index) => [counter(index), operator]), counter(operators.length)]
  }

  /** The figures of a whole stage; `undefined` when it was not reached. */
  stage(index: number): StepFigures | undefined {
    return this.#stages[index]
  }

  /** The figures of what finds the rows of a walk. */
  source(index: number): StepFigures | undefined {
    const record = this.#stages[index]
    if (!record || record.arrived.length === 0) return record
    return { rowsIn: undefined, rowsOut: record.arrived[0], timeMs: record.timeMs - record.insideMs[0]! }
  }

  /** The figures of the operators [from, to) of a walk. */
  operators(index: number, from: number, to: number): StepFigures | undefined {
    const record = this.#stages[index]
    if (!record || record.arrived.length === 0) return undefined
    return {
      rowsIn: record.arrived[from],
      rowsOut: record.arrived[to],
      timeMs: Math.max(0, (record.insideMs[from] ?? 0) - (record.insideMs[to] ?? 0)),
    }
  }
}
