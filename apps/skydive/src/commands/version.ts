import type { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { VERSION } from '../version.ts'

/** `skydive version`. */
export function addVersion(program: Command, { stdout }: CliStreams): void {
  program
    .command('version')
    .description('print the version')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => {
      const node = process.version
      stdout.write(json ? `${JSON.stringify({ version: VERSION, node })}\n` : `skydive ${VERSION} (Node ${node})\n`)
    })
}
