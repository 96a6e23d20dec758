import { expect, test } from '@jest/globals'
import type { CaptureSourceModule, PacketSource } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { captureStart } from '../../test/capture-start.ts'
import { CaptureEngine } from './capture-engine.ts'
import type { FromCaptureThread } from './messages.ts'

/** A pcap record of an Ethernet frame, as a block. */
const BLOCK = encodePcap([
  { timeMs: 1_000, data: Uint8Array.from({ length: 60 }, (_, i) => ({ 12: 8, 14: 0x45 })[i] ?? i) },
]).slice(24)

/** A ring that shows its only packet when it has held it back for so long. */
function slowRing(clock: { now(): number }, holdsBackMs: number) {
  let isTaken = false
  let isOpen = true
  const source: PacketSource = {
    kind: 'packets',
    format: { layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: LINK_TYPE.ETHERNET },
    readyFd: 7,
    holdsBackMs,
    poll(sink) {
      if (!isOpen) throw new Error('polled after it was closed')
      if (isTaken || clock.now() < holdsBackMs) return 0
      isTaken = true
      sink(BLOCK, 0, BLOCK.length)
      return 1
    },
    stats: () => ({ packetsReceived: 1, packetsDropped: 0, packetsIfDropped: 0 }),
    close() {
      isOpen = false
    },
  }
  return source
}

const START = captureStart('slow')

test('a capture that ends waits for what its source still holds back', async () => {
  const clock = {
    nowMs: 0,
    now: () => clock.nowMs,
    setTimeout(callback: () => void, delayMs: number): unknown {
      // Only the wait at the end is that short; updates are never due here.
      if (delayMs === 20) {
        clock.nowMs += delayMs
        callback()
      }
      return delayMs
    },
    clearTimeout: () => {},
  }
  const emitted: FromCaptureThread[] = []
  const module: CaptureSourceModule = {
    name: 'slow',
    detect: async () => ({ available: true }),
    open: () => slowRing(clock, 20),
  }
  const engine = new CaptureEngine({
    loadModule: async () => ({ captureSource: module }),
    watch: () => () => {},
    openSender: () => {
      throw new Error('nothing is sent elsewhere')
    },
    yieldTurn: async () => {},
    clock,
    emit: (message) => emitted.push(message),
  })
  await engine.handle({ kind: 'start', start: START })
  await engine.handle({ kind: 'stop', taskId: 1 })
  const flows = emitted.flatMap((message) => (message.kind === 'batch' ? decodeFlowMessage(message.payload).Flows : []))
  expect([flows.map(({ Metric }) => Metric?.ABPackets), emitted.at(-1)]).toEqual([[1], { kind: 'stopped', taskId: 1 }])
})

test('a mirror of frames without Ethernet header is refused, and the source is closed', async () => {
  const emitted: FromCaptureThread[] = []
  let closed = 0
  const ring = slowRing({ now: () => 0 }, 1)
  const source: PacketSource = { ...ring, format: { ...ring.format, linkType: LINK_TYPE.RAW }, close: () => void closed++ }
  const engine = new CaptureEngine({
    loadModule: async () => ({
      captureSource: { name: 'raw', detect: async () => ({ available: true }), open: () => source },
    }),
    watch: () => () => {},
    openSender: () => {
      throw new Error('nothing is sent')
    },
    yieldTurn: async () => {},
    clock: { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} },
    emit: (message) => emitted.push(message),
  })
  await engine.handle({ kind: 'start', start: { ...START, sendTo: { type: 'erspanv1', address: '192.0.2.1', port: 0 } } })
  const message = 'capture: erspanv1 mirrors Ethernet frames, and this source has frames of link type 101'
  expect([closed, emitted]).toEqual([
    1,
    [{ kind: 'start-failed', taskId: 1, error: { message, code: 'ERR_INVALID_ARGUMENT', fault: 'caller' } }],
  ])
})

test('a source that breaks with its first packets is told as failed and stopped, once, whoever stops it meanwhile', async () => {
  const emitted: FromCaptureThread[] = []
  let closed = 0
  const source: PacketSource = {
    ...slowRing({ now: () => 0 }, 0),
    poll() {
      throw new Error('the interface is gone')
    },
    close: () => void closed++,
  }
  const engine = new CaptureEngine({
    loadModule: async () => ({
      captureSource: { name: 'broken', detect: async () => ({ available: true }), open: () => source },
    }),
    watch: () => () => {},
    openSender: () => {
      throw new Error('nothing is sent')
    },
    yieldTurn: async () => {},
    clock: { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} },
    emit: (message) => emitted.push(message),
  })
  await engine.handle({ kind: 'start', start: START })
  await engine.handle({ kind: 'stop', taskId: 1 })
  expect(closed).toBe(1)
  const error = { message: 'the interface is gone', code: 'ERR_INVARIANT', fault: 'ours' }
  expect(emitted.filter(({ kind }) => kind !== 'batch' && kind !== 'started')).toEqual([
    { kind: 'failed', taskId: 1, error },
    { kind: 'stopped', taskId: 1 },
  ])
})
