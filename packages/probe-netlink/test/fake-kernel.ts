import { Errno, type Kernel, type Readiness, type ReceiveBuffer } from '@skydive/kernel'
import { type AttributeInit, buildRequest } from '../src/wire.ts'

const HEADER_BYTES = 16
const [NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_GETSTATS, NLM_F_DUMP] = [2, 3, 16, 17, 18, 94, 0x300]

/** An interface of the fake host. */
export interface FakeLink {
  readonly index: number
  readonly name: string
  readonly master?: number
  readonly rxPackets?: number
}

/** A kernel with one namespace whose interfaces the test sets: what of `Kernel` rtnetlink takes, and what may go wrong with it. */
export interface FakeKernel {
  readonly kernel: Kernel
  readonly readiness: Readiness
  links: readonly FakeLink[]
  /** Descriptors that are open. */
  readonly open: ReadonlySet<number>
  /** How many dumps of interfaces were asked for. */
  readonly linkDumps: number
  /** Every socket that is opened from now on is refused with this; `undefined`: none. */
  refuseSockets: Error | undefined
  /** Every question from now on is answered with this errno; 0: none. */
  refuseDumps: number
  /** Tells the listeners about a link, or that it is gone. */
  tell(link: FakeLink, gone?: boolean): void
  /** The next read of the listeners fails with this errno. */
  failListener(errno: number): void
}

export function createFakeKernel(): FakeKernel {
  const open = new Set<number>()
  const queues = new Map<number, (Uint8Array | number)[]>()
  const listeners = new Map<number, () => void>()
  let next = 100
  let linkDumps = 0

  const newDescriptor = () => {
    open.add(++next)
    queues.set(next, [])
    return next
  }
  const answer = (bytes: Uint8Array): Uint8Array[] => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const [type, flags, sequence] = [view.getUint16(4, true), view.getUint16(6, true), view.getUint32(8, true)]
    const ended = (kind: number) => buildRequest(kind, 0, sequence, new Uint8Array(Int32Array.of(-fake.refuseDumps).buffer))
    if (type === RTM_GETLINK && flags & NLM_F_DUMP) linkDumps++
    if ((flags & NLM_F_DUMP) === 0 || fake.refuseDumps !== 0) return [ended(NLMSG_ERROR)]
    if (type === RTM_GETLINK) return [...fake.links.map((link) => linkMessage(RTM_NEWLINK, link, sequence)), ended(NLMSG_DONE)]
    if (type === RTM_GETSTATS) return [...fake.links.map((link) => statsMessage(link, sequence)), ended(NLMSG_DONE)]
    return [ended(NLMSG_DONE)]
  }
  const wake = (entry: Uint8Array | number) => {
    for (const [fd, listener] of [...listeners]) {
      queues.get(fd)!.push(entry)
      listener()
    }
  }

  const kernel = {
    socket() {
      if (fake.refuseSockets) throw fake.refuseSockets
      return newDescriptor()
    },
    close: (fd: number) => void open.delete(fd),
    bind() {},
    setSocketOption() {},
    send(fd: number, bytes: Uint8Array) {
      queues.get(fd)!.push(...answer(bytes))
      return bytes.byteLength
    },
    receiveBuffer: (byteLength: number): ReceiveBuffer => ({
      data: new Uint8Array(byteLength),
      name: new DataView(new ArrayBuffer(16)),
      truncated: false,
      controlInt: () => undefined,
      close() {},
    }),
    receiveMessage(fd: number, into: ReceiveBuffer) {
      const entry = queues.get(fd)!.shift() ?? -Errno.EAGAIN
      if (typeof entry === 'number') return entry
      into.data.set(entry)
      return entry.byteLength
    },
    // ethtool knows nothing.
    ioctl: () => -Errno.EOPNOTSUPP,
    mapMemory: ({ byteLength }: { byteLength: number }) => ({ buffer: new ArrayBuffer(byteLength), address: 0n, close() {} }),
  }
  const fake: FakeKernel = {
    kernel: kernel as unknown as Kernel,
    readiness: {
      watch(fd, listener) {
        listeners.set(fd, listener)
        return () => void listeners.delete(fd)
      },
      close: async () => {},
    },
    links: [],
    open,
    get linkDumps() {
      return linkDumps
    },
    refuseSockets: undefined,
    refuseDumps: 0,
    tell: (link, gone = false) => wake(linkMessage(gone ? RTM_DELLINK : RTM_NEWLINK, link, 0)),
    failListener: (errno) => wake(-errno),
  }
  return fake
}

function linkMessage(type: number, { index, name, master = 0 }: FakeLink, sequence: number): Uint8Array {
  const fixed = new Uint8Array(HEADER_BYTES)
  new DataView(fixed.buffer).setInt32(4, index, true)
  const attributes: AttributeInit[] = [
    [3, new TextEncoder().encode(`${name}\0`)],
    [10, master],
  ]
  return buildRequest(type, 0, sequence, fixed, attributes)
}

function statsMessage({ index, rxPackets = 0 }: FakeLink, sequence: number): Uint8Array {
  const fixed = new Uint8Array(12)
  new DataView(fixed.buffer).setInt32(4, index, true)
  return buildRequest(92, 0, sequence, fixed, [[1, new Uint8Array(BigUint64Array.of(BigInt(rxPackets)).buffer)]])
}
