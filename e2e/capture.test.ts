import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { CoverageAnswer } from '@skydive/client'
import type { Flow } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne
let folder: string

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  folder = mkdtempSync(join(tmpdir(), 'skydive-capture-'))
  network.ip('netns add x', 'netns add y', 'link add v0 netns x type veth peer name v1 netns y')
  configure('-n x addr add 10.9.0.1/24 dev v0', '-n x link set v0 up', '-n y addr add 10.9.0.2/24 dev v1', '-n y link set v1 up')
  server = await startAllInOne({ env: { SKYDIVE_FLOW_UPDATE: '2' } })
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  rmSync(folder, { recursive: true, force: true })
  network?.leave()
  kernel.dispose()
}, 30_000)

/** A program in a namespace, running until it is stopped; `ready` is what it prints when it works. */
async function background(namespace: string, command: readonly string[], ready: RegExp): Promise<{ stop(): Promise<void> }> {
  const child = spawn('ip', ['netns', 'exec', namespace, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let output = ''
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
        if (ready.test(output)) resolve()
      })
    }
    child.on('exit', (code) => reject(new Error(`${command.join(' ')} ended with ${code}: ${output}`)))
  })
  return {
    async stop() {
      child.kill('SIGINT')
      await closed
    },
  }
}

/** What a capture file holds of a filter, as tcpdump reads it: packets and bytes of the frames. */
function tcpdumpCounts(file: string, filter: string): { packets: number; bytes: number } {
  const lines = network
    .run('tcpdump', ['-Z', 'root', '-n', '-e', '-r', file, filter])
    .split('\n')
    .filter((line) => line !== '')
  const bytes = lines.reduce((sum, line) => sum + Number(/, length (\d+): /.exec(line)?.[1] ?? 0), 0)
  return { packets: lines.length, bytes }
}

/** Lines of `ip`, each in the namespace that it names with `-n`. */
function configure(...lines: readonly string[]): void {
  for (const line of lines) network.run('ip', line.split(' '))
}

/** What an answer says of what was watched and lost. */
async function coverageHeader(gremlin: string): Promise<string | null> {
  const body = JSON.stringify({ GremlinQuery: gremlin })
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(`${server.url}/api/topology`, { method: 'POST', body, headers })
  await response.arrayBuffer()
  return response.headers.get('x-skydive-coverage')
}

const captureIsActive = () =>
  server.until("G.V().Has('Name', 'v0').Has('Captures.State', 'active').Count()", (count) => count === 1)

describe('a capture on one end of a cable', () => {
  test('counts what tcpdump counts, packet for packet and byte for byte', async () => {
    const created = await skydive(['client', 'capture', 'create', '--gremlin', "G.V().Has('Name','v0')"], { env: server.env })
    expect({ code: created.code, stderr: created.stderr }).toEqual({ code: 0, stderr: '' })
    await captureIsActive()
    const file = join(folder, 'v0.pcap')
    // The whole frame lengths stand in the records, whatever is kept of them.
    const tcpdump = await background(
      'x',
      ['tcpdump', '-Z', 'root', '-i', 'v0', '-w', file, '-U', '--immediate-mode', '-s', '96', '-B', '16384'],
      /listening on v0/,
    )
    network.run('ping', ['-c', '4', '-i', '0.2', '10.9.0.2'], 'x')
    const iperf = await background('y', ['iperf3', '-s', '--forceflush'], /Server listening/)
    // In reverse the receiver counts the 20 MB. A sender that counts ends when its own buffer has them, and the rest may never travel.
    network.run('iperf3', ['-c', '10.9.0.2', '-n', '20M', '-R'], 'x')
    await iperf.stop()

    const sum = (flows: readonly Flow[]) =>
      flows.reduce(
        (all, { Metric }) => ({
          packets: all.packets + Metric!.ABPackets + Metric!.BAPackets,
          bytes: all.bytes + Metric!.ABBytes + Metric!.BABytes,
        }),
        { packets: 0, bytes: 0 },
      )
    const flowsOf = async (application: string) =>
      (await server.query(`G.V().Has('Name', 'v0').Flows().Has('LayersPath', REGEX('.*/${application}$'))`)) as Flow[]
    // The ring hands packets over within milliseconds; what is asked for is that nothing more comes.
    const icmp = await server.until(
      "G.V().Has('Name', 'v0').Flows().Has('Application', 'ICMPv4')",
      (flows: readonly Flow[]) => sum(flows).packets === 8,
    )
    expect(
      (icmp as Flow[]).map(({ Metric }) => [Metric!.ABPackets, Metric!.ABBytes, Metric!.BAPackets, Metric!.BABytes]),
    ).toEqual([[4, 392, 4, 392]])

    // Both have everything when the 20 MB that were received are there and the two agree.
    let expected = { packets: 0, bytes: 0 }
    let counted = { packets: -1, bytes: -1 }
    for (
      const deadline = Date.now() + 20_000;
      Date.now() < deadline && (counted.packets !== expected.packets || expected.bytes < 20_000_000);
    ) {
      counted = sum(await flowsOf('TCP'))
      expected = tcpdumpCounts(file, 'tcp')
    }
    await tcpdump.stop()
    expect(expected.bytes).toBeGreaterThan(20_000_000)
    expect(counted).toEqual(expected)
    expect(tcpdumpCounts(file, 'icmp')).toEqual({ packets: 8, bytes: 784 })
  }, 90_000)

  test('names the ends, on the live side and in the past', async () => {
    expect(await server.query("G.Flows().Has('Application', 'ICMPv4').Values('Place.A.Name')")).toEqual(['v0'])
    expect(await server.query("G.Flows().Has('Application', 'ICMPv4').Values('Place.B.Name')")).toEqual(['v1'])
    await server.until("G.At('-1s', 300).Flows().Has('Application', 'ICMPv4').Count()", (count) => count === 1)
    expect(await server.query("G.At('-1s', 300).Flows().Has('Application', 'ICMPv4').Values('Place.B.Name')")).toEqual(['v1'])
  }, 30_000)

  test('loses nothing to the kernel, and says so on the node', async () => {
    // The counters on the node follow within their period of a second.
    const [captures] = (await server.until(
      "G.V().Has('Name', 'v0').Values('Captures')",
      (answer: readonly (readonly { readonly PacketsReceived: number }[])[]) => answer[0]![0]!.PacketsReceived > 8,
    )) as { readonly PacketsDropped: number }[][]
    expect([captures!.length, captures![0]!.PacketsDropped]).toEqual([1, 0])
  }, 30_000)

  test('is in the ledger of what was watched, and answers about flows say how far they can be trusted', async () => {
    const now = await coverageHeader("G.V().Has('Name', 'v0').Flows().Limit(1)")
    const past = await coverageHeader("G.At('-1s', 3600).Flows().Limit(1)")
    expect([now, past, await coverageHeader('G.V().Count()')]).toEqual([
      expect.stringMatching(/^(complete|partial;lost=0;packets=0;flows=0;watched=0\.\d+)$/),
      expect.stringMatching(/^partial;lost=0;packets=0;flows=0;watched=0\.\d+$/),
      null,
    ])
    const coverage = async () => {
      const { stdout } = await skydive(['client', 'coverage', '--from', '-1h', '--json'], { env: server.env })
      return JSON.parse(stdout) as CoverageAnswer
    }
    let { Captures, Losses } = await coverage()
    const deadline = performance.now() + 20_000
    while (!(Captures[0]!.PacketsReceived > 8) && performance.now() < deadline) ({ Captures, Losses } = await coverage())
    expect([Captures.map(({ NodeName, Host, To }) => [NodeName, Host, To]), Losses]).toEqual([[['v0', 'e2e', undefined]], []])
    expect(Captures[0]!.PacketsReceived).toBeGreaterThan(8)
  }, 30_000)

  test('stops when it is deleted', async () => {
    const { stdout } = await skydive(['client', 'capture', 'list', '--json'], { env: server.env })
    const [id] = Object.keys(JSON.parse(stdout) as Record<string, unknown>)
    expect((await skydive(['client', 'capture', 'delete', id!], { env: server.env })).code).toBe(0)
    await server.until("G.V().Has('Name', 'v0').HasKey('Captures').Count()", (count) => count === 0)
    const { stdout: coverage } = await skydive(['client', 'coverage', '--json'], { env: server.env })
    expect((JSON.parse(coverage) as CoverageAnswer).Captures.map(({ To }) => typeof To)).toEqual(['number'])
  }, 30_000)

  test('starts by itself on what matches later, and goes with its node; the flows stay in the past, named', async () => {
    await skydive(['client', 'capture', 'create', '--gremlin', "G.V().Has('Name', REGEX('late.*'))"], { env: server.env })
    network.ip('netns add z', 'link add late0 netns z type veth peer name late1 netns y')
    configure(
      '-n z addr add 10.10.0.1/24 dev late0',
      '-n z link set late0 up',
      '-n y addr add 10.10.0.2/24 dev late1',
      '-n y link set late1 up',
    )
    await server.until("G.V().Has('Name', REGEX('late.*')).Has('Captures.State', 'active').Count()", (count) => count === 2)
    network.run('ping', ['-c', '2', '-i', '0.2', '10.10.0.2'], 'z')
    const before = Date.now()
    network.ip('netns del z')
    await server.until("G.V().Has('Name', REGEX('late.*')).Count()", (count) => count === 0)
    await server.until(
      `G.At(${before + 1_000}, 60).Flows().Has('Network', '10.10.0.2', 'Application', 'ICMPv4').Count()`,
      (count) => count === 2,
      20_000,
    )
    expect(
      await server.query(
        `G.At(${before + 1_000}, 60).Flows().Has('Network', '10.10.0.2', 'Application', 'ICMPv4').Values('Place.A.Name').Dedup()`,
      ),
    ).toEqual(['late0'])
  }, 60_000)
})
