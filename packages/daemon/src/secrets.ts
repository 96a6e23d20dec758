import { isTree } from './tree.ts'

const SECRET_KEY = /(?:^|\.)(?:password|secret|token|cookie|users)(?:\.|$)/
const MASK = '***'

/** A copy in which passwords, tokens, cookies and the passwords of users are replaced by `***`. Empty ones stay, so that "not set" shows. */
export function maskSecrets(value: unknown, path: string): unknown {
  if (SECRET_KEY.test(path)) return maskAll(value)
  if (Array.isArray(value)) return value.map((item) => maskSecrets(item, path))
  if (!isTree(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, maskSecrets(inner, path === '' ? key : `${path}.${key}`)]),
  )
}

function maskAll(value: unknown): unknown {
  if (isTree(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskAll(inner)]))
  return value === '' || value === undefined ? value : MASK
}
