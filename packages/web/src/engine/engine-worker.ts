import { type SubscriptionState, subscribeTopology, type TopologySubscription } from '@skydive/client'
import type { WireEdge, WireNode } from '@skydive/contracts'
import { decodeWireEdge, decodeWireNode } from '@skydive/protocol'
import type { ConnectionState, EngineCommand, EngineUpdate } from './messages.ts'
import { TopologyEngine } from './topology-engine.ts'

// The thread of the engine: follows the analyzer and carries out what the page asks.

const post = (update: EngineUpdate): void => self.postMessage(update)

let engine: TopologyEngine | undefined
let subscription: TopologySubscription | undefined
let server: { readonly url: string; readonly token: string | undefined } = { url: '', token: undefined }

/** Trying again is still `lost`: the page is not up to date before the line is live. */
function connectionOf(state: SubscriptionState, before: ConnectionState): ConnectionState {
  if (state.state === 'live') return { state: 'live', detail: '' }
  if (state.state === 'waiting') return { state: 'lost', detail: state.reason }
  return before.state === 'lost' ? before : { state: 'connecting', detail: state.state }
}

function connect(command: EngineCommand & { kind: 'connect' }): void {
  subscription?.stop()
  server = command
  const made = new TopologyEngine(
    { post, later: (callback, delayMs) => setTimeout(callback, delayMs), now: () => Date.now() },
    command.layout,
  )
  engine = made
  let connection: ConnectionState = { state: 'connecting', detail: '' }
  subscription = subscribeTopology({
    url: command.url,
    ...(command.token !== undefined && { token: command.token }),
    onSnapshot: ({ nodes, edges, part, parts }) => made.snapshotPart(nodes, edges, part, parts),
    onChanges: (changes) => made.changes(changes),
    onState: (state) => {
      connection = connectionOf(state, connection)
      made.connection(connection)
    },
  })
}

/** Asks for the graph of a time. The last wish wins, whatever order the answers come in. */
let wanted = 0
async function showTime(atMs: number | undefined): Promise<void> {
  wanted += 1
  const mine = wanted
  if (atMs === undefined) {
    engine?.showPast(undefined)
    return
  }
  try {
    const past = await graphAt(atMs)
    if (mine === wanted) engine?.showPast(atMs, past)
  } catch (error) {
    if (mine === wanted) engine?.timeError((error as Error).message)
  }
}

async function graphAt(
  atMs: number,
): Promise<{ nodes: ReturnType<typeof decodeWireNode>[]; edges: ReturnType<typeof decodeWireEdge>[] }> {
  const response = await fetch(new URL('/api/topology', server.url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(server.token !== undefined && { 'X-Auth-Token': server.token }) },
    body: JSON.stringify({ GremlinQuery: `G.At(${Math.round(atMs)})` }),
  })
  if (!response.ok) throw new Error(await response.text())
  const [graph] = (await response.json()) as [{ Nodes: WireNode[] | null; Edges: WireEdge[] | null }]
  const defaults = { nowMs: atMs, origin: '' }
  return {
    nodes: (graph.Nodes ?? []).map((node) => decodeWireNode(node, defaults)),
    edges: (graph.Edges ?? []).map((edge) => decodeWireEdge(edge, defaults)),
  }
}

self.onmessage = ({ data: command }: MessageEvent<EngineCommand>): void => {
  switch (command.kind) {
    case 'connect':
      connect(command)
      break
    case 'set-open':
      engine?.setOpen(command.id, command.open)
      break
    case 'select':
      engine?.select(command.id)
      break
    case 'hover':
      engine?.hover(command.id)
      break
    case 'follow':
      engine?.follow(command.tids)
      break
    case 'reveal':
      engine?.reveal(command.id)
      break
    case 'highlight':
      engine?.highlight(command.ids, command.reveal)
      break
    case 'search':
      engine?.search(command.text)
      break
    case 'time':
      void showTime(command.atMs)
      break
    case 'save-layout':
      engine?.saveLayout()
      break
  }
}
