import type { GraphReplica, GraphWriter, Metadata, MetadataValue, ReplicaChange } from '@skydive/contracts'
import fc from 'fast-check'
import type { Graph } from '../src/index.ts'

// Histories for property tests of what looks back: few ids, so that reuse, conflict and absence all happen; two local writers' worth of changes
// and a peer whose clock is before or after ours, or is set back between two revisions.

/** One step of a history. `skewMs` is what the peer's clock is ahead of ours. */
export type HistoryStep =
  | { readonly op: 'put-node' | 'put-edge'; readonly id: number; readonly key: number; readonly value: number }
  | { readonly op: 'delete-node' | 'delete-edge'; readonly id: number }
  | {
      readonly op: 'peer-node' | 'peer-edge'
      readonly id: number
      readonly value: number
      readonly skewMs: number
      readonly ageMs: number
      readonly whole: boolean
    }
  | { readonly op: 'peer-delete-node' | 'peer-delete-edge'; readonly id: number; readonly skewMs: number }
  | { readonly op: 'peer-leaves' }
  | { readonly op: 'tick'; readonly ms: number }

/** Transactions of steps. */
export type History = readonly (readonly HistoryStep[])[]

/** When every history begins, ms. */
export const HISTORY_STARTS_MS = 1000

const KEYS = ['MTU', 'State', 'Features.gro', 'Metric.RxBytes', 'Captures', 'a\\.b', 'Vlan'] as const
const VALUES: readonly (MetadataValue | undefined)[] = [
  1,
  2,
  'x',
  true,
  undefined,
  [{ ID: 'c', PacketsReceived: 1 }],
  [{ ID: 'c', PacketsReceived: 2 }],
  {},
  { deep: { er: 1 } },
]
const id = fc.integer({ min: 0, max: 2 })
const skewMs = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: -20, max: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: -120, max: 60 }) },
)
const oneOf = <T extends string>(...names: T[]) => fc.constantFrom(...names)

const step: fc.Arbitrary<HistoryStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: oneOf('put-node', 'put-edge'),
      id,
      key: fc.nat(KEYS.length - 1),
      value: fc.nat(VALUES.length - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: oneOf('delete-node', 'delete-edge'), id }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: oneOf('peer-node', 'peer-edge'),
      id,
      value: fc.nat(VALUES.length - 1),
      skewMs,
      ageMs: fc.oneof(fc.constant(0), fc.integer({ min: -4, max: 150 })),
      whole: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: oneOf('peer-delete-node', 'peer-delete-edge'), id, skewMs }) },
  { weight: 2, arbitrary: fc.constant({ op: 'peer-leaves' as const }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('tick' as const), ms: fc.integer({ min: 0, max: 8 }) }) },
)

/** Histories of up to so many transactions, each of up to five steps and some ms. */
export function histories(maxTransactions = 40): fc.Arbitrary<History> {
  return fc.array(fc.array(step, { minLength: 1, maxLength: 5, size: 'max' }), { maxLength: maxTransactions, size: 'max' })
}

/** Two times within, seldom before or after a history, in order. */
export type Window = readonly [number, number]

const window: fc.Arbitrary<Window> = fc
  .tuple(fc.integer({ min: -10, max: 100 }), fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 90 })))
  .map(([from, length]) => [HISTORY_STARTS_MS + from, HISTORY_STARTS_MS + from + length] as const)

/** Several windows to look at each history through: playing it is what takes time. */
export const windows: fc.Arbitrary<readonly Window[]> = fc.array(window, { minLength: 5, maxLength: 5 })

/** Plays a history into a graph whose clock is `clock`; `after` is called after every transaction. */
export function playHistory(graph: Graph, clock: { ms: number }, history: History, after: () => void = () => {}): void {
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const peer = graph.replica('agent.beta')
  for (const steps of history) {
    for (const item of steps) if (item.op === 'tick') clock.ms += item.ms
    writeLocal(writer, steps)
    tellPeer(graph, peer, clock.ms, steps)
    clock.ms += 1
    after()
  }
}

function writeLocal(writer: GraphWriter, steps: readonly HistoryStep[]): void {
  writer.transaction((tx) => {
    for (const item of steps) {
      if (item.op === 'delete-node') tx.deleteNode(`n${item.id}`)
      else if (item.op === 'delete-edge') tx.deleteEdge(`e${item.id}`)
      else if (item.op === 'put-node') {
        const patch = { [KEYS[item.key]!]: VALUES[item.value] }
        if (!tx.node(`n${item.id}`)) tx.addNode({ id: `n${item.id}`, metadata: { Name: `n${item.id}` } })
        try {
          tx.patchNode(`n${item.id}`, patch)
        } catch {
          // A path below a scalar: refused, and the node stays as it was.
        }
      } else if (item.op === 'put-edge') {
        const [parent, child] = [`n${item.id}`, `n${(item.id + item.value) % 3}`]
        if (tx.edge(`e${item.id}`)) tx.patchEdge(`e${item.id}`, { Vlan: VALUES[item.value] })
        else if (tx.node(parent) && tx.node(child)) tx.addEdge({ id: `e${item.id}`, parent, child, metadata: {} })
      }
    }
  })
}

/** The peer's ids are its own: `p0`, `q0`. Its times are those of its clock, its revisions go up while an element lives. */
function tellPeer(graph: Graph, peer: GraphReplica, nowMs: number, steps: readonly HistoryStep[]): void {
  for (const item of steps) {
    if (item.op === 'peer-leaves') peer.clear()
    else if ('skewMs' in item) peer.apply([peerChange(graph, nowMs, item)])
  }
}

function peerChange(graph: Graph, nowMs: number, item: Extract<HistoryStep, { skewMs: number }>): ReplicaChange {
  const timeMs = nowMs + item.skewMs
  const isNode = item.op === 'peer-node' || item.op === 'peer-delete-node'
  const view = graph.view
  const elementId = `${isNode ? 'p' : 'q'}${item.id}`
  const row = isNode ? view.nodeOrdinal(elementId) : view.edgeOrdinal(elementId)
  const held = row < 0 ? undefined : isNode ? view.node(row) : view.edge(row)
  const value = 'value' in item ? VALUES[item.value] : undefined
  const metadata: Metadata = value === undefined ? { Type: 'peer' } : { Type: 'peer', MTU: value }
  const element = {
    id: elementId,
    host: 'beta',
    origin: 'agent.beta',
    metadata,
    createdAtMs: timeMs - ('ageMs' in item ? item.ageMs : 0),
    updatedAtMs: timeMs,
    deletedAtMs: 'ageMs' in item ? null : timeMs,
    revision: held ? held.revision + 1 : 1 + item.id,
  }
  const edge = { ...element, kind: 'edge' as const, parent: `p${item.id}`, child: `p${(item.id + 1) % 3}` }
  const node = { ...element, kind: 'node' as const }
  if (!('ageMs' in item)) return isNode ? { kind: 'node-deleted', node } : { kind: 'edge-deleted', edge }
  if (!held) return isNode ? { kind: 'node-added', node } : { kind: 'edge-added', edge }
  if (item.whole) return isNode ? { kind: 'node-updated', node } : { kind: 'edge-updated', edge }
  const { revision, updatedAtMs } = element
  const ops = [value === undefined ? { op: 'delete' as const, key: 'MTU' } : { op: 'set' as const, key: 'Vlan', value }]
  return { kind: isNode ? 'node-patched' : 'edge-patched', id: elementId, revision, updatedAtMs, ops }
}
