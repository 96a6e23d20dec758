import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Config, parseServiceAddress } from '@skydive/daemon'
import type { DaemonFlags } from '../daemon-config.ts'
import { ChildGroup } from './child-group.ts'

/** What the two children are started with. */
export interface AllInOneOptions {
  readonly config: Config
  readonly files: readonly string[]
  readonly flags: DaemonFlags & { readonly listen?: string }
  /** Told which child ended unasked, and how. */
  readonly stderr: NodeJS.WritableStream
}

/**
 * Runs an analyzer and an agent as children that end together: when one goes, so does the other. Both start at once, and the agent waits for
 * the analyzer by itself; only when the analyzer is to find a free port, the agent is started when that is known. Answers the exit code, which is
 * 0 only when they were asked to end; else a line on `stderr` says which one went, and by which signal or code.
 */
export async function runAllInOne({ config, files, flags, stderr }: AllInOneOptions): Promise<number> {
  const children = new ChildGroup((line) => stderr.write(`${line}\n`))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => children.stop())

  const address = flags.listen ?? config.values.analyzer.listen
  const analyzer = startChild('analyzer', files, flags, flags.listen)
  children.add('analyzer', analyzer)
  const analyzerUrl = readyUrl(analyzer)
  let analyzers = address
  if (parseServiceAddress(address).port === 0) {
    const first = await Promise.race([analyzerUrl, children.ended()])
    if (typeof first === 'number') return first
    analyzers = new URL(first).host
  }
  const agent = startChild('agent', files, flags, undefined, { SKYDIVE_ANALYZERS: analyzers })
  children.add('agent', agent)
  void Promise.all([analyzerUrl, readyUrl(agent)]).then(([url]) => process.stdout.write(`Skydive is running: ${url}\n`))
  return children.ended()
}

function startChild(
  command: 'agent' | 'analyzer',
  files: readonly string[],
  flags: AllInOneOptions['flags'],
  listen: string | undefined,
  environment: Record<string, string> = {},
): ChildProcess {
  const args = [
    ...files.flatMap((file) => ['-c', file]),
    command,
    ...(flags.hostId === undefined ? [] : ['--host-id', flags.hostId]),
    ...(flags.dataDir === undefined ? [] : ['--data-dir', flags.dataDir]),
    ...(flags.insecureListen ? ['--insecure-listen'] : []),
    ...(listen === undefined ? [] : ['--listen', listen]),
  ]
  const script = process.argv[1] ?? fileURLToPath(import.meta.url)
  // An analyzer that was configured by SKYDIVE_ANALYZERS of its own keeps it.
  return fork(script, args, {
    env: { ...environment, ...process.env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: false,
  })
}

/** Resolves with the address that a child tells when it is ready; never, when it ends before. */
function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('message', (message: { ready?: string }) => {
      if (message.ready !== undefined) resolve(message.ready)
    })
  })
}
