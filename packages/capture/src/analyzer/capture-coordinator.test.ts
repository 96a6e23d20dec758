import { beforeEach, describe, expect, test } from '@jest/globals'
import {
  type Clock,
  type GraphNode,
  type KeyValueEntry,
  type KeyValueEvent,
  type KeyValueStore,
  SILENT_LOGGER,
} from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createCaptureCoordinator } from './capture-coordinator.ts'

/** Time that stands still until it is told to go on. */
class ManualClock implements Clock {
  #nowMs = 0
  readonly #timers = new Set<{ atMs: number; callback: () => void }>()
  now(): number {
    return this.#nowMs
  }
  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.add(timer)
    return timer
  }
  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as { atMs: number; callback: () => void })
  }
  get pending(): number {
    return this.#timers.size
  }
  async pass(ms: number): Promise<void> {
    this.#nowMs += ms
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs) continue
      this.#timers.delete(timer)
      timer.callback()
    }
    // Everything that was begun ends in turns of the promise queue.
    for (let i = 0; i < 50; i++) await Promise.resolve()
  }
}

class MemoryObjects implements KeyValueStore {
  readonly #values = new Map<string, string>()
  readonly #listeners = new Set<(event: KeyValueEvent) => void>()
  #entry(key: string): KeyValueEntry {
    return { key, value: this.#values.get(key)!, modified: 1 }
  }
  async get(key: string) {
    return this.#values.has(key) ? this.#entry(key) : undefined
  }
  async list(prefix: string) {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).map((key) => this.#entry(key))
  }
  create(key: string, value: string) {
    return this.set(key, value)
  }
  async set(key: string, value: string) {
    this.#values.set(key, value)
    for (const listener of this.#listeners) listener({ type: 'set', entry: this.#entry(key) })
    return this.#entry(key)
  }
  async delete(key: string, type: 'delete' | 'expire' = 'delete') {
    const entry = this.#entry(key)
    this.#values.delete(key)
    for (const listener of this.#listeners) listener({ type, entry })
    return true
  }
  watch(_prefix: string, listener: (event: KeyValueEvent) => void) {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  async close() {}
}

const CAPTURE = JSON.stringify({ UUID: 'c1', GremlinQuery: 'all veths', LayerKeyMode: 'L2' })

function setUp() {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const clock = new ManualClock()
  const captures = new MemoryObjects()
  const commands: string[] = []
  const warnings: string[] = []
  const warn = ({ node, reason }: Record<string, unknown>, text: string) => void warnings.push(`${text}: ${node}: ${reason}`)
  const state = { status: 200, reason: undefined as string | undefined, hear: (_hostId: string) => {} }
  const nodes = (matches: (node: GraphNode) => boolean) => {
    const found: GraphNode[] = []
    graph.view.forEachNode((ordinal) => {
      const node = graph.view.node(ordinal)
      if (matches(node)) found.push(node)
      return undefined
    })
    return found
  }
  const running = (node: GraphNode) => (node.metadata['Captures'] as { ID: string }[] | undefined) ?? []
  const coordinator = createCaptureCoordinator({
    captures,
    events: graph,
    clock,
    logger: { ...SILENT_LOGGER, warn },
    gatherMs: 10,
    matchNodes: async (gremlin) =>
      nodes((node) => (gremlin === 'all veths' ? node.metadata['Type'] !== 'host' : running(node).length > 0)),
    transport: {
      async startCapture(hostId, { NodeID: id, Resource }) {
        commands.push(`start ${hostId} ${id} ${Resource.UUID}`)
        if (state.status === 200) {
          writer.transaction((tx) => tx.patchNode(id, { Captures: [{ ID: Resource.UUID, State: 'active' }] }))
        }
        if (state.status < 0) throw new Error('agent.alpha did not answer')
        return { status: state.status, ...(state.reason !== undefined && { reason: state.reason }) }
      },
      async stopCapture(hostId, { NodeID: id, Resource }) {
        commands.push(`stop ${hostId} ${id} ${Resource.UUID}`)
        writer.transaction((tx) => tx.patchNode(id, { Captures: undefined }))
        return { status: 200 }
      },
    },
    onAgentConnected(listener) {
      state.hear = listener
      return () => {}
    },
  })
  const add = (id: string, Type = 'veth') => writer.transaction((tx) => tx.addNode({ id, metadata: { Type, Name: id } }))
  return { graph, writer, clock, captures, commands, warnings, state, coordinator, add }
}

describe('captures on demand', () => {
  let world: ReturnType<typeof setUp>
  beforeEach(() => {
    world = setUp()
  })

  test('a capture starts on what matches now and later, once each, and stops everywhere when it is deleted', async () => {
    const { add, captures, clock, commands, coordinator } = world
    add('v0')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    await clock.pass(10)
    add('v1')
    await clock.pass(10)
    await clock.pass(10_000)
    expect(commands).toEqual(['start alpha v0 c1', 'start alpha v1 c1'])
    commands.length = 0
    await captures.delete('/capture/c1')
    await clock.pass(0)
    expect(commands.sort()).toEqual(['stop alpha v0 c1', 'stop alpha v1 c1'])
    await coordinator.stop()
    expect(clock.pending).toBe(0)
  })

  test('captures that are stored when it starts, and the end of a life time', async () => {
    const { add, captures, clock, commands, coordinator } = world
    await captures.set('/capture/c1', CAPTURE)
    add('v0')
    await coordinator.start()
    await clock.pass(10)
    await captures.delete('/capture/c1', 'expire')
    await clock.pass(0)
    expect(commands).toEqual(['start alpha v0 c1', 'stop alpha v0 c1'])
  })

  test('a node that goes and comes again gets its capture again', async () => {
    const { add, writer, captures, clock, commands, coordinator } = world
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    add('v0')
    await clock.pass(10)
    writer.transaction((tx) => tx.deleteNode('v0'))
    add('v0')
    await clock.pass(10)
    expect(commands).toEqual(['start alpha v0 c1', 'start alpha v0 c1'])
  })

  test('a refusal is tried again, later and later', async () => {
    const { add, captures, clock, commands, coordinator, state } = world
    state.status = 500
    add('v0')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    await clock.pass(0)
    expect(commands.length).toBe(1)
    await clock.pass(999)
    expect(commands.length).toBe(1)
    await clock.pass(1)
    expect(commands.length).toBe(2)
    state.status = 200
    await clock.pass(2000)
    await clock.pass(60_000)
    expect(commands.length).toBe(3)
  })

  test.each<readonly [number, string | undefined, string]>([
    [400, 'there is no ebpf here', 'there is no ebpf here'],
    [500, undefined, 'the agent answered 500; its log says more'],
    [500, '', 'the agent answered 500; its log says more'],
    [500, 'x'.repeat(1001), 'x'.repeat(1000)],
    [-1, undefined, 'agent.alpha did not answer'],
  ])('a refusal with %j, case %#, is told until it starts', async (status, reason, told) => {
    const { add, captures, clock, coordinator, state, warnings } = world
    Object.assign(state, { status, reason })
    add('v0')
    add('v1')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    await clock.pass(0)
    const refusals = ['v0', 'v1'].map((nodeId) => ({ nodeId, host: 'alpha', reason: told }))
    expect([coordinator.refusals('c1'), coordinator.refusals('c2')]).toEqual([refusals, []])
    // Tried again, without another outcome: that is logged once.
    await clock.pass(1000)
    expect(coordinator.refusals('c1')).toEqual(refusals)
    const text = status < 0 ? 'startCapture did not reach the agent' : 'agent refused startCapture'
    expect(warnings).toEqual(['v0', 'v1'].map((node) => `${text}: ${node}: ${told}`))
    state.status = 200
    await clock.pass(2000)
    expect(coordinator.refusals('c1')).toEqual([])
  })

  test.each<readonly [string, (world: ReturnType<typeof setUp>) => unknown]>([
    ['its node goes', ({ writer }) => writer.transaction((tx) => tx.deleteNode('v0'))],
    ['its capture is deleted', ({ captures }) => captures.delete('/capture/c1')],
    ['its agent comes back', ({ state }) => state.hear('alpha')],
    [
      'it runs after all',
      ({ writer }) => writer.transaction((tx) => tx.patchNode('v0', { Type: 'tun', Captures: [{ ID: 'c1', State: 'active' }] })),
    ],
  ])('a refusal is forgotten when %s', async (_, change) => {
    const { add, captures, clock, coordinator, state } = world
    state.status = 500
    add('v0')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    await clock.pass(0)
    expect(coordinator.refusals('c1').length).toBe(1)
    await change(world)
    state.status = 200
    await clock.pass(10)
    expect(coordinator.refusals('c1')).toEqual([])
  })

  test('what breaks while it runs is started again, later and later unless it ran for a minute', async () => {
    const { add, writer, captures, clock, commands, coordinator } = world
    const breakIt = () =>
      writer.transaction((tx) => tx.patchNode('v0', { Captures: [{ ID: 'c1', State: 'error', Error: 'broke' }] }))
    /** Passes that time; answers how many times it was started so far. */
    const startedAfter = async (ms: number) => {
      await clock.pass(ms)
      return commands.length
    }
    add('v0')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    expect(await startedAfter(0)).toBe(1)
    breakIt()
    // It breaks once, however often the node is told meanwhile.
    writer.transaction((tx) => tx.patchNode('v0', { Metric: { RxBytes: 1 } }))
    expect([await startedAfter(999), await startedAfter(1)]).toEqual([1, 2])
    breakIt()
    expect([await startedAfter(1999), await startedAfter(1)]).toEqual([2, 3])
    expect(await startedAfter(60_001)).toBe(3)
    breakIt()
    expect([await startedAfter(999), await startedAfter(1)]).toEqual([3, 4])
    breakIt()
    expect([await startedAfter(1999), await startedAfter(1)]).toEqual([4, 5])
    // Nothing of this is a refusal, and what is deleted is not started again.
    breakIt()
    expect(coordinator.refusals('c1')).toEqual([])
    await captures.delete('/capture/c1')
    await clock.pass(10_000)
    expect(commands.filter((command) => command.startsWith('start'))).toHaveLength(5)
  })

  test('broken captures that nobody here knows are left alone', async () => {
    const { add, writer, clock, commands, coordinator } = world
    add('v0')
    await coordinator.start()
    writer.transaction((tx) => tx.patchNode('v0', { Captures: [{ ID: 'c9', State: 'error' }, { State: 'error' }] }))
    await clock.pass(60_000)
    expect([commands, clock.pending]).toEqual([[], 0])
  })

  test('each of several refusals is tried again when it is its time', async () => {
    const { add, captures, clock, commands, coordinator, state } = world
    state.status = 500
    add('v0')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    await clock.pass(0)
    await clock.pass(1000)
    // The first waits for two seconds now, the second for one.
    await captures.set('/capture/c2', CAPTURE.replace('c1', 'c2'))
    await clock.pass(0)
    state.status = 200
    await clock.pass(1000)
    await clock.pass(1000)
    expect(commands).toEqual(['c1', 'c1', 'c2', 'c2', 'c1'].map((id) => `start alpha v0 ${id}`))
  })

  test('counters of the graph match nothing again; what can not be captured is left alone', async () => {
    const { add, writer, captures, clock, commands, coordinator } = world
    add('bridge-less', 'netns')
    add('v0')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    await clock.pass(10)
    await clock.pass(10)
    writer.transaction((tx) => tx.patchNode('v0', { Metric: { RxBytes: 1 } }))
    expect(clock.pending).toBe(0)
    expect(commands).toEqual(['start alpha v0 c1'])
  })

  test('an agent that was away while its capture was deleted is told when it is seen again', async () => {
    const { add, writer, captures, clock, commands, coordinator, state } = world
    add('v0')
    await coordinator.start()
    await captures.set('/capture/c1', CAPTURE)
    await clock.pass(10)
    await captures.delete('/capture/c1')
    await clock.pass(0)
    commands.length = 0
    writer.transaction((tx) => tx.patchNode('v0', { Captures: [{ ID: 'c1', State: 'active' }] }))
    state.hear('alpha')
    await clock.pass(10)
    expect(commands).toEqual(['stop alpha v0 c1'])
  })
})
