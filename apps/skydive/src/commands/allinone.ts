import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Config } from '@skydive/daemon'
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
 * Runs an analyzer and an agent as children that end together: when one goes, so does the other. Both start at once; the agent waits for the
 * analyzer by itself. Answers the exit code.
 */
export async function runAllInOne({ config, files, flags }: AllInOneOptions): Promise<number> {
  const analyzer = startChild('analyzer', files, flags, flags.listen)
  const agent = startChild('agent', files, flags, undefined, { SKYDIVE_ANALYZERS: flags.listen ?? config.values.analyzer.listen })
  const children = [analyzer, agent]

  let stopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      for (const child of children) child.kill('SIGKILL')
      return
    }
    stopping = true
    for (const child of children) child.kill(signal)
    setTimeout(() => {
      for (const child of children) child.kill('SIGKILL')
    }, STOP_GRACE_MS).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop('SIGTERM'))

  void announce(analyzer, agent)
  const codes = await Promise.all(
    children.map(
      (child) =>
        new Promise<number>((resolve) => {
          child.once('exit', (code, signal) => {
            const asked = stopping
            if (!stopping) stop('SIGTERM')
            resolve(asked && signal === 'SIGTERM' ? 0 : (code ?? 1))
          })
        }),
    ),
  )
  return Math.max(...codes)
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

/** Prints one line when both are ready. */
async function announce(analyzer: ChildProcess, agent: ChildProcess): Promise<void> {
  const [url] = await Promise.all([readyUrl(analyzer), readyUrl(agent)])
  process.stdout.write(`Skydive is running: ${url}\n`)
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('message', (message: { ready?: string }) => {
      if (message.ready !== undefined) resolve(message.ready)
    })
  })
}
