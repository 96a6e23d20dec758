import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writePcap } from './generate-pcap.ts'

const PACKETS = 12_000_000
const FLOWS = [10_000, 100_000]
const ROUNDS = 3
const ROOT = join(import.meta.dirname, '..', '..', '..')

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly peer?: string
  readonly peerValue?: number
  readonly ratio?: number
}

/** User and system seconds of a command, the shell's own accounting of the whole process. */
function cpuSeconds(command: string): number {
  const script = `TIMEFORMAT='%U %S'; { time { ${command} ; } 2>/dev/null ; } 2>&1`
  const [user, system] = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(/\s+/).slice(-2).map(Number)
  return user! + system!
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program])
    return true
  } catch {
    return false
  }
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

/** CPU of whole processes that turn a pcap file of small frames into binary flows, all files in memory, rounds interleaved. */
export const bench = {
  name: 'pcap-to-flows',
  async run(): Promise<Figure[]> {
    const folder = mkdtempSync('/dev/shm/pcap-to-flows-')
    const figures: Figure[] = []
    try {
      for (const flows of FLOWS) figures.push(...compare(folder, flows))
    } finally {
      rmSync(folder, { recursive: true })
    }
    return figures
  },
}

function compare(folder: string, flows: number): Figure[] {
  const file = join(folder, 'packets.pcap')
  const out = join(folder, 'out')
  writePcap(file, flows, PACKETS)
  const skydive = join(ROOT, 'apps', 'skydive', 'bin', 'skydive.js')
  const commands = new Map([
    ['skydive flows', `${process.execPath} ${skydive} flows --binary ${file} > ${out}/skydive`],
    ...(isInstalled('nfpcapd') ? [['nfpcapd -r', `nfpcapd -r ${file} -w ${out}`] as const] : []),
    ...(isInstalled('argus') ? [['argus -r', `argus -r ${file} -w ${out}/argus`] as const] : []),
  ])
  const seconds = new Map([...commands.keys()].map((name) => [name, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, command] of commands) {
      mkdirSync(out)
      seconds.get(name)!.push(cpuSeconds(command))
      rmSync(out, { recursive: true })
    }
  }
  rmSync(file)
  const own = median(seconds.get('skydive flows')!)
  const name = `12 M packets, ${flows / 1000}k flows`
  const peers = [...seconds.keys()].filter((peer) => peer !== 'skydive flows')
  if (peers.length === 0) return [{ name, value: own, unit: 'CPU s' }]
  return peers.map((peer) => {
    const peerValue = median(seconds.get(peer)!)
    return { name, value: own, unit: 'CPU s', peer, peerValue, ratio: peerValue / own }
  })
}
