import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RawPacket } from '@skydive/contracts'
import { createRestClient } from '../../client/src/index.ts'
import { exchange, startServer, stopServers, type TestServer } from './harness.ts'

const T0 = 1_700_000_000_000

/** An IPv4 header of 10.0.0.<from> to 10.0.0.9, without payload. */
const ipv4 = (from: number) => [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0, 0, 10, 0, 0, from, 10, 0, 0, 9]
const ethernet = (from: number) => [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, from, 8, 0, ...ipv4(from)]
const ipv6 = [0x60, 0, 0, 0, 0, 0, 59, 64, 0xfd, ...new Array<number>(14).fill(0), 1, 0xfd, ...new Array<number>(14).fill(0), 2]
const kept = (afterMs: number, LinkType: number, data: readonly number[]): RawPacket => ({
  ...{ Timestamp: T0 + afterMs, Index: 1, LinkType },
  Data: Uint8Array.from(data),
})
/** As a tunnel leaves them: frames, and what they held. */
const PACKETS = [kept(30, 1, ethernet(1)), kept(10, 228, ipv4(2)), kept(20, 229, ipv6), kept(40, 228, ipv4(3))]

let server: TestServer
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'raw-packets-'))
  server = await startServer({
    query: async (text) => ({
      json: () => '[]',
      ...(text !== 'G.V()' && { rawPackets: text.includes('Limit(0)') ? [] : PACKETS }),
      ...(text.includes('Dedup') && { incomplete: ['agent.größe'] }),
    }),
  })
})
afterAll(async () => {
  await stopServers()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (gremlin: string, accept: string) =>
  exchange(
    server.port,
    'POST',
    '/api/topology',
    { 'Content-Type': 'application/json', Accept: accept },
    JSON.stringify({ GremlinQuery: gremlin }),
  )

describe('packets of several link types', () => {
  test.each([
    ['G.Flows().RawPackets()', 'application/vnd.tcpdump.pcap', 'linktype.228=2, linktype.229=1'],
    ['G.Flows().Dedup().RawPackets()', 'application/vnd.tcpdump.pcap', 'agent.gr%C3%B6%C3%9Fe, linktype.228=2, linktype.229=1'],
    ['G.Flows().RawPackets()', 'application/x-pcapng', undefined],
    ['G.Flows().Dedup().RawPackets()', 'application/x-pcapng', 'agent.gr%C3%B6%C3%9Fe'],
    ['G.Flows().RawPackets()', 'application/json', undefined],
    ['G.Flows().Limit(0).RawPackets()', 'application/x-pcapng', undefined],
  ])('%s as %s: X-Skydive-Incomplete is %s', async (gremlin, accept, lacks) => {
    const { status, headers } = await ask(gremlin, accept)
    expect([status, headers['x-skydive-incomplete']]).toEqual([200, lacks])
    expect(headers['content-type']?.toString().startsWith(accept)).toBe(true)
  })

  test.each(['application/x-pcapng', 'application/vnd.tcpdump.pcap'])('nodes as %s are refused', async (accept) => {
    expect(await ask('G.V()', accept)).toMatchObject({
      status: 406,
      body: 'Error while encoding response: Only RawPackets step result can be outputted as pcap\n',
    })
  })
})

describe('the client', () => {
  test.each([
    ['pcap', ['agent.größe', 'linktype.228=2', 'linktype.229=1'], 24 + 16 + 34],
    ['pcapng', ['agent.größe'], 28 + 3 * 20 + 4 * 32 + 36 + 20 + 40 + 20],
  ] as const)('is told what a %s file lacks', async (format, lacks, byteLength) => {
    const told: unknown[] = []
    const client = createRestClient({ url: server.url })
    const file = await client.queryAs('G.Flows().Dedup().RawPackets()', format, { onIncomplete: (items) => told.push(items) })
    expect([told, file.length]).toEqual([[lacks], byteLength])
  })
})

const hasTshark = () => {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const suite = hasTshark() || process.env['SKYDIVE_CI'] === '1' ? describe : describe.skip

suite('tshark reads', () => {
  /** Of each packet: interface (pcap has none), type of encapsulation as Wireshark numbers them, time, captured bytes, sources. */
  const read = async (format: 'pcap' | 'pcapng') => {
    const file = join(folder, `packets.${format}`)
    writeFileSync(file, await createRestClient({ url: server.url }).queryAs('G.Flows().RawPackets()', format))
    const fields = [
      'frame.interface_id',
      'frame.encap_type',
      'frame.time_epoch',
      'frame.cap_len',
      'ip.src',
      'ipv6.src',
      'eth.src',
    ]
    const output = execFileSync(
      'tshark',
      ['-n', '-r', file, '-T', 'fields', '-E', 'separator=|', ...fields.flatMap((one) => ['-e', one])],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 30_000,
      },
    )
    return output.trimEnd().split('\n')
  }

  test('a pcapng file: an interface for each link type, all packets in the order of time', async () => {
    expect(await read('pcapng')).toEqual([
      '0|129|1700000000.010000000|20|10.0.0.2||',
      '1|130|1700000000.020000000|40||fd00::1|',
      '2|1|1700000000.030000000|34|10.0.0.1||02:00:00:00:00:01',
      '0|129|1700000000.040000000|20|10.0.0.3||',
    ])
  })

  test('a pcap file: Ethernet alone', async () => {
    expect(await read('pcap')).toEqual(['|1|1700000000.030000000|34|10.0.0.1||02:00:00:00:00:01'])
  })
})
