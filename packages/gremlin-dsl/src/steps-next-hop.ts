import { isIpAddress } from '@skydive/filter'
import { type NextHop, nextHopOf } from './next-hop.ts'
import type { RowsValue } from './runtime.ts'
import type { Binder } from './steps-graph.ts'

/** `NextHop(ip)`: by node id, for nodes that have routes. */
export const bindNextHop: Binder = (plan, args) => {
  if (args.params.length !== 1) throw args.wrong(`NextHop accepts one parameter : ${args.shown()}`)
  const ip = args.string(0, 'NextHop parameter have to be a string')
  if (!isIpAddress(ip)) throw args.fail(`NextHop parameter have to be a valid IP address : ${ip.slice(0, 80)}`, args.params[0]!)
  plan.keys.add('RoutingTables')
  plan.keys.add('Neighbors')
  plan.stage('nexthops', (input, run) => {
    const { view, rows } = input as RowsValue
    const nextHops = new Map<string, NextHop>()
    for (const row of rows) {
      run.budget.visit()
      const { id, metadata } = view.node(row)
      const hop = nextHopOf(metadata, ip)
      if (hop) nextHops.set(id, hop)
    }
    return { kind: 'nexthops', nextHops }
  })
}
