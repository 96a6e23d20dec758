import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// A captured interface that is moved to another namespace, as container runtimes do: its capture goes with it.

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  network.ip(
    'netns add inside',
    'netns add far',
    'link add v0 type veth peer name v1 netns far',
    'link set v0 up',
    'addr add 10.9.0.1/24 dev v0',
  )
  network.run('ip', ['addr', 'add', '10.9.0.2/24', 'dev', 'v1'], 'far')
  network.run('ip', ['link', 'set', 'v1', 'up'], 'far')
  server = await startAllInOne()
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  network?.leave()
  kernel.dispose()
}, 30_000)

const NODE = "G.V().Has('Name', 'v0')"
const isActive = () => server.until(`${NODE}.Has('Captures.State', 'active').Count()`, (count) => count === 1)

/** Starts a capture, moves its interface, and answers its id when the capture runs again. */
async function moved(type: string): Promise<string> {
  const { code, stdout } = await skydive(['client', 'capture', 'create', '--gremlin', NODE, '--type', type], { env: server.env })
  expect(code).toBe(0)
  await isActive()
  network.ip('link set v0 netns inside')
  network.run('ip', ['addr', 'add', '10.9.0.1/24', 'dev', 'v0'], 'inside')
  network.run('ip', ['link', 'set', 'v0', 'up'], 'inside')
  await server.until(`${NODE}.Has('Captures.State', 'error').Count()`, (count) => count === 1)
  await isActive()
  return (JSON.parse(stdout) as { readonly UUID: string }).UUID
}

/** Deletes the capture and brings the interface back. */
async function goBack(id: string): Promise<void> {
  expect((await skydive(['client', 'capture', 'delete', id], { env: server.env })).code).toBe(0)
  await server.until(`${NODE}.HasKey('Captures').Count()`, (count) => count === 0)
  network.run('ip', ['link', 'set', 'v0', 'netns', String(process.pid)], 'inside')
  network.ip('link set v0 up', 'addr add 10.9.0.1/24 dev v0')
  await server.until(`${NODE}.Has('State', 'UP').In('Type', 'host').Count()`, (count) => count === 1)
}

test.each(['afpacket', 'pcap'])(
  'a capture of type %s counts where its interface is now',
  async (type) => {
    const id = await moved(type)
    network.run('ping', ['-c', '3', '-i', '0.1', '10.9.0.2'], 'inside')
    const flows = (await server.until(
      `${NODE}.Flows().Has('CaptureID', '${id}', 'Application', 'ICMPv4')`,
      (found: readonly Flow[]) => found[0]?.Metric?.BAPackets === 3,
    )) as readonly Flow[]
    expect(flows.map(({ Metric: metric }) => [metric?.ABPackets, metric?.BAPackets])).toEqual([[3, 3]])
    await goBack(id)
  },
  60_000,
)

test('a collector listens where its interface is now', async () => {
  /** Sockets at the port of sFlow, 6343. */
  const listeners = (namespace?: string) => network.run('cat', ['/proc/net/udp'], namespace).match(/:18C7 /g)?.length ?? 0
  const id = await moved('sflow')
  expect([listeners(), listeners('inside')]).toEqual([0, 1])
  await goBack(id)
}, 60_000)
