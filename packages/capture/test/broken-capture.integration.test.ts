import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { GraphNode, KeyValueStore, MetadataObject } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import {
  type CaptureAgent,
  type CaptureCoordinator,
  createCaptureAgent,
  createCaptureCoordinator,
  createLiveFlowReader,
} from '../src/index.ts'

// Both halves of captures together, and a thread that ends under them.

const kernel = openKernel()
const graph = createGraph()
const writer = graph.writer({ origin: 'agent.test', host: 'test' })
const folder = mkdtempSync(join(tmpdir(), 'skydive-broken-'))
const file = join(folder, 'break')
let network: PrivateNetwork
let agent: CaptureAgent
let coordinator: CaptureCoordinator

/** Two captures that are stored from the beginning on. */
const stored = ['c1', 'c2'].map((id) => ({
  key: `/capture/${id}`,
  value: JSON.stringify({ UUID: id, GremlinQuery: 'lo', Type: 'afpacket' }),
  modified: 1,
}))
const store = { list: async () => stored, watch: () => () => {} } as unknown as KeyValueStore

const node = (): GraphNode => graph.view.node(graph.view.nodeOrdinal('lo'))
const states = () =>
  ((node().metadata['Captures'] ?? []) as readonly MetadataObject[]).map(({ ID: id, State: state }) => `${id} ${state}`).sort()

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall)
  network.ip('link set lo up')
  writer.transaction((tx) => {
    tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'test', TID: 'tid-host' } })
    const metadata = { Type: 'device', Name: 'lo', IfIndex: 1, TID: 'tid-lo', LinkFlags: ['UP', 'LOOPBACK'] }
    tx.addNode({ id: 'lo', metadata })
    tx.own('host', 'lo')
  })
  agent = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: {
      afpacket: { module: new URL('./broken-once-source.ts', import.meta.url).href, options: { file } },
    },
    onBatch() {},
  })
  const answered = (work: Promise<void>) =>
    work.then(
      () => ({ status: 200 }),
      (error: Error) => ({ status: 500, reason: error.message }),
    )
  coordinator = createCaptureCoordinator({
    captures: store,
    events: graph,
    matchNodes: async () => [node()],
    transport: {
      startCapture: (_host, command) => answered(agent.startCapture(command)),
      stopCapture: (_host, command) => answered(agent.stopCapture(command)),
    },
  })
  await agent.start()
})
/** Rings that the process has mapped. */
const rings = () => readFileSync('/proc/self/maps', 'utf8').match(/socket:\[/g)?.length ?? 0

afterAll(async () => {
  await coordinator?.stop()
  await agent?.stop()
  network?.leave()
  kernel.dispose()
  rmSync(folder, { recursive: true })
})

/** Every state that the captures have, one after the other, until all run again after an error. */
async function statesUntilBack(): Promise<readonly string[]> {
  const seen: string[] = []
  await new Promise<void>((resolve) => {
    const stop = graph.subscribe(() => {
      const now = states().join()
      if (now !== '' && now !== seen.at(-1)) seen.push(now)
      if (!seen.some((text) => text.includes('error')) || now !== 'c1 active,c2 active') return
      stop()
      resolve()
    })
  })
  return seen
}

test('captures whose thread broke run again, in another thread', async () => {
  const before = rings()
  writeFileSync(file, '')
  const back = statesUntilBack()
  await coordinator.start()
  await back
  expect([coordinator.refusals('c1'), coordinator.refusals('c2')]).toEqual([[], []])
  // And they count.
  network.run('ping', ['-c', '2', '-i', '0.01', '127.0.0.1'])
  const counted = () => ((node().metadata['Captures'] ?? []) as readonly MetadataObject[]).map(({ PacketsReceived: n }) => n)
  await new Promise<void>((resolve) => {
    const stop = graph.subscribe(check)
    function check() {
      if (counted().join() !== '4,4') return
      stop()
      resolve()
    }
    check()
  })
  // Of the thread that broke nothing is left.
  expect(rings()).toBe(before + 2)
}, 30_000)

test('captures of an interface that is moved to another namespace run again, for the interface that it is now', async () => {
  const back = statesUntilBack()
  const before = rings()
  writer.transaction((tx) => tx.patchNode('lo', { TID: 'tid-elsewhere' }))
  const errors = ((node().metadata['Captures'] ?? []) as readonly MetadataObject[]).map(({ Error: error }) => error)
  expect(errors).toEqual([
    'the interface was moved to another network namespace',
    'the interface was moved to another network namespace',
  ])
  expect((await back).at(-1)).toBe('c1 active,c2 active')
  network.run('ping', ['-c', '1', '127.0.0.1'])
  const live = createLiveFlowReader({
    sources: () => [{ name: 'agent.test', hostId: 'test', query: (query) => agent.queryFlowTable(query) }],
  })
  let tids: readonly (string | undefined)[] = []
  while (tids.length < 2) tids = (await live.search({}, undefined)).flows.map(({ flow }) => flow.NodeTID)
  // One flow of each capture, and none of where the interface was.
  expect(tids).toEqual(['tid-elsewhere', 'tid-elsewhere'])
  expect(rings()).toBe(before)
}, 30_000)
