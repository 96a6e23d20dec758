// Which ports the collector takes, what it says when they are taken, and what overflows of several.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type CaptureTarget, type RecordSource, UnsupportedError } from '@skydive/contracts'
import { type Kernel, openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { captureSource, createNetflowModule, type NetflowOptions } from '../src/index.ts'

const AF_INET6 = 10
const kernel = openKernel()
let network: PrivateNetwork
const opened: RecordSource[] = []

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
function open(over: Partial<CaptureTarget> = {}, options: NetflowOptions = {}, module = captureSource): RecordSource {
  const source = module.open(target(over), options) as RecordSource
  opened.push(source)
  return source
}
const shown = (source: RecordSource) => source.describe!().capture!['NetFlowSocket']
/** Sockets of UDP in the namespace of the thread. */
const sockets = () =>
  ['udp', 'udp6'].flatMap((file) => readFileSync(`/proc/thread-self/net/${file}`, 'utf8').trim().split('\n').slice(1)).length

describe('ports', () => {
  test('of a range the first that is free; none is left, and then one is again', () => {
    const range = { minPort: 6365, maxPort: 6367 }
    const taken = [1, 2, 3].map(() => open({}, range))
    expect(taken.map(shown)).toEqual(['127.0.0.1:6365', '127.0.0.1:6366', '127.0.0.1:6367'])
    expect(() => open({}, range)).toThrow(
      expect.objectContaining({
        code: 'ERR_UNAVAILABLE',
        message: 'netflow: ports 6365 to 6367 of 127.0.0.1 are all taken: stop another capture, or widen agent.flow.netflow',
        fields: { address: '127.0.0.1', minPort: 6365, maxPort: 6367, retryable: true },
      }),
    )
    taken[1]!.close()
    expect(shown(open({}, range))).toBe('127.0.0.1:6366')
  })

  test.each<readonly [string, Partial<CaptureTarget>, NetflowOptions, string]>([
    ['a range of one', {}, { minPort: 6365, maxPort: 6365 }, '127.0.0.1:6365'],
    ['the last range', {}, { minPort: 65_535, maxPort: 65_535 }, '127.0.0.1:65535'],
    ['the first range', {}, { minPort: 1, maxPort: 1 }, '127.0.0.1:1'],
    ['a port of the capture before a range', { port: 9995 }, { minPort: 6365, maxPort: 6367 }, '127.0.0.1:9995'],
    ['a range without its end', {}, { minPort: 6365 }, '127.0.0.1:2055 127.0.0.1:4739'],
    ['a range without its beginning', {}, { maxPort: 6367 }, '127.0.0.1:2055 127.0.0.1:4739'],
    ['other ports than by default', {}, { ports: [9996, 9997, 9998] }, '127.0.0.1:9996 127.0.0.1:9997 127.0.0.1:9998'],
    ['another address than the node', {}, { address: '127.0.0.9' }, '127.0.0.9:2055 127.0.0.9:4739'],
    ['an address of version 6', {}, { address: '::1' }, '[::1]:2055 [::1]:4739'],
    ['several addresses of the node', { addresses: ['127.0.0.1', '127.0.0.2'] }, {}, '[::]:2055 [::]:4739'],
    ['a node without addresses', { addresses: undefined as never }, {}, '[::]:2055 [::]:4739'],
  ])('%s', (_title, over, options, sockets) => {
    const source = open(over, options)
    expect([source.kind, shown(source), source.readyFds.length]).toEqual(['records', sockets, sockets.split(' ').length])
  })

  test('one that is taken is told, and those before it are free again', () => {
    const before = sockets()
    const other = open({ port: 4739 })
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFLICT',
        message: 'netflow: port 4739 of 127.0.0.1 is taken; give the capture another one (Port)',
        fields: { address: '127.0.0.1', port: 4739 },
      }),
    )
    expect(sockets()).toBe(before + 1)
    other.close()
    open()
  })

  test.each<readonly [NetflowOptions, object]>([
    [{ address: '192.0.2.1' }, { code: 'ERR_SYSTEM_CALL', fields: expect.objectContaining({ errno: 'EADDRNOTAVAIL' }) }],
    [{ address: '192.0.2.1', minPort: 6365, maxPort: 6367 }, { code: 'ERR_SYSTEM_CALL' }],
    [{ address: 'localhost' }, { code: 'ERR_INVALID_ARGUMENT' }],
    [{ ports: [70_000] }, { code: 'ERR_INVALID_ARGUMENT' }],
  ])('%j is refused for its own reason', (options, error) => {
    expect(() => open({}, options)).toThrow(expect.objectContaining(error))
  })

  test('everywhere, when one is taken everywhere, is told as such', () => {
    open({ addresses: [] })
    expect(() => open({ addresses: [] })).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFLICT',
        message: 'netflow: port 2055 of :: is taken; give the capture another one (Port)',
      }),
    )
  })

  test('a fault of the kernel is thrown as it is, and the kernel is disposed of once, also by close', () => {
    let disposed = 0
    const fault = new Error('a fault')
    const module = (over: (own: Kernel) => Partial<Kernel>) =>
      createNetflowModule((options) => {
        const own = openKernel(options)
        const dispose = () => {
          disposed++
          own.dispose()
        }
        return { ...own, ...over(own), dispose }
      })
    const faulty = module(() => ({
      socket() {
        throw fault
      },
    }))
    expect(() => open({}, {}, faulty)).toThrow(fault)
    expect(disposed).toBe(1)
    const source = open(
      {},
      {},
      module(() => ({})),
    )
    source.close()
    source.close()
    expect(disposed).toBe(2)
  })

  test.each([
    ['everywhere', [], '0.0.0.0:2055 0.0.0.0:4739'],
    ['at an address of version 6', ['::1'], undefined],
  ])('on a host without IPv6, %s', (_title, addresses, sockets) => {
    const withoutIpv6 = createNetflowModule((options) => {
      const own = openKernel(options)
      return {
        ...own,
        socket(socket: Parameters<Kernel['socket']>[0]) {
          if (socket.domain === AF_INET6) throw new UnsupportedError('open socket: EAFNOSUPPORT', { kernel: 'IPv6' })
          return own.socket(socket)
        },
      }
    })
    if (sockets === undefined) {
      expect(() => open({ addresses }, {}, withoutIpv6)).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }))
    } else {
      expect(shown(open({ addresses }, {}, withoutIpv6))).toBe(sockets)
    }
  })
})

/** Sends datagrams out of the namespace of this thread. */
async function send(port: number, ...datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4')
  for (const datagram of datagrams) await new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve))
  socket.close()
  await once(socket, 'close')
}

/** A datagram of NetFlow 5 with so many records. */
function netflow5(records: number): Uint8Array {
  const bytes = new Uint8Array(24 + records * 48)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 5)
  view.setUint16(2, records)
  view.setUint32(8, 1_700_000_000)
  for (let i = 0; i < records; i++) {
    view.setUint32(24 + i * 48, 0x0a000001)
    view.setUint32(28 + i * 48, 0x0a000002)
    view.setUint32(40 + i * 48, 1)
    bytes[24 + i * 48 + 38] = 17
  }
  return bytes
}

test('what comes to all ports is added up: records, and what was too long', async () => {
  const source = open()
  await send(2055, netflow5(3), new Uint8Array(20_000))
  await send(4739, netflow5(2), new Uint8Array(20_000), new Uint8Array(20_000))
  const taken: number[] = []
  const polled = [source.poll(() => taken.push(1) > 0), source.poll(() => true)]
  expect([polled, taken.length, source.stats(), source.describe!().node!['NetFlow']]).toEqual([
    [5, 0],
    5,
    { packetsReceived: 5, packetsDropped: 3, packetsIfDropped: 0 },
    expect.objectContaining({ Datagrams: 2, Records: 5, Unused: { TruncatedDatagrams: 3 } }),
  ])
  source.close()
  expect([source.poll(() => true), source.stats()]).toEqual([0, { packetsReceived: 5, packetsDropped: 3, packetsIfDropped: 0 }])
})
