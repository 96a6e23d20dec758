import { expect, test } from '@jest/globals'
import type { FlowCoverageSummary } from '@skydive/contracts'
import type { GremlinEngine } from '@skydive/gremlin-dsl'
import { queryFunction } from './query.ts'

const WHOLE: FlowCoverageSummary = { complete: true, lostPackets: 0, lostFlows: 0, watched: 1 }

/** What the API is told of a query about flows with these sources that did not answer. */
const told = async (missing: readonly string[], flowCoverage: FlowCoverageSummary | undefined) => {
  const answer = { result: { kind: 'number', value: 0 }, missing, coverage: undefined, ...(flowCoverage && { flowCoverage }) }
  const { json: _, ...rest } = await queryFunction({ answer: () => answer } as unknown as GremlinEngine)('G.Flows().Count()', {})
  return rest
}

test.each<readonly [readonly string[], FlowCoverageSummary | undefined, object]>([
  [[], WHOLE, { coverage: WHOLE }],
  [['agent.a'], WHOLE, { incomplete: ['agent.a'], coverage: { ...WHOLE, complete: false } }],
  [
    ['agent.a'],
    { ...WHOLE, complete: false, lostFlows: 2 },
    { incomplete: ['agent.a'], coverage: { ...WHOLE, complete: false, lostFlows: 2 } },
  ],
  [['agent.a'], undefined, { incomplete: ['agent.a'] }],
])('without %j and with %j an answer is not complete when an agent is silent', async (missing, coverage, expected) => {
  expect(await told(missing, coverage)).toEqual(expected)
})
