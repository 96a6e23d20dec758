import {
  type ElementChange,
  type GraphDiff,
  type GraphEdge,
  type GraphNode,
  type GraphView,
  InvalidArgumentError,
  LimitError,
  toWireEdge,
  toWireNode,
  UnsupportedError,
} from '@skydive/contracts'
import { type TopologyDiffAnswer, topologyDiffQuerySchema } from '@skydive/protocol'
import { z } from 'zod'
import { JSON_TYPE } from '../error-answer.ts'
import { type NodePlace, placesOf } from '../node-places.ts'
import type { ApiServerOptions, ElementSelector } from '../options.ts'
import { parseTimeParameter } from '../time-parameter.ts'
import { whileThere } from '../while-there.ts'
import type { RouteContext } from './context.ts'

type Elements = Pick<GraphDiff, 'nodes' | 'edges' | 'transient'>

/** `GET /api/topology/diff?from=-1h`: what differs between two times, with `gremlin` of what a query finds at one of them. */
export function topologyDiffRoute({ app, options, limits }: RouteContext, now: () => number): void {
  app.get('/api/topology/diff', async (request, reply) => {
    const parsed = topologyDiffQuerySchema.safeParse(request.query)
    if (!parsed.success) {
      throw new InvalidArgumentError(`diff: ${z.prettifyError(parsed.error)}; write ?from=-1h, and &to=now to name the end too`)
    }
    const { from, to = 'now', gremlin, all, places } = parsed.data
    const nowMs = now()
    const fromMs = parseTimeParameter('from', from, nowMs)
    const toMs = parseTimeParameter('to', to, nowMs)
    if (fromMs > toMs) throw new InvalidArgumentError(`from (${from}) is after to (${to}): exchange them`, { from, to })
    if (!options.graph.diff) throw new UnsupportedError('no history is kept here: there is no difference to tell', {})
    const select = gremlin === undefined ? undefined : await selectorOf(options, gremlin)

    const answer = await whileThere(reply, async (signal) => {
      const whole = await options.graph.diff!(fromMs, toMs, { signal, ...(all === '1' && { ignoreKeys: [] }) })
      const needsViews = select !== undefined || places === '1'
      const views = needsViews ? await viewsOf(options, whole, nowMs, signal) : undefined
      const diff = select && views ? restricted(whole, views.map(select)) : whole
      const count = diff.nodes.length + diff.edges.length + diff.transient.length
      if (count > limits.diffElements) {
        throw new LimitError(
          `${count} elements differ between ${from} and ${to}, more than ${limits.diffElements}: ask for less time, or give a gremlin query`,
          'limits.diffElements',
          { count, maxElements: limits.diffElements },
        )
      }
      return wireDiff(diff, places === '1' && views ? placesOf(diff, views[0], views[1]) : undefined)
    })
    return reply.header('Content-Type', JSON_TYPE).send(`${JSON.stringify(answer)}\n`)
  })
}

async function selectorOf(options: ApiServerOptions, gremlin: string): Promise<ElementSelector> {
  if (!options.elementSelector) throw new UnsupportedError('gremlin: queries are not served here; leave the parameter out', {})
  return options.elementSelector(gremlin)
}

/** The graph at both ends, at the beginning of what is known where that comes later. The present needs no look back. */
async function viewsOf(
  { graph }: ApiServerOptions,
  { fromMs, toMs, coverage }: GraphDiff,
  nowMs: number,
  signal: AbortSignal,
): Promise<readonly [GraphView, GraphView]> {
  const knownFromMs = coverage.complete ? fromMs : Math.min(coverage.knownFromMs, toMs)
  const at = (timeMs: number): Promise<GraphView> =>
    timeMs === nowMs ? graph.open(undefined, { signal }) : graph.open({ startMs: timeMs, lastMs: timeMs }, { signal })
  return [await at(Math.max(fromMs, knownFromMs)), await at(toMs)]
}

/** What of a diff was selected at either end; what came and went was there at neither. */
function restricted(
  diff: GraphDiff,
  selected: readonly { readonly nodes: ReadonlySet<string>; readonly edges: ReadonlySet<string> }[],
): GraphDiff {
  const elements: Elements = {
    nodes: diff.nodes.filter(({ id }) => selected.some(({ nodes }) => nodes.has(id))),
    edges: diff.edges.filter(({ id }) => selected.some(({ edges }) => edges.has(id))),
    transient: [],
  }
  return { ...diff, ...elements }
}

function wireDiff(diff: GraphDiff, places: Record<string, NodePlace> | undefined): object {
  const { fromMs, toMs, nodes, edges, transient, coverage } = diff
  return {
    From: fromMs,
    To: toMs,
    Complete: coverage.complete,
    ...(!coverage.complete && Number.isFinite(coverage.knownFromMs) && { KnownFrom: coverage.knownFromMs }),
    Nodes: nodes.map((change) => wireChange(change, toWireNode)),
    Edges: edges.map((change) => wireChange(change, toWireEdge)),
    Transient: {
      Nodes: transient.flatMap((element) => (element.kind === 'node' ? [toWireNode(element)] : [])),
      Edges: transient.flatMap((element) => (element.kind === 'edge' ? [toWireEdge(element)] : [])),
    },
    ...(places && { Places: places }),
  } satisfies Record<keyof Omit<TopologyDiffAnswer, 'KnownFrom' | 'Places'>, unknown>
}

function wireChange<E extends GraphNode | GraphEdge>(
  { change, id, before, after, keys, revisions }: ElementChange<E>,
  toWire: (element: E) => object,
): object {
  return {
    Change: change,
    ID: id,
    ...(before && { Before: toWire(before) }),
    ...(after && { After: toWire(after) }),
    Keys: keys.map((key) => ({
      Key: key.key,
      ...('before' in key && { Before: key.before }),
      ...('after' in key && { After: key.after }),
    })),
    Revisions: revisions,
  }
}
