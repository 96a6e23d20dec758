import type { GraphView } from '@skydive/contracts'
import { shortestPath } from '@skydive/graph'

/** More would be no way that anyone looks at, and each costs a search. */
const MOST_STOPS = 32

/** Where a way runs. */
export interface Way {
  /** The stops and what lies between them, once each. */
  readonly nodes: readonly string[]
  /** Pairs of neighbours along it. */
  readonly steps: readonly (readonly [string, string])[]
}

/**
 * The way from the first to the last of some nodes along all of the others, over relations other than ownership: from each stop to the one
 * that is nearest. Where none can be reached the way breaks off and goes on at another stop.
 */
export function wayThrough(view: GraphView, ids: readonly string[]): Way {
  const [first, ...others] = [...new Set(ids)].slice(0, MOST_STOPS)
  if (first === undefined) return { nodes: [], steps: [] }
  const last = ids.at(-1)!
  const left = new Set(others)
  left.delete(last)
  const nodes = new Set([first])
  const steps: [string, string][] = []
  let at = first
  const walkTo = (targets: ReadonlySet<string>): boolean => {
    const path = shortestPath(
      view,
      at,
      ({ id }) => targets.has(id),
      ({ metadata }) => metadata['RelationType'] !== 'ownership',
    )
    for (const [step, { id }] of path.entries()) {
      nodes.add(id)
      if (step > 0) steps.push([path[step - 1]!.id, id])
    }
    at = path.at(-1)?.id ?? at
    left.delete(at)
    return path.length > 0
  }
  // Where nothing is left within reach, such as below a tunnel, the way goes on at the next stop.
  for (const id of others) {
    while (left.size > 0 && walkTo(left));
    if (!left.delete(id)) continue
    nodes.add(id)
    at = id
  }
  if (last !== at && last !== first && !walkTo(new Set([last]))) nodes.add(last)
  return { nodes: [...nodes], steps }
}
