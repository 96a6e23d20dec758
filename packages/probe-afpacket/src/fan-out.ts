import {
  type CaptureStats,
  type CaptureTarget,
  NotFoundError,
  type PacketBlockSink,
  type PacketFormat,
  type PacketSource,
  UnsupportedError,
} from '@skydive/contracts'
import { Errno, type Kernel, systemError } from '@skydive/kernel'
import { spreadProgram } from '@skydive/packet'
import * as socket from './packet-socket.ts'
import { mapRing, Ring, type RingShape } from './ring.ts'
import { attachFilter, NOTHING, setProgram } from './socket-filter.ts'

/** One of the sockets among which packets are spread, for the thread that reads it: plain data, good as long as its owner is open. */
export interface MemberOptions {
  readonly descriptor: number
  /** Number of the group in its network namespace. */
  readonly group: number
  readonly shape: RingShape
}

const GROUP_MASK = 0xffff

/**
 * Makes bound sockets a group of which each packet goes to one, by a program of ours: the kernel's own hash would look into tunnels, and not
 * look into fragments, so that parts of one flow would go to several. Answers the number of the group, which is nobody else's.
 * @throws ERR_UNSUPPORTED before Linux 4.13.
 */
export function joinGroup(kernel: Kernel, fds: readonly number[], target: CaptureTarget, linkType: number): number {
  const [first, ...others] = fds
  const join = (fd: number, group: number, flags: number) =>
    kernel.setSocketOption(fd, socket.SOL_PACKET, socket.PACKET_FANOUT, group | ((socket.PACKET_FANOUT_CBPF | flags) << 16))
  try {
    join(first!, 0, socket.PACKET_FANOUT_FLAG_UNIQUEID)
  } catch (error) {
    throw new UnsupportedError(
      'afpacket: this kernel does not spread packets over sockets by a program; it takes Linux 4.13, or one worker for each capture',
      { kernel: 'Linux 4.13' },
      error,
    )
  }
  const group = groupOf(kernel, first!)
  for (const fd of others) join(fd, group, 0)
  const program = spreadProgram({
    linkType,
    base: socket.SKF_LL_OFF,
    byAddresses: target.spread?.keepFragments ?? false,
    tunnelUdpPorts: target.spread?.tunnelUdpPorts ?? [],
  })
  setProgram(kernel, first!, [socket.SOL_PACKET, socket.PACKET_FANOUT_DATA], program)
  return group
}

function groupOf(kernel: Kernel, fd: number): number {
  const value = new Uint32Array(1)
  kernel.getSocketOption(fd, socket.SOL_PACKET, socket.PACKET_FANOUT, value)
  return value[0]! & GROUP_MASK
}

/**
 * Opens a member by a descriptor of its own, so that neither side closes what the other uses.
 * @throws ERR_NOT_FOUND when its owner is closed.
 */
export function adoptMember(kernel: Kernel, { descriptor, group, shape }: MemberOptions): PacketSource {
  const fd = kernel.duplicate(descriptor)
  const gone = () => new NotFoundError(`afpacket: descriptor ${descriptor} is no socket of group ${group} any more`, { group })
  if (fd === -Errno.EBADF) throw gone()
  if (fd < 0) throw systemError('duplicate a descriptor', -fd, { descriptor })
  try {
    if (!isMember(kernel, fd, group)) throw gone()
    return new Ring(kernel, fd, mapRing(kernel, fd, shape), shape)
  } catch (error) {
    kernel.close(fd)
    throw error
  }
}

function isMember(kernel: Kernel, fd: number, group: number): boolean {
  try {
    return groupOf(kernel, fd) === group
  } catch {
    return false
  }
}

/** The first of a group, which opened the others and can halt them all. */
export class GroupOwner implements PacketSource {
  readonly kind = 'packets'
  readonly format: PacketFormat
  readonly readyFd: number
  readonly holdsBackMs: number
  readonly warning?: string
  readonly members: readonly { readonly member: MemberOptions }[]
  readonly #kernel: Kernel
  readonly #ring: Ring
  readonly #others: readonly number[]
  #isOpen = true

  constructor(kernel: Kernel, ring: Ring, others: readonly number[], group: number, shape: RingShape) {
    this.format = ring.format
    this.readyFd = ring.readyFd
    this.holdsBackMs = ring.holdsBackMs
    if (ring.warning !== undefined) this.warning = ring.warning
    this.members = others.map((descriptor) => ({ member: { descriptor, group, shape } }))
    this.#kernel = kernel
    this.#ring = ring
    this.#others = others
  }

  /** As long as all are in the group, no packet goes elsewhere than those of its flow before. */
  halt(): void {
    if (!this.#isOpen) return
    for (const fd of [this.readyFd, ...this.#others]) attachFilter(this.#kernel, fd, NOTHING)
  }

  poll(sink: PacketBlockSink): number {
    return this.#ring.poll(sink)
  }

  /** Those of the first alone. */
  stats(): CaptureStats {
    return this.#ring.stats()
  }

  close(): void {
    if (!this.#isOpen) return
    this.halt()
    this.#isOpen = false
    for (const fd of this.#others) this.#kernel.close(fd)
    this.#ring.close()
  }
}
