import { describe, expect, test } from '@jest/globals'
import type { FlowQuery, GraphSource } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { SAMPLE_FLOWS } from '@skydive/testkit/graph'
import { explanationText } from '../src/explain-text.ts'
import { createGremlin, type ExplainedStep } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'
import { sampleGraph } from './sample-graph.ts'

const queries: FlowQuery[] = []
const graph = sampleGraph()
const engine = createGremlin({ graph, flows: flowReader(SAMPLE_FLOWS, queries), clock: { now: () => 20_000 } })

async function steps(query: string): Promise<readonly Pick<ExplainedStep, 'step' | 'how'>[]> {
  return (await engine.explain(query)).steps.slice(1).map(({ step, how }) => ({ step, how }))
}

describe('explain', () => {
  test.each<[query: string, hows: readonly string[]]>([
    ["G.V('eth0')", ['looks up the id eth0']],
    ['G.V()', ['scans all 5 rows']],
    ["G.V().Has('Type','device')", ['index Type = "device": about 1 row', 'done together with the step before']],
    [
      "G.V().Has('Type',Within('device','veth','x')).Count()",
      [
        'index Type = "device", "veth", "x": about 2 rows',
        'done together with the step before',
        'counts what comes, keeping nothing',
      ],
    ],
    // Of two indexes the one with fewer rows.
    ["G.V().Has('@Host','alpha','Name','br0')", ['index Name = "br0": about 1 row', 'done together with the step before']],
    ["G.V().Has('MTU',1500)", ['scans all 5 rows', 'done together with the step before']],
    [
      "G.V().Limit(1).Has('Type','device')",
      ['scans all 5 rows', 'stops the steps before as soon as it has enough', 'tests each row'],
    ],
    [
      "G.E().Has('RelationType','layer2').OutV('Type','veth')",
      ['index RelationType = "layer2": about 2 rows', 'done together with the step before', 'tells the child of each edge'],
    ],
    [
      "G.V().Out().Sort('Name').Limit(1).Values('Name')",
      [
        'scans all 5 rows',
        'follows edges from parent to child, row by row',
        'waits for all rows and orders them',
        'stops the steps before as soon as it has enough',
        'makes values of all that came before',
      ],
    ],
    ['G.V().SubGraph().V()', ['scans all 5 rows', 'makes a graph of all that came before', 'scans all rows']],
    [
      "G.Flows().Has('Application','TCP').Sort().Limit(1).Count()",
      [
        'asks the agents for their flows',
        'done by those who are asked for flows',
        'done by those who are asked for flows',
        'done by those who are asked for flows',
        'makes a number of all that came before',
      ],
    ],
    ["G.At('-1m').Flows()", ['sets the time that is read', 'asks the store of flows']],
    [
      "G.At('-1m').V().Out()",
      [
        'sets the time that is read',
        'reads the whole graph of that time from memory or store, then looks the rows up',
        'follows edges from parent to child, row by row',
      ],
    ],
  ])('%s', async (query, hows) => expect((await steps(query)).map(({ how }) => how)).toEqual(hows))

  test('tells what is asked of flows, and the time', async () => {
    const { slice, steps: found } = await engine.explain("G.At(15, 5).Flows().Has('Application','TCP').Dedup().Limit(2)")
    expect([slice, found[2]!.flows]).toEqual([
      { startMs: 10_000, lastMs: 15_000 },
      {
        of: 'store',
        Filter: { TermStringFilter: { Key: 'Application', Value: 'TCP' } },
        Dedup: true,
        DedupBy: 'TrackingID',
        PaginationRange: { From: 0, To: 2 },
      },
    ])
  })

  test('runs nothing', async () => {
    let opened = 0
    const source: GraphSource = {
      open: (slice) => {
        opened++
        return graph.open(slice)
      },
      coverage: async () => ({ complete: true }),
    }
    const counting = createGremlin({ graph: source, flows: flowReader(SAMPLE_FLOWS, queries) })
    queries.length = 0
    await counting.explain("G.At('-1m').V().Out()")
    await counting.explain('G.Flows().Hops()')
    // The live graph once, for estimates; never another time, never a flow.
    expect([opened, queries.length]).toEqual([1, 0])
  })

  test.each<[query: string, hints: readonly string[]]>([
    ["G.V().Has('Name','br0')", []],
    [
      "G.V().Has('Nme','br0')",
      [
        'no index on Nme: every element is looked at; add a condition on an indexed key, such as Type',
        'no element is known to have the key "Nme"; did you mean "Name"?',
      ],
    ],
    ["G.V().Has('MTU',1500)", ['no index on MTU: every element is looked at; add a condition on an indexed key, such as Type']],
    ["G.V().Values('Featurs.gro')", ['no element is known to have the key "Featurs.gro"; did you mean "Features.gro"?']],
    ["G.V().Has('@ID','x').OutE('RelationType','layer2')", []],
    ["G.Flows().Has('Aplication','TCP')", ['no flow is known to have the key "Aplication"; did you mean "Application"?']],
    ["G.Flows().Has('DNS.Query','x')", []],
  ])('%s: hints', async (query, hints) => expect((await engine.explain(query)).hints).toEqual(hints))

  test('hints about the keys that the caller knows', async () => {
    const knowing = createGremlin({ graph: createGraph(), knownKeys: () => ['State', 'Speed'] })
    expect((await knowing.explain("G.V().Has('Sate','UP')")).hints).toContain(
      'no element is known to have the key "Sate"; did you mean "State"?',
    )
  })

  test('refuses what a query refuses', async () => {
    await expect(engine.explain('G.V().Hass()')).rejects.toMatchObject({ code: 'ERR_GREMLIN_SYNTAX' })
    await expect(engine.explain('G.V()', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
  })
})

describe('profile', () => {
  async function rows(query: string): Promise<unknown> {
    const { steps: found } = await engine.profile(query)
    return found.map(({ step, rowsIn, rowsOut }) => [step.split('(')[0], rowsIn, rowsOut])
  }

  test.each<[query: string, rows: unknown]>([
    [
      "G.V().Has('MTU').Out('Type','veth').Values('Name')",
      [
        ['G', undefined, undefined],
        ['V', undefined, 3],
        ['Has', undefined, undefined],
        ['Out', 3, 1],
        ['Values', 1, 1],
      ],
    ],
    [
      "G.V().Has('Type','host').Out().Out().Dedup().Count()",
      [
        ['G', undefined, undefined],
        ['V', undefined, 1],
        ['Has', undefined, undefined],
        ['Out', 1, 3],
        ['Out', 3, 3],
        ['Dedup', 3, 2],
        ['Count', 2, 1],
      ],
    ],
    [
      "G.V().Sort(DESC,'MTU').Limit(2)",
      [
        ['G', undefined, undefined],
        ['V', undefined, 5],
        ['Sort', 5, 5],
        ['Limit', 2, 2],
      ],
    ],
    [
      'G.Flows().Group().MoreThan()',
      [
        ['G', undefined, undefined],
        ['Flows', undefined, undefined],
        ['Group', undefined, 2],
        ['MoreThan', 2, 1],
      ],
    ],
    [
      "G.Flows().Has('Application','TCP')",
      [
        ['G', undefined, undefined],
        ['Flows', undefined, 1],
        ['Has', undefined, undefined],
      ],
    ],
  ])('%s', async (query, expected) => expect(await rows(query)).toEqual(expected))

  test('names the hosts that were asked', async () => {
    const { steps: found } = await engine.profile("G.V('eth0').Flows()")
    expect([found[2]!.how, found[2]!.flows]).toEqual([
      'asks the agents for their flows: those of alpha',
      { of: 'agents', hosts: ['alpha'], nodeTids: ['tid-eth0'] },
    ])
    const everybody = await engine.profile('G.Flows()')
    expect(everybody.steps[1]!.how).toBe('asks the agents for their flows: all of them')
    const nobody = await engine.profile("G.V('h1').Flows()")
    expect(nobody.steps[2]!.how).toBe('asks the agents for their flows: nobody had to be asked')
  })

  test('times add up to no more than the whole', async () => {
    const { steps: found, timeMs } = await engine.profile("G.V().Out().Has('MTU').Both().Dedup().Count()")
    const sum = found.reduce((total, step) => total + (step.timeMs ?? 0), 0)
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThanOrEqual(timeMs!)
  })
})

test('an explanation as text', async () => {
  const explained = await engine.explain("G.At(15, 5).Flows().Has('Aplication',\n  'TCP')")
  expect(explanationText(explained)).toBe(
    `answers flows, of 1970-01-01T00:00:10.000Z to 1970-01-01T00:00:15.000Z
1  G                         the graph that is being read
2  At(15, 5)                 sets the time that is read
3  Flows()                   asks the store of flows
4  Has('Aplication', 'TCP')  done by those who are asked for flows
store: {"Filter":{"TermStringFilter":{"Key":"Aplication","Value":"TCP"}}}
hint: no flow is known to have the key "Aplication"; did you mean "Application"?`,
  )
  const profiled = await engine.profile("G.V().Has('Type','host').Out()")
  // Columns are as wide as the times in them: on a busy machine these may be long.
  const timeless = {
    ...profiled,
    timeMs: 0,
    steps: profiled.steps.map((step) => ('timeMs' in step ? { ...step, timeMs: 0 } : step)),
  }
  expect(explanationText(timeless)).toBe(
    `answers nodes, in 0.000 ms
   step                rows in  rows out     ms  how
1  G                                      0.000  the graph that is being read
2  V()                                 1  0.000  index Type = "host": about 1 row
3  Has('Type','host')                            done together with the step before
4  Out()                     1         3  0.000  follows edges from parent to child, row by row`,
  )
})
