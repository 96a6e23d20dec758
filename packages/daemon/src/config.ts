import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from '@skydive/contracts'
import { stringify } from 'yaml'
import type { z } from 'zod'
import { readConfigFiles } from './config-files.ts'
import { DEPRECATED_KEYS } from './deprecated-keys.ts'
import { applyEnvironment } from './environment.ts'
import { type ConfigValues, configSchema, PREDEFINED_AUTH } from './schema/index.ts'
import { PREDEFINED_STORES, STORE_DRIVERS } from './schema/storage.ts'
import { kindOf } from './schema/walk.ts'
import { maskSecrets } from './secrets.ts'
import { suggest } from './suggestion.ts'
import { fromText, loosen } from './text-values.ts'
import { deletePath, getPath, isTree, setPath, type Tree } from './tree.ts'

/** Where a configuration comes from. */
export interface ConfigSources {
  /** Files in the order of `--conf`; later ones win; `-` is standard input. */
  readonly files?: readonly string[]
  /** Read when `files` is empty and it exists. @default '/etc/skydive/skydive.yml' */
  readonly defaultFile?: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Dotted key to text, from flags: above everything. Shape: `{ 'analyzer.listen': '127.0.0.1:18082' }`. */
  readonly overrides?: Readonly<Record<string, string>>
  /** What the program itself wants instead of a built-in default. */
  readonly defaults?: Tree
}

/** A configuration that passed its schema. */
export interface Config {
  readonly values: ConfigValues
  /** Things to tell: deprecated keys, unknown ones with what was probably meant. Lines without an end. */
  readonly warnings: readonly string[]
  /** Unknown keys alone: `--check` fails for them. */
  readonly unknownKeys: readonly string[]
  /** The folder of the last file: what modules are resolved from; `undefined` without a file. */
  readonly folder: string | undefined
  /** The value of a dotted key in any case, secrets masked; `undefined` when it is not set. What `GET /api/config/{key}` answers. */
  get(key: string): unknown
  /** The effective configuration as YAML, secrets masked: what `--dump-config` prints. */
  dump(): string
}

/**
 * Reads and checks the configuration: overrides, then environment, then files, then defaults.
 *
 * @throws ERR_INVALID_ARGUMENT with one line a fault, each naming the key, the value and what is expected.
 */
export async function loadConfig(sources: ConfigSources = {}): Promise<Config> {
  const { tree, folder } = await readConfigFiles(sources.files ?? [], sources.defaultFile ?? '/etc/skydive/skydive.yml')
  const warnings: string[] = []
  applyEnvironment(tree, configSchema, sources.environment ?? {}, warnings)
  for (const [key, value] of Object.entries(sources.overrides ?? {})) {
    const schema = schemaAt(key)
    if (schema === undefined)
      throw new InvalidArgumentError(`unknown configuration key ${JSON.stringify(key)}${meant(key)}`, { key })
    setPath(tree, key, fromText(schema, value, key))
  }
  moveDeprecated(tree, warnings)
  const unknownKeys = dropUnknown(tree, configSchema, '', warnings)
  tellUnsupported(tree, warnings)
  addDefaults(tree, sources.defaults ?? {})

  // Read once: compiling a parser for each section would take longer than the reading.
  const parsed = configSchema.safeParse(loosenTree(tree, configSchema, ''), { jitless: true })
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues.map((issue) => describeIssue(issue, tree)).join('\n'))
  const values = complete(parsed.data, sources.environment ?? {})
  return {
    values,
    warnings,
    unknownKeys,
    folder,
    get(key) {
      const path = key.toLowerCase()
      return maskSecrets(getPath(values as unknown as Tree, path), path)
    },
    dump: () => stringify(maskSecrets(values, ''), { lineWidth: 0 }),
  }
}

/** The default folder of state: {@link ConfigValues.data_dir} when that is empty. */
export function defaultDataFolder(environment: Readonly<Record<string, string | undefined>>, userId = userInfo().uid): string {
  if (userId === 0) return '/var/lib/skydive'
  const home = environment['HOME'] ?? userInfo().homedir
  return join(environment['XDG_STATE_HOME'] || join(home, '.local/state'), 'skydive')
}

/** Every key with a schema of its own; names chosen by the user are written `<name>`. */
export function listKeys(): string[] {
  const keys: string[] = []
  const walk = (schema: z.ZodType, path: string) => {
    const kind = kindOf(schema)
    if (kind.kind === 'section' && kind.members.size > 0) {
      for (const [name, member] of kind.members) walk(member, path === '' ? name : `${path}.${name}`)
    } else {
      keys.push(path)
    }
  }
  walk(configSchema, '')
  return keys
}

function schemaAt(key: string): z.ZodType | undefined {
  let schema: z.ZodType = configSchema
  for (const part of key.split('.')) {
    const kind = kindOf(schema)
    const next =
      kind.kind === 'section'
        ? kind.members.get(part)
        : kind.kind === 'map'
          ? kind.value
          : kind.kind === 'union'
            ? unionMember(kind.options, part)
            : undefined
    if (next === undefined) return undefined
    schema = next
  }
  return schema
}

/** The first of several sections that has a member of this name. */
function unionMember(options: readonly z.ZodType[], name: string): z.ZodType | undefined {
  for (const option of options) {
    const kind = kindOf(option)
    const member = kind.kind === 'section' ? kind.members.get(name) : undefined
    if (member) return member
  }
  return undefined
}

/** Keys of the original that nothing in this build reads: whoever sets one must know that it does nothing. */
const WITHOUT_EFFECT = [
  'analyzer.cluster',
  'analyzer.peers',
  'analyzer.ssh_enabled',
  'analyzer.topology.fabric',
  'analyzer.topology.k8s',
  'analyzer.topology.istio',
  'analyzer.topology.ovn',
  'plugin',
  'dpdk',
  'opencontrail',
  'rbac',
]

function tellUnsupported(tree: Tree, warnings: string[]): void {
  for (const key of WITHOUT_EFFECT) {
    if (getPath(tree, key) !== undefined) warnings.push(`configuration key ${key} has no effect in this build`)
  }
}

function moveDeprecated(tree: Tree, warnings: string[]): void {
  for (const [old, places] of Object.entries(DEPRECATED_KEYS)) {
    const value = getPath(tree, old)
    if (value === undefined || (old === 'auth.type' && isTree(value))) continue
    warnings.push(`configuration key ${old} is deprecated: use ${places.join(', ')}`)
    deletePath(tree, old)
    for (const place of places) if (getPath(tree, place) === undefined) setPath(tree, place, value)
  }
}

/** Removes what no schema knows, with a warning each; answers the paths. */
function dropUnknown(tree: Tree, schema: z.ZodType, path: string, warnings: string[]): string[] {
  const kind = kindOf(schema)
  const unknown: string[] = []
  for (const [key, value] of Object.entries(tree)) {
    const inner = path === '' ? key : `${path}.${key}`
    const member = kind.kind === 'section' ? kind.members.get(key) : kind.kind === 'map' ? kind.value : undefined
    if (member === undefined) {
      if (kind.kind === 'section' && !kind.open) {
        delete tree[key]
        unknown.push(inner)
        warnings.push(`unknown configuration key ${inner}${meant(inner)}`)
      }
    } else if (isTree(value)) {
      unknown.push(...dropUnknown(value, member, inner, warnings))
    }
  }
  return unknown
}

function meant(key: string): string {
  const candidate = suggest(key, listKeys())
  return candidate === undefined ? '' : `; did you mean ${candidate}?`
}

/** Declared stores take the defaults of their driver through the schema; predefined ones are added. */
function addDefaults(tree: Tree, defaults: Tree): void {
  const fill = (section: string, predefined: Readonly<Record<string, object>>) => {
    const declared = isTree(tree[section]) ? tree[section] : {}
    const merged: Tree = {}
    for (const [name, value] of Object.entries(predefined)) merged[name] = { ...value }
    for (const [name, value] of Object.entries(declared)) {
      merged[name] = isTree(value) ? { ...(merged[name] as Tree | undefined), ...value } : value
    }
    tree[section] = merged
  }
  fill('storage', PREDEFINED_STORES)
  fill('auth', PREDEFINED_AUTH)
  const lay = (base: Tree, over: Tree) => {
    for (const [key, value] of Object.entries(over)) {
      if (base[key] === undefined) base[key] = value
      else if (isTree(base[key]) && isTree(value)) lay(base[key], value)
    }
  }
  lay(tree, defaults)
}

function loosenTree(value: unknown, schema: z.ZodType, path: string): unknown {
  const kind = kindOf(schema)
  if (kind.kind === 'union' && isTree(value)) {
    const driver = String(value['driver'])
    const option = Object.hasOwn(STORE_DRIVERS, driver) ? STORE_DRIVERS[driver as keyof typeof STORE_DRIVERS] : undefined
    return option ? loosenTree(value, option, path) : value
  }
  if ((kind.kind === 'section' || kind.kind === 'map') && isTree(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        const member = kind.kind === 'section' ? kind.members.get(key) : kind.value
        return [key, member ? loosenTree(inner, member, `${path}.${key}`) : inner]
      }),
    )
  }
  return loosen(schema, value, path)
}

function describeIssue(issue: z.core.$ZodIssue, tree: Tree): string {
  const path = issue.path.join('.')
  const value = getPath(tree, path)
  const shown = value === undefined || maskSecrets(value, path) !== value ? '' : ` ${JSON.stringify(value)}`
  return `${path}:${shown} is refused: ${issue.message}`
}

function complete(values: ConfigValues, environment: Readonly<Record<string, string | undefined>>): ConfigValues {
  return { ...values, host_id: values.host_id || hostname(), data_dir: values.data_dir || defaultDataFolder(environment) }
}
