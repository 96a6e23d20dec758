import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork } from '@skydive/testkit'
import { type Figure, median } from '../../../bench/figures.ts'
import { startAllInOne } from '../../../e2e/all-in-one.ts'
import type { Sent } from '../test/packet-sender.ts'
import { countThroughStalls } from './main-thread-stall.ts'
import { type AgentCapture, type Outcome, startCapture, startTcpdump } from './receivers.ts'

// Small frames over a veth pair in a network of its own, captured by the agent of the built allinone as any user's capture is: capture
// thread, packet ring, flow table, all with their defaults. First the rate up to which tcpdump loses nothing, and what the agent loses at
// it; then what a packet costs the agent's process at an everyday rate.

const RUN_BUNDLED = join(import.meta.dirname, '..', '..', '..', 'bench', 'run-bundled.mjs')
const SENDER = join(import.meta.dirname, '..', 'test', 'packet-sender.ts')
const PORT = 8082
const FLOWS = 10_000
const ROUNDS = 5
const BURST_SECONDS = 4
/** How far the next try is below the last one when tcpdump lost something. */
const STEP_DOWN = 0.85
const EVERYDAY_RATE = 100_000
const GREAT_RATE = 500_000
/** Long enough for one update of all flows, which is due every 60 s, and for two readings of the counters of interfaces. */
const WINDOW_SECONDS = 60
const STALLED_SECONDS = 4
const TCPDUMP = 'tcpdump -w /dev/null -B 65536'
/** What the original took for a packet at this rate, as its last version was measured; it is not run again. */
const ORIGINAL_MICROSECONDS = 3
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

export const bench = {
  name: 'flows-live',
  async run(): Promise<Figure[]> {
    const kernel = openKernel()
    const network = enterPrivateNetwork(kernel.systemCall)
    try {
      network.run('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'])
      network.ip('link add out type veth peer name in', 'link set out up', 'link set in up')
      const [link] = network.query(['link', 'show', 'out']) as readonly [{ readonly ifindex: number }]
      const send: Send = (rate, seconds) => sendFrames(link.ifindex, rate, seconds)
      const figures: Figure[] = []
      const peer = await rateWithoutLoss(send)
      const server = await startAllInOne({ port: PORT })
      try {
        const capture = await startCapture(server, 'in')
        figures.push(...(await lossFigures(send, capture, peer)), ...(await costFigures(send, capture)))
      } finally {
        await server.dispose()
      }
      const [receiving] = network.query(['link', 'show', 'in']) as readonly [{ readonly ifindex: number }]
      const stalled = await countThroughStalls('in', receiving.ifindex, () => send(GREAT_RATE, STALLED_SECONDS))
      return [
        ...figures,
        { name: '500k packets/s, main thread stalls for 300 ms: received', value: stalled.received, unit: 'packets' },
        { name: 'the same: lost', value: stalled.dropped, unit: 'packets' },
      ]
    } finally {
      network.leave()
      kernel.dispose()
    }
  },
}

/** Sends for some seconds; a rate of 0 is as fast as it goes. */
type Send = (packetsPerSecond: number, seconds: number) => Promise<Sent>

async function sendFrames(ifindex: number, packetsPerSecond: number, seconds: number): Promise<Sent> {
  const numbers = [ifindex, packetsPerSecond, seconds, FLOWS].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, RUN_BUNDLED, SENDER, ...numbers])
  return JSON.parse(stdout) as Sent
}

/** Some bursts, and what a receiver did with them. */
interface Bursts {
  /** The rate that was asked for; 0 is as fast as it went. */
  readonly limit: number
  /** The rate that came about, median of the bursts. */
  readonly packetsPerSecond: number
  readonly sent: number
  readonly received: number
  readonly dropped: number
}

async function bursts(limit: number, burst: () => Promise<{ readonly sent: Sent; readonly outcome: Outcome }>): Promise<Bursts> {
  const all: Awaited<ReturnType<typeof burst>>[] = []
  for (let round = 0; round < ROUNDS; round++) all.push(await burst())
  return {
    limit,
    packetsPerSecond: median(all.map(({ sent }) => (sent.packets / sent.tookMs) * 1000)),
    sent: total(all.map(({ sent }) => sent.packets)),
    received: total(all.map(({ outcome }) => outcome.received)),
    dropped: total(all.map(({ outcome }) => outcome.dropped)),
  }
}

/** Steps down from the fastest until tcpdump has lost nothing in any burst. */
async function rateWithoutLoss(send: Send): Promise<Bursts> {
  for (let limit = 0; ; ) {
    const tried = await bursts(limit, async () => {
      const tcpdump = await startTcpdump('in')
      const sent = await send(limit, BURST_SECONDS)
      return { sent, outcome: await tcpdump.stop() }
    })
    if (tried.dropped === 0) return tried
    limit = Math.floor((limit === 0 ? tried.packetsPerSecond : limit) * STEP_DOWN)
  }
}

async function lossFigures(send: Send, capture: AgentCapture, peer: Bursts): Promise<Figure[]> {
  const own = await bursts(peer.limit, async () => {
    const sent = await send(peer.limit, BURST_SECONDS)
    return { sent, outcome: await capture.account(sent.packets) }
  })
  const figure = (name: string, unit: string, read: (all: Bursts) => number): Figure => {
    const [value, peerValue] = [read(own), read(peer)]
    return { name, value, unit, peer: TCPDUMP, peerValue, ...(peerValue > 0 && { ratio: value / peerValue }) }
  }
  const limit = peer.limit === 0 ? 'as fast as it goes' : 'the fastest without loss for tcpdump'
  return [
    figure(`64-byte frames, ${limit}: sent`, 'packets/s', ({ packetsPerSecond }) => packetsPerSecond),
    figure('the same: received of what was sent', '%', ({ received, sent }) => (received / sent) * 100),
    figure('the same: lost', 'packets', ({ dropped }) => dropped),
  ]
}

/** The agent's whole process with a capture that runs: nothing on the wire first, then two steady rates, each for the same time. */
async function costFigures(send: Send, capture: AgentCapture): Promise<Figure[]> {
  const cpuOver = async (body: () => Promise<void>): Promise<number> => {
    const before = capture.cpuSeconds()
    await body()
    return capture.cpuSeconds() - before
  }
  const idleSeconds = await cpuOver(async () => void (await sleep(WINDOW_SECONDS * 1000)))
  const costAt = async (rate: number) => {
    let outcome: Outcome = { received: 0, dropped: 0 }
    const busySeconds = await cpuOver(async () => {
      outcome = await capture.account((await send(rate, WINDOW_SECONDS)).packets)
    })
    const packets = outcome.received + outcome.dropped
    return { busySeconds, dropped: outcome.dropped, microseconds: ((busySeconds - idleSeconds) / packets) * 1e6 }
  }
  const everyday = await costAt(EVERYDAY_RATE)
  const great = await costAt(GREAT_RATE)
  return [
    {
      name: `${EVERYDAY_RATE / 1000}k packets/s, ${WINDOW_SECONDS} s: CPU of the agent a packet`,
      value: everyday.microseconds,
      unit: 'µs',
      peer: 'original (recorded)',
      peerValue: ORIGINAL_MICROSECONDS,
      ratio: ORIGINAL_MICROSECONDS / everyday.microseconds,
    },
    { name: 'the same: CPU of the agent, all of it', value: everyday.busySeconds, unit: 's' },
    { name: 'the same without a packet', value: idleSeconds, unit: 's' },
    { name: 'the same: lost', value: everyday.dropped, unit: 'packets' },
    { name: `${GREAT_RATE / 1000}k packets/s: CPU of the agent a packet`, value: great.microseconds * 1000, unit: 'ns' },
    { name: 'the same: lost', value: great.dropped, unit: 'packets' },
  ]
}
