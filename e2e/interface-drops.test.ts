import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CoverageAnswer } from '@skydive/client'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// What an interface drops before a capture can see it, from libpcap to what a user reads. No driver here counts any: a file stands in for the counter.

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne
let counter: string

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  counter = join(mkdtempSync(join(tmpdir(), 'skydive-drops-')), 'rx_missed_errors')
  writeFileSync(counter, '10\n')
  network.ip('link add v0 type veth peer name v1', 'link set v0 up', 'link set v1 up')
  network.run('mount', ['-t', 'sysfs', 'none', '/sys'])
  network.run('mount', ['--bind', counter, '/sys/class/net/v0/statistics/rx_missed_errors'])
  server = await startAllInOne({ env: { SKYDIVE_FLOW_UPDATE: '2' } })
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  rmSync(join(counter, '..'), { recursive: true, force: true })
  network?.leave()
  kernel.dispose()
}, 30_000)

/** In one write and no shorter: whoever reads meanwhile reads the one or the other. */
function setCounter(packets: number): void {
  const file = openSync(counter, 'r+')
  writeSync(file, `${packets}\n`)
  closeSync(file)
}

const answerOf = async (path: string, body?: object): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    ...(body && { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  })

/** A window that ends a second ago tells what was lost a second later than the capture does: asked until it tells any, for 10 s. */
async function headerThatTellsLosses(gremlin: string): Promise<string | null> {
  for (const deadline = performance.now() + 10_000; ; ) {
    const answer = await answerOf('/api/topology', { GremlinQuery: gremlin })
    await answer.arrayBuffer()
    const header = answer.headers.get('x-skydive-coverage')
    if (!header?.includes(';lost=0;') || performance.now() > deadline) return header
  }
}

test('it is on the capture, in the ledger, in the answers about that time, in the metrics and at the command line', async () => {
  const created = await skydive(['client', 'capture', 'create', '--gremlin', "G.V().Has('Name','v0')", '--type', 'pcap'], {
    env: server.env,
  })
  expect({ code: created.code, stderr: created.stderr }).toEqual({ code: 0, stderr: '' })
  await server.until("G.V().Has('Name', 'v0').Has('Captures.State', 'active').Count()", (count) => count === 1)
  // Those before the capture are none of its own.
  setCounter(17)
  await server.until("G.V().Has('Name', 'v0').Has('Captures.PacketsIfDropped', 7).Count()", (count) => count === 1)

  const coverage = (await (await answerOf('/api/coverage?from=-1h')).json()) as CoverageAnswer
  expect(coverage).toMatchObject({
    Complete: false,
    Lost: { Packets: 7, Flows: 0 },
    Captures: [{ NodeName: 'v0', Type: 'pcap', PacketsDropped: 0, PacketsIfDropped: 7 }],
    Losses: [{ Cause: 'interface', Host: 'e2e', CaptureID: coverage.Captures[0]!.ID, Packets: 7, Flows: 0 }],
  })
  expect(await headerThatTellsLosses("G.At('-1s', 3600).Flows()")).toMatch(/^partial;lost=7;packets=7;flows=0;watched=0\.\d+$/)
  expect((await (await answerOf('/metrics')).text()).split('\n')).toContain('skydive_lost_packets_total{cause="interface"} 7')
  const { stdout } = await skydive(['client', 'coverage', '--json'], { env: server.env })
  expect((JSON.parse(stdout) as CoverageAnswer).Losses).toEqual(coverage.Losses)
}, 60_000)
