import type { CaptureSource, CaptureSourceModule, PacketBlockSink, PacketSource } from '@skydive/contracts'
import { type AfPacketOptions, captureSource as rings } from '../../probe-afpacket/src/index.ts'

/** Rings of afpacket, of which those in other threads than the first end their thread with the first packets. */
export const captureSource: CaptureSourceModule<AfPacketOptions> = {
  name: 'breaking',
  detect: () => rings.detect(),
  open(target, options): CaptureSource {
    const ring = rings.open(target, options) as PacketSource
    if (!options?.member) return ring
    const { kind, format, readyFd } = ring
    return {
      ...{ kind, format, readyFd },
      poll(sink: PacketBlockSink) {
        const packets = ring.poll(sink)
        if (packets === 0) return 0
        ring.close()
        queueMicrotask(() => {
          throw new Error('this thread broke')
        })
        return packets
      },
      stats: () => ring.stats(),
      close: () => ring.close(),
    }
  },
}
