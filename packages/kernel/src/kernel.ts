import { endianness } from 'node:os'
import { UnsupportedError } from '@skydive/contracts'
import { type BpfCompiler, type BpfOptions, loadBpfCompiler } from './bpf-compiler.ts'
import { type DescriptorSet, openDescriptorSet, openTimerDescriptor, type TimerDescriptor } from './descriptors.ts'
import { Errno, systemError } from './errno.ts'
import { withLedger } from './ledger.ts'
import { lastErrno, loadLibc, orErrno, type Word } from './libc.ts'
import { type MapOptions, type MappedMemory, mapMemory } from './memory.ts'
import { openNamespaceGate } from './namespace.ts'
import { openReadiness, type Readiness, type ReadinessOptions } from './readiness.ts'
import { type OwnReceiveBuffer, openReceiveBuffer, type ReceiveBuffer } from './receive-buffer.ts'

const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const EFD_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK
const POLLIN = 1
const F_DUPFD_CLOEXEC = 1030
const POLL_ENTRY_BYTES = 8

/** Which socket. Shape: `{ domain: AF_NETLINK, type: SOCK_RAW, protocol: NETLINK_ROUTE, netns: '/run/netns/x' }`. */
export interface SocketOptions {
  readonly domain: number
  readonly type: number
  readonly protocol: number
  /** The namespace it lives in for ever, by a path of its handle; absent: that of the thread. */
  readonly netns?: string
}

/**
 * The calls of the Linux kernel that our packages need. One instance belongs to the thread that opened it.
 *
 * Calls of the set-up kind throw a typed error; those of the hot kind (`send`, `receive`, `receiveMessage`, `ioctl`, `systemCall`)
 * answer a number that is not negative, or `-errno`. All descriptors are close-on-exec; all sockets are non-blocking.
 */
export interface Kernel {
  /** @throws ERR_PERMISSION, ERR_NOT_FOUND (no such namespace), ERR_UNSUPPORTED (protocol), ERR_SYSTEM_CALL. 20 to 30 µs with `netns`. */
  socket(options: SocketOptions): number
  /**
   * Runs `body` with this thread inside the namespace and comes back before it returns, also when `body` throws. `body` must be synchronous
   * and short: open, attach, leave. @throws as {@link Kernel.socket}; ERR_INVARIANT when nested.
   */
  inNamespace<T>(path: string, body: () => T): T
  /** Closes a descriptor. A number that is not open is ignored. */
  close(fd: number): void
  bind(fd: number, address: ArrayBufferView): void
  /** Lets a bound stream socket take connections, of which `backlog` may wait. */
  listen(fd: number, backlog: number): void
  /** Takes a connection that waits and answers its descriptor, or `-errno`: `-EAGAIN` when none does. */
  accept(fd: number): number
  /** Another descriptor of the same thing, close-on-exec, or `-errno`: `-EBADF` when `fd` is not open. */
  duplicate(fd: number): number
  setSocketOption(fd: number, level: number, name: number, value: ArrayBufferView | number): void
  /** Fills `into`, answers how many bytes the kernel wrote. */
  getSocketOption(fd: number, level: number, name: number, into: ArrayBufferView): number
  send(fd: number, bytes: ArrayBufferView, flags?: number): number
  receive(fd: number, into: ArrayBufferView, flags?: number): number
  /** Memory for {@link Kernel.receiveMessage}; close it. */
  receiveBuffer(dataBytes: number): ReceiveBuffer
  /** Receives with address and control messages. The answer is the length of the datagram that was kept. */
  receiveMessage(fd: number, into: ReceiveBuffer, flags?: number): number
  read(fd: number, into: ArrayBufferView): number
  write(fd: number, bytes: ArrayBufferView): number
  ioctl(fd: number, request: number, argument: Word): number
  /** Any system call by its number on this architecture, with up to six arguments. A wrong pointer ends the process. */
  systemCall(number: number, ...args: readonly Word[]): number
  /** An event counter (eventfd(2)); {@link Kernel.signal} makes it readable. */
  eventDescriptor(): number
  /** Makes an event descriptor readable; may be called from any thread that has a Kernel. */
  signal(eventFd: number): void
  /** Makes an event descriptor unreadable again. */
  clearSignal(eventFd: number): void
  /** Many descriptors as one, which can be read while one of them can; close it. */
  descriptorSet(): DescriptorSet
  /** A timer as a descriptor; close it. */
  timerDescriptor(): TimerDescriptor
  /**
   * Blocks this thread until one of `fds` can be read or `timeoutMs` is over; answers those that can (also those in error). Workers only,
   * with an event descriptor among them and never without end.
   */
  waitReadable(fds: readonly number[], timeoutMs: number): readonly number[]
  mapMemory(options: MapOptions): MappedMemory
  /** Readiness on the event loop of this thread; starts a worker. */
  readiness(options?: ReadinessOptions): Readiness
  /** Compiles a filter expression through libpcap. @throws ERR_UNSUPPORTED without libpcap, ERR_INVALID_ARGUMENT. */
  compileBpf(expression: string, options: BpfOptions): Uint8Array
  /** Releases what the instance itself holds (one descriptor). */
  dispose(): void
}

/** Options of {@link openKernel}. */
export interface KernelOptions {
  /** Names of libpcap to try, in order. */
  readonly pcapLibraries?: readonly string[]
  /** Where what it opens is entered, for the owner of the thread: see {@link createLedger}. */
  readonly ledger?: SharedArrayBuffer
}

/**
 * Opens the kernel's door for the calling thread, whose namespace becomes the one to come back to. Needs no privilege.
 * @throws ERR_UNSUPPORTED on anything but a little-endian 64-bit Linux.
 */
export function openKernel(options: KernelOptions = {}): Kernel {
  if (process.platform !== 'linux' || endianness() !== 'LE') {
    throw new UnsupportedError(
      `system calls: ${process.platform} ${endianness()} is not supported; it takes a little-endian Linux`,
      {
        kernel: 'Linux, little-endian, 64 bits',
      },
    )
  }
  const libc = options.ledger ? withLedger(loadLibc(), options.ledger) : loadLibc()
  const gate = openNamespaceGate(libc)
  let compiler: BpfCompiler | undefined
  const check = (result: number | bigint, what: string, fields: Readonly<Record<string, unknown>>, capability?: string) => {
    if (result < 0) throw systemError(what, lastErrno(), fields, capability)
    return Number(result)
  }

  const openSocket = ({ domain, type, protocol, netns }: SocketOptions) => {
    const fd = libc.socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)
    // packet(7), raw(7): of the sockets that not everybody may open all take this.
    return check(fd, `open socket (domain ${domain}, protocol ${protocol})`, { domain, type, protocol, netns }, 'CAP_NET_RAW')
  }

  return {
    socket: (request) => (request.netns === undefined ? openSocket(request) : gate.run(request.netns, () => openSocket(request))),
    inNamespace: (path, body) => gate.run(path, body),
    close: (fd) => void libc.close(fd),
    bind(fd, address) {
      if (libc.bind(fd, address, address.byteLength) >= 0) return
      const errno = lastErrno()
      // ip(7): the ports below 1024. Groups of netlink answer EPERM.
      throw systemError('bind a socket', errno, { fd }, errno === Errno.EACCES ? 'CAP_NET_BIND_SERVICE' : undefined)
    },
    listen: (fd, backlog) => void check(libc.listen(fd, backlog), 'listen', { fd }),
    accept: (fd) => orErrno(libc.accept4(fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK)),
    duplicate: (fd) => orErrno(libc.fcntl(fd, F_DUPFD_CLOEXEC, 0)),
    setSocketOption(fd, level, name, value) {
      const bytes = typeof value === 'number' ? Int32Array.of(value) : value
      check(libc.setsockopt(fd, level, name, bytes, bytes.byteLength), `set socket option ${level}/${name}`, { fd, level, name })
    },
    getSocketOption(fd, level, name, into) {
      const byteLength = Uint32Array.of(into.byteLength)
      check(libc.getsockopt(fd, level, name, into, byteLength), `get socket option ${level}/${name}`, { fd, level, name })
      return byteLength[0]!
    },
    send: (fd, bytes, flags = 0) => orErrno(libc.send(fd, bytes, bytes.byteLength, flags)),
    receive: (fd, into, flags = 0) => orErrno(libc.recv(fd, into, into.byteLength, flags)),
    receiveBuffer: (dataBytes) => openReceiveBuffer(libc, dataBytes),
    receiveMessage: (fd, into, flags = 0) => (into as OwnReceiveBuffer).receive(fd, flags),
    read: (fd, into) => orErrno(libc.read(fd, into, into.byteLength)),
    write: (fd, bytes) => orErrno(libc.write(fd, bytes, bytes.byteLength)),
    ioctl: (fd, request, argument) => orErrno(libc.ioctl(fd, request, argument)),
    systemCall: (number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => orErrno(libc.syscall(number, a, b, c, d, e, f)),
    eventDescriptor: () => check(libc.eventfd(0, EFD_FLAGS), 'create an event descriptor', {}),
    signal: (eventFd) => void libc.write(eventFd, new BigUint64Array([1n]), 8),
    clearSignal: (eventFd) => void libc.read(eventFd, new BigUint64Array(1), 8),
    descriptorSet: () => openDescriptorSet(libc),
    timerDescriptor: () => openTimerDescriptor(libc),
    waitReadable(fds, timeoutMs) {
      const entries = new DataView(new ArrayBuffer(fds.length * POLL_ENTRY_BYTES))
      fds.forEach((fd, i) => {
        entries.setInt32(i * POLL_ENTRY_BYTES, fd, true)
        entries.setInt16(i * POLL_ENTRY_BYTES + 4, POLLIN, true)
      })
      const endsAtMs = performance.now() + timeoutMs
      let leftMs = timeoutMs
      // A signal, such as that of a child that ended, is no reason to say that nothing came.
      while (libc.poll(entries, fds.length, leftMs) < 0) {
        if (lastErrno() !== Errno.EINTR) return []
        leftMs = Math.max(0, Math.ceil(endsAtMs - performance.now()))
      }
      return fds.filter((_, i) => entries.getInt16(i * POLL_ENTRY_BYTES + 6, true) !== 0)
    },
    mapMemory: (request) => mapMemory(libc, request),
    readiness: (request) => openReadiness(libc, request),
    compileBpf(expression, request) {
      compiler ??= loadBpfCompiler(options.pcapLibraries)
      return compiler.compile(expression, request)
    },
    dispose: () => gate.close(),
  }
}
