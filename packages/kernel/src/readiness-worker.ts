import { parentPort, workerData } from 'node:worker_threads'
import { lastErrno, loadLibc } from './libc.ts'
import {
  EPOLL_DATA_AT,
  EPOLL_EVENT_BYTES,
  type ReadinessReport,
  type ReadinessWorkerData,
  STOP_SLOT,
} from './readiness-shared.ts'

// The only thread that waits. It holds no state: descriptors are added and removed by the other side, straight in the kernel's epoll.

const MAX_EVENTS = 64
const EINTR = 4
const { epollFd, pending } = workerData as ReadinessWorkerData
const flags = new Int32Array(pending)
const libc = loadLibc()
const events = new DataView(new ArrayBuffer(MAX_EVENTS * EPOLL_EVENT_BYTES))
const report = (message: ReadinessReport) => parentPort?.postMessage(message)

report({ kind: 'waiting' })
for (let running = true; running; ) {
  const count = libc.epoll_wait(epollFd, events, MAX_EVENTS, -1)
  if (count < 0) {
    const errno = lastErrno()
    if (errno === EINTR) continue
    report({ kind: 'failed', errno })
    break
  }
  const slots: number[] = []
  for (let i = 0; i < count; i++) {
    const slot = events.getUint32(i * EPOLL_EVENT_BYTES + EPOLL_DATA_AT, true)
    if (slot === STOP_SLOT) running = false
    // One message under way is enough: the reader drains the descriptor when it comes to it.
    else if (Atomics.exchange(flags, slot, 1) === 0) slots.push(slot)
  }
  if (slots.length > 0) report({ kind: 'ready', slots })
}
