import { type Config, loadConfig, readTls } from '@skydive/daemon'
import type { Command } from 'commander'
import type { CliStreams } from './cli.ts'
import { ExitStatus } from './exit-status.ts'

/** Flags of the daemons, as commander hands them over. */
export interface DaemonFlags {
  readonly listen?: string
  readonly hostId?: string
  readonly dataDir?: string
  readonly insecureListen?: boolean
  readonly check?: boolean
  readonly dumpConfig?: boolean
}

/**
 * The configuration of a daemon: flags, environment, files, defaults. `--listen` stands for `listenKey`. Answers `undefined` when `--check` or `--dump-config` asked for nothing
 * more. @throws ExitStatus when the check failed; ERR_INVALID_ARGUMENT with a line for each fault.
 */
export async function loadDaemonConfig(
  program: Command,
  streams: CliStreams,
  flags: DaemonFlags,
  listenKey: 'agent.listen' | 'analyzer.listen',
): Promise<Config | undefined> {
  const { conf } = program.opts<{ conf: string[] }>()
  const { environment } = streams
  const dataDir = flags.dataDir ?? environment['SKYDIVE_DATA_DIR']
  const config = await loadConfig({
    files: conf,
    environment,
    overrides: {
      ...(flags.listen !== undefined && { [listenKey]: flags.listen }),
      ...(flags.hostId !== undefined && { host_id: flags.hostId }),
      ...(dataDir !== undefined && { data_dir: dataDir }),
      ...(flags.insecureListen && { 'http.insecure_listen': 'true' }),
    },
  })
  if (flags.dumpConfig) {
    streams.stdout.write(config.dump())
    return undefined
  }
  if (!flags.check) return config
  await readTls(config.values.tls)
  for (const warning of config.warnings) streams.stderr.write(`${warning}\n`)
  if (config.unknownKeys.length > 0) throw new ExitStatus(1)
  streams.stdout.write('the configuration is good\n')
  return undefined
}
