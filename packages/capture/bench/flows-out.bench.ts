import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PacketFormat } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import { type Kernel, openDatagramSender, openKernel } from '@skydive/kernel'
import { encodePcap, IP_PROTOCOL, LINK_TYPE } from '@skydive/packet'
import { enterPrivateNetwork } from '@skydive/testkit'
import { type Figure, median } from '../../../bench/figures.ts'
import { type ExportFormat, FlowExporter, MAX_EXPORT_BYTES } from '../src/agent/target/flow-exporter.ts'
import { FrameMirror, mirroredBytes } from '../src/agent/target/frame-mirror.ts'

// Flows to a collector: one capture file of many flows, by our table and exporter and by softflowd, both to nfcapd, which says how many
// records came. Then frames to another host by ERSPAN. Everything in a network of its own.

const FLOWS = 50_000
const FRAMES = 500_000
const FRAME_BYTES = 256
const ROUNDS = 5
const PORT = 2055
const PCAP_HEADER_BYTES = 24
const FORMAT: PacketFormat = {
  layout: { format: 'pcap', littleEndian: true, nanoseconds: false },
  linkType: LINK_TYPE.ETHERNET,
}
/** How long nothing must come for all to have come, ms. */
const QUIET_MS = 1500

export const bench = {
  name: 'flows-out',
  async run(): Promise<Figure[]> {
    const outer = openKernel()
    const network = enterPrivateNetwork(outer.systemCall)
    const kernel = openKernel()
    const folder = mkdtempSync(join(tmpdir(), 'flows-out-'))
    try {
      const file = captureFile()
      const path = join(folder, 'flows.pcap')
      writeFileSync(path, file)
      const softflowd = await rounds((round) => collected(folder, `softflowd-${round}`, async () => softflowdCpuMs(path)))
      const figures: Figure[] = []
      for (const [name, format] of [
        ['NetFlow 5', 'netflowv5'],
        ['IPFIX', 'ipfix'],
      ] as const) {
        const own = await rounds((round) => collected(folder, `${format}-${round}`, () => exportFile(kernel, file, format)))
        figures.push(
          {
            name: `${name}: records of 500,000 that nfcapd did not get`,
            value: own.lost,
            unit: 'records',
            peer: 'softflowd, NetFlow 5',
            peerValue: softflowd.lost,
          },
          {
            name: `${name}: CPU of a record, from packets on`,
            value: (own.cpuMs * 1000) / (FLOWS * 2),
            unit: 'µs',
            peer: 'softflowd, NetFlow 5',
            peerValue: (softflowd.cpuMs * 1000) / (FLOWS * 2),
            ratio: softflowd.cpuMs / own.cpuMs,
          },
        )
      }
      figures.push({ name: 'ERSPAN: CPU of a frame of 256 bytes', value: mirrorCpu(kernel), unit: 'µs' })
      return figures
    } finally {
      kernel.dispose()
      network.leave()
      outer.dispose()
      rmSync(folder, { recursive: true })
    }
  },
}

/** The median of the CPU, and all that was lost. Once before for code that is compiled as it runs. */
async function rounds(
  once: (round: number) => Promise<{ records: number; cpuMs: number }>,
): Promise<{ lost: number; cpuMs: number }> {
  await once(0)
  const all: { records: number; cpuMs: number }[] = []
  for (let round = 1; round <= ROUNDS; round++) all.push(await once(round))
  return {
    lost: all.reduce((sum, { records }) => sum + FLOWS * 2 - records, 0),
    cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
  }
}

/** What nfcapd had of an exporter when nothing more came, and what the exporter said of its CPU. */
async function collected(folder: string, name: string, send: () => Promise<number>): Promise<{ records: number; cpuMs: number }> {
  const files = join(folder, name)
  mkdirSync(files)
  const nfcapd = spawn('nfcapd', ['-w', files, '-p', String(PORT), '-b', '127.0.0.1', '-t', '3600'], { stdio: 'pipe' })
  await saysStartup(nfcapd)
  const cpuMs = await send()
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  const ended = once(nfcapd, 'exit')
  nfcapd.kill('SIGTERM')
  await ended
  const stats = execFileSync('nfdump', ['-R', files, '-I'], { encoding: 'utf8' })
  return { records: Number(/^Flows: (\d+)/m.exec(stats)![1]), cpuMs }
}

async function saysStartup({ stdout, stderr }: ChildProcess): Promise<void> {
  let said = ''
  await new Promise<void>((resolve) => {
    for (const stream of [stdout!, stderr!]) {
      stream.on('data', (piece: Buffer) => {
        said += piece
        if (said.includes('Startup')) resolve()
      })
    }
  })
}

/** UDP in both directions of many flows: two datagrams there and one back. */
function captureFile(): Uint8Array {
  const timeMs = Date.now() - 60_000
  const packets = Array.from({ length: FLOWS * 3 }, (_, i) => {
    const flow = Math.floor(i / 3)
    return { timeMs: timeMs + Math.floor(i / 100), data: frameOf(flow, i % 3 === 2) }
  })
  return encodePcap(packets)
}

function frameOf(flow: number, isBack: boolean): Uint8Array {
  const bytes = new Uint8Array(60)
  const view = new DataView(bytes.buffer)
  bytes.set([2, 0, 0, 0, 0, isBack ? 1 : 2, 2, 0, 0, 0, 0, isBack ? 2 : 1, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17])
  const [client, server] = [0x0a000000 + flow, 0x0b000001]
  view.setUint32(26, isBack ? server : client)
  view.setUint32(30, isBack ? client : server)
  const clientPort = 1024 + (flow % 50_000)
  view.setUint16(34, isBack ? 53 : clientPort)
  view.setUint16(36, isBack ? clientPort : 53)
  view.setUint16(38, 26)
  return bytes
}

/** Packets to flows to records, as the capture thread does it. */
async function exportFile(kernel: Kernel, file: Uint8Array, format: ExportFormat): Promise<number> {
  const sender = openDatagramSender(kernel, { address: '127.0.0.1', port: PORT, maxDatagramBytes: MAX_EXPORT_BYTES })
  const exporter = new FlowExporter(format, 'bench', sender, {
    now: () => Date.now(),
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  })
  const before = process.cpuUsage()
  const table = createFlowTable({ directions: exporter.directions })
  table.consumer(FORMAT)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
  for (const _ of table.update(Date.now())) await exporter.send()
  exporter.flush()
  const { user, system } = process.cpuUsage(before)
  await exporter.close()
  return (user + system) / 1000
}

/** By the shell's own account of its children. */
function softflowdCpuMs(file: string): number {
  const command = `softflowd -r ${file} -m ${FLOWS * 2} -n 127.0.0.1:${PORT} -v 5 -d >/dev/null 2>&1; times`
  const lines = execFileSync('bash', ['-c', command], { encoding: 'utf8' }).trim().split('\n')
  const ms = [...lines.at(-1)!.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60_000 + Number(seconds) * 1000,
  )
  return ms.reduce((sum, one) => sum + one, 0)
}

/** Blocks of frames into a mirror whose target is this host, which has no use for them. */
function mirrorCpu(kernel: Kernel): number {
  const block = encodePcap(
    Array.from({ length: 64 }, (_, i) => ({ timeMs: 0, data: Uint8Array.from(frameOf(i, false)) })).map(({ data }) => {
      const bytes = new Uint8Array(FRAME_BYTES)
      bytes.set(data)
      return { timeMs: 0, data: bytes }
    }),
  )
  const maxDatagramBytes = mirroredBytes(FRAME_BYTES)
  const sender = openDatagramSender(kernel, { address: '127.0.0.1', port: 0, protocol: IP_PROTOCOL.GRE, maxDatagramBytes })
  const mirror = new FrameMirror(FORMAT, 1, FRAME_BYTES, sender, { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} })
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let frames = 0; frames < FRAMES; frames += 64) {
      mirror.consume(block, PCAP_HEADER_BYTES, block.length - PCAP_HEADER_BYTES)
      mirror.flush()
    }
    const { user, system } = process.cpuUsage(before)
    costs.push((user + system) / FRAMES)
  }
  const { dropped } = mirror.stats()
  if (dropped > 0) throw new Error(`${dropped} frames were dropped`)
  sender.close()
  return median(costs)
}
