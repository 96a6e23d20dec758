import type { GraphElement } from '@skydive/contracts'
import type { GremlinResult } from '../src/index.ts'
import type { ElementDelta } from '../src/watch/delta.ts'
import type { WatchDelta } from '../src/watch.ts'

type Texts = readonly string[]

/** What two answers differ in, in a form that does not depend on order. */
export interface Difference {
  readonly added: Texts
  readonly removed: Texts
  readonly changed: Texts
}

const shown = (element: GraphElement): string => JSON.stringify(element)

/** What is in `list` more often than in `others`, sorted. */
function surplus(list: Texts, others: Texts): string[] {
  const left = [...others]
  return list
    .filter((item) => {
      const at = left.indexOf(item)
      if (at >= 0) left.splice(at, 1)
      return at < 0
    })
    .sort()
}

function elementDifference(before: readonly GraphElement[], after: readonly GraphElement[]): Difference {
  const ids = (elements: readonly GraphElement[]): Texts => elements.map(({ id }) => id)
  const old = new Map(before.map((element) => [element.id, shown(element)]))
  const changed = new Map(after.map((element) => [element.id, shown(element)]))
  return {
    added: surplus(ids(after), ids(before)),
    removed: surplus(ids(before), ids(after)),
    changed: [...changed]
      .flatMap(([id, text]) => (old.has(id) && old.get(id) !== text ? [`${old.get(id)} > ${text}`] : []))
      .sort(),
  }
}

function ofDelta({ added, removed, changed }: ElementDelta<GraphElement>): Difference {
  return {
    added: added.map(({ id }) => id).sort(),
    removed: removed.map(({ id }) => id).sort(),
    changed: changed.map(({ before, after }) => `${shown(before)} > ${shown(after)}`).sort(),
  }
}

const isNothing = ({ added, removed, changed }: Difference): boolean => added.length + removed.length + changed.length === 0

/** What must be told of the way from one answer to the next: nothing (`undefined`), or this and no more. */
export function differenceOf(before: GremlinResult, after: GremlinResult): unknown {
  const differences: [string, Difference][] = []
  if (before.kind === 'nodes' && after.kind === 'nodes') differences.push(['nodes', elementDifference(before.nodes, after.nodes)])
  else if (before.kind === 'edges' && after.kind === 'edges') {
    differences.push(['edges', elementDifference(before.edges, after.edges)])
  } else if (before.kind === 'graph' && after.kind === 'graph') {
    differences.push(['nodes', elementDifference(before.nodes, after.nodes)])
    differences.push(['edges', elementDifference(before.edges, after.edges)])
  } else if (before.kind === 'elementgroups' && after.kind === 'elementgroups') {
    for (const name of [...new Set([...before.groups.keys(), ...after.groups.keys()])].sort()) {
      differences.push([name, elementDifference(before.groups.get(name) ?? [], after.groups.get(name) ?? [])])
    }
  } else if (before.kind === 'values' && after.kind === 'values') {
    const texts = ({ values }: typeof before) => values.map((value) => JSON.stringify(value))
    differences.push([
      'values',
      { added: surplus(texts(after), texts(before)), removed: surplus(texts(before), texts(after)), changed: [] },
    ])
  } else if (before.kind === 'number' && after.kind === 'number') return before.value === after.value ? undefined : after.value
  const told = differences.filter(([, difference]) => !isNothing(difference))
  return told.length === 0 ? undefined : told
}

/** What a delta tells, in the same form. */
export function differenceIn(delta: WatchDelta): unknown {
  switch (delta.kind) {
    case 'nodes':
    case 'edges':
      return [[delta.kind, ofDelta(delta)]]
    case 'graph':
      return [
        ['nodes', ofDelta(delta.nodes)],
        ['edges', ofDelta(delta.edges)],
      ].filter(([, difference]) => !isNothing(difference as Difference))
    case 'groups':
      return [...delta.groups]
        .map(([name, group]) => [name, ofDelta(group)])
        .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))
    case 'values': {
      const texts = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort()
      return [['values', { added: texts(delta.added), removed: texts(delta.removed), changed: [] }]]
    }
    case 'number':
      return delta.value
    case 'result':
      return delta.result
  }
}
