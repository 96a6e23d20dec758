import { InvalidArgumentError, SkydiveError } from '@skydive/contracts'
import { createGraph, loadSnapshot } from '@skydive/graph'
import { createGremlin, type GremlinEngine, resultToJson } from '@skydive/gremlin-dsl'
import { explanationText } from '@skydive/gremlin-dsl/explain-text'
import { decodeWireEdge, decodeWireNode } from '@skydive/protocol'

/** What `GET /api/topology` answers: an object, or the array with one object of a query. */
interface TopologyFile {
  readonly Nodes: readonly unknown[] | null
  readonly Edges: readonly unknown[] | null
}

function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`the page has no #${id}`)
}

const file = element('file', HTMLInputElement)
const query = element('query', HTMLInputElement)
const form = element('form', HTMLFormElement)
const loaded = element('loaded', HTMLElement)
const answer = element('answer', HTMLElement)

let engine: GremlinEngine = createGremlin({ graph: createGraph() })

function isTopology(value: unknown): value is TopologyFile {
  return typeof value === 'object' && value !== null && 'Nodes' in value && 'Edges' in value
}

function parse(text: string): TopologyFile {
  const json: unknown = JSON.parse(text)
  const topology: unknown = Array.isArray(json) ? json[0] : json
  if (!isTopology(topology)) throw new InvalidArgumentError('this is no topology: an object with Nodes and Edges is expected', {})
  return topology
}

function load(text: string): string {
  const { Nodes, Edges } = parse(text)
  const defaults = { nowMs: Date.now(), origin: 'file' }
  const graph = createGraph({ retention: { ageMs: 3600_000 } })
  const { refused } = loadSnapshot(graph, {
    nodes: (Nodes ?? []).map((node) => decodeWireNode(node, defaults)),
    edges: (Edges ?? []).map((edge) => decodeWireEdge(edge, defaults)),
  })
  engine = createGremlin({ graph })
  const { nodeCount, edgeCount } = graph.view
  return `${nodeCount} nodes and ${edgeCount} edges are loaded${refused.length > 0 ? `; ${refused.length} edges without an end were left out` : ''}.`
}

/** Shows what a piece of work answers, or what went wrong in its own words. */
async function show(place: HTMLElement, work: () => string | Promise<string>): Promise<void> {
  place.classList.remove('error')
  try {
    place.textContent = await work()
  } catch (error) {
    place.classList.add('error')
    place.textContent = SkydiveError.isInstance(error) || error instanceof SyntaxError ? error.message : String(error)
  }
}

file.addEventListener('change', () => {
  const chosen = file.files?.[0]
  if (chosen) void show(loaded, async () => load(await chosen.text()))
})

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void show(answer, async () => JSON.stringify(resultToJson((await engine.query(query.value)).result), undefined, 2))
})

element('explain', HTMLButtonElement).addEventListener('click', () => {
  void show(answer, async () => explanationText(await engine.explain(query.value)))
})
