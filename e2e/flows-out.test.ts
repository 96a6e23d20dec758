import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CoverageAnswer } from '@skydive/client'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// A capture as a user makes it, whose flows go to a collector: nfcapd, which runs beside the agent.

const withCollector = existsSync('/usr/bin/nfcapd') || process.env['SKYDIVE_CI'] === '1' ? test : test.skip

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne
let folder: string
let nfcapd: ChildProcess | undefined

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  folder = mkdtempSync(join(tmpdir(), 'skydive-flows-out-'))
  network.ip('netns add x', 'netns add y', 'link add v0 netns x type veth peer name v1 netns y')
  for (const line of [
    '-n x addr add 10.9.0.1/24 dev v0',
    '-n x link set v0 up',
    '-n y addr add 10.9.0.2/24 dev v1',
    '-n y link set v1 up',
  ]) {
    network.run('ip', line.split(' '))
  }
  server = await startAllInOne({ env: { SKYDIVE_FLOW_UPDATE: '1' } })
}, 60_000)
afterAll(async () => {
  // Only after a failure does it still run.
  nfcapd?.kill('SIGTERM')
  await server?.dispose()
  rmSync(folder, { recursive: true, force: true })
  network?.leave()
  kernel.dispose()
}, 30_000)

const create = (...options: readonly string[]) =>
  skydive(['client', 'capture', 'create', '--gremlin', "G.V().Has('Name','v0')", '--bpf', 'icmp', ...options], {
    env: server.env,
  })

test.each([
  [['--target-type', 'ipfix'], 'Target: a target of type ipfix takes host:port, such as 10.0.0.9:4739'],
  [['--target', '127.0.0.1:1', '--target-type', 'x'], 'available types: [netflowv5 erspanv1 ipfix]'],
  [['--target', 'localhost:1', '--target-type', 'erspanv1'], 'Target: an erspanv1 target takes an IPv4 address'],
])('%j is refused, and there is no capture', async (options, message) => {
  const { code, stdout, stderr } = await create(...options)
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
  expect((await skydive(['client', 'capture', 'list', '--json'], { env: server.env })).stdout.trim()).toBe('{}')
})

withCollector(
  'flows go to the collector and not into the store',
  async () => {
    const collector = spawn('nfcapd', ['-w', folder, '-p', '4739', '-b', '127.0.0.1', '-t', '3600'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    nfcapd = collector
    const ended = once(collector, 'exit')
    let said = ''
    await new Promise<void>((resolve, reject) => {
      collector.once('error', reject)
      collector.once('exit', () => reject(new Error(said)))
      for (const stream of [collector.stdout, collector.stderr]) {
        stream.on('data', (piece) => {
          said += piece
          if (said.includes('Startup')) resolve()
        })
      }
    })
    const created = await create('--target', '127.0.0.1:4739', '--target-type', 'ipfix', '--json')
    expect({ code: created.code, stderr: created.stderr }).toEqual({ code: 0, stderr: '' })
    const capture = JSON.parse(created.stdout) as { readonly UUID: string }
    expect(capture).toMatchObject({ Target: '127.0.0.1:4739', TargetType: 'ipfix' })
    await server.until("G.V().Has('Name', 'v0').Has('Captures.State', 'active').Count()", (count) => count === 1)

    network.run('ping', ['-c', '4', '-i', '0.2', '10.9.0.2'], 'x')
    const [[element]] = (await server.until(
      "G.V().Has('Name', 'v0').Values('Captures')",
      ([[one]]: [[{ PacketsReceived: number; TargetSent: number }]]) => one?.PacketsReceived === 8 && one.TargetSent >= 2,
    )) as [[object]]
    expect(element).toMatchObject({ Target: '127.0.0.1:4739', TargetType: 'ipfix', TargetDropped: 0, TargetSkipped: 0 })
    expect(await server.query('G.Flows().Count()')).toBe(0)
    const coverage = (await (await fetch(`${server.url}/api/coverage?from=-1h`)).json()) as CoverageAnswer
    expect(coverage.Captures).toEqual([])

    const removed = await skydive(['client', 'capture', 'delete', capture.UUID], { env: server.env })
    expect({ code: removed.code, stderr: removed.stderr }).toEqual({ code: 0, stderr: '' })
    await server.until("G.V().Has('Name', 'v0').HasKey('Captures').Count()", (count) => count === 0)
    collector.kill('SIGTERM')
    await ended
    const rows = network.run('nfdump', ['-R', folder, '-q', '-N', '-A', 'srcip,dstip', '-o', 'fmt:%sa %da %pkt %byt'])
    const words = rows
      .trim()
      .split('\n')
      .map((row) => row.trim().split(/\s+/).join(' '))
    expect(words.sort()).toEqual(['10.9.0.1 10.9.0.2 4 336', '10.9.0.2 10.9.0.1 4 336'])
  },
  60_000,
)
