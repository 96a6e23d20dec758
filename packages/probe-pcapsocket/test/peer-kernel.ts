import { type CaptureTarget, InvalidArgumentError, type PacketSource } from '@skydive/contracts'
import { Errno, type Kernel, type KernelOptions, systemError } from '@skydive/kernel'
import { BPF, encodeBpfProgram, encodePcap } from '@skydive/packet'
import { createPcapSocketModule, type PcapSocketOptions } from '../src/index.ts'

const TARGET: CaptureTarget = { interfaceName: '', ifindex: 0, bpfFilter: '', snapLength: 256, excludePeers: [] }
export const [LISTENER, SET, TIMER] = [100, 50, 51]

/** A peer: what it has sent and is not read yet. */
interface Peer {
  bytes: Uint8Array
  isOver: boolean
}

/**
 * A kernel with peers that wait to be accepted; tells which descriptors can wake the source, for how long its timer is set, what was opened with
 * which options and what was closed. Ports of `taken` can't be listened at.
 */
export function peerKernel({ taken = [] as readonly number[], refuses = '' } = {}) {
  const waiting: Peer[] = []
  const peers = new Map<number, Peer>()
  const watched = new Set<number>()
  const closed: (number | string)[] = []
  const opened: (KernelOptions | undefined)[] = []
  const read: number[] = []
  const compiled: unknown[] = []
  const calls: unknown[] = []
  let armedMs: number | undefined
  let asked = 0
  const kernel = {
    socket: (asked: unknown) => {
      calls.push(['socket', asked])
      return LISTENER
    },
    setSocketOption: (...asked: readonly unknown[]) => void calls.push(['set', ...asked]),
    bind: (_fd: number, name: Uint8Array) => {
      const port = new DataView(name.buffer).getUint16(2)
      if (taken.includes(port)) throw systemError('bind', Errno.EADDRINUSE)
    },
    listen: (...asked: readonly unknown[]) => {
      calls.push(['listen', ...asked])
      if (refuses === 'listen') throw new Error('no listen')
    },
    accept: () => {
      const peer = waiting.shift()
      if (!peer) return -Errno.EAGAIN
      const fd = 200 + peers.size
      peers.set(fd, peer)
      return fd
    },
    receive: (fd: number, into: Uint8Array) => {
      const peer = peers.get(fd)!
      asked++
      if (peer.bytes.length === 0) return peer.isOver ? 0 : -Errno.EAGAIN
      const some = peer.bytes.subarray(0, into.length)
      into.set(some)
      peer.bytes = peer.bytes.subarray(some.length)
      read.push(some.length)
      return some.length
    },
    close: (fd: number) => void closed.push(fd),
    descriptorSet: () => ({
      fd: SET,
      add: (fd: number) => {
        if (watched.has(fd)) throw new Error(`${fd} is in the set`)
        watched.add(fd)
      },
      remove: (fd: number) => {
        if (!watched.delete(fd)) throw new Error(`${fd} is not in the set`)
      },
      close: () => void closed.push('set'),
    }),
    timerDescriptor: () => ({
      fd: TIMER,
      arm: (ms: number) => {
        armedMs = ms
      },
      disarm: () => {
        armedMs = undefined
      },
      close: () => void closed.push('timer'),
    }),
    compileBpf: (...asked: readonly unknown[]) => {
      compiled.push(asked)
      if (asked[0] === 'bad') throw new Error('no such filter')
      const [expression, { linkType }] = asked as [string, { linkType: number }]
      if (expression === 'refused' && linkType !== 1) throw new InvalidArgumentError('no such filter', {})
      if (expression === 'faulty' && linkType !== 1) throw new Error('a fault')
      // Packets of which the first byte is not 0.
      return encodeBpfProgram([
        { code: BPF.LD | BPF.B | BPF.ABS, jt: 0, jf: 0, k: 0 },
        { code: BPF.RET | BPF.A, jt: 0, jf: 0, k: 0 },
      ])
    },
    dispose: () => void closed.push('kernel'),
  }
  const module = createPcapSocketModule((options) => {
    opened.push(options)
    return kernel as unknown as Kernel
  })
  const open = (over: Partial<CaptureTarget> = {}, options?: PcapSocketOptions, ledger?: SharedArrayBuffer) =>
    module.open({ ...TARGET, ...over }, options, ledger) as PacketSource
  const connect = (bytes: Uint8Array, isOver = false): Peer => {
    const peer = { bytes, isOver }
    waiting.push(peer)
    return peer
  }
  return { module, open, connect, watched, closed, opened, read, compiled, calls, armed: () => armedMs, asked: () => asked }
}

/** A stream of packets of four bytes each. */
export const packets = (...timesMs: readonly number[]) =>
  encodePcap(timesMs.map((timeMs) => ({ timeMs, data: Uint8Array.of(1, 2, 3, 4) })))
export const none = () => {}
