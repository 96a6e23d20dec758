import { SkydiveError } from '@skydive/contracts'
import { suggest } from '@skydive/daemon'
import { Command, CommanderError, Option } from 'commander'
import { clientCommand } from './client/index.ts'
import { addDaemons } from './commands/daemons.ts'
import { addDoctor } from './commands/doctor.ts'
import { addFlows } from './commands/flows.ts'
import { addVersion } from './commands/version.ts'
import { ExitStatus } from './exit-status.ts'

/** Where a command reads and writes; tests give their own. */
export interface CliStreams {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
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
  const program = createProgram(streams)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof ExitStatus) return error.exitCode
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CALLER
    streams.stderr.write(`skydive: ${SkydiveError.isInstance(error) ? error.message : String((error as Error).stack ?? error)}\n`)
    return SkydiveError.isInstance(error) && error.fault === 'caller' ? EXIT_CALLER : EXIT_FAILURE
  }
}

/** The tree of commands. */
export function createProgram(streams: CliStreams): Command {
  const program = new Command('skydive')
    .description('Network topology and flow analysis, live and back in time')
    .option('-c, --conf <file>', 'configuration file, may be repeated, - is standard input', collect, [])
    .addOption(new Option('-b, --config-backend <backend>', 'where the configuration is').choices(['file']).default('file'))
    .option('--verbose', 'say more')
    .showHelpAfterError('(add --help for the options)')
  addDaemons(program, streams)
  program.addCommand(clientCommand(streams))
  addFlows(program, streams)
  addDoctor(program, streams)
  addVersion(program, streams)
  for (const command of allCommands(program)) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: (text) => streams.stderr.write(text) })
      .on('command:*', ([name]: string[]) => refuseCommand(command, name ?? ''))
  }
  return program
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value]
}

function refuseCommand(command: Command, name: string): never {
  const meant = suggest(
    name,
    command.commands.map((inner) => inner.name()),
  )
  command.error(`error: unknown command '${name}'${meant ? `; did you mean ${meant}?` : ''}`, { exitCode: EXIT_CALLER })
}

function* allCommands(command: Command): Generator<Command> {
  yield command
  for (const inner of command.commands) yield* allCommands(inner)
}
