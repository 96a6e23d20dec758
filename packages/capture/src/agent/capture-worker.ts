import { parentPort, workerData } from 'node:worker_threads'
import { openDatagramSender, openKernel } from '@skydive/kernel'
import { CaptureEngine } from './capture-engine.ts'
import { CaptureLoop } from './capture-loop.ts'
import type { CaptureThreadData, FromCaptureThread, ToCaptureThread } from './messages.ts'

// The thread of all captures of an agent. It stays in the host's namespace; sources are opened by entering and leaving theirs.
const port = parentPort
if (port) {
  const { signalFd, ledger } = workerData as CaptureThreadData
  const kernel = openKernel({ ledger })
  const loop = new CaptureLoop(kernel, signalFd)
  const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
  let isOpen = true
  let busy = 0

  const engine = new CaptureEngine({
    loadModule: (name) => import(name),
    ledger,
    watch: (fd, listener) => loop.watch(fd, listener),
    openSender: (options) => openDatagramSender(kernel, options),
    yieldTurn: nextTurn,
    clock: loop,
    emit(message: FromCaptureThread) {
      const moved = message.kind === 'batch' ? message.payload : message.kind === 'answer' ? message.reply : undefined
      port.postMessage(message, moved ? [moved.buffer as ArrayBuffer] : [])
    },
  })
  const handle = async (message: ToCaptureThread): Promise<void> => {
    busy++
    await engine.handle(message)
    busy--
    if (message.kind === 'close') isOpen = false
  }
  port.on('message', (message: ToCaptureThread) => void handle(message))

  while (isOpen) {
    // While something is being done that waits for the event loop, the thread must not sleep.
    if (busy === 0 && !engine.isWalking) loop.turn()
    else loop.poll()
    await nextTurn()
  }
  kernel.dispose()
  port.close()
}
