import { describe, expect, test } from '@jest/globals'
import { type CaptureTarget, type PacketSource, UnsupportedError } from '@skydive/contracts'
import type { Kernel, KernelOptions, PcapHandle, PcapLibrary } from '@skydive/kernel'
import { BPF, encodeBpfProgram, ownTrafficProgram } from '@skydive/packet'
import { createPcapModule, type PcapOptions } from './pcap-source.ts'

const TARGET: CaptureTarget = { interfaceName: 'eth0', ifindex: 2, bpfFilter: '', snapLength: 100, excludePeers: [] }
const HANDLE_FD = 5
const SOCKET_FD = 7
const EVENT_FD = 9
/** What the library makes of any expression. */
const COMPILED = encodeBpfProgram([{ code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 77 }])

/** libpcap and the kernel, of which all that is asked is told in order. `reads` are the packets of one read after the other, then none. */
function system({ fd = HANDLE_FD, reads = [] as readonly number[], refuses = [] as readonly string[] } = {}) {
  const asked: unknown[] = []
  const ask = <T>(what: string, answer: T, ...args: readonly unknown[]): T => {
    asked.push(args.length === 0 ? what : [what, ...args])
    if (refuses.includes(what)) throw new Error(`no ${what}`)
    return answer
  }
  const left = [...reads]
  const handle: PcapHandle = {
    linkType: 1,
    nanoseconds: true,
    fd,
    records: Uint8Array.of(1, 2, 3),
    recordBytes: 2,
    compile: (expression) => ask('compile', COMPILED, expression),
    setFilter: (program) => ask('setFilter', undefined, program),
    read: () => left.shift() ?? 0,
    stats: () => ({ received: 99, dropped: 4, droppedByInterface: 3 }),
    close: () => ask('closeHandle', undefined),
  }
  const library: PcapLibrary = {
    library: 'libpcap.so.0',
    version: '',
    openLive: (options) => ask('openLive', handle, options),
    openFile: (path) => ask('openFile', handle, path),
  }
  const kernel = {
    socket: (options: unknown) => ask('socket', SOCKET_FD, options),
    close: (closed: number) => ask('close', undefined, closed),
    inNamespace: (netns: string, work: () => unknown) => {
      ask('inNamespace', undefined, netns)
      return work()
    },
    eventDescriptor: () => ask('eventDescriptor', EVENT_FD),
    signal: (event: number) => ask('signal', undefined, event),
    clearSignal: (event: number) => ask('clearSignal', undefined, event),
    dispose: () => ask('dispose', undefined),
  } as unknown as Kernel
  const module = createPcapModule({
    openKernel: (options?: KernelOptions) => ask('openKernel', kernel, options),
    loadLibrary: (ledger?: SharedArrayBuffer) => ask('loadLibrary', library, ledger),
  })
  const open = (over: Partial<CaptureTarget> = {}, options?: PcapOptions, ledger?: SharedArrayBuffer) =>
    module.open({ ...TARGET, ...over }, options, ledger) as PacketSource
  return { module, open, asked }
}
const OPENED = [
  ['loadLibrary', undefined],
  ['openKernel', undefined],
]
const LIVE = { interfaceName: 'eth0', snapLength: 100, promiscuous: true, bufferBytes: 16_777_216, retireMs: 10 }

describe('whether it can run', () => {
  test('the library is loaded, a packet socket opened and closed', async () => {
    const { module, asked } = system()
    expect([module.name, await module.detect()]).toEqual(['pcap', { available: true }])
    expect(asked).toEqual([
      ['loadLibrary', undefined],
      ['openKernel', undefined],
      ['socket', { domain: 17, type: 3, protocol: 0 }],
      ['close', SOCKET_FD],
      'dispose',
    ])
  })

  test.each<readonly [string, Error]>([
    ['any fault', new Error('no socket')],
    ['something else that is not supported', new UnsupportedError('too old', { kernel: 'Linux 4' })],
  ])('%s has no remedy', async (_title, error) => {
    const module = createPcapModule({
      openKernel: () => {
        throw error
      },
      loadLibrary: () => ({}) as PcapLibrary,
    })
    expect(await module.detect()).toStrictEqual({ available: false, reason: error.message })
  })
})

describe('an interface', () => {
  test.each<readonly [string, Partial<CaptureTarget>, PcapOptions, object]>([
    ['by default', {}, {}, {}],
    ['without a snap length', { snapLength: 0 }, {}, { snapLength: 256 }],
    ['not promiscuous', {}, { promiscuous: false }, { promiscuous: false }],
    ['with the least buffer', {}, { bufferBytes: 65_536 }, { bufferBytes: 65_536 }],
    ['with the greatest buffer', {}, { bufferBytes: 0x7fffffff }, { bufferBytes: 0x7fffffff }],
    ['that hands over later', {}, { retireMs: 50 }, { retireMs: 50 }],
  ])('%s', (_title, over, options, live) => {
    const { open, asked } = system()
    const source = open(over, options)
    expect(asked).toEqual([...OPENED, ['openLive', { ...LIVE, ...live }]])
    expect([source.kind, source.readyFd, source.holdsBackMs, source.format]).toEqual([
      'packets',
      HANDLE_FD,
      (options.retireMs ?? 10) + 10,
      { layout: { format: 'pcap', littleEndian: true, nanoseconds: true }, linkType: 1 },
    ])
  })

  test('of a namespace is opened in it', () => {
    const { open, asked } = system()
    open({ netns: '/run/netns/a' })
    expect(asked).toEqual([...OPENED, ['inNamespace', '/run/netns/a'], ['openLive', LIVE]])
  })

  const peers = [{ address: '10.0.0.1', port: 8082 }]
  const everything = { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 100 }
  const compiled = { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 77 }
  test.each<readonly [string, Partial<CaptureTarget>, readonly unknown[]]>([
    [
      'a filter',
      { bpfFilter: 'udp' },
      [
        ['compile', 'udp'],
        ['setFilter', encodeBpfProgram([compiled])],
      ],
    ],
    ['own traffic', { excludePeers: peers }, [['setFilter', encodeBpfProgram([...ownTrafficProgram(peers, 1), everything])]]],
    [
      'both',
      { bpfFilter: 'udp', excludePeers: peers },
      [
        ['compile', 'udp'],
        ['setFilter', encodeBpfProgram([...ownTrafficProgram(peers, 1), compiled])],
      ],
    ],
  ])('with %s', (_title, over, filtered) => {
    const { open, asked } = system()
    open(over)
    expect(asked).toEqual([...OPENED, ['openLive', LIVE], ...filtered])
  })

  test('the library is loaded once, kernels are opened for each, by the ledger', () => {
    const { open, asked } = system()
    const ledger = new SharedArrayBuffer(8)
    open({}, {}, ledger)
    open()
    expect(asked).toEqual([
      ['loadLibrary', ledger],
      ['openKernel', { ledger }],
      ['openLive', LIVE],
      ['openKernel', undefined],
      ['openLive', LIVE],
    ])
  })

  test('that can not be waited for is refused', () => {
    const { open, asked } = system({ fd: -1 })
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'ERR_UNSUPPORTED',
        message: "pcap: eth0 can't be waited for: libpcap has no descriptor for this device",
      }),
    )
    expect(asked).toEqual([...OPENED, ['openLive', LIVE], 'closeHandle', 'dispose'])
  })

  test('whose descriptor is 0 is as good as another', () => {
    expect(system({ fd: 0 }).open().readyFd).toBe(0)
  })

  test.each([
    ['openLive', []],
    ['compile', ['closeHandle']],
    ['setFilter', ['closeHandle']],
  ])('nothing stays when %s fails', (step, closed) => {
    const { open, asked } = system({ refuses: [step] })
    expect(() => open({ bpfFilter: 'udp' })).toThrow(`no ${step}`)
    expect(asked.slice(-1 - closed.length)).toEqual([...closed, 'dispose'])
  })
})

test.each([65_535, 70_000.5, 0x80000000, Number.NaN])(
  'bufferBytes %d is refused before the interface is opened',
  (bufferBytes) => {
    const { open, asked } = system()
    expect(() => open({}, { bufferBytes })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARGUMENT',
        message: `pcap: bufferBytes ${bufferBytes} is not from 64 KiB to 2 GiB`,
      }),
    )
    expect(asked).toEqual([...OPENED, 'dispose'])
  },
)

describe('a file', () => {
  test.each<readonly [string, readonly unknown[]]>([
    ['', []],
    [
      'udp',
      [
        ['compile', 'udp'],
        ['setFilter', COMPILED],
      ],
    ],
  ])('with the filter "%s" is opened, and told as ready until it was read', (bpfFilter, filtered) => {
    const { open, asked } = system({ reads: [3, 2] })
    const source = open({ bpfFilter, excludePeers: [{ address: '10.0.0.1', port: 1 }] }, { file: 'a.pcap' })
    expect([source.readyFd, source.holdsBackMs]).toEqual([EVENT_FD, 0])
    const opened = [...OPENED, ['openFile', 'a.pcap'], ...filtered, 'eventDescriptor', ['signal', EVENT_FD]]
    expect(asked).toEqual(opened)
    expect([source.poll(() => {}), asked.slice(opened.length)]).toEqual([5, [['clearSignal', EVENT_FD]]])
    source.close()
    source.close()
    expect(asked.slice(opened.length + 1)).toEqual(['closeHandle', ['close', EVENT_FD], 'dispose'])
  })

  test.each([
    ['openFile', []],
    ['compile', ['closeHandle']],
    ['eventDescriptor', ['closeHandle']],
  ])('nothing stays when %s fails', (step, closed) => {
    const { open, asked } = system({ refuses: [step] })
    expect(() => open({ bpfFilter: 'udp' }, { file: 'a.pcap' })).toThrow(`no ${step}`)
    expect(asked.slice(-1 - closed.length)).toEqual([...closed, 'dispose'])
  })
})

describe('a source', () => {
  test('reads sixteen times a poll, hands over what was read, and counts it', () => {
    const { open, asked } = system({ reads: Array<number>(20).fill(2) })
    const source = open()
    const blocks: unknown[] = []
    const sink = (...block: readonly unknown[]) => void blocks.push(block)
    expect([source.poll(sink), blocks.length, source.poll(sink), source.poll(sink)]).toEqual([32, 16, 8, 0])
    expect(blocks).toEqual(Array(20).fill([Uint8Array.of(1, 2, 3), 0, 2]))
    expect(source.stats()).toEqual({ packetsReceived: 40, packetsDropped: 4, packetsIfDropped: 3 })
    // Nothing is cleared of an interface.
    expect(asked).toEqual([...OPENED, ['openLive', LIVE]])
  })

  test('that is closed within a poll reads no more, and closes once', () => {
    const { open, asked } = system({ reads: [1, 1, 1] })
    const source = open()
    let blocks = 0
    expect(
      source.poll(() => {
        blocks++
        source.close()
      }),
    ).toBe(1)
    source.close()
    expect([blocks, source.poll(() => {}), asked.slice(3)]).toEqual([1, 0, ['closeHandle', 'dispose']])
    expect(source.stats()).toEqual({ packetsReceived: 1, packetsDropped: 4, packetsIfDropped: 3 })
  })
})
