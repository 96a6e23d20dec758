import { describe, expect, test } from '@jest/globals'
import type { EnhancedFlow, Flow } from '@skydive/contracts'
import { flowSelector } from './index.ts'

const flow = (over: Partial<Flow>): EnhancedFlow => ({
  flow: { UUID: 'f', Start: 1, Last: 2, ParentUUID: '', RawPacketsCaptured: 0, ...over },
  places: { a: { tid: 't', name: 'eth0', type: 'device', host: 'alpha' } },
})
const dns = flow({ Application: 'DNS', Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 } })
const tcp = flow({ Application: 'TCP', Network: { Protocol: 'IPV4', A: '10.0.0.3', B: '10.0.0.1', ID: 0 } })

describe('flowSelector', () => {
  test.each([
    ['G.Flows()', [true, true]],
    ["G.Flows().Has('Application', 'DNS')", [true, false]],
    ["G.Flows().Has('Network', '10.0.0.1')", [true, true]],
    ["G.Flows().Has('Network.B', '10.0.0.1')", [false, true]],
    ["G.Flows().Has('Application', Regex('T.*')).Has('Network.A', Ipv4Range('10.0.0.0/24'))", [false, true]],
    ["G.Flows().Has('Place.A.Name', 'eth0').Has('Application', Ne('DNS'))", [false, true]],
  ])('%s', async (gremlin, expected) => {
    const selects = await flowSelector(gremlin)
    expect([selects(dns), selects(tcp)]).toEqual(expected)
  })

  test.each([
    'G.V()',
    "G.V().Has('Name', 'eth0').Flows()",
    'G.Flows().Limit(3)',
    "G.Flows().Sort(ASC, 'Last')",
    'G.Flows().Dedup()',
    'G.Flows().Count()',
    'G.Flows().Metrics()',
    "G.At('-1h').Flows()",
    'G',
  ])('%s is refused', async (gremlin) => {
    await expect(flowSelector(gremlin)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('write G.Flows() and steps Has'),
    })
  })

  test('what is no Gremlin is refused as by the engine', async () => {
    await expect(flowSelector('G.Flows().Hass()')).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_GREMLIN/) })
  })
})
