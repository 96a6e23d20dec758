import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { type DaemonFlags, loadDaemonConfig } from '../daemon-config.ts'
import { ExitStatus } from '../exit-status.ts'
import { threadScripts } from '../threads.ts'
import { VERSION } from '../version.ts'
import { runAllInOne } from './allinone.ts'

/** Whoever started a daemon: another process of ours, or somebody at a terminal. */
interface Starter {
  /** Tells that the daemon is there, and its address. */
  readonly ready: (line: string, url: string) => void
  /** Aborted when the process that started it is gone, however it went: the daemon ends as well. */
  readonly orphaned: AbortSignal
}

function starter({ stdout }: CliStreams): Starter {
  const orphaned = new AbortController()
  process.once('disconnect', () => orphaned.abort())
  if (process.connected === false) orphaned.abort()
  // The channel to the parent is no reason to stay.
  process.channel?.unref()
  return {
    ready(line, url) {
      if (process.send) process.send({ ready: url })
      else stdout.write(`${line}\n`)
    },
    orphaned: orphaned.signal,
  }
}

/** Flags that both daemons have. */
function withDaemonFlags(command: Command): Command {
  return command
    .option('--host-id <id>', 'identity of the daemon')
    .option('--data-dir <folder>', 'where state is kept')
    .option('--insecure-listen', 'accept to listen beyond loopback without authentication')
    .option('--check', 'check the configuration and exit')
    .option('--dump-config', 'print the effective configuration and exit')
}

/** The commands `agent`, `analyzer` and `allinone`. */
export function addDaemons(program: Command, streams: CliStreams): void {
  const { entry } = streams
  withDaemonFlags(program.command('analyzer').description('run an analyzer until SIGINT or SIGTERM'))
    .option('--listen <address>', 'address of the API, such as 127.0.0.1:8082')
    .action(async (flags: DaemonFlags) => {
      const { ready, orphaned } = starter(streams)
      const config = await loadDaemonConfig(program, streams, flags, 'analyzer.listen')
      if (config === undefined) return
      const { runAnalyzer } = await import('@skydive/analyzer')
      const page = fileURLToPath(new URL('./page', entry))
      await runAnalyzer({
        config,
        version: VERSION,
        threads: threadScripts(entry),
        ...(existsSync(page) && { pageFolder: page }),
        onReady: (url) => ready(`analyzer: ${url}`, url),
        signal: orphaned,
      })
    })

  withDaemonFlags(program.command('agent').description('run an agent until SIGINT or SIGTERM'))
    .option('--listen <address>', 'address of the API, such as 127.0.0.1:8081')
    .action(async (flags: DaemonFlags) => {
      const { ready, orphaned } = starter(streams)
      const config = await loadDaemonConfig(program, streams, flags, 'agent.listen')
      if (config === undefined) return
      const { runAgent } = await import('@skydive/agent')
      await runAgent({
        config,
        version: VERSION,
        threads: threadScripts(entry),
        onReady: (url) => ready(`agent: ${url}`, url),
        signal: orphaned,
      })
    })

  withDaemonFlags(program.command('allinone').description('run an analyzer and an agent of this host, with the embedded store'))
    .option('--listen <address>', 'address of the page and the API, such as 127.0.0.1:8082')
    .action(async (flags: DaemonFlags) => {
      const config = await loadDaemonConfig(program, streams, flags, 'analyzer.listen')
      if (config === undefined) return
      const files = program.opts<{ conf: string[] }>().conf
      const exitCode = await runAllInOne({ config, files, flags, stderr: streams.stderr })
      if (exitCode !== 0) throw new ExitStatus(exitCode)
    })
}
