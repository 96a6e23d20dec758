import { totalmem } from 'node:os'
import {
  type CaptureSourceModule,
  type CaptureTarget,
  type Detection,
  InvalidArgumentError,
  InvariantError,
  NotFoundError,
  type PacketSource,
  SkydiveError,
} from '@skydive/contracts'
import { type Kernel, type KernelOptions, openKernel } from '@skydive/kernel'
import { type BpfInstruction, LINK_TYPE } from '@skydive/packet'
import { adoptMember, GroupOwner, joinGroup, type MemberOptions } from './fan-out.ts'
import { type InterfaceDrops, openInterfaceDrops } from './interface-drops.ts'
import * as socket from './packet-socket.ts'
import { mapRing, Ring, type RingShape, type RingTerms, setRing } from './ring.ts'
import { checkRing, DEFAULT_RING_BYTES, inMib, ringLayout, ringSizes } from './ring-size.ts'
import { attachFilter, NOTHING, targetProgram } from './socket-filter.ts'

/** The size of the ring and how long a block may wait to be full. */
export interface AfPacketOptions {
  /**
   * Memory of the capture, shared among its rings; the kernel keeps it in RAM. It is less when the host has no more, or when all rings
   * together would take more than an eighth of the host's memory; the source's `warning` says so then. @default 64 MiB
   */
  readonly ringBytes?: number
  /** A power of two and a multiple of the page size. @default a 64th of the ring, 128 KiB to 1 MiB */
  readonly blockBytes?: number
  /** After this time a block is handed over even when it is not full. @default 10 */
  readonly retireMs?: number
  /** Opens one of the `members` of another source of this process instead; nothing else is looked at then. */
  readonly member?: MemberOptions
}

const DEFAULT_RETIRE_MS = 10
/** Each of them has a ring, and a thread that reads it. */
const MAX_SOURCES = 64

/**
 * Opens rings. `openSystem` gives the kernel of the calling thread, `hostBytes` is the memory of the host; a test may give others.
 *
 * A ring lives in the namespace of its target for as long as it is open; the thread itself never stays there. The filter is attached
 * before the socket is bound, and the socket has no protocol until then: not one packet is captured unfiltered.
 */
export function createAfPacketModule(
  openSystem: (options?: KernelOptions) => Kernel = openKernel,
  { hostBytes = totalmem() }: { readonly hostBytes?: number } = {},
): CaptureSourceModule<AfPacketOptions> {
  const memory: RingMemory = { taken: 0, hostBytes }
  return {
    name: 'afpacket',
    detect: async () => detect(openSystem),
    open(target, options = {}, ledger) {
      const kernel = openSystem(ledger && { ledger })
      try {
        return options.member ? adoptMember(kernel, options.member) : openWithin(memory, kernel, target, options)
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

/** What is the same for all sockets of a capture. */
interface Opening {
  readonly kernel: Kernel
  readonly target: CaptureTarget
  readonly shape: RingShape
  readonly program: readonly BpfInstruction[]
  readonly terms: RingTerms
}

/** What the rings of all captures take, and have. */
interface RingMemory {
  taken: number
  readonly hostBytes: number
}

/** Opens with as much memory as there is, up to what is wanted. */
function openWithin(memory: RingMemory, kernel: Kernel, target: CaptureTarget, options: AfPacketOptions): PacketSource {
  const { ringBytes: wanted = DEFAULT_RING_BYTES } = options
  checkRing(wanted, options.blockBytes)
  const { sizes, modesty } = ringSizes(wanted, memory.taken, memory.hostBytes)
  for (const [tried, ringBytes] of sizes.entries()) {
    const reason = tried === 0 ? modesty : 'the kernel has no memory for more'
    const warning =
      reason && `capture of ${target.interfaceName}: its ring has ${inMib(ringBytes)} instead of ${inMib(wanted)}: ${reason}`
    const giveBack = () => {
      memory.taken -= ringBytes
    }
    try {
      const source = openSource(kernel, target, { ...options, ringBytes }, { giveBack, ...(warning && { warning }) })
      memory.taken += ringBytes
      return source
    } catch (error) {
      const isFull = SkydiveError.isInstance(error) && error.fields['errno'] === 'ENOMEM'
      if (!isFull || tried === sizes.length - 1) throw error
    }
  }
  throw new InvariantError('afpacket: no size of a ring was tried')
}

function openSource(
  kernel: Kernel,
  target: CaptureTarget,
  options: AfPacketOptions & { readonly ringBytes: number },
  terms: RingTerms,
): PacketSource {
  const sources = target.spread?.sources ?? 1
  if (!Number.isInteger(sources) || sources < 1 || sources > MAX_SOURCES) {
    throw new InvalidArgumentError(`afpacket: packets can't be spread over ${sources} sources; give 1 to ${MAX_SOURCES}`, {
      sources,
    })
  }
  const fds: number[] = []
  let drops: InterfaceDrops | undefined
  try {
    const fd = openSocket(kernel, target)
    fds.push(fd)
    const deviceType = deviceTypeOf(kernel, fd, target)
    const isLoopback = deviceType === socket.ARPHRD_LOOPBACK
    const linkType = isLoopback || deviceType === socket.ARPHRD_ETHER ? LINK_TYPE.ETHERNET : LINK_TYPE.RAW
    const { ringBytes, blockBytes, retireMs = DEFAULT_RETIRE_MS } = options
    drops = openInterfaceDrops(kernel, target)
    const opening: Opening = {
      kernel,
      target,
      shape: { ...ringLayout(ringBytes, sources, blockBytes), linkType, retireMs },
      program: targetProgram(kernel, target, linkType, isLoopback),
      terms: { ...terms, ...(drops && { drops }) },
    }
    while (fds.length < sources) fds.push(openSocket(kernel, target))
    return sources === 1 ? openRing(opening, fd) : openFanOut(opening, fds)
  } catch (error) {
    for (const fd of fds) kernel.close(fd)
    drops?.close()
    throw error
  }
}

function openSocket(kernel: Kernel, { netns }: CaptureTarget): number {
  return kernel.socket({
    domain: socket.AF_PACKET,
    type: socket.SOCK_RAW,
    protocol: 0,
    ...(netns !== undefined && { netns }),
  })
}

function openRing({ kernel, target, shape, program, terms }: Opening, fd: number): Ring {
  attachFilter(kernel, fd, program)
  setRing(kernel, fd, shape)
  const memory = mapRing(kernel, fd, shape)
  try {
    bind(kernel, fd, target)
  } catch (error) {
    memory.close()
    throw error
  }
  return new Ring(kernel, fd, memory, shape, terms)
}

/** All sockets are in the group, and the group knows how to spread, before the first packet is let in. */
function openFanOut({ kernel, target, shape, program, terms }: Opening, fds: readonly number[]): PacketSource {
  for (const fd of fds) {
    attachFilter(kernel, fd, NOTHING)
    setRing(kernel, fd, shape)
    bind(kernel, fd, target)
  }
  const group = joinGroup(kernel, fds, target, shape.linkType)
  const [first, ...others] = fds
  const memory = mapRing(kernel, first!, shape)
  try {
    for (const fd of fds) attachFilter(kernel, fd, program)
  } catch (error) {
    memory.close()
    throw error
  }
  return new GroupOwner(kernel, new Ring(kernel, first!, memory, shape, terms), others, group, shape)
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
