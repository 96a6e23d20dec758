import { SkydiveError } from '@skydive/contracts'
import { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { ExitStatus } from '../exit-status.ts'
import { connect } from './connection.ts'
import { isDifferent, renderDiff } from './render-diff.ts'

interface DiffOptions {
  readonly from: string
  readonly to?: string
  readonly gremlin?: string
  readonly all?: boolean
}

const EXIT_DIFFERENT = 1
const EXIT_ERROR = 2

/**
 * `client topology diff`: what changed between two times, as `diff` tells it of files: text also into a pipe, and the exit code says whether
 * anything did (0 nothing, 1 something, 2 an error).
 */
export function topologyDiffCommand(streams: CliStreams): Command {
  return new Command('diff')
    .description('what changed between two times; exit code 0: nothing, 1: something, 2: an error')
    .requiredOption('--from <time>', 'such as -1h, 2026-01-31T12:00:00Z, or ms or s since the epoch')
    .option('--to <time>', 'the same', 'now')
    .option('--gremlin <query>', 'only what this query finds at one of the two times')
    .option('--all', 'changes of counters as well')
    .action(async (options: DiffOptions, command: Command) => {
      if (await printDiff(options, command, streams)) throw new ExitStatus(EXIT_DIFFERENT)
    })
}

/** Answers whether anything differs. @throws ExitStatus after an error was told. */
async function printDiff(options: DiffOptions, command: Command, streams: CliStreams): Promise<boolean> {
  const { environment, stdout, stderr } = streams
  try {
    const { client } = await connect(command, streams)
    const diff = await client.diff({ ...options, places: true })
    if (command.optsWithGlobals<{ json?: boolean }>().json) stdout.write(`${JSON.stringify(diff, null, 2)}\n`)
    else stdout.write(`${renderDiff(diff, stdout.isTTY === true && !environment['NO_COLOR'])}\n`)
    if (!diff.Complete) {
      const since =
        diff.KnownFrom === undefined ? 'nothing is known of that time' : `nothing is known before ${iso(diff.KnownFrom)}`
      stderr.write(`skydive: ${since}; what changed earlier is not told\n`)
    }
    return isDifferent(diff)
  } catch (error) {
    // Not for the caller of this to handle: there 1 means that something changed.
    stderr.write(`skydive: ${SkydiveError.isInstance(error) ? error.message : String((error as Error).stack ?? error)}\n`)
    throw new ExitStatus(EXIT_ERROR)
  }
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
