import type { GraphEdge, GraphNode, KeyChange, MetadataObject, MetadataValue } from '@skydive/contracts'
import { equalValues, isMetadataObject, joinPath } from '@skydive/filter'
import { ownMember } from './own-member.ts'

/** Paths that don't count, as a set, and whether any of them lies below a given path. */
export class IgnoredKeys {
  readonly #paths: ReadonlySet<string>
  readonly #parents = new Set<string>()

  /** Of a path everything below it is ignored too. */
  constructor(paths: readonly string[]) {
    this.#paths = new Set(paths)
    for (const path of paths) {
      for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) this.#parents.add(path.slice(0, dot))
    }
  }

  /** Whether changes at this very path are ignored. */
  has(path: string): boolean {
    return this.#paths.has(path)
  }

  /** Whether changes somewhere below this path are ignored. */
  hasBelow(path: string): boolean {
    return this.#parents.has(path)
  }
}

const EMPTY: MetadataObject = {}

/** What differs between two revisions of one id, leaf by leaf, by key; see `KeyChange`. Costs the keys that differ and a look at the others. */
export function keyChanges<E extends GraphNode | GraphEdge>(before: E, after: E, ignored: IgnoredKeys): readonly KeyChange[] {
  const changes: KeyChange[] = []
  if (before === after) return changes
  compareField('@Host', before.host, after.host, ignored, changes)
  compareField('@Origin', before.origin, after.origin, ignored, changes)
  if (before.kind === 'edge' && after.kind === 'edge') {
    compareField('Parent', before.parent, after.parent, ignored, changes)
    compareField('Child', before.child, after.child, ignored, changes)
  }
  compareObjects(before.metadata, after.metadata, '', ignored, changes)
  return sortByKey(changes)
}

/** The same from the first `count` top-level keys that can differ at all, and their values. Costs these keys alone. */
export function valueChanges(
  keys: readonly string[],
  befores: readonly (MetadataValue | undefined)[],
  afters: readonly (MetadataValue | undefined)[],
  count: number,
  ignored: IgnoredKeys,
): readonly KeyChange[] {
  const before = befores[0]
  const after = afters[0]
  // Nearly always. A list that was pushed to has place for seventeen; this one is made as long as it is.
  if (count === 1 && before !== after && isLeaf(before) && isLeaf(after)) {
    const key = pathOf(keys[0]!)
    return ignored.has(key) ? [] : [{ key, before, after }]
  }
  const changes: KeyChange[] = []
  for (let i = 0; i < count; i++) {
    if (befores[i] !== afters[i]) compareValues(befores[i], afters[i], pathOf(keys[i]!), ignored, changes)
  }
  return sortByKey(changes)
}

function isLeaf(value: MetadataValue | undefined): value is string | number | boolean {
  return value !== undefined && typeof value !== 'object'
}

/** The path of one key; nearly none has anything to escape. */
function pathOf(key: string): string {
  return key.includes('.') || key.includes('\\') ? joinPath([key]) : key
}

function sortByKey(changes: KeyChange[]): readonly KeyChange[] {
  return changes.sort((a, b) => (a.key < b.key ? -1 : 1))
}

function compareField(key: string, before: string, after: string, ignored: IgnoredKeys, changes: KeyChange[]): void {
  if (before !== after && !ignored.has(key)) changes.push({ key, before, after })
}

function compareObjects(
  before: MetadataObject,
  after: MetadataObject,
  prefix: string,
  ignored: IgnoredKeys,
  changes: KeyChange[],
): void {
  if (before === after) return
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) compareValues(before[key], undefined, prefix + pathOf(key), ignored, changes)
  }
  for (const key of Object.keys(after)) {
    const old = ownMember(before, key)
    if (old !== after[key]) compareValues(old, after[key], prefix + pathOf(key), ignored, changes)
  }
}

function compareValues(
  before: MetadataValue | undefined,
  after: MetadataValue | undefined,
  path: string,
  ignored: IgnoredKeys,
  changes: KeyChange[],
): void {
  if (ignored.has(path)) return
  const old = isMetadataObject(before) ? before : before === undefined ? EMPTY : undefined
  const own = isMetadataObject(after) ? after : after === undefined ? EMPTY : undefined
  // An object that comes or goes is told by its leaves; an empty one has none and is told itself.
  if (old && own && (Object.keys(old).length > 0 || Object.keys(own).length > 0)) {
    compareObjects(old, own, `${path}.`, ignored, changes)
    return
  }
  const isSame = ignored.hasBelow(path) ? equalIgnoring(before, after, path, ignored) : equalValues(before, after)
  if (isSame) return
  if (before === undefined) changes.push({ key: path, after: after! })
  else if (after === undefined) changes.push({ key: path, before })
  else changes.push({ key: path, before, after })
}

/** Deep equality of what is within an array, where paths go on through its members. */
function equalIgnoring(
  before: MetadataValue | undefined,
  after: MetadataValue | undefined,
  path: string,
  ignored: IgnoredKeys,
): boolean {
  if (before === after || ignored.has(path)) return true
  if (Array.isArray(before) && Array.isArray(after)) {
    return before.length === after.length && before.every((item, i) => equalIgnoring(item, after[i], path, ignored))
  }
  if (!isMetadataObject(before) || !isMetadataObject(after)) return equalValues(before, after)
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!equalIgnoring(ownMember(before, key), ownMember(after, key), `${path}.${pathOf(key)}`, ignored)) return false
  }
  return true
}
