import { createRestClient, type RestClient } from '@skydive/client'
import { formatServiceAddress, loadConfig, parseServiceAddress } from '@skydive/daemon'
import type { Command } from 'commander'
import type { CliStreams } from '../cli.ts'

/** Where the analyzer is and who asks. */
export interface Connection {
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly client: RestClient
}

const DEFAULT_ANALYZER = '127.0.0.1:8082'

/**
 * Takes the analyzer from `--analyzer`, `SKYDIVE_ANALYZER`, the first of `analyzers` in the configuration, or the default; the
 * credentials from `--username` and `--password` or their variables.
 *
 * @throws ERR_INVALID_ARGUMENT for a bad address or configuration.
 */
export async function connect(command: Command, { environment }: CliStreams): Promise<Connection> {
  const options = command.optsWithGlobals<{ analyzer?: string; username?: string; password?: string; conf?: string[] }>()
  const address = options.analyzer ?? environment['SKYDIVE_ANALYZER'] ?? (await configured(options.conf ?? [], environment))
  const username = options.username ?? environment['SKYDIVE_USERNAME']
  const password = options.password ?? environment['SKYDIVE_PASSWORD']
  const url = `http://${formatServiceAddress(parseServiceAddress(address))}`
  const credentials = { ...(username && { username }), ...(password && { password }) }
  return { url, ...credentials, client: createRestClient({ url, ...credentials }) }
}

async function configured(files: readonly string[], environment: CliStreams['environment']): Promise<string> {
  const config = await loadConfig({ files, environment })
  return config.values.analyzers[0] ?? DEFAULT_ANALYZER
}
