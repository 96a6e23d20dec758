import { createRestClient, type RestClient } from '@skydive/client'
import { createSecureFetch } from '@skydive/client/node'
import type { TlsClientSettings } from '@skydive/contracts'
import { type Config, formatServiceAddress, loadConfig, parseServiceAddress, readTls } from '@skydive/daemon'
import type { Command } from 'commander'
import type { CliStreams } from '../cli.ts'

/** Where the analyzer is and who asks. */
export interface Connection {
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** `http.cookie` of the configuration. */
  readonly cookies?: Readonly<Record<string, string>>
  /** Present when the line is secured. */
  readonly tls?: TlsClientSettings
  readonly client: RestClient
}

/** The flags that all commands of the client have (spec platform 7.2). */
interface ConnectionFlags {
  readonly analyzer?: string
  readonly username?: string
  readonly password?: string
  readonly cacert?: string
  readonly cert?: string
  readonly key?: string
  readonly insecure?: boolean
  readonly conf?: readonly string[]
}

const DEFAULT_ANALYZER = '127.0.0.1:8082'

/**
 * Takes the analyzer from `--analyzer`, `SKYDIVE_ANALYZER`, the first of `analyzers` in the configuration, or the default; the
 * credentials from `--username` and `--password` or their variables; the certificates from `--cacert`, `--cert` and `--key` or the section
 * `tls`. The line is secured when there is any of these, `--insecure`, or an address that begins with `https://`.
 *
 * @throws ERR_INVALID_ARGUMENT for a bad address, certificate or configuration.
 */
export async function connect(command: Command, { environment }: CliStreams): Promise<Connection> {
  const options = command.optsWithGlobals<ConnectionFlags>()
  const given = options.analyzer ?? environment['SKYDIVE_ANALYZER']
  const config = needsConfig(given, options, environment)
    ? await loadConfig({ files: options.conf ?? [], environment })
    : undefined
  const [, scheme, address] = /^(https?:\/\/)?(.*?)\/?$/.exec(given ?? config?.values.analyzers[0] ?? DEFAULT_ANALYZER)!
  const tls = scheme === 'http://' ? undefined : await tlsOf(options, config, scheme === 'https://')
  const username = options.username ?? environment['SKYDIVE_USERNAME']
  const password = options.password ?? environment['SKYDIVE_PASSWORD']
  const url = `${tls ? 'https' : 'http'}://${formatServiceAddress(parseServiceAddress(address!))}`
  const cookies = config?.values.http.cookie
  const access = { url, ...(username && { username }), ...(password && { password }), ...(cookies && { cookies }) }
  const client = createRestClient({ ...access, ...(tls && { fetch: createSecureFetch(tls) }) })
  return { ...access, ...(tls && { tls }), client }
}

/** Whoever names the analyzer needs no configuration, and is not stopped by one that is wrong, unless it is asked for. */
function needsConfig(given: string | undefined, { conf = [] }: ConnectionFlags, environment: CliStreams['environment']): boolean {
  return given === undefined || conf.length > 0 || Object.keys(environment).some((name) => /^SKYDIVE_(TLS|HTTP)/.test(name))
}

async function tlsOf(
  flags: ConnectionFlags,
  config: Config | undefined,
  isAsked: boolean,
): Promise<TlsClientSettings | undefined> {
  const { cacert, cert, key, insecure } = flags
  const isFlagged = [cacert, cert, key].some((flag) => flag !== undefined)
  const section = { ca_cert: cacert, client_cert: cert, client_key: key }
  const { client } = isFlagged ? await readTls(section, FLAGS) : await readTls(config?.values.tls ?? {})
  if (!client && !insecure && !isAsked) return undefined
  return { ...client, ...(insecure && { rejectUnauthorized: false }) }
}

/** What errors call the members of the section when they come from flags. */
const FLAGS = { ca_cert: '--cacert', client_cert: '--cert', client_key: '--key' }
