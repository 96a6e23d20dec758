import type { CaptureSource, CaptureSourceModule } from '@skydive/contracts'
import { captureSource as rings } from '../../probe-afpacket/src/index.ts'
import { captureSource as collectors } from '../../probe-netflow/src/index.ts'
import { captureSource as library } from '../../probe-pcap/src/index.ts'
import { captureSource as streams } from '../../probe-pcapsocket/src/index.ts'

const MODULES: Readonly<Record<string, CaptureSourceModule>> = {
  afpacket: rings as CaptureSourceModule,
  pcap: library as CaptureSourceModule,
  pcapsocket: streams as CaptureSourceModule,
  netflow: collectors as CaptureSourceModule,
}

/** What a test has it open, and how the thread ends. */
export interface CrashOptions {
  /** A capture type, or a way to end the thread. */
  readonly open: string
  readonly options?: unknown
}

/** Opens other sources as they are, and ends the thread on demand in ways that leave everything open. */
export const captureSource: CaptureSourceModule<CrashOptions> = {
  name: 'crashing',
  detect: async () => ({ available: true }),
  open(target, options, ledger): CaptureSource {
    const { open = '', options: inner } = options ?? {}
    if (open === 'throw') {
      queueMicrotask(() => {
        throw new Error('this thread broke')
      })
    }
    if (open === 'warning') return Object.assign(rings.open(target), { warning: 'lo has little memory' })
    if (open === 'exit') process.exit(3)
    return (MODULES[open] ?? rings).open(target, inner as object, ledger)
  },
}
