import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGraph, type Graph } from '@skydive/graph'
import { createGremlin } from '@skydive/gremlin-dsl'
import { queryFunction } from '../../../apps/analyzer/src/query.ts'
import { type Figure, median } from '../../../bench/figures.ts'
import { createHistory } from '../../history/src/index.ts'
import { createApiServer } from '../src/index.ts'
import { type Asker, createAsker } from './asker.ts'

/** The original's figures were recorded on the same kind of machine, at 2,016 nodes (the recordings' README). */
const PEER = 'the original, recorded'
const RECORDED_COUNT = 3384
const RECORDED_HAS_NAME = 1245

const WARM_REQUESTS = 5000
/** Turns of each server and query, of which the median is told. */
const TURNS = 9
const REQUESTS = 3000

const COUNT = ['G.V().Count()']

/** One name after the other from all over the graph, more than there are kept plans. */
function hasNames(nodes: number): string[] {
  return Array.from({ length: 1000 }, (_, i) => `G.V().Has('Name', 'eth${(i * 7919) % nodes}')`)
}

function fill(graph: Graph, nodes: number): void {
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    for (let i = 0; i < nodes; i++) {
      tx.addNode({
        id: `n${i}`,
        metadata: {
          Name: `eth${i}`,
          Type: 'veth',
          MAC: `02:00:00:00:${(i >> 8) & 255}:${i & 255}`,
          MTU: 1500,
          State: 'UP',
          LinkFlags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'],
          Metric: { RxBytes: i, RxPackets: i, TxBytes: i, TxPackets: i, Start: 1, Last: 2 },
        },
      })
    }
  })
}

interface Running {
  readonly port: number
  stop(): Promise<void>
}

/** What Node alone costs: it reads the body and answers one digit. */
async function startBare(): Promise<Running> {
  const server = createServer((request, response) => {
    request
      .setEncoding('utf8')
      .on('data', () => {})
      .on('end', () => response.end('1'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close()
    },
  }
}

/** Put together as the analyzer is; the store is never asked. */
async function startOurs(nodes: number): Promise<Running> {
  const graph = createGraph()
  fill(graph, nodes)
  const server = createApiServer({
    service: 'analyzer',
    hostId: 'bench',
    version: '0',
    listen: { host: '127.0.0.1', port: 0 },
    graph,
    query: queryFunction(createGremlin({ graph: createHistory({ memory: graph, store: graph }) })),
    status: () => ({}),
  })
  const { port } = await server.start()
  return { port, stop: () => server.stop() }
}

/** ns that the thread of the servers has run, in the kernel too; the main thread has the number of the process. */
function threadCpuNs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0])
}

/** Answers a second, and µs of the server's thread for each. */
interface Cost {
  readonly rate: number
  readonly cpuUs: number
}

/** Each contender's median of some turns, in which one comes after the other. */
async function inTurns(asker: Asker, contenders: readonly { port: number; queries: readonly string[] }[]): Promise<Cost[]> {
  for (const { port, queries } of contenders) await asker.ask(port, queries, WARM_REQUESTS)
  const turns: Cost[][] = contenders.map(() => [])
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [index, { port, queries }] of contenders.entries()) {
      const before = threadCpuNs()
      const seconds = await asker.ask(port, queries, REQUESTS)
      turns[index]!.push({ rate: REQUESTS / seconds, cpuUs: (threadCpuNs() - before) / 1000 / REQUESTS })
    }
  }
  return turns.map((costs) => ({ rate: median(costs.map(({ rate }) => rate)), cpuUs: median(costs.map(({ cpuUs }) => cpuUs)) }))
}

async function measureAt(nodes: number): Promise<Figure[]> {
  const bare = await startBare()
  const ours = await startOurs(nodes)
  const asker = createAsker()
  try {
    const [alone, count, hasName] = await inTurns(asker, [
      { port: bare.port, queries: COUNT },
      { port: ours.port, queries: COUNT },
      { port: ours.port, queries: hasNames(nodes) },
    ])
    return [
      { name: `node:http alone, beside ${nodes} nodes`, value: Math.round(alone!.rate), unit: 'answers/s' },
      rateFigure(`REST Count(), ${nodes} nodes`, count!, RECORDED_COUNT),
      rateFigure(`REST Has('Name',x), ${nodes} nodes`, hasName!, RECORDED_HAS_NAME),
      cpuFigure(`CPU of REST Count(), ${nodes} nodes`, count!, alone!),
      cpuFigure(`CPU of REST Has('Name',x), ${nodes} nodes`, hasName!, alone!),
    ]
  } finally {
    await asker.close()
    await ours.stop()
    await bare.stop()
  }
}

function rateFigure(name: string, { rate }: Cost, peerValue: number): Figure {
  return {
    name,
    value: Math.round(rate),
    unit: 'queries/s',
    peer: PEER,
    peerValue,
    ratio: Number((rate / peerValue).toFixed(2)),
  }
}

function cpuFigure(name: string, { cpuUs }: Cost, alone: Cost): Figure {
  return { name, value: cpuUs, unit: 'µs', peer: 'node:http alone', peerValue: alone.cpuUs, ratio: alone.cpuUs / cpuUs }
}

/** Queries a second over one connection, and what they cost the server's thread beside an answer of Node alone. `row`: one of the sizes. */
export const bench = {
  name: 'rest',
  async *run(row = ''): AsyncGenerator<Figure> {
    for (const nodes of [2016, 100_000]) if (`${nodes} nodes`.includes(row)) yield* await measureAt(nodes)
  },
}
