import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether the tools of nfdump are installed. */
export const hasNfdump: boolean = ['nfcapd', 'nfdump'].every((tool) => existsSync(join('/usr/bin', tool)))

/** A record, as a collector knows it: times in ms since the epoch. */
export interface CollectedRow {
  readonly key: string
  readonly firstMs: number
  readonly lastMs: number
  readonly packets: number
  readonly bytes: number
  readonly tcpFlags: number
  /** Of IPFIX alone. */
  readonly link?: string
}

const NO_MAC = '00:00:00:00:00:00'

/** In an order of their own, so that lists can be compared. */
export const sortedRows = (list: readonly CollectedRow[]): readonly CollectedRow[] =>
  list
    .map((row) => ({ row, text: JSON.stringify(row) }))
    .sort((one, other) => (one.text < other.text ? -1 : 1))
    .map(({ row }) => row)

/** nfcapd on the loopback of the network that this thread is in, and what it collected. */
export class Nfcapd {
  readonly #port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'collector-'))
  #child: ChildProcess | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Resolves when it listens. It adds to what it collected before. */
  async start(): Promise<void> {
    const child = spawn('nfcapd', ['-w', this.#folder, '-p', String(this.#port), '-b', '127.0.0.1', '-t', '3600'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let said = ''
    await new Promise<void>((resolve, reject) => {
      const hear = (piece: Buffer) => {
        said += piece
        if (said.includes('Startup')) resolve()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => reject(new Error(`nfcapd ended: ${said}`)))
    })
  }

  /** Resolves when it has taken what came, so that nothing is lost however slow it is. */
  async allTaken(): Promise<void> {
    while (this.#bytesWaiting() > 0) await new Promise(setImmediate)
  }

  /** Lets it take what came, write all and end. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    await this.allTaken()
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }

  /** Forgets what was collected. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  sequenceFailures(): number {
    return Number(/^Sequence failures: (\d+)$/m.exec(this.#nfdump('-I'))![1])
  }

  /** What it collected, as nfdump tells it; with the link of IPFIX. */
  rows(hasLink: boolean): readonly CollectedRow[] {
    const read = JSON.parse(`[${this.#nfdump('-q', '-o', 'json')}]`) as readonly Readonly<Record<string, string & number>>[]
    return sortedRows(
      read.map((one) => {
        const ends = [one['src4_addr'] ?? one['src6_addr'], one['dst4_addr'] ?? one['dst6_addr']].join(' > ')
        const isIcmp = one['icmp_type'] !== undefined
        const ports = isIcmp
          ? `type ${one['icmp_type']} ${one['icmp_code']}`
          : `${one['src_port'] ?? 0} > ${one['dst_port'] ?? 0}`
        return {
          key: `${one['proto']}: ${ends}, ${ports}`,
          firstMs: Date.parse(`${one['first']}Z`),
          lastMs: Date.parse(`${one['last']}Z`),
          packets: one['in_packets']!,
          bytes: one['in_bytes']!,
          tcpFlags: flagsOf(one['tcp_flags'] ?? ''),
          ...(hasLink && {
            link: `${one['in_src_mac'] ?? NO_MAC} > ${one['in_dst_mac'] ?? NO_MAC} VLAN ${one['src_vlan'] ?? 0}`,
          }),
        }
      }),
    )
  }

  #nfdump(...args: readonly string[]): string {
    const env = { ...process.env, TZ: 'UTC' }
    return execFileSync('nfdump', ['-R', this.#folder, ...args], { encoding: 'utf8', maxBuffer: 1 << 28, env })
  }

  /** A line of `/proc/net/udp` has port and queues in hex. */
  #bytesWaiting(): number {
    const port = this.#port.toString(16).toUpperCase().padStart(4, '0')
    const line = readFileSync('/proc/thread-self/net/udp', 'utf8')
      .split('\n')
      .find((one) => one.includes(`:${port} `))
    return Number.parseInt(/ [0-9A-F]{8}:([0-9A-F]{8}) /.exec(line ?? '')?.[1] ?? '0', 16)
  }
}

/** `......S.`: the first flag of the header is the last letter. */
function flagsOf(letters: string): number {
  return [...letters].reverse().reduce((flags, letter, bit) => flags | (letter === '.' ? 0 : 1 << bit), 0)
}
