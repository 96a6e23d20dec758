import { compileIpRange, isIpAddress, isMetadataObject } from '@skydive/filter'
import type { NextHop } from './next-hop.ts'
import type { RowsValue } from './runtime.ts'
import type { Binder } from './steps-graph.ts'

/** What only those load who ask for next hops. */
const loadNextHop = () => import('./next-hop.ts')

/** `NextHop(ip)`: by node id, for nodes that have routes. */
export const bindNextHop: Binder = (plan, args) => {
  if (args.params.length !== 1) throw args.wrong(`NextHop accepts one parameter : ${args.shown()}`)
  const ip = args.string(0, 'NextHop parameter have to be a string')
  if (!isIpAddress(ip)) throw args.fail(`NextHop parameter have to be a valid IP address : ${ip.slice(0, 80)}`, args.params[0]!)
  plan.keys.add('RoutingTables')
  plan.keys.add('Neighbors')
  plan.stage('nexthops', async (input, run) => {
    const { nextHopOf } = await loadNextHop()
    const { view, rows } = input as RowsValue
    const nextHops = new Map<string, NextHop>()
    for (const row of rows) {
      run.budget.visit()
      const { id, metadata } = view.node(row)
      const hop = nextHopOf(metadata, ip, { compileIpRange, isMetadataObject })
      if (hop) nextHops.set(id, hop)
    }
    return { kind: 'nexthops', nextHops }
  })
}
