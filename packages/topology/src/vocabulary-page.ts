import { z } from 'zod'
import { NODE_TYPES } from './node-types.ts'
import { MANAGERS, PROBES, RELATION_TYPES } from './relation-types.ts'
import { edgeMetadataSchema, NODE_SCHEMAS, neighborSchema, routingTableSchema } from './schemas.ts'

const TITLES: Readonly<Record<keyof typeof NODE_SCHEMAS, string>> = {
  node: 'Every node',
  host: 'The host (`Type` = `host`)',
  netns: 'A network namespace (`Type` = `netns`)',
  interface: 'A network interface',
}

/** The reference page of the vocabulary as Markdown: what the constants and schemas of this package say. */
export function vocabularyPage(): string {
  const sections = [
    '# Vocabulary of the topology',
    'Made from `@skydive/topology`; change it there, then run',
    '`node --conditions=@skydive/source --import tsx packages/topology/test/write-vocabulary.ts`.',
    '## Node types',
    table(
      ['`Type`', 'written by', 'is'],
      NODE_TYPES.map(({ type, producer, meaning }) => [`\`${type}\``, producer, meaning]),
    ),
    '## Relation types',
    table(
      ['`RelationType`', 'joins', 'may carry'],
      RELATION_TYPES.map(({ type, meaning, metadata = '' }) => [`\`${type}\``, meaning, metadata]),
    ),
    `## Managers\n\nValues of \`Manager\`: ${list(MANAGERS)}. Values of \`Probe\`: ${list(PROBES)}.`,
    '## Keys of nodes',
    ...Object.entries(NODE_SCHEMAS).map(([name, schema]) => {
      const title = TITLES[name as keyof typeof NODE_SCHEMAS]
      return `### ${title}\n\n${keyTable(schema)}`
    }),
    `### An entry of \`Neighbors\` or \`FDB\`\n\n${keyTable(neighborSchema)}`,
    `### A table of \`RoutingTables\`\n\n${keyTable(routingTableSchema)}`,
    `## Keys of edges\n\n${keyTable(edgeMetadataSchema)}`,
  ]
  return `${sections.join('\n\n')}\n`
}

interface JsonSchema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly description?: string
}

function keyTable(schema: z.ZodType): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema) as JsonSchema
  return table(
    ['key', 'type', 'always', 'is'],
    Object.entries(properties).map(([key, property]) => [
      `\`${key}\``,
      typeText(property),
      required.includes(key) ? 'yes' : '',
      property.description ?? '',
    ]),
  )
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ')
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`
  if (schema.type === 'object' && !schema.properties) return 'map'
  return schema.type ?? 'any'
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function list(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ')
}
