import { describe, expect, test } from '@jest/globals'
import { SFlowAgent, SFlowAgents, UNKNOWN_AGENT } from './sflow-agents.ts'

const LAST = 0xffffffff

describe('losses', () => {
  test.each<readonly [string, readonly number[], number]>([
    ['one after the other', [1, 2, 3], 0],
    ['the first is any', [70_000, 70_001], 0],
    ['the first is the last of all', [LAST, 0], 0],
    ['one is missing', [1, 3], 1],
    ['one is missing, and comes late', [1, 3, 2, 4], 1],
    ['one comes twice', [1, 2, 2, 3], 0],
    ['over the end of 32 bits', [LAST - 1, LAST, 0, 1], 0],
    ['over the end of 32 bits with two missing', [LAST, 2], 2],
    ['late from before the end of 32 bits', [LAST - 1, 0, LAST, 1], 1],
    ['the longest gap', [0, 100_001], 100_000],
    ['a longer gap is a restart', [0, 100_002, 100_004], 1],
    ['the latest that is late', [200_000, 100_002, 200_001], 0],
    ['later is a restart', [200_000, 100_001, 100_003], 1],
    ['a restart', [4_000_000_000, 1, 2, 4], 1],
  ])('%s', (_title, sequences, lost) => {
    const agent = new SFlowAgent('10.0.0.1')
    for (const sequence of sequences) agent.follow(0, sequence)
    expect([agent.datagrams, agent.lost]).toEqual([sequences.length, lost])
  })

  test('of sub-agents are counted apart, whose numbers may be any', () => {
    const agent = new SFlowAgent('10.0.0.1')
    const sent: readonly (readonly [number, number])[] = [
      ...([
        [0, 1],
        [LAST, 100],
        [0, 2],
        [LAST, 101],
        [7, 5],
        [0, 4],
        [LAST, 104],
        [7, 6],
      ] as const),
    ]
    for (const [subAgentId, sequence] of sent) agent.follow(subAgentId, sequence)
    expect([agent.datagrams, agent.lost]).toEqual([8, 3])
  })

  test('of sub-agents beyond 256 are not known, those of the others still are', () => {
    const agent = new SFlowAgent('10.0.0.1')
    for (const sequence of [1, 3, 6]) {
      for (let subAgentId = 0; subAgentId < 300; subAgentId++) {
        // Numbers of their own, which would be losses of those that are followed.
        agent.follow(subAgentId, subAgentId < 256 ? sequence : sequence * 100)
      }
    }
    expect([agent.datagrams, agent.lost]).toEqual([900, 256 * 3])
  })
})

describe('agents', () => {
  test('of which nothing came yet have zeros', () => {
    const agents = new SFlowAgents()
    agents.of('10.0.0.1')
    expect(agents.metadata()).toEqual({ '10.0.0.1': { Datagrams: 0, Samples: 0, Lost: 0, SamplingRate: 0 } })
  })

  test('are the same by the same address, and have it', () => {
    const agents = new SFlowAgents()
    const [one, unknown] = [agents.of('10.0.0.1'), agents.of(UNKNOWN_AGENT)]
    expect([agents.of('10.0.0.1') === one, one.name, one.address, unknown.name, unknown.address]).toEqual([
      true,
      '10.0.0.1',
      '10.0.0.1',
      'unknown',
      '',
    ])
  })

  test('beyond 256 are one without an address, whose losses are not known', () => {
    const agents = new SFlowAgents()
    for (const sequence of [1, 3]) {
      for (let i = 0; i < 258; i++) {
        const agent = agents.of(`10.0.${i >> 8}.${i & 255}`)
        agent.follow(0, sequence)
        agent.samples += 2
        agent.samplingRate = 10
      }
    }
    const { '10.0.0.0': first, '10.0.0.255': last, others, ...rest } = agents.metadata()
    const each = { Datagrams: 2, Samples: 4, Lost: 1, SamplingRate: 10 }
    expect([first, last, others, Object.keys(rest).length]).toEqual([
      each,
      each,
      { Datagrams: 4, Samples: 8, Lost: 0, SamplingRate: 10 },
      254,
    ])
    expect(agents.of('10.0.1.9').address).toBe('')
  })
})
