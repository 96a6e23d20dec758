import type { GraphEdge, GraphNode, ReplicaChange } from '@skydive/contracts'
import type { EngineCommand } from '../../src/engine/messages.ts'
import { TopologyEngine } from '../../src/engine/topology-engine.ts'

/** Elements of one generated host: 10 namespaces with 10 interfaces each, and itself. */
const NAMESPACES = 10
const INTERFACES = 10
/** Nodes in one message, as the analyzer sends them. */
const PART = 1_000

const common = { host: 'generated', origin: 'bench', createdAtMs: 1, updatedAtMs: 1, deletedAtMs: null, revision: 1 } as const

function node(id: string, Type: string, extra: object = {}): GraphNode {
  return { kind: 'node', ...common, id, metadata: { Type, Name: id, ...extra } }
}

function edge(parent: string, child: string, RelationType: string): GraphEdge {
  return { kind: 'edge', ...common, id: `${parent}>${child}`, parent, child, metadata: { RelationType } }
}

/** Hosts with namespaces and interfaces; each interface is joined to one of the next host, as veths and tunnels join them. */
export function generate(hosts: number): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  for (let h = 0; h < hosts; h++) {
    nodes.push(node(`h${h}`, 'host'))
    for (let n = 0; n < NAMESPACES; n++) {
      const ns = `h${h}n${n}`
      nodes.push(node(ns, 'netns'))
      edges.push(edge(`h${h}`, ns, 'ownership'))
      for (let i = 0; i < INTERFACES; i++) {
        const id = `${ns}i${i}`
        nodes.push(
          node(id, 'veth', {
            State: i % 7 === 0 ? 'DOWN' : 'UP',
            MAC: `02:00:00:00:${h % 256}:${i}`,
            MTU: 1500,
            IPV4: [`10.${h % 256}.${n}.${i}/24`],
          }),
        )
        edges.push(edge(ns, id, 'ownership'))
        if (i % 3 === 0 && n > 0) edges.push(edge(id, `h${h}n${n - 1}i${i}`, 'layer2'))
      }
    }
  }
  return { nodes, edges }
}

const engine = new TopologyEngine({
  post: (update) => self.postMessage(update),
  later: (callback, delayMs) => setTimeout(callback, delayMs),
  now: () => Date.now(),
})

let parameters = new URLSearchParams()
let revision = 1

/** Sends the graph in parts, then says when the last one came. */
function load(hosts: number, openAll: boolean): void {
  const { nodes, edges } = generate(hosts)
  const texts: string[] = []
  for (let at = 0; at < nodes.length; at += PART) texts.push(JSON.stringify({ nodes: nodes.slice(at, at + PART), edges: [] }))
  for (let at = 0; at < edges.length; at += PART) texts.push(JSON.stringify({ nodes: [], edges: edges.slice(at, at + PART) }))
  texts.forEach((text, index) => {
    const part = JSON.parse(text)
    if (index === texts.length - 1) self.postMessage({ kind: 'bench', what: 'last-byte' })
    engine.snapshotPart(part.nodes, part.edges, index, texts.length)
  })
  if (!openAll) return
  for (let h = 0; h < hosts; h++) {
    engine.setOpen(`h${h}`, true)
    for (let n = 0; n < NAMESPACES; n++) engine.setOpen(`h${h}n${n}`, true)
  }
}

/** 200 updates of state a second, 20 comings or goings, in ticks of 50 ms. */
function live(hosts: number): void {
  let tick = 0
  setInterval(() => {
    tick += 1
    const changes: ReplicaChange[] = []
    for (let i = 0; i < 10; i++) {
      revision += 1
      const id = `h${(tick * 7 + i) % hosts}n${i % NAMESPACES}i${(tick + i) % INTERFACES}`
      changes.push({
        kind: 'node-patched',
        id,
        revision,
        updatedAtMs: tick,
        ops: [{ op: 'set', key: 'State', value: (tick + i) % 2 ? 'UP' : 'DOWN' }],
      })
    }
    const extra = `h${tick % hosts}n0x`
    const added = node(extra, 'veth', { State: 'UP' })
    changes.push(
      tick % 2 ? { kind: 'node-added', node: added } : { kind: 'node-deleted', node: node(`h${(tick - 1) % hosts}n0x`, 'veth') },
    )
    if (tick % 2) changes.push({ kind: 'edge-added', edge: edge(`h${tick % hosts}n0`, extra, 'ownership') })
    engine.changes(changes)
  }, 50)
}

self.onmessage = ({ data }: MessageEvent<EngineCommand | { kind: 'bench-start'; search: string }>) => {
  if (data.kind === 'bench-start') {
    parameters = new URLSearchParams(data.search)
    const hosts = Number(parameters.get('hosts'))
    engine.connection({ state: 'live', detail: 'generated' })
    load(hosts, parameters.has('open'))
    if (parameters.has('live')) live(hosts)
  } else if (data.kind === 'set-open') {
    engine.setOpen(data.id, data.open)
  } else if (data.kind === 'select') {
    engine.select(data.id)
  }
}
