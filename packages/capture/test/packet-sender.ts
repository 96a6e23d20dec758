import { type Kernel, type MappedMemory, openKernel } from '@skydive/kernel'

// A program of its own: sends frames of 64 bytes out of an interface, at a rate or as fast as it can, and prints how many it sent and in what
// time: `packet-sender.ts <ifindex> <packets a second, 0: no limit> <seconds> <flows>`. Frames lie in memory from the start and many go out
// by one call, so that what is measured is the receiver.

const FRAME_BYTES = 64
const AF_PACKET = 17
const SOCK_RAW = 3
const SOL_PACKET = 263
/** Sends past the queueing discipline: linux/if_packet.h. */
const PACKET_QDISC_BYPASS = 20
const SENDMMSG = process.arch === 'x64' ? 307 : 269
/** `struct mmsghdr` with the length that the kernel writes, and `struct iovec`. */
const MESSAGE_BYTES = 64
const VECTOR_BYTES = 16
/** The kernel takes 1,024 at once. */
const BATCH = 256
const PAUSE_MS = 1

/** What the program prints, as JSON. */
export interface Sent {
  readonly packets: number
  readonly tookMs: number
}

interface Messages {
  readonly memory: MappedMemory
  readonly count: number
}

/** One message for each flow, so that a run over all of them touches each flow once. */
function prepare(kernel: Kernel, flows: number): Messages {
  const memory = kernel.mapMemory({ byteLength: flows * (MESSAGE_BYTES + VECTOR_BYTES + FRAME_BYTES), populate: true })
  const view = new DataView(memory.buffer)
  const vectors = flows * MESSAGE_BYTES
  const frames = vectors + flows * VECTOR_BYTES
  for (let flow = 0; flow < flows; flow++) {
    const message = flow * MESSAGE_BYTES
    const vector = vectors + flow * VECTOR_BYTES
    const frame = frames + flow * FRAME_BYTES
    view.setBigUint64(message + 16, memory.address + BigInt(vector), true)
    view.setBigUint64(message + 24, 1n, true)
    view.setBigUint64(vector, memory.address + BigInt(frame), true)
    view.setBigUint64(vector + 8, BigInt(FRAME_BYTES), true)
    writeFrame(view, frame, flow)
  }
  return { memory, count: flows }
}

/** Ethernet, IPv4, UDP. The destination is nobody's, so no stack answers. */
function writeFrame(view: DataView, at: number, flow: number): void {
  view.setUint32(at, 0x02000000)
  view.setUint16(at + 4, 0xfffe)
  view.setUint32(at + 6, 0x02000000)
  view.setUint16(at + 10, 0x0001)
  view.setUint32(at + 12, 0x08004500)
  view.setUint16(at + 16, FRAME_BYTES - 14)
  view.setUint8(at + 22, 64)
  view.setUint8(at + 23, 17)
  view.setUint32(at + 26, 0x0a000001 + flow)
  view.setUint32(at + 30, 0x0b000001)
  view.setUint16(at + 34, 1024 + (flow % 50_000))
  view.setUint16(at + 36, 53_000)
  view.setUint16(at + 38, FRAME_BYTES - 34)
}

function openSender(kernel: Kernel, ifindex: number): number {
  const fd = kernel.socket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0 })
  kernel.setSocketOption(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1)
  const address = new DataView(new ArrayBuffer(20))
  address.setUint16(0, AF_PACKET, true)
  address.setInt32(4, ifindex, true)
  kernel.bind(fd, address)
  return fd
}

/** Sends `wanted` of the messages from `next` on; answers how many went. */
function sendSome(kernel: Kernel, fd: number, { memory, count }: Messages, next: number, wanted: number): number {
  const length = Math.min(wanted, BATCH, count - next)
  const went = kernel.systemCall(SENDMMSG, fd, memory.address + BigInt(next * MESSAGE_BYTES), length, 0)
  if (went < 0) throw new Error(`sendmmsg: errno ${-went}`)
  return went
}

function send(kernel: Kernel, fd: number, messages: Messages, packetsPerSecond: number, seconds: number): Sent {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  let packets = 0
  for (let nowMs = startMs; nowMs < endMs; nowMs = performance.now()) {
    let due = packetsPerSecond === 0 ? BATCH : Math.floor(((nowMs - startMs) / 1000) * packetsPerSecond) - packets
    while (due > 0) {
      const went = sendSome(kernel, fd, messages, packets % messages.count, due)
      packets += went
      due -= went
    }
    if (packetsPerSecond > 0) Atomics.wait(pause, 0, 0, PAUSE_MS)
  }
  return { packets, tookMs: performance.now() - startMs }
}

const [ifindex, packetsPerSecond, seconds, flows] = process.argv.slice(2).map(Number)
const kernel = openKernel()
const fd = openSender(kernel, ifindex!)
console.log(JSON.stringify(send(kernel, fd, prepare(kernel, flows!), packetsPerSecond!, seconds!)))
kernel.close(fd)
kernel.dispose()
