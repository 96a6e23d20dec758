import { expect, test } from '@jest/globals'
import type { Flow, FlowQuery } from '@skydive/contracts'
import fc from 'fast-check'
import { createGremlin } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'
import { sampleGraph } from './sample-graph.ts'

/** A step as it is written, and what it does to a list of flows that somebody holds in hand. */
interface Step {
  readonly text: string
  readonly apply: (flows: readonly Flow[]) => readonly Flow[]
}

const flow = fc
  .record({ node: fc.constantFrom('n1', 'n2'), application: fc.constantFrom('TCP', 'DNS'), last: fc.nat(5), port: fc.nat(3) })
  .map(
    ({ node, application, last, port }): Omit<Flow, 'UUID'> => ({
      ...{
        Application: application,
        NodeTID: node,
        TrackingID: `t${port}`,
        Start: 0,
        Last: last,
        ParentUUID: '',
        RawPacketsCaptured: 0,
      },
      Transport: { Protocol: 'TCP', A: port, B: 3 - port, ID: 0 },
    }),
  )
const flows = fc.array(flow, { maxLength: 10 }).map((all) => all.map((one, i): Flow => ({ UUID: String(i), ...one })))

const CONDITIONS: readonly (readonly [text: string, meets: (flow: Flow) => boolean])[] = [
  ["'Application','TCP'", ({ Application }) => Application === 'TCP'],
  ["'Last',Gt(2)", ({ Last }) => Last > 2],
  ["'NodeTID',Ne('n1')", ({ NodeTID }) => NodeTID !== 'n1'],
  // Either end.
  ["'Transport',2", ({ Transport }) => Transport!.A === 2 || Transport!.B === 2],
]
const conditions = fc.subarray([...CONDITIONS], { minLength: 1, maxLength: 2 })

const NUMBERS: Readonly<Record<string, (flow: Flow) => number>> = {
  Last: ({ Last }) => Last,
  'Transport.A': ({ Transport }) => Transport!.A,
}
const TEXTS: Readonly<Record<string, (flow: Flow) => string>> = {
  TrackingID: ({ TrackingID }) => TrackingID!,
  NodeTID: ({ NodeTID }) => NodeTID!,
  Application: ({ Application }) => Application!,
}

function firstOfEach(flows: readonly Flow[], keys: readonly string[]): readonly Flow[] {
  const first = new Map<string, Flow>()
  for (const one of flows) {
    const value = keys.map((key) => TEXTS[key]!(one)).join()
    if (!first.has(value)) first.set(value, one)
  }
  return [...first.values()]
}

const step: fc.Arbitrary<Step> = fc.oneof(
  conditions.map((all) => ({
    text: `Has(${all.map(([text]) => text).join()})`,
    apply: (list: readonly Flow[]) => list.filter((one) => all.every(([, meets]) => meets(one))),
  })),
  conditions.map((all) => ({
    text: `HasEither(${all.map(([text]) => text).join()})`,
    apply: (list: readonly Flow[]) => list.filter((one) => all.some(([, meets]) => meets(one))),
  })),
  fc.tuple(fc.constantFrom(...Object.keys(NUMBERS)), fc.boolean()).map(([key, descending]) => ({
    text: `Sort(${descending ? 'DESC' : 'ASC'},'${key}')`,
    apply: (list: readonly Flow[]) => [...list].sort((a, b) => (NUMBERS[key]!(a) - NUMBERS[key]!(b)) * (descending ? -1 : 1)),
  })),
  fc.subarray(Object.keys(TEXTS), { maxLength: 2 }).map((keys) => ({
    text: `Dedup(${keys.map((key) => `'${key}'`).join()})`,
    apply: (list: readonly Flow[]) => firstOfEach(list, keys.length > 0 ? keys : ['TrackingID']),
  })),
  fc.nat(4).map((count) => ({ text: `Limit(${count})`, apply: (list: readonly Flow[]) => list.slice(0, count) })),
  fc.tuple(fc.nat(3), fc.nat(4)).map(([from, more]) => ({
    text: `Range(${from},${from + more})`,
    apply: (list: readonly Flow[]) => list.slice(from, from + more),
  })),
)

test('whatever of a query its reader does, the answer is that of the steps in the order in which they stand', async () => {
  let pushed = 0
  await fc.assert(
    fc.asyncProperty(flows, fc.array(step, { maxLength: 6 }), async (held, steps) => {
      const text = `G.Flows().${steps.map((one) => `${one.text}.`).join('')}Values('UUID')`
      const asked: FlowQuery[] = []
      const { result } = await createGremlin({ graph: sampleGraph(), flows: flowReader(held, asked) }).query(text)
      const expected = steps.reduce<readonly Flow[]>((list, { apply }) => apply(list), held)
      expect([text, result.kind === 'values' && result.values]).toEqual([text, expected.map(({ UUID }) => UUID)])
      expect(asked).toHaveLength(1)
      if (Object.keys(asked[0]!).length > 0) pushed++
    }),
    { numRuns: 500 },
  )
  // Else it would say nothing of what a reader is asked.
  expect(pushed).toBeGreaterThan(300)
})
