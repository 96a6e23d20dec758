import type { z } from 'zod'
import { kindOf } from './schema/walk.ts'
import { suggest } from './suggestion.ts'
import { fromText } from './text-values.ts'
import { getPath, isTree, setPath, type Tree } from './tree.ts'

/** Variables with the prefix that are not keys: the CLI's own, and those of the tests. */
const NOT_KEYS = new Set(['SKYDIVE_ANALYZER', 'SKYDIVE_USERNAME', 'SKYDIVE_PASSWORD', 'SKYDIVE_CI'])

/** The variable of a key: `analyzer.flow.backend` is `SKYDIVE_ANALYZER_FLOW_BACKEND`. */
export function variableOf(key: string): string {
  return `SKYDIVE_${key.toUpperCase().replaceAll(/[.-]/g, '_')}`
}

/**
 * Lays the environment over a configuration. The variable of a section or map is JSON; text that is none is not meant for us
 * (`SKYDIVE_ANALYZER=host:port` is the CLI's) and changes nothing.
 */
export function applyEnvironment(
  tree: Tree,
  schema: z.ZodType,
  environment: Readonly<Record<string, string | undefined>>,
  warnings: string[],
): void {
  const known = new Set<string>(NOT_KEYS)
  const visit = (at: z.ZodType, key: string) => {
    const kind = kindOf(at)
    const variable = variableOf(key)
    known.add(variable)
    const value = environment[variable]
    const isMap = kind.kind === 'section' || kind.kind === 'map' || kind.kind === 'union'
    if (key !== '' && value !== undefined && (!isMap || value.trim().startsWith('{'))) {
      setPath(tree, key, fromText(at, value, variable))
    }
    if (kind.kind === 'section') for (const [name, member] of kind.members) visit(member, key === '' ? name : `${key}.${name}`)
    if (kind.kind === 'map') visitNames(tree, kind.value, key, visit)
    if (kind.kind === 'union') for (const option of kind.options) visitMembers(option, key, visit)
  }
  visit(schema, '')
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('SKYDIVE_') || known.has(name)) continue
    const meant = suggest(name, known)
    if (meant !== undefined) warnings.push(`environment variable ${name} is no configuration key; did you mean ${meant}?`)
  }
}

/** Names of user-defined sections come from the files and are those that are predefined. */
const PREDEFINED_NAMES: Readonly<Record<string, readonly string[]>> = {
  storage: ['sqlite', 'memory', 'elasticsearch', 'orientdb'],
  auth: ['noauth', 'basic', 'keystone'],
}

function visitNames(tree: Tree, value: z.ZodType, key: string, visit: (schema: z.ZodType, key: string) => void): void {
  const declared = getPath(tree, key)
  const names = new Set([...(PREDEFINED_NAMES[key] ?? []), ...(isTree(declared) ? Object.keys(declared) : [])])
  for (const name of names) visit(value, `${key}.${name}`)
}

function visitMembers(option: z.ZodType, key: string, visit: (schema: z.ZodType, key: string) => void): void {
  const kind = kindOf(option)
  if (kind.kind === 'section') for (const [name, member] of kind.members) visit(member, `${key}.${name}`)
}
