import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Figure, median } from '../../../bench/figures.ts'
import { writePcap } from './generate-pcap.ts'
import { writeMixedPcap } from './mixed-traffic.ts'
import { cpuSeconds, isInstalled } from './processes.ts'
import { writeRepeatedPcap } from './repeated-traces.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const SKYDIVE = join(ROOT, 'apps', 'skydive', 'bin', 'skydive.js')
const PACKETS = 12_000_000
/** Traces that are not part of the project: measured where they are there. */
const TRACES = join(ROOT, '..', 'shared', 'traces')
const FEW_PACKETS = 1_000_000
/** Nobody listens there: what a datagram costs its sender stays. */
const NOWHERE = '127.0.0.1:39999'

interface Peer {
  readonly program: string
  readonly command: (file: string, out: string, flows: number) => string
}

const NFPCAPD: Peer = { program: 'nfpcapd', command: (file, out) => `nfpcapd -r ${file} -w ${out}` }
const ARGUS: Peer = { program: 'argus', command: (file, out) => `argus -r ${file} -w ${out}/argus` }
/** It holds 8,192 flows unless it is told otherwise, and writes no file. */
const SOFTFLOWD: Peer = {
  program: 'softflowd',
  command: (file, out, flows) => `softflowd -r ${file} -v 9 -n ${NOWHERE} -m ${flows * 2} -c none -p ${out}/pid`,
}
const TSHARK: Peer = {
  program: 'tshark',
  command: (file) => `tshark -n -q -r ${file} -z conv,udp`,
}

interface Case {
  readonly name: string
  readonly flows: number
  readonly rounds: number
  readonly peers: readonly Peer[]
  readonly write: (file: string) => void
}

const smallFrames = (packets: number, flows: number, rounds: number, peers: readonly Peer[]): Case => ({
  name: `${packets / 1_000_000} M packets, ${flows.toLocaleString('en')} flows`,
  flows,
  rounds,
  peers,
  write: (file) => writePcap(file, flows, packets),
})

const CASES: readonly Case[] = [
  smallFrames(PACKETS, 10_000, 7, [NFPCAPD, ARGUS, SOFTFLOWD]),
  smallFrames(PACKETS, 100_000, 5, [NFPCAPD, ARGUS]),
  smallFrames(PACKETS, 1_000_000, 3, [NFPCAPD, ARGUS]),
  smallFrames(FEW_PACKETS, 10_000, 7, [TSHARK]),
  {
    name: '12 M packets of IPv4, IPv6, VLAN, VXLAN, TCP with options',
    flows: 4096,
    rounds: 7,
    peers: [NFPCAPD],
    write: (file) => writeMixedPcap(file, PACKETS),
  },
  ...(existsSync(TRACES)
    ? [
        {
          name: '4 M packets of real traces, repeated',
          flows: 4096,
          rounds: 7,
          peers: [NFPCAPD],
          write: (file: string) => writeRepeatedPcap(file, TRACES, 4_000_000),
        },
      ]
    : []),
]

/**
 * CPU of whole processes that turn a pcap file into binary flows, all files in memory. Ours runs next to each peer, before or after it by turns: a ratio
 * is the median of those of neighbours, so that a slow minute of the machine does not decide. `row`: only cases whose name has it.
 */
export const bench = {
  name: 'pcap-to-flows',
  *run(row = ''): Generator<Figure> {
    const folder = mkdtempSync('/dev/shm/pcap-to-flows-')
    try {
      for (const each of CASES) if (each.name.includes(row)) yield* compare(folder, each)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

function compare(folder: string, { name, flows, rounds, peers, write }: Case): Figure[] {
  const file = join(folder, 'packets.pcap')
  const out = join(folder, 'out')
  write(file)
  const seconds = (command: string): number => {
    mkdirSync(out)
    const taken = cpuSeconds(command)
    rmSync(out, { recursive: true })
    return taken
  }
  const own = () => seconds(`${process.execPath} ${SKYDIVE} flows --binary ${file} > ${out}/skydive`)
  // Compiles, and leaves the compiled code for all others.
  own()
  const pairs = peers
    .filter(({ program }) => isInstalled(program))
    .map(({ program, command }) => ({ program, command: command(file, out, flows), own: [] as number[], peer: [] as number[] }))
  const alone: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (const pair of pairs) {
      const isFirst = round % 2 === 0
      if (isFirst) pair.own.push(own())
      pair.peer.push(seconds(pair.command))
      if (!isFirst) pair.own.push(own())
    }
    if (pairs.length === 0) alone.push(own())
  }
  rmSync(file)
  if (pairs.length === 0) return [{ name, value: median(alone), unit: 'CPU s' }]
  return pairs.map((pair) => ({
    name,
    value: median(pair.own),
    unit: 'CPU s',
    peer: pair.program,
    peerValue: median(pair.peer),
    ratio: median(pair.peer.map((peer, round) => peer / pair.own[round]!)),
  }))
}
