import { rmSync } from 'node:fs'
import type { CaptureSource, CaptureSourceModule } from '@skydive/contracts'
import { captureSource as rings } from '../../probe-afpacket/src/index.ts'

/** Rings of afpacket; once they are open, their thread ends when that file is there, and the file with it. */
export const captureSource: CaptureSourceModule<{ readonly file: string }> = {
  name: 'broken-once',
  detect: () => rings.detect(),
  open(target, options, ledger): CaptureSource {
    // What it has open is in the ledger: the owner of the thread closes it.
    const ring = rings.open(target, undefined, ledger)
    setImmediate(() => {
      try {
        rmSync(options!.file)
      } catch {
        return
      }
      throw new Error('this thread broke')
    })
    return ring
  },
}
