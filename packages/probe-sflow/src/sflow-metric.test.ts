import { describe, expect, test } from '@jest/globals'
import { SFlowMetric } from './sflow-metric.ts'

describe('counters', () => {
  test('tell how much they grew since they were shown before, and when that was', () => {
    const metric = new SFlowMetric()
    const values = (octets: number, index = 5) => ({ ifIndex: index, ifInOctets: octets })
    expect(metric.metadata()).toBeUndefined()
    metric.count('a', 0, 999, values(1), 1000)
    expect(metric.metadata()).toBeUndefined()
    metric.count('a', 0, 1, values(10), 1000)
    const first = metric.metadata()
    expect([first, metric.metadata() === first]).toStrictEqual([
      { IfMetrics: { 5: { IfInOctets: 10 } }, Metric: { IfInOctets: 10, Last: 1000 } },
      true,
    ])
    metric.count('a', 0, 1, values(15), 2000)
    metric.count('b', 0, 1, values(3), 3000)
    const second = {
      IfMetrics: { 5: { IfInOctets: 15 }, '5@b': { IfInOctets: 3 } },
      Metric: { IfInOctets: 18, Last: 3000 },
      LastUpdateMetric: { IfInOctets: 8, Start: 1000, Last: 3000 },
    }
    expect(metric.metadata()).toStrictEqual(second)
    // The same again: the last update stays, the time goes on.
    metric.count('a', 0, 1, values(15), 4000)
    expect(metric.metadata()).toStrictEqual({ ...second, Metric: { IfInOctets: 18, Last: 4000 } })
    // Fewer: the agent began anew.
    metric.count('a', 0, 1, values(2), 5000)
    expect(metric.metadata()?.['LastUpdateMetric']).toStrictEqual({ IfInOctets: -13, Start: 4000, Last: 5000 })
    // One that was not told before.
    metric.count('a', 0, 1, { ifIndex: 5, ifInErrors: 4 }, 6000)
    expect(metric.metadata()?.['LastUpdateMetric']).toStrictEqual({ IfInErrors: 4, Start: 5000, Last: 6000 })
  })

  test('without an interface are of their data source, and of no interface', () => {
    const metric = new SFlowMetric()
    metric.count('a', 7, 5, { octets: 4000, vlan_id: 9 }, 1000)
    metric.count('a', 8, 5, { octets: 500 }, 1000)
    metric.count('a', 7, 2207, { n_lost: 3 }, 1000)
    metric.count('a', 7, 2207, { n_lost: 4 }, 1000)
    expect(metric.metadata()).toStrictEqual({
      IfMetrics: {},
      Metric: { VlanOctets: 4500, OvsDpNLost: 7, Last: 1000 },
    })
  })
})
