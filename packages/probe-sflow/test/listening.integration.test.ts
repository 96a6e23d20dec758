// Where the collector listens, what it says when that is taken, and what it hands over of real datagrams.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, PacketSource } from '@skydive/contracts'
import { type Kernel, openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { rawHeader, writeSFlow } from '../../packet/test/sflow-writer.ts'
import { captureSource, createSFlowModule, type SFlowOptions } from '../src/index.ts'

const kernel = openKernel()
let network: PrivateNetwork
const opened: PacketSource[] = []

beforeAll(() => {
  network = enterPrivateNetwork(kernel.systemCall)
  network.ip('link set lo up')
})
afterEach(() => {
  for (const source of opened.splice(0)) source.close()
})
afterAll(() => {
  network?.leave()
  kernel.dispose()
})

const target = (over: Partial<CaptureTarget> = {}): CaptureTarget => ({
  ...{ interfaceName: 'lo', ifindex: 1, bpfFilter: '', snapLength: 256, excludePeers: [], addresses: ['127.0.0.1'] },
  ...over,
})
function open(over: Partial<CaptureTarget> = {}, options?: SFlowOptions): PacketSource {
  const source = captureSource.open(target(over), options) as PacketSource
  opened.push(source)
  return source
}
const shown = (source: PacketSource) => source.describe!().capture!['SFlowSocket']

describe('a collector', () => {
  test.each<readonly [string, Partial<CaptureTarget>, SFlowOptions | undefined, string]>([
    ['at the address of its node', {}, undefined, '127.0.0.1:6343'],
    ['at another address than its node', {}, { address: '127.0.0.9' }, '127.0.0.9:6343'],
    ['at an address of version 6', { port: 6400 }, { address: '::1' }, '[::1]:6400'],
    ['of a node without addresses', { addresses: undefined as never }, undefined, '0.0.0.0:6343'],
  ])('%s', (_title, over, options, socket) => {
    const source = open(over, options)
    // After those of the process itself.
    expect(source.readyFd).toBeGreaterThan(2)
    expect([shown(source), source.kind, source.tellsExporters, source.format]).toEqual([
      socket,
      'packets',
      true,
      { layout: { format: 'tpacket-v3', tellsInterfaces: true }, linkType: 1 },
    ])
  })

  test('whose port is taken says which', () => {
    open()
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFLICT',
        message: 'sflow: port 6343 of 127.0.0.1 is taken; give the capture another one (Port)',
        fields: { address: '127.0.0.1', port: 6343 },
      }),
    )
  })

  test.each<readonly [SFlowOptions, object]>([
    [{ address: '192.0.2.1' }, { code: 'ERR_SYSTEM_CALL', fields: expect.objectContaining({ errno: 'EADDRNOTAVAIL' }) }],
    [{ address: 'localhost' }, { code: 'ERR_INVALID_ARGUMENT' }],
  ])('%j is refused for its own reason', (options, error) => {
    expect(() => open({}, options)).toThrow(expect.objectContaining(error))
  })
})

test('a fault of the kernel is thrown as it is, and the kernel is disposed of once, also by close', () => {
  let disposed = 0
  const fault = new Error('a fault')
  const module = (over: Partial<Kernel>) =>
    createSFlowModule((options) => {
      const own = openKernel(options)
      const dispose = () => {
        disposed++
        own.dispose()
      }
      return { ...own, ...over, dispose }
    })
  const faulty = module({
    socket() {
      throw fault
    },
  })
  expect(() => faulty.open(target())).toThrow(fault)
  expect(disposed).toBe(1)
  const source = module({}).open(target())
  source.close()
  source.close()
  expect(disposed).toBe(2)
})

/** A datagram with so many samples of an Ethernet header of 300 bytes, all of `fill`. */
function datagram(samples: number, fill: number): Uint8Array {
  const records = [rawHeader(1, 1500, 4, new Uint8Array(300).fill(fill))]
  const sample = {
    ...({ kind: 'flow', isExpanded: false, sequence: 1, sourceType: 0, sourceIndex: 3, samplingRate: 1 } as const),
    ...{ samplePool: 1, drops: 0, input: 3, output: 4, records },
  }
  return writeSFlow({
    ...{ agent: Uint8Array.of(10, 0, 0, 9), subAgentId: 0, sequence: 1, uptimeMs: 1 },
    samples: Array.from({ length: samples }, () => sample),
  })
}

/** Sends datagrams out of the namespace of this thread. */
async function send(...datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4')
  for (const one of datagrams) await new Promise((resolve) => socket.send(one, 6343, '127.0.0.1', resolve))
  socket.close()
  await once(socket, 'close')
}

test.each<readonly [string, Partial<CaptureTarget>, number, number, number]>([
  ['of the snap length that was asked for', { snapLength: 100 }, 100, 5, 0],
  ['of 256 bytes when none was asked for', { snapLength: 0 }, 256, 5, 0],
  ['as far as they were sampled', { snapLength: 4096 }, 300, 5, 0],
  ['that the filter takes', { bpfFilter: 'ether[0] = 7' }, 256, 3, 2],
  ['that a filter takes that looks at the last byte of them', { bpfFilter: 'ether[299] = 7', snapLength: 64 }, 64, 3, 2],
])('samples %s', async (_title, over, capturedBytes, taken, filtered) => {
  const source = open(over)
  await send(datagram(3, 7), datagram(2, 8), new Uint8Array(20_000))
  expect(kernel.waitReadable([source.readyFd], 5000)).toEqual([source.readyFd])
  const captured: number[] = []
  const polled = source.poll((buffer, offset) => {
    // tpacket_block_desc: num_pkts, offset_to_first_pkt; tpacket3_hdr: tp_next_offset, tp_snaplen.
    const view = new DataView(buffer.buffer, buffer.byteOffset + offset)
    let at = view.getUint32(16, true)
    for (let left = view.getUint32(12, true); left > 0; left--, at += view.getUint32(at, true)) {
      captured.push(view.getUint32(at + 12, true))
    }
  })
  expect([polled, captured, source.poll(() => {}), source.stats()]).toEqual([
    taken,
    Array<number>(taken).fill(capturedBytes),
    0,
    { packetsReceived: taken, packetsDropped: 1, packetsIfDropped: 0 },
  ])
  expect(source.describe!().node!['SFlow']).toEqual({
    Agents: { '10.0.0.9': { Datagrams: 2, Samples: taken, Lost: 0, SamplingRate: 1 } },
    Unused: { TruncatedDatagrams: 1, ...(filtered > 0 && { Filtered: filtered }) },
  })
  source.close()
  expect([source.poll(() => {}), source.stats().packetsReceived]).toEqual([0, taken])
})
