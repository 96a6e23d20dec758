// Fills one graph of the wanted size, element by element, and prints what the process occupies then: `memory-of-one.ts own 1000000`;
// kinds are own, peer and peer-copies.
import graphology from 'graphology'
import { createGraph } from '../src/index.ts'
import { random } from './in-turn.ts'
import { edgeId, nodeId, nodeMetadata } from './topology.ts'

const { MultiDirectedGraph } = graphology
const EDGES_PER_NODE = 2.92
const BATCH = 1000

interface Sink {
  readonly addNodes: (from: number, to: number) => void
  readonly addEdges: (from: number, to: number) => void
}

function edge(i: number, nodes: number, next: () => number) {
  const metadata = JSON.parse(JSON.stringify({ RelationType: i < nodes ? 'ownership' : 'layer2' }))
  return { id: edgeId(i), parent: nodeId(Math.floor(next() * nodes)), child: nodeId(i % nodes), metadata }
}

/** As an application fills it: transactions of a thousand, with the default retention. */
function ownSink(nodes: number): Sink {
  const writer = createGraph().writer({ origin: 'agent.alpha', host: 'alpha' })
  const next = random(7)
  return {
    addNodes: (from, to) =>
      writer.transaction((tx) => {
        for (let i = from; i < to; i++) tx.addNode({ id: nodeId(i), metadata: nodeMetadata(i) })
      }),
    addEdges: (from, to) =>
      writer.transaction((tx) => {
        for (let i = from; i < to; i++) tx.addEdge(edge(i, nodes, next))
      }),
  }
}

/** `keep` says how the peer comes to its attributes: as the object that it is given, or as copies of its own, as its `import` and `copy` make them. */
function peerSink(nodes: number, keep: 'given' | 'copies'): Sink {
  const graph = new MultiDirectedGraph()
  const next = random(7)
  return {
    addNodes: (from, to) => {
      for (let i = from; i < to; i++) {
        const attributes = nodeMetadata(i)
        graph.addNode(nodeId(i), keep === 'given' ? attributes : Object.assign({}, attributes))
      }
    },
    addEdges: (from, to) => {
      for (let i = from; i < to; i++) {
        const { id, parent, child, metadata } = edge(i, nodes, next)
        graph.addEdgeWithKey(id, parent, child, keep === 'given' ? metadata : Object.assign({}, metadata))
      }
    },
  }
}

const [kind, size] = process.argv.slice(2)
const nodes = Number(size)
const edges = Math.floor(nodes * EDGES_PER_NODE)
const sink = kind === 'own' ? ownSink(nodes) : peerSink(nodes, kind === 'peer' ? 'given' : 'copies')
for (let i = 0; i < nodes; i += BATCH) sink.addNodes(i, Math.min(i + BATCH, nodes))
for (let i = 0; i < edges; i += BATCH) sink.addEdges(i, Math.min(i + BATCH, edges))
// A turn of the loop and two collections: what nobody holds is no memory of the graph.
for (let i = 0; i < 2; i++) {
  await new Promise((done) => setImmediate(done))
  globalThis.gc?.()
}
process.stdout.write(`${process.memoryUsage.rss()}\n`)
// The graph must live until here.
sink.addNodes(0, 0)
