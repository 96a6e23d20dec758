import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Writable } from 'node:stream'
import { InvalidArgumentError, type Logger } from '@skydive/contracts'
import pino, { type StreamEntry } from 'pino'
import pretty from 'pino-pretty'
import type { ConfigValues } from './schema/index.ts'

const LEVELS: Readonly<Record<string, pino.Level>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  ERROR: 'error',
}

/** A logger and what must be called before the process ends, so that nothing of the log is lost. */
export interface Logging {
  readonly logger: Logger
  flush(): void
}

/**
 * Makes the logger that `logging.*` describes: lines for people on a terminal, JSON where the encoder says so. `name` goes into each
 * line, such as `analyzer`.
 *
 * @throws ERR_INVALID_ARGUMENT for an unknown backend, level or encoder, or a file that cannot be opened.
 */
export function createLogging(config: ConfigValues['logging'], name: string): Logging {
  const streams = config.backends.map((backend) => createStream(backend, config))
  const level = streams.reduce<pino.Level>(
    (lowest, { level }) => (ranks(level) < ranks(lowest) ? (level as pino.Level) : lowest),
    'error',
  )
  const logger = pino(
    { level, base: { name, ...(config.id !== undefined && { id: config.id }) }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(streams),
  )
  return {
    logger,
    flush() {
      for (const { stream } of streams) (stream as { flushSync?(): void }).flushSync?.()
    },
  }
}

function ranks(level: unknown): number {
  return pino.levels.values[String(level)] ?? 30
}

function createStream(backend: string, config: ConfigValues['logging']): StreamEntry<pino.Level> {
  if (backend !== 'stderr' && backend !== 'stdout' && backend !== 'file' && backend !== 'syslog') {
    throw new InvalidArgumentError(`logging.backends: ${JSON.stringify(backend)} is none of stderr, stdout, file, syslog`, {
      backend,
    })
  }
  const own = config[backend]
  const level = LEVELS[(own.level ?? config.level).toUpperCase()]
  if (level === undefined) {
    throw new InvalidArgumentError(`logging.${backend}.level: ${JSON.stringify(own.level)} is none of DEBUG, INFO, WARN, ERROR`, {
      backend,
    })
  }
  const destination = openDestination(backend, config)
  if ((own.encoder ?? config.encoder) === 'json') return { level, stream: destination }
  const isTerminal = backend === 'stderr' ? process.stderr.isTTY : backend === 'stdout' && process.stdout.isTTY
  const stream = pretty({
    colorize: config.color && isTerminal === true,
    singleLine: true,
    ignore: 'pid,hostname,name',
    messageFormat: '{name}: {msg}',
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    destination,
    sync: true,
  })
  return { level, stream }
}

function openDestination(backend: string, config: ConfigValues['logging']): Writable {
  switch (backend) {
    case 'stdout':
      return pino.destination({ fd: 1, sync: true }) as unknown as Writable
    case 'stderr':
      return pino.destination({ fd: 2, sync: true }) as unknown as Writable
    case 'syslog':
      return openSyslog(config.syslog)
    default:
      return openFile(config.file.path)
  }
}

function openFile(path: string): Writable {
  try {
    // One level only: a recursive mkdir below /proc never returns in Node.
    if (!existsSync(dirname(path))) mkdirSync(dirname(path))
    return pino.destination({ dest: path, append: true, sync: true }) as unknown as Writable
  } catch (error) {
    throw new InvalidArgumentError(`logging.file.path: ${path} cannot be opened: ${(error as Error).message}`, { path }, error)
  }
}

/** Node has no datagram sockets of the Unix kind, so lines go through `logger`, which every Debian has. */
function openSyslog({ address, protocol, tag }: ConfigValues['logging']['syslog']): Writable {
  const [host, port] = address.split(':')
  const target = protocol === 'udp' ? ['--udp', '--server', host!, '--port', port ?? '514'] : ['--socket', address]
  const child = spawn('logger', ['--tag', tag, ...target], { stdio: ['pipe', 'ignore', 'ignore'] })
  // A syslog that is not there must not end the daemon: lines are then lost, as with any syslog over datagrams.
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  child.unref()
  return new Writable({
    write(chunk, _encoding, done) {
      child.stdin.write(chunk)
      done()
    },
  })
}
