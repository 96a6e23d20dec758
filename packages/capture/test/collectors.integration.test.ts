import { createSocket } from 'node:dgram'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Flow, MetadataObject } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { openKernel } from '@skydive/kernel'
import { FIELD, NetflowDecoder } from '@skydive/packet/netflow'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { rawHeader, writeSFlow } from '../../packet/test/sflow-writer.ts'
import { type CaptureAgent, createCaptureAgent } from '../src/index.ts'

// Captures that listen: on the loopback of a network of their own, so that no port is taken.

const module = (name: string) => ({ module: new URL(`../../${name}/src/index.ts`, import.meta.url).href })
const graph = createGraph()
const writer = graph.writer({ origin: 'agent.test', host: 'test' })
const sent: Flow[] = []
let wakeUp = () => {}
let agent: CaptureAgent

/** Resolves when `holds` does, looked at whenever flows or a change of the graph come. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      wakeUp = resolve
    })
  }
}

const kernel = openKernel()
let network: PrivateNetwork

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall)
  network.ip('link set lo up')
  writer.transaction((tx) => {
    tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'test', TID: 'tid-host' } })
    const metadata = { Type: 'device', Name: 'lo', IfIndex: 1, TID: 'tid-lo', LinkFlags: ['UP'], IPV4: ['127.0.0.1/8'] }
    tx.addNode({ id: 'lo', metadata })
    tx.own('host', 'lo')
    for (const id of ['br0', 'br1', 'br2']) {
      tx.addNode({ id, metadata: { Type: 'ovsbridge', Name: id, UUID: id, TID: `tid-${id}` } })
      tx.own('host', id)
    }
  })
  graph.subscribe(() => wakeUp())
  agent = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: {
      sflow: module('probe-sflow'),
      netflow: {
        ...module('probe-netflow'),
        options: { ports: [0] },
        switchOptions: { address: '127.0.0.1', minPort: 16_365, maxPort: 16_366 },
      },
    },
    statsUpdateMs: 50,
    flow: { updateMs: 200 },
    onBatch(payload) {
      sent.push(...decodeFlowMessage(payload).Flows)
      wakeUp()
    },
  })
  await agent.start()
})
afterAll(async () => {
  await agent?.stop()
  network?.leave()
  kernel.dispose()
})

const metadata = () => graph.view.node(graph.view.nodeOrdinal('lo')).metadata
const command = (type: string, over: object = {}) => ({
  NodeID: 'lo',
  Resource: { UUID: `c-${type}`, GremlinQuery: 'G.V()', Type: type, ...over },
})
const capture = () => (metadata()['Captures'] as readonly MetadataObject[])[0]!

async function send(address: string, bytes: Uint8Array): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise((resolve) => socket.send(bytes, Number(address.split(':')[1]), '127.0.0.1', resolve))
  socket.close()
}

/** NetFlow 5: one record of TCP, 10 packets and 1000 bytes from 10.0.0.1 to 10.0.0.2, port 80. */
function netflow5(): Uint8Array {
  const datagram = new DataView(new ArrayBuffer(72))
  datagram.setUint16(0, 5)
  datagram.setUint16(2, 1)
  datagram.setUint32(8, 1_700_000_000)
  datagram.setUint32(24, 0x0a000001)
  datagram.setUint32(28, 0x0a000002)
  datagram.setUint32(40, 10)
  datagram.setUint32(44, 1000)
  datagram.setUint16(58, 80)
  datagram.setUint8(62, 6)
  return new Uint8Array(datagram.buffer)
}

test('a collector passes flows on to another, and never to itself', async () => {
  const collector = createSocket('udp4')
  await new Promise<void>((resolve) => collector.bind(0, '127.0.0.1', resolve))
  const records: unknown[] = []
  const decoder = new NetflowDecoder({
    record: ({ values, exporter }) =>
      records.push([
        exporter.name,
        values[FIELD.PROTOCOL],
        values[FIELD.PACKETS],
        values[FIELD.BYTES],
        values[FIELD.DESTINATION_PORT],
      ]),
  })
  collector.on('message', (bytes, { address }) => {
    decoder.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, address, Date.now())
    wakeUp()
  })
  const Target = `127.0.0.1:${collector.address().port}`
  await agent.startCapture(command('netflow', { Target, TargetType: 'ipfix' }))
  await send(String(capture()['NetFlowSocket']), netflow5())
  await until(() => records.length === 1 && capture()['TargetSent'] === 1)
  expect(records).toEqual([['127.0.0.1', 6, 10, 1000, 80]])
  expect(capture()).toMatchObject({ Target, TargetType: 'ipfix', TargetSent: 1, TargetDropped: 0, TargetSkipped: 0 })
  await agent.stopCapture(command('netflow'))
  collector.close()

  const port = 16_399
  const itself = { Port: port, Target: `127.0.0.1:${port}`, TargetType: 'ipfix' }
  await expect(agent.startCapture(command('netflow', itself))).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: `capture: target 127.0.0.1:${port} is where this capture listens; it would count itself`,
  })
  expect(metadata()['Captures']).toBeUndefined()
})

test('records of an exporter become flows of the node, and what it tells is there as long as the capture', async () => {
  await agent.startCapture(command('netflow'))
  const address = capture()['NetFlowSocket']
  expect(capture()).toEqual({
    PacketsReceived: 0,
    PacketsDropped: 0,
    PacketsIfDropped: 0,
    ID: 'c-netflow',
    State: 'active',
    Type: 'netflow',
    NetFlowSocket: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  })
  await send(String(address), netflow5())
  await until(() => sent.length > 0 && capture()['PacketsReceived'] === 1)
  expect(sent).toEqual([
    expect.objectContaining({
      Application: 'TCP',
      NodeTID: 'tid-lo',
      CaptureID: 'c-netflow',
      Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
      Metric: { ABPackets: 10, ABBytes: 1000, BAPackets: 0, BABytes: 0, Start: 1_700_000_000_000, Last: 1_700_000_000_000 },
    }),
  ])
  await until(() => (metadata()['NetFlow'] as MetadataObject)?.['Records'] === 1)
  await agent.stopCapture(command('netflow'))
  expect([metadata()['Captures'], metadata()['NetFlow']]).toEqual([undefined, undefined])
})

test('counters of a switch are metadata of the node as long as the capture', async () => {
  await agent.startCapture(command('sflow', { Port: 16_343 }))
  expect(capture()).toMatchObject({ SFlowSocket: '127.0.0.1:16343', State: 'active' })
  await expect(agent.startCapture(command('sflow', { UUID: 'c2', Port: 16_343 }))).rejects.toMatchObject({ code: 'ERR_CONFLICT' })
  // A counter sample of interface 5 that took in 1000 bytes.
  const words = [5, 1, 0x0a000001, 0, 1, 1000, 1, 2, 108, 1, 5, 1, 1, 88, 5, 6, 0, 0, 1, 3, 0, 1000, ...Array<number>(14).fill(0)]
  const datagram = new DataView(new ArrayBuffer(words.length * 4))
  for (const [i, word] of words.entries()) datagram.setUint32(i * 4, word)
  await send('127.0.0.1:16343', new Uint8Array(datagram.buffer))
  const sflow = () => metadata()['SFlow'] as MetadataObject | undefined
  await until(() => sflow()?.['Metric'] !== undefined)
  expect(sflow()).toMatchObject({ IfMetrics: { 5: { IfInOctets: 1000 } }, Metric: { IfInOctets: 1000 } })
  await agent.stopCapture(command('sflow'))
  expect([metadata()['Captures'], sflow()]).toEqual([undefined, undefined])
})

test('samples of a packet by two switches are two flows, each with its exporter', async () => {
  sent.length = 0
  await agent.startCapture(command('sflow', { Port: 16_343 }))
  const frame = Uint8Array.from(
    { length: 60 },
    (_, i) => ({ 5: 2, 11: 1, 12: 8, 14: 0x45, 17: 46, 23: 17, 29: 1, 33: 2 })[i] ?? 0,
  )
  const source = { kind: 'flow', isExpanded: false, sequence: 1, sourceType: 0, sourceIndex: 3 } as const
  for (const [last, samplingRate] of [
    [1, 100],
    [2, 50],
  ] as const) {
    const sample = {
      ...source,
      samplingRate,
      samplePool: 1,
      drops: 0,
      input: 3,
      output: 4 + last,
      records: [rawHeader(1, 64, 4, frame)],
    }
    const datagram = { agent: Uint8Array.of(192, 0, 2, last), subAgentId: 0, sequence: 1, uptimeMs: 1, samples: [sample] }
    await send('127.0.0.1:16343', writeSFlow(datagram))
  }
  await until(() => new Set(sent.map(({ UUID }) => UUID)).size === 2)
  const told = sent.map(({ Exporter: exporter, NodeTID, Metric }) => [exporter, NodeTID, Metric!.ABPackets])
  expect(told.sort(([, , a], [, , b]) => Number(b) - Number(a))).toEqual([
    [{ Address: '192.0.2.1', Input: 3, Output: 5 }, 'tid-lo', 100],
    [{ Address: '192.0.2.2', Input: 3, Output: 6 }, 'tid-lo', 50],
  ])
  await agent.stopCapture(command('sflow'))
})

test('on bridges of a switch each takes the next free port of the range, in which one is free again after its end', async () => {
  const on = (nodeId: string) => ({ ...command('netflow', { UUID: `c-${nodeId}` }), NodeID: nodeId })
  const socketOf = (nodeId: string) => {
    const { Captures: captures } = graph.view.node(graph.view.nodeOrdinal(nodeId)).metadata
    return (captures as readonly MetadataObject[])[0]!['NetFlowSocket']
  }
  await agent.startCapture(on('br0'))
  await agent.startCapture(on('br1'))
  expect([socketOf('br0'), socketOf('br1')]).toEqual(['127.0.0.1:16365', '127.0.0.1:16366'])
  await expect(agent.startCapture(on('br2'))).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' })
  await agent.stopCapture(on('br0'))
  await agent.startCapture(on('br2'))
  expect(socketOf('br2')).toBe('127.0.0.1:16365')
  await Promise.all([agent.stopCapture(on('br1')), agent.stopCapture(on('br2'))])
})
