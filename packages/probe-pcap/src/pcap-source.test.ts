import { expect, test } from '@jest/globals'
import { PermissionError } from '@skydive/contracts'
import { type Kernel, loadPcapLibrary, type PcapLibrary } from '@skydive/kernel'
import { createPcapModule } from './pcap-source.ts'

const TARGET = { interfaceName: 'lo', ifindex: 1, bpfFilter: '', snapLength: 256, excludePeers: [] }
const LIBRARY: PcapLibrary = {
  library: 'libpcap.so.0',
  version: '',
  openLive: () => {
    throw new Error('not asked for')
  },
  openFile: () => {
    throw new Error('not asked for')
  },
}

/** A kernel that gives no packet socket. */
function refusing(): Kernel {
  const socket = () => {
    throw new PermissionError('open socket: EPERM; it takes CAP_NET_RAW', { capability: 'CAP_NET_RAW' })
  }
  return { socket, dispose: () => {} } as unknown as Kernel
}

test('without libpcap it says which package has it, and does not open', async () => {
  const module = createPcapModule({ openKernel: refusing, loadLibrary: () => loadPcapLibrary(['libnosuch.so.1']) })
  expect(await module.detect()).toEqual({
    available: false,
    reason: 'no libpcap: none of libnosuch.so.1 can be loaded; install the package libpcap0.8 (Debian) or libpcap',
    remedy: 'apt-get install libpcap0.8',
  })
  expect(() => module.open(TARGET)).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }))
})

test('without the privilege it says which', async () => {
  const module = createPcapModule({ openKernel: refusing, loadLibrary: () => LIBRARY })
  expect(await module.detect()).toEqual({
    available: false,
    reason: 'open socket: EPERM; it takes CAP_NET_RAW',
    remedy: 'run as root or grant CAP_NET_RAW',
  })
})

test.each([0, 1.5, 4096, 2 ** 31])('bufferBytes %d is refused', (bufferBytes) => {
  const module = createPcapModule({ openKernel: refusing, loadLibrary: () => LIBRARY })
  expect(() => module.open(TARGET, { bufferBytes })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', fields: expect.objectContaining({ bufferBytes }) }),
  )
})
