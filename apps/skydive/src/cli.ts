import type { Writable } from 'node:stream'
import { SkydiveError } from '@skydive/contracts'
import { Command, CommanderError, Option } from 'commander'
import { addFlows } from './commands/flows.ts'
import { ExitStatus } from './exit-status.ts'

/** Where a command reads and writes; tests give their own. */
export interface CliStreams {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream
  /** The `import.meta.url` of the file that was started: the scripts of the threads and the page lie beside it. */
  readonly entry: string
}

const EXIT_FAILURE = 1
const EXIT_CALLER = 2

/**
 * Runs one command line and answers the exit code: 0 done, 2 the caller's fault (an unknown option, a bad query), 1 anything else.
 * Errors are one line on stderr, and their position where they have one.
 */
export async function runCli(args: readonly string[], streams: CliStreams): Promise<number> {
  // A capture file needs neither configuration nor network: loading those is half of the work on a small one.
  const program = createProgram(streams, args[0] === 'flows' ? undefined : await import('./commands/all.ts'))
  let outputError: unknown
  const noteError = (error: unknown): void => {
    outputError ??= error
  }
  streams.stdout.on('error', noteError)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof ExitStatus) return error.exitCode
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CALLER
    // There is nowhere to write to: whoever owns the output knows why.
    if (error === outputError) return 0
    streams.stderr.write(`skydive: ${SkydiveError.isInstance(error) ? error.message : String((error as Error).stack ?? error)}\n`)
    return SkydiveError.isInstance(error) && error.fault === 'caller' ? EXIT_CALLER : EXIT_FAILURE
  } finally {
    streams.stdout.off('error', noteError)
  }
}

/** The tree of commands; without `others` it is `flows` alone. */
function createProgram(streams: CliStreams, others: typeof import('./commands/all.ts') | undefined): Command {
  const program = new Command('skydive')
    .description('Network topology and flow analysis, live and back in time')
    .option('-c, --conf <file>', 'configuration file, may be repeated, - is standard input', collect, [])
    .addOption(new Option('-b, --config-backend <backend>', 'where the configuration is').choices(['file']).default('file'))
    .option('--verbose', 'say more')
    .showHelpAfterError('(add --help for the options)')
  others?.addBefore(program, streams)
  addFlows(program, streams)
  others?.addAfter(program, streams)
  for (const command of allCommands(program)) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: (text) => streams.stderr.write(text) })
      .on('command:*', ([name]: string[]) => others?.refuseCommand(command, name ?? '', EXIT_CALLER))
  }
  return program
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value]
}

function* allCommands(command: Command): Generator<Command> {
  yield command
  for (const inner of command.commands) yield* allCommands(inner)
}
