/** A configuration before it is checked: what a YAML file says, keys in lower case. */
export type Tree = { [key: string]: unknown }

/** Whether a value is an inner node of a tree. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a dotted path; `undefined` when there is none. */
export function getPath(tree: Tree, path: string): unknown {
  let value: unknown = tree
  for (const key of path.split('.')) {
    if (!isTree(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

/** Writes a value at a dotted path, making sections on the way. */
export function setPath(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let at = tree
  for (const key of keys) {
    const inner = at[key]
    at = isTree(inner) ? inner : ((at[key] = {}) as Tree)
  }
  at[last] = value
}

/** Removes the value at a dotted path, and sections that are empty then. */
export function deletePath(tree: Tree, path: string): void {
  const [key, ...rest] = path.split('.') as [string, ...string[]]
  if (rest.length === 0) {
    delete tree[key]
    return
  }
  const inner = tree[key]
  if (!isTree(inner)) return
  deletePath(inner, rest.join('.'))
  if (Object.keys(inner).length === 0) delete tree[key]
}

/** A deep copy with keys in lower case: keys are case-insensitive (spec platform 5.1). `__proto__` is dropped. */
export function lowerKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerKeys)
  if (!isTree(value)) return value
  const out: Tree = {}
  for (const [key, inner] of Object.entries(value)) if (key !== '__proto__') out[key.toLowerCase()] = lowerKeys(inner)
  return out
}

/** Lays `over` over `base`, section by section; the later wins. Changes `base`. */
export function mergeInto(base: Tree, over: Tree): void {
  for (const [key, value] of Object.entries(over)) {
    const existing = base[key]
    if (isTree(existing) && isTree(value)) mergeInto(existing, value)
    else base[key] = value
  }
}
