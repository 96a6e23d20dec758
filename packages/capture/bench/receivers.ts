import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { AllInOne } from '../../../e2e/all-in-one.ts'

const CLOCK_TICKS_PER_SECOND = 100

/** What a receiver did with what was sent. */
export interface Outcome {
  readonly received: number
  /** Packets for which there was no room. */
  readonly dropped: number
}

/** Runs tcpdump into nothing with a buffer of 64 MiB, the size of our ring; resolves when it listens. */
export async function startTcpdump(interfaceName: string): Promise<{ stop(): Promise<Outcome> }> {
  const args = ['-n', '-i', interfaceName, '-w', '/dev/null', '-B', '65536']
  const child = spawn('tcpdump', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8')
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`tcpdump: ${said}`)))
    child.stderr.on('data', (text: string) => {
      said += text
      if (said.includes('listening on')) resolve()
    })
  })
  return {
    async stop() {
      const ended = once(child, 'close')
      child.kill('SIGINT')
      await ended
      const count = (what: string) => Number(new RegExp(`(\\d+) packets? ${what}`).exec(said)![1])
      return { received: count('captured'), dropped: count('dropped by kernel') }
    },
  }
}

/** A running capture of the agent. */
export interface AgentCapture {
  /** Waits until the capture has accounted for `packets` more than at the last call; answers what became of them. */
  account(packets: number): Promise<Outcome>
  /** CPU of the agent's process until now, user and system. */
  cpuSeconds(): number
}

interface CaptureState {
  readonly State?: string
  readonly PacketsReceived?: number
  readonly PacketsDropped?: number
}

/** Asks for a capture as a user does, and waits until it runs. */
export async function startCapture(server: AllInOne, interfaceName: string): Promise<AgentCapture> {
  const node = `G.V().Has('Name', '${interfaceName}')`
  await server.until(`${node}.Count()`, (count) => count === 1)
  const response = await fetch(`${server.url}/api/capture`, {
    method: 'POST',
    body: JSON.stringify({ GremlinQuery: node, Type: 'afpacket' }),
  })
  if (!response.ok) throw new Error(`capture: ${response.status} ${await response.text()}`)
  const stateOf = (answer: unknown) => ((answer ?? []) as readonly (readonly CaptureState[])[]).flat()[0]
  const until = async (holds: (state: CaptureState) => boolean) =>
    stateOf(
      await server.until(`${node}.Values('Captures')`, (answer) => {
        const state = stateOf(answer)
        return state !== undefined && holds(state)
      }),
    )!
  await until(({ State }) => State === 'active')
  const pid = agentPid(server.dataDir)
  let before: Outcome = { received: 0, dropped: 0 }
  return {
    async account(packets) {
      const whole = before.received + before.dropped + packets
      const state = await until(({ PacketsReceived = 0, PacketsDropped = 0 }) => PacketsReceived + PacketsDropped >= whole)
      const now = { received: state.PacketsReceived ?? 0, dropped: state.PacketsDropped ?? 0 }
      const outcome = { received: now.received - before.received, dropped: now.dropped - before.dropped }
      before = now
      return outcome
    },
    cpuSeconds() {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
    },
  }
}

/** The child of allinone that is the agent. */
function agentPid(dataDir: string): number {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')
      if (words.includes('agent') && words.includes(dataDir)) return Number(entry)
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`there is no agent on ${dataDir}`)
}
