import type { z } from 'zod'
import { variableOf } from './environment.ts'
import { authSchema, configSchema } from './schema/index.ts'
import { STORE_DRIVERS } from './schema/storage.ts'
import { defaultOf, kindOf } from './schema/walk.ts'

interface Row {
  readonly key: string
  readonly type: string
  readonly byDefault: string
  readonly meaning: string
}

/** The reference page of all configuration keys (`docs/50-configuration.md`), made from the schema. */
export function renderConfigurationPage(): string {
  const rows: Row[] = []
  collect(configSchema, '', rows)
  for (const [driver, schema] of Object.entries(STORE_DRIVERS)) collect(schema, `storage.<name>(${driver})`, rows)
  collect(authSchema, 'auth.<name>', rows)
  const sections = new Map<string, Row[]>()
  for (const row of rows) {
    const name = /^[a-z_]+$/.test(row.key) ? 'General' : row.key.split('.')[0]!
    sections.set(name, [...(sections.get(name) ?? []), row])
  }
  const tables = [...sections].map(([name, members]) => `## ${name}\n\n${table(members)}`)
  return `${HEAD}\n${tables.join('\n\n')}\n`
}

const HEAD = `# Configuration

This page is generated from the schema (\`packages/daemon/scripts/write-configuration-page.ts\`).

A value is taken from the first of these that has it: a flag, the environment, the files given with \`-c\` (later ones win; \`-\` is
standard input; without any, \`/etc/skydive/skydive.yml\` when it exists), the default. Keys are case-insensitive.

The variable of a key is \`SKYDIVE_\` and the key in upper case with \`_\` for \`.\` and \`-\`: \`analyzer.listen\` is
\`${variableOf('analyzer.listen')}\`. Lists are separated by white space, maps and whole sections are JSON.

\`skydive analyzer -c skydive.yml --check\` says what is wrong with a configuration and starts nothing; \`--dump-config\` prints the
effective one with secrets masked. A section of \`storage\` has the keys of its \`driver\`.

With \`tls.server_cert\` and \`tls.server_key\` a daemon listens by TLS alone. \`tls.ca_cert\` is whom it trusts, in both directions; without
it the authorities of the system. Agents secure their lines as soon as a certificate is configured, and \`skydive client\` does with
\`--cacert\`, \`--cert\` and \`--key\`, \`--insecure\`, or an address that begins with \`https://\`. Flows by UDP are never secured.
`

function collect(schema: z.ZodType, path: string, rows: Row[]): void {
  const kind = kindOf(schema)
  if (kind.kind === 'section' && kind.members.size > 0) {
    for (const [name, member] of kind.members) collect(member, path === '' ? name : `${path}.${name}`, rows)
    return
  }
  if (kind.kind === 'map' && (path === 'storage' || path === 'auth')) return
  const value = defaultOf(schema)
  const type = kind.kind === 'section' || kind.kind === 'union' ? 'map' : kind.kind
  rows.push({
    key: path,
    type,
    byDefault: value === undefined || value === '' ? '–' : `\`${JSON.stringify(value)}\``,
    meaning: meaningOf(schema),
  })
}

function meaningOf(schema: z.ZodType): string {
  if (schema.description !== undefined) return schema.description
  const inner = (schema._zod.def as { readonly innerType?: z.ZodType }).innerType
  return inner ? meaningOf(inner) : ''
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ key, type, byDefault, meaning }) => `| \`${key}\` | ${type} | ${escapeCell(byDefault)} | ${escapeCell(meaning)} |`,
  )
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...lines].join('\n')
}

function escapeCell(value: string): string {
  return value.replaceAll('|', '\\|')
}
