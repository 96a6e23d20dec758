import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Probe, ProbeStatus } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { Errno } from '@skydive/kernel'
import { createManualClock, createMemoryLogger, createMemoryMetrics, type ManualClock } from '@skydive/testkit'
import { netlinkProbe } from '../src/index.ts'
import { createFakeKernel, type FakeKernel } from './fake-kernel.ts'

const EIO = 5
const BR0 = { index: 2, name: 'br0' }
const V0 = { index: 3, name: 'v0', master: 2 }
const V1 = { index: 4, name: 'v1' }

let fake: FakeKernel
let graph: Graph
let clock: ManualClock
let probe: Probe
let states: string[]
const logger = { current: createMemoryLogger() }
const metrics = { current: createMemoryMetrics() }

beforeEach(async () => {
  fake = createFakeKernel()
  graph = createGraph()
  clock = createManualClock()
  states = []
  logger.current = createMemoryLogger()
  metrics.current = createMemoryMetrics()
  const writer = graph.writer({ origin: 'agent.test', host: 'test' })
  writer.transaction((tx) => tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'test' } }))
  probe = netlinkProbe({ metricsIntervalMs: 10_000 })({
    graph: writer,
    hostNodeId: 'host',
    hostTid: 'tid',
    logger: logger.current,
    clock,
    metrics: metrics.current,
    kernel: fake.kernel,
    readiness: fake.readiness,
    nodeIds: { idOf: (key) => key.slice(key.indexOf('/') + 1), rename() {}, forget() {}, retain() {} },
  })
  probe.onStatus((status: ProbeStatus) => states.push(status.state))
  fake.links = [BR0, V0]
  await probe.start()
})

/** What is in the graph: nodes by name, edges as `RelationType:parent>child`. */
const drawn = () => {
  const { view } = graph
  const [nodes, edges]: [string[], string[]] = [[], []]
  view.forEachNode((node) => nodes.push(String(view.nodeValue(node, 'Name'))) > 0)
  view.forEachEdge(
    (edge) =>
      edges.push(
        `${view.edgeValue(edge, 'RelationType')}:${[view.parentOf(edge), view.childOf(edge)].map((node) => view.nodeValue(node, 'Name')).join('>')}`,
      ) > 0,
  )
  return { nodes: nodes.sort(), edges: edges.sort() }
}
const AS_AT_START = {
  nodes: ['br0', 'test', 'v0'],
  edges: ['layer2:br0>v0', 'ownership:test>br0', 'ownership:test>v0'],
}
const messages = () => logger.current.lines.map(({ level, message }) => `${level}: ${message}`)

test('at start everything is there', () => {
  expect({ drawn: drawn(), states }).toEqual({ drawn: AS_AT_START, states: ['starting', 'running'] })
})

describe('when the socket breaks', () => {
  test('the probe is degraded, says when it tries again, and holds nothing open', () => {
    fake.failListener(EIO)
    expect({ status: probe.status, open: fake.open.size, timers: clock.pending, messages: messages() }).toMatchObject({
      status: { state: 'degraded', error: { code: 'ERR_SYSTEM_CALL' }, nextRetryAtMs: clock.now() + 1000 },
      open: 0,
      timers: 1,
      messages: ['warn: netlink probe is degraded'],
    })
  })

  test('what did not change meanwhile is not written again', () => {
    const before = graph.cursor.version
    fake.failListener(EIO)
    clock.advance(1000)
    expect({ version: graph.cursor.version, drawn: drawn(), states: states.slice(2) }).toEqual({
      version: before,
      drawn: AS_AT_START,
      states: ['degraded', 'running'],
    })
  })

  test('what changed meanwhile is made good: new ones, gone ones, and edges that hold no more', () => {
    fake.failListener(EIO)
    fake.links = [BR0, { ...V0, master: 0 }, V1]
    clock.advance(1000)
    expect(drawn()).toEqual({
      nodes: ['br0', 'test', 'v0', 'v1'],
      edges: ['ownership:test>br0', 'ownership:test>v0', 'ownership:test>v1'],
    })
    fake.failListener(EIO)
    fake.links = [V1]
    clock.advance(1000)
    expect(drawn()).toEqual({ nodes: ['test', 'v1'], edges: ['ownership:test>v1'] })
  })

  test('news are heard again after it', () => {
    fake.failListener(EIO)
    clock.advance(1000)
    fake.tell(V1)
    fake.tell(V0, true)
    expect(drawn().nodes).toEqual(['br0', 'test', 'v1'])
  })

  test('it tries ever more seldom, every 30 s at the least, with one line in the log', () => {
    fake.refuseSockets = new Error('too many open files')
    fake.failListener(EIO)
    const waitsMs: number[] = []
    for (let i = 0; i < 7; i++) {
      const { nextRetryAtMs = 0 } = probe.status as { nextRetryAtMs?: number }
      waitsMs.push(nextRetryAtMs - clock.now())
      clock.advance(nextRetryAtMs - clock.now())
    }
    expect({ waitsMs, messages: messages() }).toEqual({
      waitsMs: [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
      messages: ['warn: netlink probe is degraded'],
    })
    fake.refuseSockets = undefined
    clock.advance(30_000)
    expect({ state: probe.status.state, last: messages().at(-1) }).toEqual({
      state: 'running',
      last: 'info: netlink probe runs again',
    })
    fake.failListener(EIO)
    expect(probe.status).toMatchObject({ nextRetryAtMs: clock.now() + 1000 })
  })

  test('stopped while it waits, it does not come back', async () => {
    fake.failListener(EIO)
    await probe.stop()
    clock.advance(60_000)
    expect({ state: probe.status.state, timers: clock.pending, open: fake.open.size }).toEqual({
      state: 'stopped',
      timers: 0,
      open: 0,
    })
  })
})

describe('when the kernel drops messages', () => {
  test('everything is read again', () => {
    fake.links = [BR0, V1]
    fake.failListener(Errno.ENOBUFS)
    expect({ nodes: drawn().nodes, overruns: metrics.current.values.get('skydive_netlink_overruns_total') }).toEqual({
      nodes: ['br0', 'test', 'v1'],
      overruns: 1,
    })
  })

  test('again and again, it is read again at most a tenth of the time, and in the end', () => {
    const before = fake.linkDumps
    for (let i = 0; i < 20; i++) fake.failListener(Errno.ENOBUFS)
    const [atOnce, timers] = [fake.linkDumps - before, clock.pending]
    expect({ few: atOnce < 20, timers }).toEqual({ few: true, timers: 2 })
  })

  test('and can not be asked either, the probe is degraded instead of ending the process', () => {
    fake.refuseDumps = EIO
    fake.failListener(Errno.ENOBUFS)
    expect(probe.status).toMatchObject({ state: 'degraded', error: { code: 'ERR_SYSTEM_CALL' } })
    fake.refuseDumps = 0
    fake.links = [V1]
    clock.advance(1000)
    expect({ state: probe.status.state, nodes: drawn().nodes }).toEqual({ state: 'running', nodes: ['test', 'v1'] })
  })
})

describe('the periodic reading', () => {
  /** On a busy machine a reading goes on in other turns of the event loop. */
  const severalTurns = async () => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  const metric = () => {
    const { view } = graph
    let found: unknown
    view.forEachNodeWith('Name', 'v0', (node) => {
      found = view.node(node).metadata['LastUpdateMetric']
      return true
    })
    return found
  }

  test('writes what grew, with the time of both readings, and nothing at rest', () => {
    const startMs = clock.now()
    clock.advance(10_000)
    const version = graph.cursor.version
    fake.links = [BR0, { ...V0, rxPackets: 7 }]
    clock.advance(10_000)
    expect({ metric: metric(), versions: graph.cursor.version - version }).toEqual({
      metric: { RxPackets: 7, Start: startMs + 10_000, Last: startMs + 20_000 },
      versions: 1,
    })
    clock.advance(10_000)
    expect(graph.cursor.version - version).toBe(1)
  })

  test('reads interfaces too every tenth time', async () => {
    const before = fake.linkDumps
    fake.links = [BR0, V0, V1]
    clock.advance(90_000)
    await severalTurns()
    expect([fake.linkDumps - before, drawn().nodes.includes('v1')]).toEqual([0, false])
    clock.advance(10_000)
    await severalTurns()
    expect([fake.linkDumps - before, drawn().nodes.includes('v1')]).toEqual([1, true])
  })

  test('that fails degrades the probe', () => {
    fake.refuseDumps = EIO
    clock.advance(10_000)
    expect(probe.status).toMatchObject({ state: 'degraded', error: { code: 'ERR_SYSTEM_CALL' } })
  })
})

test('stopped and started again, what went meanwhile is gone', async () => {
  await probe.stop()
  fake.links = [BR0]
  await probe.start()
  expect(drawn()).toEqual({ nodes: ['br0', 'test'], edges: ['ownership:test>br0'] })
})

test('a start that can not open a socket says so and leaves nothing', async () => {
  await probe.stop()
  fake.refuseSockets = new Error('not permitted')
  await expect(probe.start()).rejects.toThrow('not permitted')
  expect({ state: probe.status.state, open: fake.open.size, timers: clock.pending }).toEqual({
    state: 'stopped',
    open: 0,
    timers: 0,
  })
})
