import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, Flow, RecordSource } from '@skydive/contracts'
import { createRecordTable, type RecordTable } from '@skydive/flow-table/records'
import { type Kernel, openKernel } from '@skydive/kernel'
import { encodePcap } from '@skydive/packet'
import { captureSource } from '../src/index.ts'

// softflowd reads a capture file and exports it in each version; nfcapd takes the same, and nfdump says what it understood.

const isHere = ['softflowd', 'nfcapd', 'nfdump'].every((program) =>
  ['/usr/sbin', '/usr/bin'].some((folder) => existsSync(join(folder, program))),
)
const withExporter = isHere ? describe : describe.skip

const netns = `b-nfl-${process.pid}`
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const inside = (...args: string[]) => ip('netns', 'exec', netns, ...args)
const sockets = () => ['udp', 'udp6'].flatMap((file) => inside('cat', `/proc/net/${file}`).trim().split('\n').slice(1)).length

/** Bytes that wait in the kernel at a UDP port of 127.0.0.1: the fifth column of /proc/net/udp, after the colon. */
const waitingAt = (port: number) => {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const row = inside('cat', '/proc/net/udp')
    .split('\n')
    .find((line) => line.includes(` ${local} `))
  return Number.parseInt(row?.trim().split(/\s+/)[4]?.split(':')[1] ?? '0', 16)
}

let kernel: Kernel
let folder: string
let source: RecordSource | undefined
beforeAll(() => {
  kernel = openKernel()
  folder = mkdtempSync(join(tmpdir(), 'netflow-'))
  ip('netns', 'add', netns)
  ip('-n', netns, 'link', 'set', 'lo', 'up')
})
afterEach(() => {
  source?.close()
  source = undefined
})
afterAll(() => {
  ip('netns', 'del', netns)
  rmSync(folder, { recursive: true })
  kernel.dispose()
})

const target = (over: Partial<CaptureTarget> = {}): CaptureTarget => ({
  interfaceName: 'lo',
  ifindex: 1,
  netns: `/run/netns/${netns}`,
  bpfFilter: '',
  snapLength: 256,
  excludePeers: [],
  addresses: ['127.0.0.1'],
  ...over,
})

/** Polls into the table until `holds`; the sockets wake it, and half a minute ends it. */
function pollUntil(table: RecordTable, holds: () => boolean): void {
  for (let waits = 0; waits < 300 && !holds(); waits++) {
    kernel.waitReadable(source!.readyFds, 100)
    source!.poll((record) => table.consume(record, Date.now()))
  }
}

describe('the collector', () => {
  test('can run here', async () => {
    expect(await captureSource.detect()).toEqual({ available: true })
  })

  test.each([
    [{ addresses: ['127.0.0.1'] }, '127.0.0.1:2055 127.0.0.1:4739', 2],
    [{ addresses: [] }, '[::]:2055 [::]:4739', 2],
    [{ addresses: ['127.0.0.1'], port: 9995 }, '127.0.0.1:9995', 1],
  ])('with %j listens on %s', (over, shown, count) => {
    const before = sockets()
    source = captureSource.open(target(over)) as RecordSource
    expect(source.describe!().capture).toEqual({ NetFlowSocket: shown })
    expect(sockets() - before).toBe(count)
    expect(() => captureSource.open(target(over))).toThrow(expect.objectContaining({ code: 'ERR_CONFLICT' }))
    source.close()
    source.close()
    expect(sockets()).toBe(before)
  })

  test('a filter is refused', () => {
    expect(() => captureSource.open(target({ bpfFilter: 'icmp' }))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    )
  })

  test('what overflows the sockets is counted as dropped, what is no NetFlow as unused', () => {
    source = captureSource.open(target({ port: 9995 }), { bufferBytes: 4096 }) as RecordSource
    inside('bash', '-c', 'for i in {1..300}; do echo -n 12345678 > /dev/udp/127.0.0.1/9995; done')
    source.poll(() => true)
    const { packetsReceived, packetsDropped } = source.stats()
    const { Unused: unused } = source.describe!().node!['NetFlow'] as unknown as { Unused: { ForeignVersions: number } }
    expect([packetsReceived, unused.ForeignVersions + packetsDropped]).toEqual([0, 300])
    expect(packetsDropped).toBeGreaterThan(0)
  })
})

test('a datagram that is too long is dropped, and counted by its cause', () => {
  source = captureSource.open(target({ port: 9995 })) as RecordSource
  inside('bash', '-c', 'dd if=/dev/zero bs=20000 count=1 status=none > /dev/udp/127.0.0.1/9995')
  pollUntil(createRecordTable(), () => source!.stats().packetsDropped === 1)
  expect(source.stats()).toEqual({ packetsReceived: 0, packetsDropped: 1, packetsIfDropped: 0 })
  expect(source.describe!().node).toMatchObject({ NetFlow: { Datagrams: 0, Unused: { TruncatedDatagrams: 1 } } })
})

const HOSTS = 40
/** Lately: softflowd tells times by how long ago they are, in 32 bits. */
const TIME_MS = Date.now() - 60_000

/** A UDP datagram of `length` bytes of payload between 10.1.0.x and 10.2.0.x, or the same over IPv6. */
function frame(host: number, isBack: boolean, length: number, isV6: boolean): Uint8Array {
  const bytes = new Uint8Array(14 + (isV6 ? 40 : 20) + 8 + length)
  const view = new DataView(bytes.buffer)
  const ends: [number, number] = isBack ? [2, 1] : [1, 2]
  bytes.set([2, 0, 0, 0, ends[1], host, 2, 0, 0, 0, ends[0], host])
  view.setUint16(12, isV6 ? 0x86dd : 0x0800)
  const udp = isV6 ? 54 : 34
  if (isV6) {
    bytes.set([0x60, 0, 0, 0, 0, 0, 17, 64], 14)
    view.setUint16(18, 8 + length)
    bytes.set([0xfd, ends[0]], 22)
    bytes[37] = host
    bytes.set([0xfd, ends[1]], 38)
    bytes[53] = host
  } else {
    bytes.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, ends[0], 0, host, 10, ends[1], 0, host], 14)
    view.setUint16(16, 28 + length)
  }
  const [client, server] = [4000 + host, 5000 + host]
  view.setUint16(udp, isBack ? server : client)
  view.setUint16(udp + 2, isBack ? client : server)
  view.setUint16(udp + 4, 8 + length)
  return bytes
}

withExporter('softflowd', () => {
  const file = () => join(folder, 'traffic.pcap')
  /** Packets and bytes of IP, by client: what was sent and what came back. */
  const truth = (hasV6: boolean) =>
    Object.fromEntries(
      Array.from({ length: HOSTS }, (_, host) => host).flatMap((host) => {
        const isV6 = host % 4 === 3
        if (isV6 && !hasV6) return []
        const head = isV6 ? 48 : 28
        const name = isV6 ? `fd01::${host === 0 ? '' : host.toString(16)}` : `10.1.0.${host}`
        return [[name, [host + 2, (host + 2) * (head + 100), host + 1, (host + 1) * (head + 300)]]]
      }),
    )

  beforeAll(() => {
    const packets = Array.from({ length: HOSTS }, (_, host) => host).flatMap((host) => {
      const isV6 = host % 4 === 3
      return [
        ...Array.from({ length: host + 2 }, () => frame(host, false, 100, isV6)),
        ...Array.from({ length: host + 1 }, () => frame(host, true, 300, isV6)),
      ]
    })
    writeFileSync(file(), encodePcap(packets.map((data, i) => ({ timeMs: TIME_MS + i, data }))))
  })

  const exportTo = (port: number, version: number) =>
    inside('softflowd', '-r', file(), '-n', `127.0.0.1:${port}`, '-v', String(version), '-d')

  /** By client, whichever side a flow calls A. */
  const counted = (flows: readonly Flow[]) =>
    Object.fromEntries(
      flows.map(({ Network, Transport, Metric: metric }) => {
        const isFromClient = Transport!.A < Transport!.B
        const counts = [metric!.ABPackets, metric!.ABBytes, metric!.BAPackets, metric!.BABytes]
        return [isFromClient ? Network!.A : Network!.B, isFromClient ? counts : [...counts.slice(2), ...counts.slice(0, 2)]]
      }),
    )

  test.each([
    ['NetFlow 5', 5, false],
    ['NetFlow 9', 9, true],
    ['IPFIX', 10, true],
  ])(
    '%s: flows, packets and bytes are those of the capture file, and those that nfdump sees',
    async (_, version, hasV6) => {
      source = captureSource.open(target()) as RecordSource
      const table = createRecordTable({ nodeTid: 'tid-of-lo' })
      const expected = truth(hasV6)
      exportTo(version === 10 ? 4739 : 2055, version)
      const flows = () => [...table.snapshot()].flat()
      pollUntil(table, () => JSON.stringify(sorted(counted(flows()))) === JSON.stringify(sorted(expected)))
      expect(counted(flows())).toEqual(expected)
      expect(source.stats().packetsDropped).toBe(0)
      const exporters = (source.describe!().node!['NetFlow'] as unknown as { Exporters: Record<string, object> }).Exporters
      expect(exporters).toEqual({ '127.0.0.1': expect.objectContaining({ Lost: 0, SamplingRate: 1 }) })
      // Times are those of the file, as far as the version tells them.
      for (const { Start: startMs, Last: lastMs } of flows()) {
        expect(Math.abs(startMs - TIME_MS)).toBeLessThan(120_000)
        expect(lastMs).toBeGreaterThanOrEqual(startMs)
      }

      const all = Object.values(expected)
      const total = (from: number) => all.reduce((sum, counts) => sum + counts[from]! + counts[from + 2]!, 0)
      expect(await seenByNfdump(version)).toEqual({ packets: total(0), bytes: total(1) })
    },
    60_000,
  )

  /** Exports to nfcapd, and adds up what nfdump reads from its file. */
  async function seenByNfdump(version: number): Promise<{ packets: number; bytes: number }> {
    const files = join(folder, `nfcapd-${version}`)
    mkdirSync(files)
    const args = ['netns', 'exec', netns, 'nfcapd', '-w', files, '-p', '9996', '-b', '127.0.0.1', '-t', '3600']
    const nfcapd = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    await new Promise<void>((resolve, reject) => {
      const hear = (piece: Buffer) => {
        output += piece
        if (output.includes('Startup')) resolve()
      }
      nfcapd.stdout.on('data', hear)
      nfcapd.stderr.on('data', hear)
      nfcapd.once('exit', () => reject(new Error(output)))
    })
    exportTo(9996, version)
    // It gives up what it has not read when it is ended.
    while (waitingAt(9996) > 0) await new Promise((resolve) => setImmediate(resolve))
    const ended = new Promise((resolve) => nfcapd.once('exit', resolve))
    nfcapd.kill('SIGTERM')
    await ended
    const rows = execFileSync('nfdump', ['-R', files, '-q', '-N', '-o', 'fmt:%pkt %byt'], { encoding: 'utf8' })
    const numbers = rows
      .trim()
      .split('\n')
      .map((row) => row.trim().split(/\s+/).map(Number))
    const sum = (column: number) => numbers.reduce((all, row) => all + (row[column] ?? 0), 0)
    return { packets: sum(0), bytes: sum(1) }
  }
})

function sorted(counts: Record<string, readonly number[]>): readonly [string, readonly number[]][] {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))
}
