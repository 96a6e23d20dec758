import type { IndexValue } from '@skydive/contracts'
import { elementField, type FieldReader, forEachIndexValue } from '@skydive/filter'
import type { Equality } from '../access.ts'
import { type Net, rootOf } from './changes.ts'
import type { Element } from './moves.ts'

/** Fields that no update of an element changes. */
const FIXED_FIELDS = new Set(['@ID', '@Host', '@Origin', '@CreatedAt', 'Parent', 'Child'])

/** A source of rows that wants to hear of elements which may pass its conditions. */
export interface Route<T> {
  readonly target: T
  /** The top-level keys of its conditions; `undefined`: it depends on fields that change with every update. */
  readonly roots: ReadonlySet<string> | undefined
}

/** The keys of conditions as {@link Route.roots}. */
export function rootsOfKeys(keys: Iterable<string>): ReadonlySet<string> | undefined {
  const roots = new Set<string>()
  for (const key of keys) {
    if (FIXED_FIELDS.has(key)) continue
    if (key.startsWith('@') || key === '*') return undefined
    roots.add(rootOf(key))
  }
  return roots
}

interface KeyRoutes<T> {
  readonly read: FieldReader<Element>
  readonly byValue: Map<IndexValue, Set<Route<T>>>
}

function intersects(roots: ReadonlySet<string> | undefined, changed: ReadonlySet<string> | undefined): boolean {
  if (!roots || !changed) return true
  for (const root of changed) if (roots.has(root)) return true
  return false
}

/**
 * Finds the sources that a change may concern, by the values of the changed element: a source with an equality is looked up under its value,
 * so a thousand of them cost a change as little as one.
 */
export class Router<T> {
  private readonly keys = new Map<string, KeyRoutes<T>>()
  /** Sources without an equality: they look at whatever has one of their keys. */
  private readonly scans = new Set<Route<T>>()
  /** How many routed sources have a condition on each top-level key. */
  private readonly rootCounts = new Map<string, number>()
  private routesOnAll = 0

  /** Registers a source under the equality that fewest others share; answers how to take it out again. */
  add(route: Route<T>, equalities: readonly Equality[]): () => void {
    const chosen = this.leastShared(equalities)
    if (!chosen) {
      this.scans.add(route)
      return () => this.scans.delete(route)
    }
    this.countRoots(route, 1)
    const routes = this.routesOf(chosen.key)
    for (const value of chosen.values) {
      const found = routes.byValue.get(value)
      if (found) found.add(route)
      else routes.byValue.set(value, new Set([route]))
    }
    return () => {
      this.countRoots(route, -1)
      for (const value of chosen.values) {
        const found = routes.byValue.get(value)!
        found.delete(route)
        if (found.size === 0) routes.byValue.delete(value)
      }
      if (routes.byValue.size === 0) this.keys.delete(chosen.key)
    }
  }

  /** Tells the sources that may take the element in; those that have it are found by their members. */
  forEach({ after, before, roots }: Net<Element>, visit: (target: T) => void): void {
    if (!after) return
    // Something new may pass whatever its keys are.
    const changed = before ? roots : undefined
    for (const route of this.scans) if (intersects(route.roots, changed)) visit(route.target)
    if (this.keys.size === 0 || !this.mayMatter(changed)) return
    for (const { read, byValue } of this.keys.values()) {
      forEachIndexValue(read(after), (value) => {
        const routes = byValue.get(value)
        if (routes) for (const route of routes) if (intersects(route.roots, changed)) visit(route.target)
      })
    }
  }

  private mayMatter(changed: ReadonlySet<string> | undefined): boolean {
    if (!changed || this.routesOnAll > 0) return true
    for (const root of changed) if (this.rootCounts.has(root)) return true
    return false
  }

  private countRoots({ roots }: Route<T>, by: number): void {
    if (!roots) this.routesOnAll += by
    for (const root of roots ?? []) {
      const count = (this.rootCounts.get(root) ?? 0) + by
      if (count === 0) this.rootCounts.delete(root)
      else this.rootCounts.set(root, count)
    }
  }

  private routesOf(key: string): KeyRoutes<T> {
    let routes = this.keys.get(key)
    if (!routes) {
      routes = { read: elementField(key), byValue: new Map() }
      this.keys.set(key, routes)
    }
    return routes
  }

  private leastShared(equalities: readonly Equality[]): Equality | undefined {
    let best: Equality | undefined
    let fewest = Number.POSITIVE_INFINITY
    for (const equality of equalities) {
      const byValue = this.keys.get(equality.key)?.byValue
      let shared = 0
      for (const value of equality.values) shared += byValue?.get(value)?.size ?? 0
      if (shared < fewest) {
        best = equality
        fewest = shared
      }
    }
    return best
  }
}
