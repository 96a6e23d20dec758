import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// A capture that can't be started on a node says so to whoever asks for it, from the agent that refuses it on.

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  network.ip('link add v0 type veth peer name v1', 'addr add 10.9.0.1/24 dev v0', 'link set v0 up', 'link set v1 up')
  server = await startAllInOne()
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  network?.leave()
  kernel.dispose()
}, 30_000)

interface CaptureAnswer {
  readonly UUID: string
  readonly Count: number
  readonly Refusals?: readonly { readonly NodeID: string; readonly Host: string; readonly Reason: string }[]
}

async function create(...options: readonly string[]): Promise<CaptureAnswer> {
  const { code, stdout, stderr } = await skydive(['client', 'capture', 'create', ...options], { env: server.env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as CaptureAnswer
}

/** What is told of a capture once that satisfies, asked again and again. */
async function until(id: string, satisfies: (answer: CaptureAnswer) => boolean): Promise<CaptureAnswer> {
  for (const deadline = performance.now() + 20_000; ; ) {
    const answer = (await (await fetch(`${server.url}/api/capture/${id}`)).json()) as CaptureAnswer
    if (satisfies(answer) || performance.now() > deadline) return answer
  }
}

test('a type that the agent does not have', async () => {
  const { UUID: id } = await create('--gremlin', "G.V().Has('Name','v0')", '--type', 'ebpf')
  const [node] = (await server.query("G.V().Has('Name','v0')")) as [{ readonly ID: string }]
  const { Count, Refusals } = await until(id, ({ Refusals: told }) => told !== undefined)
  expect({ Count, Refusals }).toEqual({
    Count: 0,
    Refusals: [
      {
        NodeID: node.ID,
        Host: 'e2e',
        Reason: 'type "ebpf" is not available on this agent; it has afpacket, netflow, pcap, pcapsocket, sflow',
      },
    ],
  })
  // Nothing stands on the node: it is not captured.
  expect(await server.query("G.V().Has('Name','v0').HasKey('Captures').Count()")).toBe(0)
})

test('a port that is taken, until it is free', async () => {
  const first = await create('--gremlin', "G.V().Has('Name','v0')", '--type', 'netflow', '--port', '4444')
  await until(first.UUID, ({ Count }) => Count === 1)
  const second = await create('--gremlin', "G.V().Has('Name','v0').Dedup()", '--type', 'netflow', '--port', '4444')
  const { Refusals } = await until(second.UUID, ({ Refusals: told }) => told !== undefined)
  expect(Refusals!.map(({ Reason }) => Reason)).toEqual([
    'netflow: port 4444 of 10.9.0.1 is taken; give the capture another one (Port)',
  ])
  const { code } = await skydive(['client', 'capture', 'delete', first.UUID], { env: server.env })
  expect(code).toBe(0)
  expect(await until(second.UUID, ({ Count }) => Count === 1)).toMatchObject({ Count: 1 })
  expect(await until(second.UUID, ({ Refusals: told }) => told === undefined)).not.toHaveProperty('Refusals')
}, 60_000)
