import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { fieldsOf, writeIpfix, writeRecord, writeSet, writeTemplate } from '../packages/packet/test/netflow-writer.ts'
import { rawHeader, writeSFlow } from '../packages/packet/test/sflow-writer.ts'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// A router in a namespace (`r`) tells by IPFIX, and by samples of sFlow, of what came in by its interface `lan` and went out by `uplink`, to a
// collector in another namespace (`x`). The graph shows both namespaces like any other.

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne
let folder: string

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  folder = mkdtempSync(join(tmpdir(), 'skydive-collector-'))
  network.ip('netns add x', 'netns add r', 'link add v0 netns x type veth peer name wan netns r')
  network.run('ip', ['link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'uplink'], 'r')
  for (const [netns, device, address] of [
    ['x', 'v0', '10.8.0.1/24'],
    ['r', 'wan', '10.8.0.2/24'],
  ] as const) {
    network.run('ip', ['addr', 'add', address, 'dev', device], netns)
    network.run('ip', ['link', 'set', device, 'up'], netns)
  }
  server = await startAllInOne({ env: { SKYDIVE_FLOW_UPDATE: '1' } })
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  rmSync(folder, { recursive: true, force: true })
  network?.leave()
  kernel.dispose()
}, 30_000)

/** ifIndex of a device of the router. */
const indexOf = (device: string): number => (network.query(['link', 'show', device], 'r') as [{ ifindex: number }])[0].ifindex
/** Starts a collector at `v0`. */
const collect = async (type: string) => {
  const create = ['client', 'capture', 'create', '--type', type, '--gremlin', "G.V().Has('Name','v0')"]
  expect(await skydive(create, { env: server.env })).toMatchObject({ code: 0, stderr: '' })
}
/** Sends a datagram from the router to the collector. */
const send = (port: number, datagram: Uint8Array) => {
  const file = join(folder, String(port))
  writeFileSync(file, datagram)
  network.run('bash', ['-c', `cat ${file} > /dev/udp/10.8.0.1/${port}`], 'r')
}
const value = async (gremlin: string) => ((await server.query(gremlin)) as unknown[])[0]

test('flows of a NetFlow collector carry their exporter and the node of its interface', async () => {
  await collect('netflow')
  await server.until("G.V().Has('Name', 'v0').Has('Captures.State', 'active').Count()", (count) => count === 1)
  const [lan, up] = [indexOf('lan'), indexOf('uplink')]
  const fields = fieldsOf('8:4 12:4 4:1 7:2 11:2 2:4 1:4 10:4 14:4')
  const there = writeRecord(fields, [0x0a070002, 0xcb007101, 17, 4000, 53, 5, 1000, lan, up])
  const back = writeRecord(fields, [0xcb007101, 0x0a070002, 17, 53, 4000, 4, 1600, up, lan])
  const sets = [writeSet(2, writeTemplate(256, fields)), writeSet(256, Buffer.concat([there, back]))]
  send(4739, writeIpfix({ exportSeconds: Math.floor(Date.now() / 1000), sequence: 0, domainId: 1 }, sets))

  const dns = "G.Flows().Has('Transport', 53)"
  await server.until(`${dns}.Count()`, (count) => count === 1)
  const [flow] = (await server.query(dns)) as Flow[]
  expect(flow).toMatchObject({
    NodeTID: await value("G.V().Has('Name', 'v0').Values('TID')"),
    Application: 'UDP',
    Network: { A: '10.7.0.2', B: '203.0.113.1' },
    Metric: { ABPackets: 5, ABBytes: 1000, BAPackets: 4, BABytes: 1600 },
  })
  expect(flow).not.toHaveProperty('Exporter')
  const place = (name: string) => value(`${dns}.Values('Place.${name}')`)
  const names = [
    'Capture.Name',
    'Exporter.Address',
    'Exporter.Node.Name',
    'Exporter.InputIndex',
    'Exporter.Input.Name',
    'Exporter.Output.Name',
  ]
  expect(await Promise.all(names.map(place))).toEqual(['v0', '10.8.0.2', 'wan', lan, 'lan', 'uplink'])
  expect(await place('Exporter.Input.TID')).toBe(await value("G.V().Has('Name', 'lan').Values('TID')"))

  expect(await server.query("G.Flows().Has('Place.Exporter.Input.Name', 'lan', 'Place.Capture.Name', 'v0').Count()")).toBe(1)
  expect(await server.query("G.Flows().Has('Place.Exporter.Input.Name', 'uplink').Count()")).toBe(0)

  // The same of the store, where flows come by batches: with their places, which were looked up then.
  const stored = "G.At('-0s', 3600).Flows().Has('Place.Exporter.Input.Name', 'lan')"
  await server.until(`${stored}.Count()`, (count) => count >= 1)
  expect(await value(`${stored}.Values('Place.Exporter.Address')`)).toBe('10.8.0.2')
}, 60_000)

test('flows of an sFlow collector carry the interfaces that their first sample passed', async () => {
  await collect('sflow')
  await server.until(
    "G.V().Has('Name', 'v0').Has('Captures.Type', 'sflow', 'Captures.State', 'active').Count()",
    (count) => count === 1,
  )
  const frame = new Uint8Array(64)
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0])
  // 10.7.0.2 port 4001 to 203.0.113.1 port 8125.
  frame.set([10, 7, 0, 2, 203, 0, 113, 1, 0x0f, 0xa1, 0x1f, 0xbd, 0, 26, 0, 0], 26)
  const source = { kind: 'flow', isExpanded: false, sequence: 1, sourceType: 0, sourceIndex: 1, samplePool: 1, drops: 0 } as const
  const passed = { samplingRate: 100, input: indexOf('lan'), output: indexOf('uplink') }
  const sample = { ...source, ...passed, records: [rawHeader(1, 64, 4, frame)] }
  send(6343, writeSFlow({ agent: Uint8Array.of(10, 8, 0, 2), subAgentId: 0, sequence: 1, uptimeMs: 1, samples: [sample] }))

  const sampled = "G.Flows().Has('Transport', 8125)"
  await server.until(`${sampled}.Count()`, (count) => count === 1)
  const [flow] = (await server.query(sampled)) as Flow[]
  expect(flow).toMatchObject({ Network: { A: '10.7.0.2', B: '203.0.113.1' }, Metric: { ABPackets: 100, ABBytes: 6000 } })
  expect(flow).not.toHaveProperty('Exporter')
  const names = ['Address', 'Node.Name', 'InputIndex', 'OutputIndex', 'Input.Name', 'Output.Name']
  expect(await Promise.all(names.map((name) => value(`${sampled}.Values('Place.Exporter.${name}')`)))).toEqual([
    '10.8.0.2',
    'wan',
    passed.input,
    passed.output,
    'lan',
    'uplink',
  ])
  expect(await server.query(`${sampled}.Has('Place.Exporter.Output.Name', 'uplink').Count()`)).toBe(1)
}, 60_000)
