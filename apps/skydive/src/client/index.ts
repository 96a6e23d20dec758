import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { InvalidArgumentError } from '@skydive/contracts'
import { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { captureCommand } from './capture.ts'
import { connect } from './connection.ts'
import { coverageCommand } from './coverage.ts'
import { edgeCommand, nodeCommand } from './element.ts'
import { asText, printAnswer } from './output.ts'
import { queryCommand } from './query.ts'
import { topologyCommand } from './topology.ts'

/** `skydive client …`: everything that speaks to an analyzer (spec platform 7.2). */
export function clientCommand(streams: CliStreams): Command {
  return new Command('client')
    .description('ask an analyzer and tell it what to do')
    .option('--analyzer <host:port>', 'address of the analyzer (SKYDIVE_ANALYZER; default 127.0.0.1:8082)')
    .option('--username <name>', 'user name (SKYDIVE_USERNAME)')
    .option('--password <password>', 'password (SKYDIVE_PASSWORD)')
    .option('--cacert <file>', 'authority of the certificate of the analyzer, PEM; the line is then secured (TLS)')
    .option('--cert <file>', 'certificate to show to the analyzer, with --key')
    .option('--key <file>', 'key of --cert')
    .option('--insecure', 'secure the line but take any certificate')
    .option('--json', 'JSON even on a terminal')
    .addCommand(queryCommand(streams))
    .addCommand(captureCommand(streams))
    .addCommand(nodeCommand(streams))
    .addCommand(edgeCommand(streams))
    .addCommand(topologyCommand(streams))
    .addCommand(coverageCommand(streams))
    .addCommand(pcapCommand(streams))
    .addCommand(statusCommand(streams))
}

function statusCommand(streams: CliStreams): Command {
  return new Command('status')
    .description('how the analyzer and its connections fare')
    .action(async (_options: object, command: Command) => {
      const { client } = await connect(command, streams)
      const status = await client.status()
      printAnswer(command, streams, status, () => asText(status))
    })
}

function pcapCommand(streams: CliStreams): Command {
  return new Command('pcap')
    .description('turn a capture file into flows')
    .requiredOption('-t, --trace <file>', 'the capture file')
    .action(async ({ trace }: { readonly trace: string }, command: Command) => {
      try {
        await access(trace)
      } catch (error) {
        throw new InvalidArgumentError(`--trace ${trace}: ${(error as Error).message}`, { trace }, error)
      }
      const { client } = await connect(command, streams)
      const file = createReadStream(trace)
      // Of a request that breaks off it is not told whose fault that was.
      let unreadable: Error | undefined
      file.once('error', (error) => {
        unreadable = error
      })
      try {
        await client.uploadPcap(Readable.toWeb(file) as ReadableStream<Uint8Array>)
      } catch (error) {
        throw unreadable ? new InvalidArgumentError(`--trace ${trace}: ${unreadable.message}`, { trace }, unreadable) : error
      }
    })
}
