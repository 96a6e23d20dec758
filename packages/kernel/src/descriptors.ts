import { systemError } from './errno.ts'
import { type Libc, lastErrno } from './libc.ts'
import { EPOLL_EVENT_BYTES } from './readiness-shared.ts'

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 0x1
const CLOCK_MONOTONIC = 1
const TFD_FLAGS = 0o2000000 | 0o4000
/** struct itimerspec: the period, then the first expiry, each as seconds and nanoseconds of 64 bits. */
const ITIMERSPEC_BYTES = 32

/** Many descriptors as one (epoll(7), level-triggered). */
export interface DescriptorSet {
  /** Can be read while one of the set can. */
  readonly fd: number
  /** @throws ERR_SYSTEM_CALL for one that is in the set already or can't be waited for, such as a file. */
  add(fd: number): void
  /** A descriptor that is not in the set is ignored. */
  remove(fd: number): void
  close(): void
}

/** A timer that makes a descriptor readable (timerfd_create(2)). */
export interface TimerDescriptor {
  /** Can be read when the time has come, until {@link TimerDescriptor.arm} or {@link TimerDescriptor.disarm}. */
  readonly fd: number
  /** Once, after `delayMs`; instead of what it was armed for before. */
  arm(delayMs: number): void
  disarm(): void
  close(): void
}

/** @throws ERR_SYSTEM_CALL when there are no descriptors left. */
export function openDescriptorSet(libc: Libc): DescriptorSet {
  const epollFd = libc.epoll_create1(EPOLL_CLOEXEC)
  if (epollFd < 0) throw systemError('create an epoll descriptor', lastErrno())
  const event = new DataView(new ArrayBuffer(EPOLL_EVENT_BYTES))
  event.setUint32(0, EPOLLIN, true)
  return {
    fd: epollFd,
    add(fd) {
      if (libc.epoll_ctl(epollFd, EPOLL_CTL_ADD, fd, event) < 0) throw systemError(`watch descriptor ${fd}`, lastErrno(), { fd })
    },
    remove: (fd) => void libc.epoll_ctl(epollFd, EPOLL_CTL_DEL, fd, null),
    close: () => void libc.close(epollFd),
  }
}

/** @throws ERR_SYSTEM_CALL when there are no descriptors left. */
export function openTimerDescriptor(libc: Libc): TimerDescriptor {
  const timerFd = libc.timerfd_create(CLOCK_MONOTONIC, TFD_FLAGS)
  if (timerFd < 0) throw systemError('create a timer descriptor', lastErrno())
  const time = new DataView(new ArrayBuffer(ITIMERSPEC_BYTES))
  const set = (delayNs: bigint) => {
    time.setBigInt64(16, delayNs / 1_000_000_000n, true)
    time.setBigInt64(24, delayNs % 1_000_000_000n, true)
    // Setting it also takes back an expiry that nobody has read.
    libc.timerfd_settime(timerFd, 0, time, null)
  }
  return {
    fd: timerFd,
    // Nothing at all would disarm it.
    arm: (delayMs) => set(BigInt(Math.max(1, Math.round(delayMs * 1_000_000)))),
    disarm: () => set(0n),
    close: () => void libc.close(timerFd),
  }
}
