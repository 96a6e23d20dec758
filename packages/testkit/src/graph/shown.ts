import type { SuiteResult } from './graph-case.ts'

const idsOf = (elements: readonly { readonly id: string }[]): readonly string[] => elements.map(({ id }) => id)

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** A result with elements and flows told by their ids, as the chapter writes its examples. */
export function shown(result: SuiteResult, toJson: (result: never) => unknown): unknown {
  switch (result.kind) {
    case 'graph':
      return { nodes: idsOf(result.nodes), edges: idsOf(result.edges) }
    case 'nodes':
      return idsOf(result.nodes)
    case 'edges':
      return idsOf(result.edges)
    case 'paths':
      return result.paths.map(idsOf)
    case 'flows':
      return result.flows.map(({ flow }) => flow.UUID)
    case 'groups':
      return Object.fromEntries(Array.from(result.groups, ([name, flows]) => [name, flows.map(({ flow }) => flow.UUID)]))
    case 'elementgroups':
      return Object.fromEntries(Array.from(result.groups, ([name, elements]) => [name, idsOf(elements)]))
    default:
      return toJson(result as never)
  }
}

/** Flows have an order only where `Sort` gives them one: lists of others are compared as multisets. */
export function comparable(query: string, answer: unknown): unknown {
  if (!/flows/i.test(query) || /sort/i.test(query)) return answer
  if (Array.isArray(answer)) return [...answer].sort(byText)
  if (typeof answer !== 'object' || answer === null) return answer
  return Object.fromEntries(
    Object.entries(answer).map(([name, list]) => [name, Array.isArray(list) ? [...list].sort(byText) : list]),
  )
}
