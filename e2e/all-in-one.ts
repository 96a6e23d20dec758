import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SKYDIVE = join(import.meta.dirname, '..', 'apps', 'skydive', 'bin', 'skydive.js')
const READY = /Skydive is running: (\S+)/

/** What a command printed and how it ended. */
export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the built command line to its end. `input` is given on its standard input. */
export function skydive(
  args: readonly string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string | Uint8Array } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SKYDIVE, ...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** A running allinone with a folder of its own. */
export interface AllInOne {
  readonly url: string
  readonly dataDir: string
  /** The environment for the client commands. */
  readonly env: Readonly<Record<string, string>>
  /** Everything that it printed so far. */
  log(): string
  /** What a Gremlin query answers. @throws with the server's words. */
  query(gremlin: string): Promise<unknown>
  /** Asks again and again, without pause, until the answer satisfies; fails with the last answer after `timeoutMs`. */
  until(gremlin: string, satisfies: (answer: never) => boolean, timeoutMs?: number): Promise<unknown>
  /** Ends it as ^C does; answers the exit code. */
  stop(): Promise<number | null>
  /** Kills it, both children at once, as a power cut would. */
  kill(): Promise<void>
  /** Starts it again on the same folder and port. */
  restart(): Promise<void>
  /** Stops it and removes the folder. */
  dispose(): Promise<void>
}

/** Starts allinone in the network of the calling thread, on a free port unless told which. Resolves when both daemons are ready. */
export async function startAllInOne({
  hostId = 'e2e',
  env = {},
  port = 0,
  parentDir = tmpdir(),
  fetch = globalThis.fetch,
}: {
  hostId?: string
  env?: Record<string, string>
  port?: number
  /** Where its folder is made. */
  parentDir?: string
  /** Asks the queries. */
  fetch?: typeof globalThis.fetch
} = {}): Promise<AllInOne> {
  const dataDir = mkdtempSync(join(parentDir, 'skydive-e2e-'))
  const args = ['allinone', '--data-dir', dataDir, '--host-id', hostId]
  let listen = `127.0.0.1:${port}`
  let output = ''
  let child: ChildProcess
  let url = ''

  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      child = spawn(process.execPath, [SKYDIVE, ...args, '--listen', listen], {
        env: { ...process.env, SKYDIVE_AGENT_LISTEN: '127.0.0.1:0', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      })
      for (const stream of [child.stdout!, child.stderr!]) {
        stream.on('data', (chunk) => {
          output += chunk
          const match = READY.exec(output)
          if (!match) return
          url = match[1]!
          listen = new URL(url).host
          resolve()
        })
      }
      child.on('exit', (code) => reject(new Error(`allinone ended with ${code} before it was ready:\n${output}`)))
    })
  const ended = (): Promise<number | null> =>
    new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('close', resolve) : resolve(child.exitCode),
    )

  const query = async (gremlin: string): Promise<unknown> => {
    const response = await fetch(`${url}/api/topology`, { method: 'POST', body: JSON.stringify({ GremlinQuery: gremlin }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status}: ${text}${response.status < 500 ? '' : `\n${output}`}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  await start()
  return {
    get url() {
      return url
    },
    dataDir,
    get env() {
      return { SKYDIVE_ANALYZER: listen }
    },
    log: () => output,
    query,
    async until(gremlin, satisfies, timeoutMs = 15_000) {
      const deadline = performance.now() + timeoutMs
      for (;;) {
        const answer = await query(gremlin)
        if (satisfies(answer as never)) return answer
        if (performance.now() > deadline)
          throw new Error(`${gremlin} still answers ${JSON.stringify(answer)?.slice(0, 2_000)} after ${timeoutMs} ms\n${output}`)
      }
    },
    async stop() {
      child.kill('SIGTERM')
      return ended()
    },
    async kill() {
      process.kill(-child.pid!, 'SIGKILL')
      await ended()
    },
    async restart() {
      output = ''
      await start()
    },
    async dispose() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await ended()
      }
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
