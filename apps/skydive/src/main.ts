import { runCli } from './cli.ts'
import { standardOutput } from './standard-output.ts'

/** What a daemon had opened before it failed may hold the process for so long after its error was told, ms. */
const END_AFTER_FAILURE_MS = 1_000

/** Runs the command line of this process and leaves its exit code. `entry`: a URL in the folder that has `threads` and `page`. */
export async function main(entry: string): Promise<void> {
  const output = standardOutput()
  const exitCode = await runCli(process.argv.slice(2), {
    environment: process.env,
    stdout: output.stream,
    stderr: process.stderr,
    entry,
  })
  process.exitCode = await output.finish(exitCode, process.stderr)
  if (process.exitCode !== 0) setTimeout(() => process.exit(), END_AFTER_FAILURE_MS).unref()
}
