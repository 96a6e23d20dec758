import koffi from 'koffi'

/** What koffi accepts where C wants a pointer or a long: a number, an address, memory, or nothing. */
export type Word = number | bigint | ArrayBufferView | null

/** The functions of the C library that this package stands on. All of them answer as C does: -1 and `errno` on failure. */
export interface Libc {
  open(path: string, flags: number): number
  close(fd: number): number
  read(fd: number, buffer: ArrayBufferView, byteLength: number): number | bigint
  write(fd: number, buffer: ArrayBufferView, byteLength: number): number | bigint
  setns(fd: number, kind: number): number
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: ArrayBufferView, byteLength: number): number
  setsockopt(fd: number, level: number, name: number, value: ArrayBufferView | null, byteLength: number): number
  getsockopt(fd: number, level: number, name: number, value: ArrayBufferView, byteLength: Uint32Array): number
  send(fd: number, bytes: ArrayBufferView, byteLength: number, flags: number): number | bigint
  recv(fd: number, bytes: ArrayBufferView, byteLength: number, flags: number): number | bigint
  recvmsg(fd: number, header: bigint, flags: number): number | bigint
  listen(fd: number, backlog: number): number
  accept4(fd: number, address: null, byteLength: null, flags: number): number
  ioctl(fd: number, request: number, argument: Word): number
  fcntl(fd: number, command: number, argument: number): number
  poll(descriptors: ArrayBufferView, count: number, timeoutMs: number): number
  eventfd(initial: number, flags: number): number
  timerfd_create(clock: number, flags: number): number
  timerfd_settime(fd: number, flags: number, time: ArrayBufferView, before: null): number
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, fd: number, event: ArrayBufferView | null): number
  epoll_wait(epoll: number, events: ArrayBufferView, maxEvents: number, timeoutMs: number): number
  mmap(address: bigint | null, byteLength: number, protection: number, flags: number, fd: number, offset: number): bigint
  syscall(number: number, a: Word, b: Word, c: Word, d: Word, e: Word, f: Word): number | bigint
}

/**
 * Binds the functions in the C library that Node itself runs on, so that it works with glibc and with musl.
 * Costs about a millisecond; a thread does it once.
 */
export function loadLibc(): Libc {
  const library = koffi.load(null)
  const bind = (name: keyof Libc, result: string, ...parameters: string[]) => library.func(name, result, parameters)
  return {
    open: bind('open', 'int', 'str', 'int'),
    close: bind('close', 'int', 'int'),
    read: bind('read', 'long', 'int', 'void *', 'size_t'),
    write: bind('write', 'long', 'int', 'void *', 'size_t'),
    setns: bind('setns', 'int', 'int', 'int'),
    socket: bind('socket', 'int', 'int', 'int', 'int'),
    bind: bind('bind', 'int', 'int', 'void *', 'uint'),
    setsockopt: bind('setsockopt', 'int', 'int', 'int', 'int', 'void *', 'uint'),
    getsockopt: bind('getsockopt', 'int', 'int', 'int', 'int', 'void *', 'void *'),
    send: bind('send', 'long', 'int', 'void *', 'size_t', 'int'),
    recv: bind('recv', 'long', 'int', 'void *', 'size_t', 'int'),
    recvmsg: bind('recvmsg', 'long', 'int', 'void *', 'int'),
    listen: bind('listen', 'int', 'int', 'int'),
    accept4: bind('accept4', 'int', 'int', 'void *', 'void *', 'int'),
    ioctl: bind('ioctl', 'int', 'int', 'ulong', 'void *'),
    fcntl: bindVariadic(library),
    poll: bind('poll', 'int', 'void *', 'ulong', 'int'),
    eventfd: bind('eventfd', 'int', 'uint', 'int'),
    timerfd_create: bind('timerfd_create', 'int', 'int', 'int'),
    timerfd_settime: bind('timerfd_settime', 'int', 'int', 'int', 'void *', 'void *'),
    epoll_create1: bind('epoll_create1', 'int', 'int'),
    epoll_ctl: bind('epoll_ctl', 'int', 'int', 'int', 'int', 'void *'),
    epoll_wait: bind('epoll_wait', 'int', 'int', 'void *', 'int', 'int'),
    mmap: bind('mmap', 'void *', 'void *', 'size_t', 'int', 'int', 'int', 'int64_t'),
    syscall: bind('syscall', 'long', 'long', ...Array<string>(6).fill('void *')),
  }
}

/** fcntl(2) with an argument of type int: a variadic function, which some platforms call in another way. */
function bindVariadic(library: ReturnType<typeof koffi.load>): Libc['fcntl'] {
  const fcntl = library.func('int fcntl(int fd, int command, ...)')
  return (fd, command, argument) => fcntl(fd, command, 'int', argument) as number
}

/** The `errno` of the last call on this thread. Read it before anything else is called. */
export function lastErrno(): number {
  return koffi.errno()
}

/** The result of a call as the kernel gives it: not negative, or `-errno`. */
export function orErrno(result: number | bigint): number {
  const value = Number(result)
  return value < 0 ? -koffi.errno() : value
}
