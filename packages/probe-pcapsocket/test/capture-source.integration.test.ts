import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import type { PacketSource } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { encodePcap } from '@skydive/packet'
import { describeCaptureSource } from '@skydive/testkit/capture-source'
import { captureSource } from '../src/index.ts'

const kernel = openKernel()

/** Sends a stream of packets that are all due at once, among others that the filter does not want. */
async function send(packets: number, source: PacketSource): Promise<void> {
  const port = Number(String(source.describe?.().capture?.['PCAPSocket']).split(':')[1])
  const wanted = Uint8Array.from({ length: 60 }, (_, i) => (i === 12 ? 0x08 : i === 14 ? 0x45 : i === 23 ? 17 : 0))
  const data = Array.from({ length: packets }, () => [wanted, new Uint8Array(60)]).flat()
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.end(encodePcap(data.map((bytes) => ({ timeMs: 1_000, data: bytes }))))
  await once(socket, 'finish')
  const closed = once(socket, 'close')
  socket.destroy()
  await closed
}

describeCaptureSource('pcapsocket', {
  runner: { describe, it, expect },
  waitReadable: (fds, timeoutMs) => kernel.waitReadable(fds, timeoutMs),
  takesInterface: false,
  createCase: () => ({
    module: captureSource,
    target: { interfaceName: '', ifindex: 0, bpfFilter: 'udp', snapLength: 256, excludePeers: [] },
    // Away from the default range, which an agent on this machine may use.
    options: { minPort: 18_100, maxPort: 18_199 },
    send,
  }),
})
