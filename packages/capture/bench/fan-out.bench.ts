import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork } from '@skydive/testkit'
import { type Figure, median } from '../../../bench/figures.ts'
import type { Sent } from '../test/packet-sender.ts'
import type { Counted } from './backlog-reader.ts'

// One thread that reads an interface beside two (`agent.capture.fanout_workers`), in turns, on a veth pair in a network of its own. First with a sender that
// sends as fast as it can all the while: what is lost, and what a packet costs. Then packets that wait: the reader is halted while they come and has
// all cores for itself afterwards, so that its speed shows without that of the sender.

const RUN_BUNDLED = join(import.meta.dirname, '..', '..', '..', 'bench', 'run-bundled.mjs')
const SENDER = join(import.meta.dirname, '..', 'test', 'packet-sender.ts')
const READER = join(import.meta.dirname, 'backlog-reader.ts')
const FLOWS = 10_000
const ROUNDS = 5
const LIVE_SECONDS = 3
const WAITING_SECONDS = 4
/** Room for what comes in {@link WAITING_SECONDS}: also a block that is not full is handed over after 10 ms, and each ring has 512 of 1 MiB. */
const RING_BYTES = 1 << 30
const THREADS = [1, 2] as const

export const bench = {
  name: 'fan-out',
  async run(): Promise<Figure[]> {
    const kernel = openKernel()
    const network = enterPrivateNetwork(kernel.systemCall)
    try {
      network.run('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'])
      network.ip('link add out type veth peer name in', 'link set out up', 'link set in up')
      const indexOf = (name: string) => (network.query(['link', 'show', name]) as [{ readonly ifindex: number }])[0].ifindex
      const [out, into] = [indexOf('out'), indexOf('in')]
      const outcomes: Outcomes = { 1: [], 2: [] }
      for (let round = 0; round < ROUNDS; round++) {
        for (const threads of THREADS) outcomes[threads].push(await runRound(out, into, threads))
      }
      return figuresOf(outcomes)
    } finally {
      network.leave()
      kernel.dispose()
    }
  },
}

/** What was sent, and what became of it. */
interface Phase extends Counted {
  readonly sent: Sent
  /** From the moment when the reader might read all of it until it had. */
  readonly tookMs: number
}

interface Round {
  readonly live: Phase
  readonly waiting: Phase
}

/** By number of threads. */
type Outcomes = Record<(typeof THREADS)[number], Round[]>

async function runRound(out: number, into: number, threads: number): Promise<Round> {
  const reader = await startReader(into, threads)
  const phase = async (sent: Sent): Promise<Phase> => ({ sent, ...(await reader.count(sent.packets)) })
  // It compiles what the second phase runs.
  const live = await phase(await sendFrames(out, LIVE_SECONDS))
  reader.process.kill('SIGSTOP')
  const sent = await sendFrames(out, WAITING_SECONDS)
  reader.process.kill('SIGCONT')
  const waiting = await phase(sent)
  await reader.stop()
  return { live, waiting }
}

async function sendFrames(ifindex: number, seconds: number): Promise<Sent> {
  const numbers = [ifindex, 0, seconds, FLOWS].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, RUN_BUNDLED, SENDER, ...numbers])
  return JSON.parse(stdout) as Sent
}

interface Reader {
  readonly process: ChildProcessWithoutNullStreams
  /** Waits until so many more are counted. */
  count(packets: number): Promise<Counted & { readonly tookMs: number }>
  stop(): Promise<void>
}

async function startReader(ifindex: number, threads: number): Promise<Reader> {
  const numbers = [ifindex, threads, RING_BYTES].map(String)
  const child = spawn(process.execPath, [...process.execArgv, RUN_BUNDLED, READER, 'in', ...numbers])
  child.stderr.pipe(process.stderr)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return {
    process: child,
    async count(packets) {
      const beganMs = performance.now()
      child.stdin.write(`${packets}\n`)
      const { value } = await lines.next()
      return { ...(JSON.parse(String(value)) as Counted), tookMs: performance.now() - beganMs }
    },
    async stop() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

function figuresOf(outcomes: Outcomes): Figure[] {
  const live = ({ live: phase }: Round) => phase
  const waiting = ({ waiting: phase }: Round) => phase
  const lost = (read: (round: Round) => Phase) => (all: readonly Round[]) =>
    all.map(read).reduce((sum, { dropped }) => sum + dropped, 0)
  const cpu = (read: (round: Round) => Phase) => (all: readonly Round[]) =>
    median(all.map(read).map(({ cpuMicroseconds, packets }) => (cpuMicroseconds / packets) * 1000))
  return [
    beside('as fast as one sender can: sent', 'packets/s', outcomes, (all) =>
      median(all.map(live).map(({ sent }) => (sent.packets / sent.tookMs) * 1000)),
    ),
    beside('the same: lost', 'packets', outcomes, lost(live)),
    beside('the same: CPU of the process a packet', 'ns', outcomes, cpu(live), true),
    beside('packets that wait: read', 'packets/s', outcomes, (all) =>
      median(all.map(waiting).map(({ packets, tookMs }) => (packets / tookMs) * 1000)),
    ),
    beside('the same: lost for want of room', 'packets', outcomes, lost(waiting)),
    beside('the same: CPU of the process a packet', 'ns', outcomes, cpu(waiting), true),
  ]
}

/** Two threads with one as the peer. */
function beside(
  name: string,
  unit: string,
  outcomes: Outcomes,
  read: (all: readonly Round[]) => number,
  lessIsBetter = false,
): Figure {
  const [value, peerValue] = [read(outcomes[2]), read(outcomes[1])]
  const ratio = lessIsBetter ? peerValue / value : value / peerValue
  return { name: `two threads, ${name}`, value, unit, peer: 'one thread', peerValue, ...(peerValue > 0 && { ratio }) }
}
