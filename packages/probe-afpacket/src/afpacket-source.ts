import {
  type CaptureSourceModule,
  type CaptureStats,
  type CaptureTarget,
  type Detection,
  InvalidArgumentError,
  NotFoundError,
  type PacketBlockSink,
  type PacketFormat,
  type PacketSource,
  SkydiveError,
} from '@skydive/contracts'
import { type Kernel, type MappedMemory, openKernel } from '@skydive/kernel'
import { BPF, type BpfInstruction, decodeBpfProgram, encodeBpfProgram, LINK_TYPE } from '@skydive/packet'
import { ownTrafficProgram } from './own-traffic.ts'
import * as socket from './packet-socket.ts'

/** The size of the ring and how long a block may wait to be full. */
export interface AfPacketOptions {
  /** A power of two and a multiple of the page size. @default 1 MiB */
  readonly blockBytes?: number
  /** @default 16 */
  readonly blocks?: number
  /** After this time a block is handed over even when it is not full. @default 10 */
  readonly retireMs?: number
}

const DEFAULT_BLOCK_BYTES = 1024 * 1024
const DEFAULT_BLOCKS = 16
const DEFAULT_RETIRE_MS = 10
const FRAME_BYTES = 2048
const DEFAULT_SNAP_LENGTH = 256

/**
 * Opens rings. `openSystem` gives the kernel of the calling thread; a test may give another.
 *
 * A ring lives in the namespace of its target for as long as it is open; the thread itself never stays there. The filter is attached
 * before the socket is bound, and the socket has no protocol until then: not one packet is captured unfiltered.
 */
export function createAfPacketModule(openSystem: () => Kernel = openKernel): CaptureSourceModule<AfPacketOptions> {
  return {
    name: 'afpacket',
    detect: async () => detect(openSystem),
    open(target, options = {}) {
      const kernel = openSystem()
      try {
        return openRing(kernel, target, options)
      } catch (error) {
        kernel.dispose()
        throw error
      }
    },
  }
}

/** The module as the capture worker loads it. */
export const captureSource: CaptureSourceModule<AfPacketOptions> = createAfPacketModule()

function detect(openSystem: () => Kernel): Detection {
  try {
    const kernel = openSystem()
    try {
      kernel.close(kernel.socket({ domain: socket.AF_PACKET, type: socket.SOCK_RAW, protocol: 0 }))
    } finally {
      kernel.dispose()
    }
    return { available: true }
  } catch (error) {
    const isPermission = SkydiveError.isInstance(error, 'ERR_PERMISSION')
    return {
      available: false,
      reason: (error as Error).message,
      ...(isPermission && { remedy: 'run as root or grant CAP_NET_RAW' }),
    }
  }
}

function openRing(kernel: Kernel, target: CaptureTarget, options: AfPacketOptions): PacketSource {
  const { blockBytes = DEFAULT_BLOCK_BYTES, blocks = DEFAULT_BLOCKS, retireMs = DEFAULT_RETIRE_MS } = options
  if (!Number.isInteger(Math.log2(blockBytes)) || blockBytes < 4096) {
    throw new InvalidArgumentError(`afpacket: blockBytes ${blockBytes} is no power of two from 4096`, { blockBytes })
  }
  const fd = kernel.socket({
    domain: socket.AF_PACKET,
    type: socket.SOCK_RAW,
    protocol: 0,
    ...(target.netns !== undefined && { netns: target.netns }),
  })
  try {
    const deviceType = deviceTypeOf(kernel, fd, target)
    const isFramed = deviceType === socket.ARPHRD_ETHER || deviceType === socket.ARPHRD_LOOPBACK
    const linkType = isFramed ? LINK_TYPE.ETHERNET : LINK_TYPE.RAW
    attachFilter(kernel, fd, target, linkType, deviceType === socket.ARPHRD_LOOPBACK)
    kernel.setSocketOption(fd, socket.SOL_PACKET, socket.PACKET_VERSION, socket.TPACKET_V3)
    const request = socket.ringRequest(blockBytes, blocks, FRAME_BYTES, retireMs)
    kernel.setSocketOption(fd, socket.SOL_PACKET, socket.PACKET_RX_RING, request)
    const memory = kernel.mapMemory({ fd, byteLength: blockBytes * blocks, write: true, shared: true })
    try {
      bind(kernel, fd, target)
    } catch (error) {
      memory.close()
      throw error
    }
    return new Ring(kernel, fd, memory, { blockBytes, blocks, linkType })
  } catch (error) {
    kernel.close(fd)
    throw error
  }
}

function bind(kernel: Kernel, fd: number, target: CaptureTarget): void {
  try {
    kernel.bind(fd, socket.packetAddress(target.ifindex, socket.ETH_P_ALL))
  } catch (error) {
    if (SkydiveError.isInstance(error) && error.fields['errno'] === 'ENODEV') throw noInterface(target)
    throw error
  }
}

function deviceTypeOf(kernel: Kernel, fd: number, target: CaptureTarget): number {
  const request = socket.interfaceRequest(target.interfaceName)
  if (kernel.ioctl(fd, socket.SIOCGIFHWADDR, request) < 0) throw noInterface(target)
  return new DataView(request.buffer).getUint16(16, true)
}

function noInterface(target: CaptureTarget): NotFoundError {
  const where = target.netns === undefined ? '' : ` in ${target.netns}`
  return new NotFoundError(`capture: there is no interface ${target.interfaceName} (${target.ifindex})${where}`, {
    interfaceName: target.interfaceName,
    ifindex: target.ifindex,
    netns: target.netns,
  })
}

/** Own traffic first, then what the user asked for; the return value cuts packets to the snap length. */
function attachFilter(kernel: Kernel, fd: number, target: CaptureTarget, linkType: number, isLoopback: boolean): void {
  const snapLength = target.snapLength || DEFAULT_SNAP_LENGTH
  const everything: readonly BpfInstruction[] = [{ code: BPF.RET | BPF.K, jt: 0, jf: 0, k: snapLength }]
  const wanted =
    target.bpfFilter === '' ? everything : decodeBpfProgram(kernel.compileBpf(target.bpfFilter, { linkType, snapLength }))
  const program = encodeBpfProgram([
    ...(isLoopback ? INCOMING_ONLY : []),
    ...ownTrafficProgram(target.excludePeers, linkType),
    ...wanted,
  ])
  // The kernel wants a pointer: the program goes into memory that has an address, and is copied by the call.
  const memory = kernel.mapMemory({ byteLength: program.length })
  try {
    new Uint8Array(memory.buffer).set(program)
    kernel.setSocketOption(
      fd,
      socket.SOL_SOCKET,
      socket.SO_ATTACH_FILTER,
      socket.filterProgram(program.length / 8, memory.address),
    )
  } finally {
    memory.close()
  }
}

/** A packet on the loopback is seen going out and coming in; only the latter counts, as for tcpdump. Loads `skb->pkt_type`. */
const INCOMING_ONLY: readonly BpfInstruction[] = [
  { code: BPF.LD | BPF.W | BPF.ABS, jt: 0, jf: 0, k: socket.SKF_AD_OFF + socket.SKF_AD_PKTTYPE },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 1, k: socket.PACKET_OUTGOING },
  { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 0 },
]

interface RingShape {
  readonly blockBytes: number
  readonly blocks: number
  readonly linkType: number
}

class Ring implements PacketSource {
  readonly kind = 'packets'
  readonly format: PacketFormat
  readonly readyFd: number
  readonly #kernel: Kernel
  readonly #memory: MappedMemory
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #shape: RingShape
  #next = 0
  #received = 0
  #dropped = 0
  #isOpen = true

  constructor(kernel: Kernel, fd: number, memory: MappedMemory, shape: RingShape) {
    this.format = { layout: { format: 'tpacket-v3' }, linkType: shape.linkType }
    this.readyFd = fd
    this.#kernel = kernel
    this.#memory = memory
    this.#bytes = new Uint8Array(memory.buffer)
    this.#words = new Int32Array(memory.buffer)
    this.#shape = shape
  }

  poll(sink: PacketBlockSink): number {
    const { blockBytes, blocks } = this.#shape
    let packets = 0
    // One turn of the ring at most, so that a fast sender does not keep the thread from its other work.
    for (let turn = 0; turn < blocks && this.#isOpen; turn++) {
      const offset = this.#next * blockBytes
      const status = (offset + socket.BLOCK_STATUS_OFFSET) >> 2
      if ((Atomics.load(this.#words, status) & socket.TP_STATUS_USER) === 0) break
      packets += this.#words[(offset + socket.BLOCK_PACKETS_OFFSET) >> 2]!
      sink(this.#bytes, offset, blockBytes)
      Atomics.store(this.#words, status, socket.TP_STATUS_KERNEL)
      this.#next = (this.#next + 1) % blocks
    }
    return packets
  }

  /** The kernel's counters; reading resets them there, so they are added up here. What it drops it counts as seen, too. */
  stats(): CaptureStats {
    if (this.#isOpen) {
      const counters = new Uint32Array(3)
      this.#kernel.getSocketOption(this.readyFd, socket.SOL_PACKET, socket.PACKET_STATISTICS, counters)
      this.#received += counters[0]! - counters[1]!
      this.#dropped += counters[1]!
    }
    return { packetsReceived: this.#received, packetsDropped: this.#dropped, packetsIfDropped: 0 }
  }

  /** The descriptor first, then the mapping, which keeps the socket alive. */
  close(): void {
    if (!this.#isOpen) return
    this.stats()
    this.#isOpen = false
    this.#kernel.close(this.readyFd)
    this.#memory.close()
    this.#kernel.dispose()
  }
}
