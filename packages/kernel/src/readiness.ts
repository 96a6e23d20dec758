import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { LimitError } from '@skydive/contracts'
import { systemError } from './errno.ts'
import { type Libc, lastErrno } from './libc.ts'
import {
  EPOLL_DATA_AT,
  EPOLL_EVENT_BYTES,
  type ReadinessReport,
  type ReadinessWorkerData,
  STOP_SLOT,
} from './readiness-shared.ts'

const EPOLL_CLOEXEC = 0o2000000
const EFD_FLAGS = 0o2000000 | 0o4000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 0x1
const EPOLLET = 0x80000000
const MAX_SLOTS = 16_384

/** Options of a readiness watcher. */
export interface ReadinessOptions {
  /** Where the script of the worker lies; only for programs that are bundled into one file. */
  readonly workerUrl?: URL
  /** Called when the waiting itself fails, which is our fault or the end of the process. Default: the error is thrown. */
  readonly onFailure?: (error: Error) => void
}

/** Tells when descriptors can be read, without blocking the thread that asks. */
export interface Readiness {
  /**
   * Calls `listener` on this thread soon after `fd` has something to read. The listener must read until `EAGAIN`: it is called again only
   * for what comes after that. It may be called without need. `fd` must be non-blocking and open until the answer was called.
   * While anything is watched the process stays alive. @throws ERR_LIMIT above 16,384 descriptors, ERR_SYSTEM_CALL.
   */
  watch(fd: number, listener: () => void): () => void
  /** Ends the worker; no listener is called afterwards. Twice is once. */
  close(): Promise<void>
}

/** Starts the worker that waits (one thread, about 40 ms until it does; readiness from before is not lost). */
export function openReadiness(libc: Libc, options: ReadinessOptions = {}): Readiness {
  const epollFd = libc.epoll_create1(EPOLL_CLOEXEC)
  if (epollFd < 0) throw systemError('create an epoll descriptor', lastErrno())
  const stopFd = libc.eventfd(0, EFD_FLAGS)
  if (stopFd < 0) throw systemError('create an event descriptor', lastErrno())

  const pending = new Int32Array(new SharedArrayBuffer(MAX_SLOTS * 4))
  const listeners: ((() => void) | undefined)[] = []
  const freeSlots: number[] = []
  let watched = 0

  const add = (fd: number, slot: number, events: number) => {
    const event = new DataView(new ArrayBuffer(EPOLL_EVENT_BYTES))
    event.setUint32(0, events, true)
    event.setUint32(EPOLL_DATA_AT, slot, true)
    if (libc.epoll_ctl(epollFd, EPOLL_CTL_ADD, fd, event) < 0) throw systemError(`watch descriptor ${fd}`, lastErrno(), { fd })
  }
  add(stopFd, STOP_SLOT, EPOLLIN)

  const workerData: ReadinessWorkerData = { epollFd, pending: pending.buffer as SharedArrayBuffer }
  const worker = new Worker(options.workerUrl ?? defaultWorkerUrl(), { workerData, name: 'skydive-readiness' })
  worker.unref()
  const fail = (error: Error) => {
    if (options.onFailure) options.onFailure(error)
    else throw error
  }
  worker.on('error', fail)
  worker.on('message', (report: ReadinessReport) => {
    if (report.kind === 'failed') fail(systemError('wait for descriptors', report.errno))
    if (report.kind !== 'ready' || closed) return
    for (const slot of report.slots) {
      Atomics.store(pending, slot, 0)
      listeners[slot]?.()
    }
  })
  // The end of a process joins its workers, and this one waits inside the kernel: it must be woken first.
  const wake = () => {
    libc.write(stopFd, new BigUint64Array([1n]), 8)
  }
  process.once('exit', wake)
  let closed = false

  return {
    watch(fd, listener) {
      const slot = freeSlots.pop() ?? listeners.length
      if (slot >= MAX_SLOTS) {
        throw new LimitError(`watch descriptor ${fd}: ${MAX_SLOTS} are watched already`, 'kernel.max_watched', { fd })
      }
      listeners[slot] = listener
      try {
        add(fd, slot, EPOLLIN | EPOLLET)
      } catch (error) {
        listeners[slot] = undefined
        freeSlots.push(slot)
        throw error
      }
      if (watched++ === 0) worker.ref()
      return () => {
        if (listeners[slot] !== listener || closed) return
        listeners[slot] = undefined
        freeSlots.push(slot)
        libc.epoll_ctl(epollFd, EPOLL_CTL_DEL, fd, null)
        if (--watched === 0) worker.unref()
      }
    },
    async close() {
      if (closed) return
      closed = true
      process.removeListener('exit', wake)
      const ended = once(worker, 'exit')
      worker.ref()
      wake()
      await ended
      libc.close(epollFd)
      libc.close(stopFd)
    },
  }
}

function defaultWorkerUrl(): URL {
  const fromSource = import.meta.url.endsWith('.ts')
  return new URL(fromSource ? './readiness-worker-source.mjs' : './readiness-worker.js', import.meta.url)
}
