import { readdirSync } from 'node:fs'
import type { CaptureSourceModule, CaptureTarget, PacketSource } from '@skydive/contracts'
import type { TestRunner } from './probe-suite.ts'

/** What the suite is given for each test. */
export interface CaptureSourceCase {
  readonly module: CaptureSourceModule
  /** What is captured; with a filter that only what {@link CaptureSourceCase.send} sends passes. */
  readonly target: CaptureTarget
  readonly options?: unknown
  /** Lets this many packets come to the open source. The suite polls it afterwards. */
  send(packets: number, source: PacketSource): Promise<void> | void
  /**
   * Lets more packets come than the source has room for while nobody polls it, and answers how many; `options` are those to open it with.
   * Absent: not tested, for a source that makes its sender wait.
   */
  readonly overflow?: { readonly options: unknown; send(source: PacketSource): Promise<number> | number }
  /** Takes away what was made for the case. */
  dispose?(): Promise<void> | void
}

/** What the suite needs. */
export interface CaptureSourceSuiteOptions {
  readonly runner: TestRunner
  readonly createCase: () => Promise<CaptureSourceCase> | CaptureSourceCase
  /** Blocks until one of the descriptors can be read: `kernel.waitReadable`. */
  readonly waitReadable: (fds: readonly number[], timeoutMs: number) => readonly number[]
  /** Whether it captures on an interface, which may be missing. @default true */
  readonly takesInterface?: boolean
}

/** No packet for so long: all have come. */
const QUIET_MS = 200
const PACKETS = 10

interface Taken {
  packets: number
  /** Blocks that did not lie within their buffer, or held nothing. */
  misplaced: number
}

/**
 * The obligations of a source of packets (`PacketSource` of `@skydive/contracts`) as tests, on Linux. Call it in the test file of the source:
 * `describeCaptureSource('mine', { runner: { describe, it, expect }, createCase, waitReadable: kernel.waitReadable })`.
 */
export function describeCaptureSource(name: string, options: CaptureSourceSuiteOptions): void {
  const { runner, createCase, waitReadable, takesInterface = true } = options
  const { describe, it, expect } = runner
  const staged = (body: (subject: CaptureSourceCase) => Promise<void>) => async () => {
    const subject = await createCase()
    try {
      await body(subject)
    } finally {
      await subject.dispose?.()
    }
  }
  /** Polls until nothing has come for a while. */
  const drain = (source: PacketSource): Taken => {
    const taken: Taken = { packets: 0, misplaced: 0 }
    for (let ready: readonly number[] = [source.readyFd]; ready.length > 0; ready = waitReadable([source.readyFd], QUIET_MS)) {
      taken.packets += source.poll((buffer, offset, byteLength) => {
        if (byteLength <= 0 || offset < 0 || offset + byteLength > buffer.byteLength) taken.misplaced++
      })
    }
    return taken
  }

  describe(`capture source ${name}`, () => {
    it(
      'looks without touching, and can run here',
      staged(async ({ module }) => {
        // The first look may load what stays, such as a library.
        const first = await module.detect()
        const before = descriptors()
        const second = await module.detect()
        expect({ first, second, left: descriptors() - before }).toEqual({
          first: { available: true },
          second: { available: true },
          left: 0,
        })
      }),
    )

    it(
      'hands over every packet once, in blocks that lie within their buffer, and counts them',
      staged(async (subject) => {
        const source = openSource(subject)
        try {
          await subject.send(PACKETS, source)
          const taken = drain(source)
          expect({ taken, stats: source.stats() }).toEqual({
            taken: { packets: PACKETS, misplaced: 0 },
            stats: { packetsReceived: PACKETS, packetsDropped: 0, packetsIfDropped: 0 },
          })
        } finally {
          source.close()
        }
      }),
    )

    it(
      'can not be read, and hands over nothing, when nothing has come',
      staged(async (subject) => {
        const source = openSource(subject)
        try {
          const first = drain(source)
          expect({ first, again: drain(source), ready: waitReadable([source.readyFd], 0) }).toEqual({
            first: { packets: 0, misplaced: 0 },
            again: { packets: 0, misplaced: 0 },
            ready: [],
          })
        } finally {
          source.close()
        }
      }),
    )

    it(
      'goes on after it was drained',
      staged(async (subject) => {
        const source = openSource(subject)
        try {
          const packets: number[] = []
          for (let round = 0; round < 3; round++) {
            await subject.send(PACKETS, source)
            packets.push(drain(source).packets)
          }
          expect(packets).toEqual([PACKETS, PACKETS, PACKETS])
        } finally {
          source.close()
        }
      }),
    )

    it(
      'hands over nothing after close, still tells its counters, and closes once',
      staged(async (subject) => {
        const source = openSource(subject)
        await subject.send(PACKETS, source)
        drain(source)
        source.close()
        source.close()
        const taken: Taken = { packets: 0, misplaced: 0 }
        taken.packets = source.poll(() => void taken.misplaced++)
        expect({ taken, stats: source.stats() }).toEqual({
          taken: { packets: 0, misplaced: 0 },
          stats: { packetsReceived: PACKETS, packetsDropped: 0, packetsIfDropped: 0 },
        })
      }),
    )

    it(
      'leaves no descriptor, also with packets that nobody took',
      staged(async (subject) => {
        openSource(subject).close()
        const before = descriptors()
        for (let round = 0; round < 10; round++) {
          const source = openSource(subject)
          if (round === 0) await subject.send(PACKETS, source)
          source.close()
        }
        expect(descriptors() - before).toEqual(0)
      }),
    )

    it(
      'refuses a filter that is none, and leaves nothing behind',
      staged(async (subject) => {
        openSource(subject).close()
        const before = descriptors()
        const code = refusal(() => openSource({ ...subject, target: { ...subject.target, bpfFilter: 'foo bar (' } }))
        expect({ code, left: descriptors() - before }).toEqual({ code: 'ERR_INVALID_ARGUMENT', left: 0 })
      }),
    )

    it(
      'refuses an interface that is not there, and leaves nothing behind',
      staged(async (subject) => {
        if (!takesInterface) return
        openSource(subject).close()
        const before = descriptors()
        const target = { ...subject.target, interfaceName: 'no-such-link', ifindex: 999_999 }
        expect({ code: refusal(() => openSource({ ...subject, target })), left: descriptors() - before }).toEqual({
          code: 'ERR_NOT_FOUND',
          left: 0,
        })
      }),
    )

    it(
      'counts what it had no room for',
      staged(async (subject) => {
        if (!subject.overflow) return
        const source = openSource({ ...subject, options: subject.overflow.options })
        try {
          const sent = await subject.overflow.send(source)
          const { packets } = drain(source)
          const { packetsReceived, packetsDropped } = source.stats()
          expect({ packetsReceived, all: packetsReceived + packetsDropped, dropsSome: packetsDropped > 0 }).toEqual({
            packetsReceived: packets,
            all: sent,
            dropsSome: true,
          })
        } finally {
          source.close()
        }
      }),
    )
  })
}

function openSource({ module, target, options }: CaptureSourceCase): PacketSource {
  const source = module.open(target, options)
  if (source.kind === 'packets') return source
  source.close()
  throw new Error(`${module.name} hands over records; this suite is for sources of packets`)
}

function refusal(body: () => PacketSource): unknown {
  try {
    body().close()
    return undefined
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}
