import { InvalidArgumentError } from '@skydive/contracts'
import { Command, Option } from 'commander'
import type { CliStreams } from '../cli.ts'
import { connect } from './connection.ts'
import { parseQuery } from './option-values.ts'
import { printAnswer } from './output.ts'
import { renderResult } from './render-result.ts'

interface QueryOptions {
  readonly format?: 'json' | 'dot' | 'pcap' | 'pcapng'
  readonly delete?: boolean
  readonly explain?: boolean
  readonly profile?: boolean
}

/** `client query <gremlin>`. */
export function queryCommand(streams: CliStreams): Command {
  return new Command('query')
    .description('run a Gremlin query')
    .argument('<gremlin>', "such as \"G.V().Has('Type','netns')\"", parseQuery)
    .addOption(new Option('--format <format>', 'form of the answer').choices(['json', 'dot', 'pcap', 'pcapng']))
    .option('--delete', 'delete the nodes and edges that the query finds')
    .option('--explain', 'tell how the query would be run, without running it')
    .option('--profile', 'run the query and tell rows and time of every step')
    .action(async (gremlin: string, options: QueryOptions, command: Command) => {
      if (options.explain || options.profile) {
        await explain(gremlin, options, command, streams)
        return
      }
      const { client } = await connect(command, streams)
      if (options.format !== undefined && options.format !== 'json') {
        const onIncomplete = (items: readonly string[]) =>
          void streams.stderr.write(`skydive: the answer lacks ${items.join(', ')}${pcapngHint(items)}\n`)
        streams.stdout.write(Buffer.from(await client.queryAs(gremlin, options.format, { onIncomplete })))
        return
      }
      const found = await client.query(gremlin)
      if (options.format === 'json') streams.stdout.write(`${JSON.stringify(found, null, '\t')}\n`)
      else printAnswer(command, streams, found, () => renderResult(found), '\t')
      if (options.delete)
        for (const element of elementsOf(found)) await (element.isEdge ? client.edges : client.nodes).delete(element.id)
    })
}

/** A pcap file has packets of one link type. */
function pcapngHint(items: readonly string[]): string {
  return items.some((item) => item.startsWith('linktype.')) ? '; --format pcapng has packets of all link types' : ''
}

/** Text for people, whatever the output is; an object with `--json` or `--format json`. */
async function explain(gremlin: string, options: QueryOptions, command: Command, streams: CliStreams): Promise<void> {
  if (options.delete) throw new InvalidArgumentError('--explain and --profile tell how a query is run; leave --delete out')
  const { client } = await connect(command, streams)
  const profile = options.profile === true
  const isJson = options.format === 'json' || command.optsWithGlobals<{ json?: boolean }>().json === true
  const answer = isJson
    ? JSON.stringify(await client.explain(gremlin, { profile }), null, '\t')
    : await client.explainText(gremlin, { profile })
  streams.stdout.write(`${answer}\n`)
}

/** Edges come first: deleting a node takes its edges along. */
function elementsOf(found: unknown): { readonly id: string; readonly isEdge: boolean }[] {
  const list = Array.isArray(found) ? found : []
  const elements = list.map((item: { ID?: unknown; Parent?: unknown }) => ({ id: item?.ID, isEdge: item?.Parent !== undefined }))
  if (elements.some(({ id }) => typeof id !== 'string')) {
    throw new InvalidArgumentError('--delete needs a query that finds nodes or edges; nothing was deleted')
  }
  return (elements as { id: string; isEdge: boolean }[]).sort((a, b) => Number(b.isEdge) - Number(a.isEdge))
}
