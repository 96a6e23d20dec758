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
/** What a capture takes to end, whatever waits, shows when little waits. */
const LITTLE_SECONDS = 0.3
const LIVE_RING_BYTES = 64 << 20
/** Room for what a sender sends in {@link WAITING_SECONDS}: also a block that is not full is handed over after 10 ms, and each ring has 512 of 1 MiB. */
const WAITING_RING_BYTES = 1 << 30
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
      const live = await inTurns(async (threads) => {
        const reader = await startReader(into, threads, LIVE_RING_BYTES)
        const sent = await sendFrames(out, LIVE_SECONDS)
        return { sent, ...(await reader.stop()) }
      })
      const waitFor = async (threads: number, seconds: number) => {
        const reader = await startReader(into, threads, WAITING_RING_BYTES)
        reader.process.kill('SIGSTOP')
        const sent = await sendFrames(out, seconds)
        reader.process.kill('SIGCONT')
        return { sent, ...(await reader.stop()) }
      }
      const waiting = await inTurns(async (threads) => {
        const little = await waitFor(threads, LITTLE_SECONDS)
        return difference(await waitFor(threads, WAITING_SECONDS), little)
      })
      return [...liveFigures(live), ...waitingFigures(waiting)]
    } finally {
      network.leave()
      kernel.dispose()
    }
  },
}

interface Outcome extends Counted {
  readonly sent: Sent
}

/** What the greater number of packets took more than the smaller one. */
function difference(much: Outcome, little: Outcome): Outcome {
  return {
    sent: { packets: much.sent.packets - little.sent.packets, tookMs: much.sent.tookMs - little.sent.tookMs },
    packets: much.packets - little.packets,
    dropped: much.dropped + little.dropped,
    cpuMicroseconds: much.cpuMicroseconds - little.cpuMicroseconds,
    tookMs: much.tookMs - little.tookMs,
  }
}

/** By number of threads: the outcomes of all rounds. */
type Outcomes = Readonly<Record<(typeof THREADS)[number], readonly Outcome[]>>

async function inTurns(round: (threads: number) => Promise<Outcome>): Promise<Outcomes> {
  const outcomes: Record<(typeof THREADS)[number], Outcome[]> = { 1: [], 2: [] }
  for (let i = 0; i < ROUNDS; i++) for (const threads of THREADS) outcomes[threads].push(await round(threads))
  return outcomes
}

async function sendFrames(ifindex: number, seconds: number): Promise<Sent> {
  const numbers = [ifindex, 0, seconds, FLOWS].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, RUN_BUNDLED, SENDER, ...numbers])
  return JSON.parse(stdout) as Sent
}

interface Reader {
  readonly process: ChildProcessWithoutNullStreams
  /** Ends the capture, and the reader, when all is read. */
  stop(): Promise<Counted>
}

async function startReader(ifindex: number, threads: number, ringBytes: number): Promise<Reader> {
  const numbers = [ifindex, threads, ringBytes].map(String)
  const child = spawn(process.execPath, [...process.execArgv, RUN_BUNDLED, READER, 'in', ...numbers])
  child.stderr.pipe(process.stderr)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return {
    process: child,
    async stop() {
      const ended = once(child, 'exit')
      child.stdin.write('stop\n')
      const { value } = await lines.next()
      await ended
      return JSON.parse(String(value)) as Counted
    },
  }
}

function liveFigures(outcomes: Outcomes): Figure[] {
  return [
    beside('as fast as one sender can: sent', 'packets/s', outcomes, (all) =>
      median(all.map(({ sent }) => (sent.packets / sent.tookMs) * 1000)),
    ),
    beside('the same: lost', 'packets', outcomes, (all) => all.reduce((sum, { dropped }) => sum + dropped, 0)),
    beside('the same: CPU of the process a packet', 'ns', outcomes, cpuOfPacket, true),
  ]
}

function waitingFigures(outcomes: Outcomes): Figure[] {
  const rate = (all: readonly Outcome[]) => median(all.map(({ packets, tookMs }) => (packets / tookMs) * 1000))
  return [
    beside('packets that wait: read', 'packets/s', outcomes, rate),
    beside('the same: lost for want of room', 'packets', outcomes, (all) => all.reduce((sum, { dropped }) => sum + dropped, 0)),
    beside('the same: CPU of the process a packet', 'ns', outcomes, cpuOfPacket, true),
  ]
}

const cpuOfPacket = (all: readonly Outcome[]) =>
  median(all.map(({ cpuMicroseconds, packets }) => (cpuMicroseconds / packets) * 1000))

/** Two threads with one as the peer. */
function beside(
  name: string,
  unit: string,
  outcomes: Outcomes,
  read: (all: readonly Outcome[]) => number,
  lessIsBetter = false,
): Figure {
  const [value, peerValue] = [read(outcomes[2]), read(outcomes[1])]
  const ratio = lessIsBetter ? peerValue / value : value / peerValue
  return { name: `two threads, ${name}`, value, unit, peer: 'one thread', peerValue, ...(peerValue > 0 && { ratio }) }
}
