import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createGraph, type Graph } from '@skydive/graph'
import { type Kernel, openKernel, type Readiness } from '@skydive/kernel'
import { createMemoryLogger, createMemoryMetrics, enterPrivateNetwork, type PrivateNetwork, SYSTEM_CLOCK } from '@skydive/testkit'
import { hardwareProbe, openNodeIds, putHostNode } from '../packages/probe-host/src/index.ts'
import { netlinkProbe } from '../packages/probe-netlink/src/index.ts'
import { netnsProbe } from '../packages/probe-netns/src/index.ts'

// The recorded topology made again, and the metadata of every node compared with what the original wrote for it.

const golden = new URL('../../shared/golden/', import.meta.url)
const recorded = existsSync(golden)
if (!recorded && process.env['SKYDIVE_CI'])
  throw new Error('the recorded answers are missing: shared/golden beside the repository')
const whenRecorded = recorded ? describe : describe.skip

type Metadata = Readonly<Record<string, unknown>>

/** Left out on both sides: what varies (counters, neighbour and multicast entries) and what is of another machine. */
const VARYING = ['Metric', 'LastUpdateMetric', 'Neighbors', 'FDB']
const MACHINE = ['CPU', 'KernelCmdLine', 'KernelVersion', 'Hostname', 'InstanceID', 'VirtualizationSystem', 'VirtualizationRole']
/**
 * Faults of the original that are not copied. The names of `LinkFlags` sat on the wrong bits, so that loopback read POINTTOPOINT and
 * MULTICAST was lost. Every link without a peer elsewhere said that its peer is in namespace 0, whose name it took.
 */
const FAULTS = ['LinkFlags', 'LinkNetNsID', 'LinkNetNsName']

function comparable(metadata: Metadata, leftOut: readonly string[]): Metadata {
  const entries = Object.entries(metadata).filter(([key]) => !leftOut.includes(key))
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      key === 'RoutingTables' ? [...(value as { ID: number }[])].sort((a, b) => a.ID - b.ID) : value,
    ]),
  )
}

whenRecorded('the recorded topology', () => {
  let outer: Kernel
  let network: PrivateNetwork
  let readiness: Readiness
  let graph: Graph
  const stops: (() => Promise<void> | void)[] = []
  let expected: Metadata[]
  let actual: ReadonlyMap<unknown, Metadata>

  beforeAll(async () => {
    const text = readFileSync(new URL('http/q64.json', golden), 'utf8')
    expected = (JSON.parse(text).body_json as { Metadata: Metadata }[]).map((node) => node.Metadata)
    outer = openKernel()
    network = enterPrivateNetwork(outer.systemCall)
    // The first six indexes were used up when the original was recorded.
    for (let i = 0; i < 3; i++) network.ip('link add t0 type veth peer name t1', 'link del t0')
    network.run('bash', [new URL('topology.sh', golden).pathname])

    const kernel = openKernel()
    readiness = kernel.readiness()
    graph = createGraph()
    const writer = graph.writer({ origin: 'agent.refhost', host: 'refhost' })
    const { id: hostNodeId, tid } = putHostNode(writer, { hostId: 'refhost' })
    const logger = createMemoryLogger()
    const nodeIds = openNodeIds({ hostTid: tid, clock: SYSTEM_CLOCK })
    const components = {
      graph: writer,
      hostNodeId,
      hostTid: tid,
      logger,
      clock: SYSTEM_CLOCK,
      metrics: createMemoryMetrics(),
      nodeIds,
    }
    const netns = netnsProbe()(components)
    const netlink = netlinkProbe()({ ...components, kernel, readiness, namespaces: netns })
    const hardware = hardwareProbe()(components)
    for (const probe of [hardware, netns, netlink]) await probe.start()
    stops.push(
      ...[netlink, netns, hardware].map((probe) => () => probe.stop()),
      () => readiness.close(),
      () => kernel.dispose(),
    )
    // Interfaces have their IPv6 routes when the kernel has found their addresses to be unique: a second or two.
    const routeCount = (metadata: Metadata | undefined) =>
      JSON.stringify(metadata?.['RoutingTables'] ?? '').split('"Prefix"').length
    const settled = () => {
      const nodes = nodesByTid(graph)
      return expected.every((metadata) => routeCount(nodes.get(metadata['TID'])) === routeCount(metadata))
    }
    await new Promise<void>((resolve) => {
      if (settled()) return resolve()
      const stop = graph.subscribe(() => {
        if (!settled()) return
        stop()
        resolve()
      })
    })
    actual = nodesByTid(graph)
  }, 30_000)

  afterAll(async () => {
    for (const stop of stops) await stop()
    network.leave()
    outer.dispose()
  })

  test('has the same nodes by TID', () => {
    expect([...actual.keys()].sort()).toEqual(expected.map(({ TID }) => TID).sort())
  })

  test('the metadata of every node equals the recorded one', () => {
    for (const metadata of expected) {
      const isHost = metadata['Type'] === 'host'
      const isNetns = metadata['Type'] === 'netns'
      const leftOut = [...VARYING, ...FAULTS, ...(isHost ? MACHINE : []), ...(isNetns ? ['Inode', 'Device'] : [])]
      expect(comparable(actual.get(metadata['TID'])!, leftOut)).toEqual(comparable(metadata, leftOut))
    }
  })

  test('and where the original was wrong, ours is right', () => {
    const all = [...actual.values()]
    const flags = (name: string) => all.filter(({ Name }) => Name === name).map(({ LinkFlags }) => LinkFlags)
    expect(flags('lo')).toEqual(Array(3).fill(['UP', 'LOOPBACK']))
    expect(flags('br0')).toEqual([['UP', 'BROADCAST', 'MULTICAST']])
    const peers = all
      .filter(({ LinkNetNsID }) => LinkNetNsID !== undefined)
      .map((node) => `${node['Name']} ${node['LinkNetNsID']} ${node['LinkNetNsName']}`)
    expect(peers.sort()).toEqual(['eth0 0 ', 'eth0 0 ', 'veth1 0 ns1', 'veth2 1 ns2'])
  })
})

function nodesByTid(graph: Graph): ReadonlyMap<unknown, Metadata> {
  const { view } = graph
  const found = new Map<unknown, Metadata>()
  view.forEachNode((ordinal) => {
    const { metadata } = view.node(ordinal)
    found.set(metadata['TID'], metadata)
    return true
  })
  return found
}
