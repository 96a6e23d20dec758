import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Figure, median } from '../../../bench/figures.ts'
import { createFlowTable } from '../src/index.ts'
import { writePcap } from './generate-pcap.ts'
import { isInstalled } from './processes.ts'

const SOURCE = join(import.meta.dirname, 'packet-loop.c')
const PACKETS = 4_000_000
const ROUNDS = 7
const FLOWS = [10_000, 100_000]
const PCAP_HEADER_BYTES = 24
const FORMAT = { layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: 1 } as const

/** The table's loop over packets in memory beside the same loop in C, each alone in its thread, in turn; CPU time. */
export const bench = {
  name: 'flows-beside-c',
  run(): Figure[] {
    if (!isInstalled('gcc')) throw new Error('gcc is missing: it compiles the loop in C; apt-get install gcc libc6-dev')
    const folder = mkdtempSync('/dev/shm/flows-beside-c-')
    try {
      const program = join(folder, 'packet-loop')
      execFileSync('gcc', ['-O2', SOURCE, '-o', program])
      return FLOWS.map((flows) => compare(folder, program, flows))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

function compare(folder: string, program: string, flows: number): Figure {
  const file = join(folder, 'packets.pcap')
  writePcap(file, flows, PACKETS)
  const bytes = readFileSync(file)
  const own: number[] = []
  const inC: number[] = []
  // The first round of each warms up: the compiler of the one, the pages of the file of both.
  for (let round = 0; round <= ROUNDS; round++) {
    own.push(nanosecondsOfTable(bytes))
    inC.push(nanosecondsOfC(program, file))
  }
  const [value, peerValue] = [median(own.slice(1)), median(inC.slice(1))]
  const name = `a packet of 64 bytes, ${flows.toLocaleString('en')} flows`
  return { name, value, unit: 'ns', peer: 'C, gcc -O2', peerValue, ratio: peerValue / value }
}

function nanosecondsOfTable(bytes: Uint8Array): number {
  const table = createFlowTable()
  const consume = table.consumer(FORMAT)
  const before = process.cpuUsage()
  for (let at = PCAP_HEADER_BYTES; at < bytes.length; ) at += consume(bytes, at, bytes.length - at)
  const { user, system } = process.cpuUsage(before)
  if (table.stats().packets !== PACKETS) throw new Error(`${table.stats().packets} of ${PACKETS} packets`)
  return ((user + system) * 1000) / PACKETS
}

/** Two passes in one process, of which the second counts: the first maps the file. */
function nanosecondsOfC(program: string, file: string): number {
  const [nanoseconds, , packets] = execFileSync(program, [file, '2'], { encoding: 'utf8' })
    .trim()
    .split('\n')[1]!
    .split(' ')
    .map(Number)
  if (packets! < PACKETS * 0.99) throw new Error(`C: ${packets} of ${PACKETS} packets`)
  return nanoseconds! / packets!
}
