// A capture thread that breaks, in a network of its own: what it had open is closed by its owner.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Logger } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { openCaptureThread } from '../src/agent/capture-thread.ts'
import type { CaptureStart } from '../src/agent/messages.ts'
import { captureStart } from './capture-start.ts'
import type { CrashOptions } from './crashing-source.ts'

const CRASHING = new URL('./crashing-source.ts', import.meta.url).href
const outside = openKernel()
let network: PrivateNetwork
beforeAll(() => {
  network = enterPrivateNetwork(outside.systemCall)
  network.ip('link set lo up')
})
afterAll(() => {
  network?.leave()
  outside.dispose()
})

const start = (taskId: number, moduleOptions: CrashOptions, sources = 1): CaptureStart => {
  const { target, ...defaults } = captureStart(CRASHING)
  const spread = sources > 1 && { spread: { sources, keepFragments: false, tunnelUdpPorts: [] } }
  return { ...defaults, taskId, moduleOptions, target: { ...target, interfaceName: 'lo', ...spread } }
}

/** What the process has open: descriptors by kind, and mappings of sockets. */
function held() {
  const kinds = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const to = readlinkSync(`/proc/self/fd/${fd}`)
      return /^(socket|net):|anon_inode:\[(eventfd|eventpoll|timerfd)\]/.test(to) ? [to.replace(/:\[\d+\]$/, '')] : []
    } catch {
      // It was the listing itself.
      return []
    }
  })
  const rings = readFileSync('/proc/self/maps', 'utf8').match(/socket:\[/g)?.length ?? 0
  const bound = ['packet', 'udp', 'udp6', 'tcp'].map(
    (table) => readFileSync(`/proc/thread-self/net/${table}`, 'utf8').trim().split('\n').length - 1,
  )
  return { descriptors: kinds.sort(), rings, bound }
}

/** Logger that keeps its warnings and tells when the last line of a thread comes. */
function listening() {
  const warnings: [object, string][] = []
  let closed = () => {}
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  const silent = () => {}
  const logger = {
    ...{ trace: silent, debug: silent, info: silent, error: silent },
    warn(fields: object, text: string) {
      warnings.push([fields, text])
      if (text.includes('left open')) closed()
    },
    child: () => logger,
  } as unknown as Logger
  return { logger, warnings, isClosed }
}

describe('what a thread has open', () => {
  test.each([
    ['an exception that nobody catches', 'throw'],
    ['process.exit', 'exit'],
  ])(
    'is closed after %s',
    async (_title, way) => {
      // What the process itself opens with its first thread stays.
      const first = openCaptureThread(events(), undefined)
      await first.start(start(1, { open: 'pcap' }))
      await first.close()
      const before = held()

      const { logger, warnings, isClosed } = listening()
      const crashes: string[] = []
      const thread = openCaptureThread({ ...events(), onCrash: (error) => crashes.push(error.message) }, undefined, logger)
      await thread.start(start(1, { open: 'afpacket' }))
      await thread.start(start(2, { open: 'afpacket' }, 3))
      await thread.start(start(3, { open: 'pcap' }))
      await thread.start(start(4, { open: 'pcapsocket', options: { minPort: 28_100, maxPort: 28_199 } }))
      await thread.start(start(5, { open: 'netflow', options: { minPort: 28_200, maxPort: 28_299 } }))
      expect(held()).toMatchObject({ rings: 3, bound: [5, 0, 1, 1] })
      await Promise.allSettled([thread.start(start(6, { open: way }))])
      await isClosed
      expect(held()).toEqual(before)
      expect(warnings).toEqual([
        [
          { descriptors: expect.any(Number), mappings: expect.any(Number), pcapHandles: 1 },
          'what the capture thread left open is closed',
        ],
      ])
      await thread.close()
      expect(crashes).toHaveLength(1)
    },
    60_000,
  )

  test('is nothing after an end in order', async () => {
    const before = held()
    const { logger, warnings } = listening()
    const thread = openCaptureThread(events(), undefined, logger)
    await thread.start(start(1, { open: 'afpacket' }, 2))
    await thread.start(start(2, { open: 'pcap' }))
    await thread.close()
    expect(held()).toEqual(before)
    expect(warnings).toEqual([])
  }, 20_000)
})

test('what a source warns of is logged when it opens', async () => {
  const { logger, warnings } = listening()
  const thread = openCaptureThread(events(), undefined, logger)
  await thread.start(start(1, { open: 'warning' }))
  await thread.close()
  expect(warnings).toEqual([[{}, 'lo has little memory']])
}, 20_000)

const events = () => ({ onBatch() {}, onFailed() {}, onFigures() {}, onCrash() {} })
