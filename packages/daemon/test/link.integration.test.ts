import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createApiServer } from '@skydive/api-server'
import { type GraphBatch, type Logger, NotFoundError, SILENT_LOGGER } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import {
  type AgentCommands,
  createAgentEndpoint,
  createAgentLink,
  createFlowEndpoint,
  createFlowLink,
  type FlowEndpointOptions,
  type ReceivedFlowBatch,
} from '@skydive/sync'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Resolves when `condition` holds after some batch of `graph`; the condition is looked at once before. */
function until(graph: Graph, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = graph.subscribe(check)
    function check() {
      if (!condition()) return
      unsubscribe()
      resolve()
    }
    if (condition()) check()
  })
}

async function startAnalyzer(
  options: {
    port?: number
    graph?: Graph
    onBatch?: (batch: ReceivedFlowBatch) => void | Promise<void>
    onLoss?: FlowEndpointOptions['onLoss']
  } = {},
) {
  const graph = options.graph ?? createGraph()
  const agents = createAgentEndpoint({ replica: (origin) => graph.replica(origin), graceMs: 60_000 })
  const server = createApiServer({
    service: 'analyzer',
    hostId: 'an1',
    version: '0',
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    graph,
    query: async () => ({ json: () => '[]' }),
    status: () => ({}),
    endpoints: [
      agents,
      createFlowEndpoint({ onBatch: options.onBatch ?? (() => {}), ...(options.onLoss && { onLoss: options.onLoss }) }),
    ],
  })
  const { port } = await server.start()
  let stopped = false
  const stop = async () => {
    if (stopped) return
    stopped = true
    agents.stop()
    await server.stop()
  }
  cleanups.push(stop)
  return { graph, agents, server, port, stop }
}

/** A line that can be cut: both ends learn of it by a reset only. */
async function startProxy(target: number) {
  const pairs = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      pairs.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of pairs) socket.resetAndDestroy()
  }
  cleanups.push(async () => {
    cut()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, cut }
}

const refuseAll: AgentCommands = {
  startCapture: async () => {},
  stopCapture: async () => {
    throw new NotFoundError('no such task')
  },
  queryFlowTable: async (query) => Uint8Array.of(...query, 9),
}

async function startAgent(port: number, logger: Logger = SILENT_LOGGER) {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const link = createAgentLink({ hostId: 'alpha', analyzers: [{ host: '127.0.0.1', port }], graph, commands: refuseAll, logger })
  await link.start()
  cleanups.push(() => link.stop())
  const add = (id: string) => writer.transaction((tx) => tx.addNode({ id, metadata: { Name: id, Type: 'device' } }))
  return { graph, writer, link, add }
}

const names = (graph: Graph) => {
  const found: string[] = []
  graph.view.forEachNode((ordinal) => {
    found.push(String(graph.view.node(ordinal).metadata['Name']))
    return undefined
  })
  return found.sort()
}
const has = (graph: Graph, id: string) => graph.view.nodeOrdinal(id) >= 0

describe('an agent and its analyzer', () => {
  it('carries what is there, then every change, as one batch a transaction', async () => {
    const analyzer = await startAnalyzer()
    const agent = await startAgent(analyzer.port)
    agent.add('a')
    await until(analyzer.graph, () => has(analyzer.graph, 'a'))
    const batches: GraphBatch[] = []
    analyzer.graph.subscribe((batch) => batches.push(batch))
    agent.writer.transaction((tx) => {
      tx.addNode({ id: 'b', metadata: { Name: 'b', Type: 'device' } })
      tx.patchNode('a', { State: 'UP' })
      tx.addEdge({ id: 'e', parent: 'a', child: 'b', metadata: { RelationType: 'layer2' } })
    })
    await until(analyzer.graph, () => has(analyzer.graph, 'b'))
    expect(batches.map((batch) => batch.events.map(({ kind }) => kind))).toEqual([['node-added', 'node-updated', 'edge-added']])
    const copy = analyzer.graph.view.node(analyzer.graph.view.nodeOrdinal('a'))
    const original = agent.graph.view.node(agent.graph.view.nodeOrdinal('a'))
    expect(copy).toEqual({ ...original, origin: 'agent.alpha' })
    expect(agent.link.status()).toMatchObject({ an1: { IsMaster: true, RemoteServiceType: 'analyzer' } })
    expect(analyzer.server.connections()).toMatchObject({ Agents: { alpha: { RemoteServiceType: 'agent', IsConnected: true } } })
  })

  it('sends a large graph in parts and loses nothing that changes meanwhile', async () => {
    const analyzer = await startAnalyzer()
    const graph = createGraph()
    const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
    writer.transaction((tx) => {
      for (let i = 0; i < 5000; i++) tx.addNode({ id: `n${i}`, metadata: { Name: `n${i}`, Type: 'device' } })
      for (let i = 1; i < 5000; i++) {
        tx.addEdge({ id: `e${i}`, parent: 'n0', child: `n${i}`, metadata: { RelationType: 'ownership' } })
      }
    })
    const link = createAgentLink({
      hostId: 'alpha',
      analyzers: [{ host: '127.0.0.1', port: analyzer.port }],
      graph,
      commands: refuseAll,
    })
    await link.start()
    cleanups.push(() => link.stop())
    writer.transaction((tx) => tx.addNode({ id: 'late', metadata: { Name: 'late', Type: 'device' } }))
    await until(analyzer.graph, () => has(analyzer.graph, 'late'))
    expect([analyzer.graph.view.nodeCount, analyzer.graph.view.edgeCount]).toEqual([5001, 4999])
  })

  it('resumes after a broken line without touching what is equal', async () => {
    const first = await startAnalyzer()
    const agent = await startAgent(first.port)
    agent.add('a')
    agent.add('b')
    await until(first.graph, () => has(first.graph, 'b'))
    // The analyzer process is replaced: its graph is gone, as after a restart with a store that keeps the past.
    await first.stop()
    agent.add('c')
    agent.writer.transaction((tx) => tx.deleteNode('a'))
    const second = await startAnalyzer({ port: first.port })
    await until(second.graph, () => has(second.graph, 'c'))
    expect(names(second.graph)).toEqual(['b', 'c'])
    // The first one kept its copy: a line that breaks is no reason to delete.
    expect(names(first.graph)).toEqual(['a', 'b'])
  }, 20_000)

  it('resumes from the cursor that the analyzer holds when the line is cut', async () => {
    const analyzer = await startAnalyzer()
    const proxy = await startProxy(analyzer.port)
    const agent = await startAgent(proxy.port)
    agent.add('a')
    agent.add('b')
    await until(analyzer.graph, () => has(analyzer.graph, 'b'))
    const batches: GraphBatch[] = []
    analyzer.graph.subscribe((batch) => batches.push(batch))
    proxy.cut()
    agent.add('c')
    agent.writer.transaction((tx) => tx.deleteNode('a'))
    await until(analyzer.graph, () => !has(analyzer.graph, 'a'))
    // Only what was missed came, in its transactions: nothing was deleted and added again.
    const kinds = batches.map((batch) => batch.events.map((event) => [event.kind, 'node' in event && event.node.id]))
    expect(kinds).toEqual([[['node-added', 'c']], [['node-deleted', 'a']]])
    expect(analyzer.agents.hosts()).toEqual(['alpha'])
  }, 20_000)

  it('removes the graph of an agent that says goodbye', async () => {
    const analyzer = await startAnalyzer()
    const agent = await startAgent(analyzer.port)
    agent.add('a')
    await until(analyzer.graph, () => has(analyzer.graph, 'a'))
    const gone = until(analyzer.graph, () => analyzer.graph.view.nodeCount === 0)
    await agent.link.stop()
    await gone
    expect(analyzer.agents.hosts()).toEqual([])
  })

  it('carries commands and flow queries to the agent', async () => {
    const analyzer = await startAnalyzer()
    const warnings: unknown[] = []
    const agent = await startAgent(analyzer.port, { ...SILENT_LOGGER, warn: (...line) => void warnings.push(line) })
    agent.add('a')
    await until(analyzer.graph, () => has(analyzer.graph, 'a'))
    const command = { NodeID: 'a', Resource: { UUID: 'c1', BPFFilter: 'icmp' } }
    expect(await analyzer.agents.startCapture('alpha', command)).toEqual({ status: 200, command })
    expect(await analyzer.agents.stopCapture('alpha', command)).toEqual({ status: 404, command, reason: 'no such task' })
    expect(await analyzer.agents.stopCapture('alpha', command)).toMatchObject({ status: 404 })
    // What fails in the same way again is logged once.
    expect(warnings).toEqual([[{ command: 'Stop', node: 'a', reason: 'no such task', attempts: 1 }, 'command failed']])
    expect(await analyzer.agents.queryFlowTable('alpha', Uint8Array.of(1, 2))).toEqual(Buffer.of(1, 2, 9))
    await expect(analyzer.agents.startCapture('beta', command)).rejects.toThrow('no agent of host "beta" is connected')
  })
})

describe('flow batches', () => {
  it('come at least once: what was not acknowledged is sent again', async () => {
    const seen: string[] = []
    let refuse = true
    let whenTwice: () => void
    const twice = new Promise<void>((resolve) => {
      whenTwice = resolve
    })
    const onBatch = async ({ payload }: ReceivedFlowBatch) => {
      seen.push(Buffer.from(payload).toString())
      if (refuse) throw new Error('the store is away')
      if (seen.includes('one', 1)) whenTwice()
    }
    const first = await startAnalyzer({ onBatch })
    const link = createFlowLink({ hostId: 'alpha' })
    await link.start()
    cleanups.push(() => link.stop())
    link.send(Buffer.from('one'), 1)
    link.setAnalyzer({ host: '127.0.0.1', port: first.port })
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(link.status()).toMatchObject({ waitingBatches: 1, droppedFlows: 0 })
    refuse = false
    await first.stop()
    await startAnalyzer({ port: first.port, onBatch })
    await twice
    while (link.status().waitingBatches > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(['one', 'one'])
  }, 20_000)

  it('drop the oldest when nobody takes them, and count the flows', () => {
    const link = createFlowLink({ hostId: 'alpha', bufferBytes: 10 })
    link.send(new Uint8Array(6), 3)
    link.send(new Uint8Array(6), 4)
    expect(link.status()).toEqual({ waitingBatches: 1, waitingBytes: 6, droppedFlows: 3 })
  })

  it('what was dropped before there was an analyzer is told to it once, before what is left', async () => {
    const heard: string[] = []
    const losses: object[] = []
    const analyzer = await startAnalyzer({
      onBatch: ({ payload }) => void heard.push(Buffer.from(payload).toString()),
      onLoss: (loss) => {
        heard.push('loss')
        losses.push(loss)
      },
    })
    const clock = {
      nowMs: 1_000,
      now: () => clock.nowMs,
      setTimeout,
      clearTimeout: (timer: unknown) => clearTimeout(timer as never),
    }
    const link = createFlowLink({ hostId: 'alpha', bufferBytes: 10, clock })
    await link.start()
    cleanups.push(() => link.stop())
    link.send(Buffer.from('first.'), 3)
    link.send(Buffer.from('second'), 4)
    clock.nowMs = 2_000
    link.send(Buffer.from('third.'), 5)
    link.setAnalyzer({ host: '127.0.0.1', port: analyzer.port })
    while (link.status().waitingBatches > 0) await new Promise((resolve) => setImmediate(resolve))
    link.send(Buffer.from('last'), 1)
    while (link.status().waitingBatches > 0) await new Promise((resolve) => setImmediate(resolve))
    expect([heard, losses]).toEqual([['loss', 'third.', 'last'], [{ host: 'alpha', flows: 7, fromMs: 1_000, toMs: 2_000 }]])
  }, 20_000)
})
