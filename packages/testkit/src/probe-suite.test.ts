import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import {
  CancelledError,
  type GraphBatch,
  type GraphEvent,
  type GraphNode,
  type GraphTransaction,
  type NodeInit,
  type Probe,
  type ProbeComponents,
  ProbeStatusHolder,
} from '@skydive/contracts'
import { describeProbe, type ProbeCase, type ProbedGraph, type TestRunner } from './probe-suite.ts'

// The suite is run against a probe that does its duty, and against some that fail in one, with a runner that only notes what failed.

/** As much of a graph as the suite and the probes here use: nodes, with one batch for each transaction that changed something. */
function createSmallGraph(): ProbedGraph {
  const nodes = new Map<string, GraphNode>()
  const listeners = new Set<(batch: GraphBatch) => void>()
  let version = 0
  const writer = ({ origin, host }: { readonly origin: string; readonly host: string }) => ({
    origin,
    host,
    transaction<T>(body: (tx: GraphTransaction) => T): T {
      const events: GraphEvent[] = []
      const put = (init: NodeInit): GraphNode => {
        const node = { kind: 'node', host, origin, createdAtMs: 1, updatedAtMs: 1, revision: 1, ...init } as GraphNode
        const previous = nodes.get(init.id)
        nodes.set(init.id, node)
        if (previous === undefined) events.push({ kind: 'node-added', node })
        else if (!isDeepStrictEqual(previous.metadata, node.metadata))
          events.push({ kind: 'node-updated', node, previous, ops: [] })
        return node
      }
      const deleteNode = (id: string) => {
        const node = nodes.get(id)
        nodes.delete(id)
        if (node) events.push({ kind: 'node-deleted', node })
        return node !== undefined
      }
      const result = body({ node: (id: string) => nodes.get(id), addNode: put, putNode: put, deleteNode } as never)
      if (events.length > 0) {
        version += 1
        for (const listener of listeners) listener({ version, timeMs: version, events })
      }
      return result
    },
  })
  return {
    writer: writer as never,
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}

/** What the probes watch: a number that changes. */
class Source {
  value = 0
  readonly listeners = new Set<() => void>()

  change(): void {
    this.value += 1
    for (const listener of [...this.listeners]) listener()
  }
}

/** A probe that does its duty. Those that don't are made of it. */
class GoodProbe implements Probe {
  readonly name: string = 'small'
  readonly interfaceVersion = 1
  protected readonly holder = new ProbeStatusHolder()
  protected timer: unknown

  protected readonly components: ProbeComponents
  protected readonly source: Source

  constructor(components: ProbeComponents, source: Source) {
    this.components = components
    this.source = source
  }

  get status() {
    return this.holder.current
  }

  onStatus(listener: Parameters<Probe['onStatus']>[0]) {
    return this.holder.onStatus(listener)
  }

  async detect(): ReturnType<Probe['detect']> {
    return { available: true }
  }

  async start(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw new CancelledError()
    if (this.status.state === 'running') return
    this.holder.set({ state: 'starting' })
    this.write()
    this.source.listeners.add(this.write)
    this.poll()
    this.holder.set({ state: 'running' })
  }

  async stop(): Promise<void> {
    this.components.clock.clearTimeout(this.timer)
    this.source.listeners.delete(this.write)
    this.holder.set({ state: 'stopped' })
  }

  protected poll(): void {
    this.timer = this.components.clock.setTimeout(() => this.poll(), 1000)
  }

  protected node(): NodeInit {
    return { id: 'small-1', metadata: { Type: 'small', Name: 'one', Value: this.source.value } }
  }

  protected readonly write = (): void => {
    this.components.graph.transaction((tx) => void tx.putNode(this.node()))
  }
}

type MakeProbe = (components: ProbeComponents, source: Source) => Probe

/** Runs the suite without jest; answers all titles, and those that failed with why. */
async function runSuite(make: MakeProbe, overrides: Partial<ProbeCase> = {}) {
  const tests: { readonly title: string; body(): Promise<void> | void }[] = []
  const groups: string[] = []
  let disposed = 0
  const runner: TestRunner = {
    describe(name, body) {
      groups.push(name)
      body()
    },
    it: (title, body) => void tests.push({ title, body }),
    expect: (actual) => ({
      toEqual(expected) {
        if (!isDeepStrictEqual(actual, expected)) {
          throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`)
        }
      },
    }),
  }
  describeProbe('small', {
    runner,
    createGraph: createSmallGraph,
    createCase() {
      const source = new Source()
      return {
        create: (components) => make(components, source),
        change: () => source.change(),
        dispose: () => void (disposed += 1),
        ...overrides,
      }
    },
    timeoutMs: 50,
  })
  const failed: Record<string, string> = {}
  for (const { title, body } of tests) {
    try {
      await body()
    } catch (error) {
      failed[title] = (error as Error).message
    }
  }
  return { groups, titles: tests.map(({ title }) => title), failed, disposed }
}

const INERT = 'does nothing until it is started'
const LOOKS = 'looks without touching'
const TELLS = 'runs when it has started, and tells so'
const ONCE = 'starts once, however often it is told to'
const STOPS = 'stop before start is nothing, and stop twice is once'
const CANCELS = 'does not start for somebody who has given up'
const RESTARTS = 'finds its own nodes again after a restart, and writes nothing that is there'
const NAMES = 'writes nodes with Type and Name, as its origin'
const FOLLOWS = 'follows what changes while it runs'
const LEAVES = 'leaves no timer and writes nothing after it has stopped'

const foreignWriter = (components: ProbeComponents) => {
  const origin = 'agent.elsewhere'
  return {
    ...components,
    graph: {
      ...components.graph,
      transaction: (body: (tx: GraphTransaction) => unknown) =>
        components.graph.transaction((tx) =>
          body({ ...tx, putNode: (init: NodeInit) => tx.putNode({ ...init, origin } as NodeInit) }),
        ),
    } as never,
  }
}

let randomIds = 0

/** A title, a probe, and what it must be found guilty of. */
const WRONG: [string, MakeProbe, string[]][] = [
  [
    'writes while it is made',
    (components, source) =>
      new (class extends GoodProbe {
        constructor() {
          super(components, source)
          this.write()
        }
      })(),
    [INERT, LOOKS, CANCELS],
  ],
  [
    'sets a timer while it is made',
    (components, source) =>
      new (class extends GoodProbe {
        constructor() {
          super(components, source)
          components.clock.setTimeout(() => {}, 1e9)
        }
      })(),
    [INERT, LOOKS, LEAVES],
  ],
  [
    'logs while it is made',
    (components, source) => {
      components.logger.info({}, 'here I am')
      return new GoodProbe(components, source)
    },
    [INERT],
  ],
  [
    'writes while it looks',
    (components, source) =>
      new (class extends GoodProbe {
        override async detect() {
          this.write()
          return { available: true } as const
        }
      })(components, source),
    [LOOKS],
  ],
  [
    'answers nothing when it looks',
    (components, source) =>
      new (class extends GoodProbe {
        override detect = (async () => ({})) as never
      })(components, source),
    [LOOKS],
  ],
  [
    'never says that it runs',
    (components, source) =>
      new (class extends GoodProbe {
        override async start(signal?: AbortSignal) {
          await super.start(signal)
          this.holder.set({ state: 'starting' })
        }
      })(components, source),
    [TELLS],
  ],
  [
    'tells nobody of its status',
    (components, source) =>
      new (class extends GoodProbe {
        override onStatus() {
          return () => {}
        }
      })(components, source),
    [TELLS],
  ],
  [
    'writes a second time when it is started a second time',
    (components, source) =>
      new (class extends GoodProbe {
        #starts = 0
        override async start(signal?: AbortSignal) {
          await super.start(signal)
          this.#starts += 1
          components.graph.transaction(
            (tx) => void tx.putNode({ id: 'starts', metadata: { Type: 'x', Name: 'x', Starts: this.#starts } }),
          )
        }
      })(components, source),
    [ONCE],
  ],
  [
    'is not stopped after stop',
    (components, source) =>
      new (class extends GoodProbe {
        override async stop() {
          await super.stop()
          this.holder.set({ state: 'stopping' })
        }
      })(components, source),
    [STOPS],
  ],
  [
    'fails when it is stopped before it was started',
    (components, source) =>
      new (class extends GoodProbe {
        override async stop() {
          if (this.timer === undefined) throw new Error('not started')
          await super.stop()
        }
      })(components, source),
    [INERT, LOOKS, STOPS, CANCELS],
  ],
  [
    'starts for somebody who has given up',
    (components, source) =>
      new (class extends GoodProbe {
        override start() {
          return super.start()
        }
      })(components, source),
    [CANCELS],
  ],
  [
    'refuses with an error of its own for somebody who has given up',
    (components, source) =>
      new (class extends GoodProbe {
        override async start(signal?: AbortSignal) {
          if (signal?.aborted) throw new Error('no')
          return super.start()
        }
      })(components, source),
    [CANCELS],
  ],
  [
    'gives its nodes new ids at each start',
    (components, source) =>
      new (class extends GoodProbe {
        #id = ''
        override async start(signal?: AbortSignal) {
          if (this.status.state !== 'running') this.#id = `random-${++randomIds}`
          return super.start(signal)
        }
        protected override node() {
          return { ...super.node(), id: this.#id }
        }
      })(components, source),
    [RESTARTS],
  ],
  [
    'takes its nodes away when it starts',
    (components, source) =>
      new (class extends GoodProbe {
        override async start(signal?: AbortSignal) {
          if (this.status.state !== 'running') components.graph.transaction((tx) => void tx.deleteNode(this.node().id))
          return super.start(signal)
        }
      })(components, source),
    [RESTARTS],
  ],
  ...[{ Name: 'one' }, { Type: 'small' }, { Type: 'small', Name: '' }, { Type: 7, Name: 'one' }].map(
    (metadata): [string, MakeProbe, string[]] => [
      `writes nodes with ${JSON.stringify(metadata)}`,
      (components, source) =>
        new (class extends GoodProbe {
          protected override node() {
            return { ...super.node(), metadata: { ...metadata, Value: this.source.value } }
          }
        })(components, source),
      [NAMES],
    ],
  ),
  ['writes as another origin', (components, source) => new GoodProbe(foreignWriter(components), source), [NAMES]],
  [
    'does not see what changes',
    (components, source) =>
      new (class extends GoodProbe {
        override async start(signal?: AbortSignal) {
          await super.start(signal)
          this.source.listeners.clear()
        }
      })(components, source),
    [FOLLOWS],
  ],
  [
    'leaves a timer',
    (components, source) =>
      new (class extends GoodProbe {
        override async stop() {
          const started = this.timer !== undefined
          await super.stop()
          if (started) components.clock.setTimeout(() => {}, 1e9)
        }
      })(components, source),
    [LEAVES],
  ],
  [
    'listens on after stop',
    (components, source) =>
      new (class extends GoodProbe {
        override async stop() {
          const listens = this.source.listeners.has(this.write)
          await super.stop()
          if (listens) this.source.listeners.add(this.write)
        }
      })(components, source),
    [LEAVES],
  ],
]

describe('describeProbe', () => {
  test('a probe that does its duty passes all, and each test cleans up', async () => {
    const titles = [INERT, LOOKS, TELLS, ONCE, STOPS, CANCELS, RESTARTS, NAMES, FOLLOWS, LEAVES]
    const result = await runSuite((components, source) => new GoodProbe(components, source))
    expect(result).toEqual({ groups: ['probe small'], titles, failed: {}, disposed: titles.length })
  })

  test('a probe that only looks now and then follows too: its timers are turned', async () => {
    const { failed } = await runSuite(
      (components, source) =>
        new (class extends GoodProbe {
          override async start(signal?: AbortSignal) {
            await super.start(signal)
            this.source.listeners.clear()
          }
          protected override poll(): void {
            this.timer = components.clock.setTimeout(() => {
              this.write()
              this.poll()
            }, 5)
          }
        })(components, source),
    )
    expect(failed).toEqual({})
  })

  test('where nothing can be changed, that it follows is not asked', async () => {
    const deaf: MakeProbe = (components) => new GoodProbe(components, new Source())
    const { titles, failed } = await runSuite(deaf, { change: undefined as never })
    expect([titles.includes(FOLLOWS), failed]).toEqual([true, {}])
  })

  test.each(WRONG)('a probe that %s', async (_title, make, guilty) => {
    const { titles, failed, disposed } = await runSuite(make)
    expect(Object.keys(failed)).toEqual(guilty)
    expect(disposed).toBe(titles.length)
  })

  test('a probe that can not be made fails every test with its reason', async () => {
    const { titles, failed, disposed } = await runSuite(() => {
      throw new Error('no such thing')
    })
    expect(disposed).toBe(titles.length)
    expect(failed).toEqual(Object.fromEntries(titles.map((title) => [title, 'no such thing'])))
  })
})
