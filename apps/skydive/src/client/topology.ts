import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { WireGraph } from '@skydive/client'
import { publishGraph } from '@skydive/client/node'
import { InvalidArgumentError } from '@skydive/contracts'
import { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { connect } from './connection.ts'
import { parseQuery } from './option-values.ts'
import { printAnswer } from './output.ts'
import { renderResult } from './render-result.ts'
import { topologyDiffCommand } from './topology-diff.ts'

/** `client topology diff|export|import|query`. */
export function topologyCommand(streams: CliStreams): Command {
  const topology = new Command('topology').description('the whole graph')

  topology.addCommand(topologyDiffCommand(streams))

  topology
    .command('export')
    .description('write the whole graph as JSON')
    .action(async (_options: object, command: Command) => {
      const { client } = await connect(command, streams)
      streams.stdout.write(`${JSON.stringify(await client.query('G'), null, '\t')}\n`)
    })

  topology
    .command('import')
    .description('add a graph that was exported; it stays')
    .requiredOption('--file <graph.json>', 'an array with one graph')
    .option('--endpoint <path>', 'WebSocket to publish to', '/ws/publisher')
    .action(async (options: { readonly file: string; readonly endpoint: string }, command: Command) => {
      const graph = await readGraph(options.file)
      const { client: _, ...connection } = await connect(command, streams)
      await publishGraph(graph, { ...connection, endpoint: options.endpoint, hostId: `${hostname()}-${process.pid}` })
    })

  topology
    .command('query', { hidden: true })
    .description('as client query')
    .requiredOption('--gremlin <query>', 'the query', parseQuery)
    .action(async ({ gremlin }: { readonly gremlin: string }, command: Command) => {
      const { client } = await connect(command, streams)
      const found = await client.query(gremlin)
      printAnswer(command, streams, found, () => renderResult(found), '\t')
    })

  return topology
}

async function readGraph(file: string): Promise<WireGraph> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new InvalidArgumentError(`--file ${file}: ${(error as Error).message}`, { file }, error)
  }
  const graph = (Array.isArray(value) ? value[0] : undefined) as Partial<WireGraph> | undefined
  if (graph === undefined || (!Array.isArray(graph.Nodes) && graph.Nodes !== null)) {
    throw new InvalidArgumentError(
      `--file ${file}: expected an array with one {"Nodes":[…],"Edges":[…]}, as client topology export writes it`,
      {
        file,
      },
    )
  }
  return { Nodes: graph.Nodes ?? [], Edges: graph.Edges ?? [] }
}
