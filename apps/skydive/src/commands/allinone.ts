import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Config, parseServiceAddress } from '@skydive/daemon'
import type { DaemonFlags } from '../daemon-config.ts'

/** How long the children get to end by themselves. */
const STOP_GRACE_MS = 12_000

/** What the two children are started with. */
export interface AllInOneOptions {
  readonly config: Config
  readonly files: readonly string[]
  readonly flags: DaemonFlags & { readonly listen?: string }
}

/**
 * Runs an analyzer and an agent as children that end together: when one goes, so does the other. Both start at once, and the agent waits for
 * the analyzer by itself; only when the analyzer is to find a free port, the agent is started when that is known. Answers the exit code.
 */
export async function runAllInOne({ config, files, flags }: AllInOneOptions): Promise<number> {
  const children: ChildProcess[] = []
  const codes: Promise<number>[] = []
  let stopping = false
  const stop = (): void => {
    const signal = stopping ? 'SIGKILL' : 'SIGTERM'
    if (!stopping) setTimeout(stop, STOP_GRACE_MS).unref()
    stopping = true
    for (const child of children) child.kill(signal)
  }
  const add = (child: ChildProcess): ChildProcess => {
    children.push(child)
    codes.push(
      new Promise((resolve) => {
        child.once('exit', (code, signal) => {
          resolve(code ?? (stopping && signal === 'SIGTERM' ? 0 : 1))
          if (!stopping) stop()
        })
      }),
    )
    return child
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)

  const address = flags.listen ?? config.values.analyzer.listen
  const analyzer = add(startChild('analyzer', files, flags, flags.listen))
  const analyzerUrl = readyUrl(analyzer)
  const analyzers = parseServiceAddress(address).port === 0 ? new URL(await analyzerUrl).host : address
  const agent = add(startChild('agent', files, flags, undefined, { SKYDIVE_ANALYZERS: analyzers }))
  void Promise.all([analyzerUrl, readyUrl(agent)]).then(([url]) => process.stdout.write(`Skydive is running: ${url}\n`))
  await Promise.race(codes)
  return Math.max(...(await Promise.all(codes)))
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
