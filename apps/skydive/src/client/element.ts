import { InvalidArgumentError, randomId } from '@skydive/contracts'
import { Command } from 'commander'
import { type CliStreams, collect } from '../cli.ts'
import { type Connection, connect } from './connection.ts'
import { metadataPointer, parseAssignment, parseMetadata } from './option-values.ts'
import { asText, printAnswer } from './output.ts'
import { renderEdges, renderNodes } from './render-result.ts'

interface CreateOptions {
  readonly nodeName?: string
  readonly nodeType?: string
  readonly parent?: string
  readonly child?: string
  readonly edgeType?: string
  readonly host?: string
  readonly metadata?: string
}

/** `client node create|list|get|delete|update`. */
export function nodeCommand(streams: CliStreams): Command {
  const node = elementCommand('node', streams)
  node
    .command('create')
    .description('add a node')
    .requiredOption('--node-name <name>', 'its Name')
    .requiredOption('--node-type <type>', 'its Type')
    .option('--metadata <pairs>', 'further metadata: key=value,key=value')
    .option('--host <host>', 'its host')
    .action((options: CreateOptions, command: Command) =>
      create(command, streams, 'node', {
        ID: randomId(),
        Metadata: { ...parseMetadata(options.metadata ?? ''), Name: options.nodeName, Type: options.nodeType },
        ...(options.host && { Host: options.host }),
      }),
    )
  return node
}

/** `client edge create|list|get|delete|update`. */
export function edgeCommand(streams: CliStreams): Command {
  const edge = elementCommand('edge', streams)
  edge
    .command('create')
    .description('add an edge')
    .requiredOption('--parent <id>', 'node where it begins')
    .requiredOption('--child <id>', 'node where it ends')
    .requiredOption('--edge-type <type>', 'its RelationType')
    .option('--metadata <pairs>', 'further metadata: key=value,key=value')
    .option('--host <host>', 'its host')
    .action((options: CreateOptions, command: Command) =>
      create(command, streams, 'edge', {
        ID: randomId(),
        Parent: options.parent,
        Child: options.child,
        Metadata: { ...parseMetadata(options.metadata ?? ''), RelationType: options.edgeType },
        ...(options.host && { Host: options.host }),
      }),
    )
  return edge
}

type Kind = 'node' | 'edge'

const resourceOf = ({ client }: Connection, kind: Kind) => (kind === 'node' ? client.nodes : client.edges)

async function create(command: Command, streams: CliStreams, kind: Kind, init: Record<string, unknown>): Promise<void> {
  const created = await resourceOf(await connect(command, streams), kind).create(init)
  printAnswer(command, streams, created, () => asText(created))
}

/** What nodes and edges have in common. */
function elementCommand(kind: Kind, streams: CliStreams): Command {
  const group = new Command(kind).description(`${kind}s of the graph`)

  group
    .command('list')
    .description(`all ${kind}s`)
    .action(async (_options: object, command: Command) => {
      const elements = await resourceOf(await connect(command, streams), kind).list()
      const render = kind === 'node' ? renderNodes : renderEdges
      printAnswer(command, streams, elements, () => render(Object.values(elements)))
    })

  group
    .command('get')
    .description(`one ${kind}`)
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const element = await resourceOf(await connect(command, streams), kind).get(id)
      printAnswer(command, streams, element, () => asText(element))
    })

  group
    .command('delete')
    .description(`delete ${kind}s`)
    .argument('<id...>', 'ids, or queries with --gremlin')
    .option('--gremlin', `the arguments are queries that find ${kind}s`)
    .action(async (ids: string[], options: { readonly gremlin?: boolean }, command: Command) => {
      const connection = await connect(command, streams)
      const chosen = options.gremlin ? (await Promise.all(ids.map((query) => idsOf(connection, query)))).flat() : ids
      for (const id of chosen) await resourceOf(connection, kind).delete(id)
    })

  group
    .command('update')
    .description(`change the metadata of a ${kind}`)
    .argument('<id>')
    .option('-a, --add <key=JSON>', 'add or replace a value; may be repeated', collect, [])
    .option('-r, --remove <key>', 'remove a value; may be repeated', collect, [])
    .action(async (id: string, options: { readonly add: string[]; readonly remove: string[] }, command: Command) => {
      const patch = [
        ...options.add.map(parseAssignment).map(({ key, value }) => ({ op: 'add' as const, path: metadataPointer(key), value })),
        ...options.remove.map((key) => ({ op: 'remove' as const, path: metadataPointer(key) })),
      ]
      if (patch.length === 0) throw new InvalidArgumentError('what shall change? give --add key=JSON or --remove key')
      const resource = resourceOf(await connect(command, streams), kind)
      const element = (await resource.patch(id, patch)) ?? (await resource.get(id))
      printAnswer(command, streams, element, () => asText(element))
    })

  return group
}

async function idsOf({ client }: Connection, gremlin: string): Promise<string[]> {
  const found = await client.query(gremlin)
  const ids = Array.isArray(found) ? found.map((item: { ID?: unknown }) => item?.ID) : [undefined]
  if (ids.every((id) => typeof id === 'string')) return ids as string[]
  throw new InvalidArgumentError(`the query finds no elements: ${gremlin}`, { gremlin })
}
