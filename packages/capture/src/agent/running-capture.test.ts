import { expect, test } from '@jest/globals'
import type { Flow, PacketSource } from '@skydive/contracts'
import type { CaptureTable } from './capture-feed.ts'
import type { CaptureStart } from './messages.ts'
import { RunningCapture } from './running-capture.ts'

const FLOW = { UUID: 'f' } as Flow

test('while flows wait for where they go the thread may sleep, also when an expiry waits behind the update', async () => {
  const due: (() => void)[] = []
  let goOn = () => {}
  const paused = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const told: string[] = []
  const table = {
    *update() {
      told.push('update')
      yield [FLOW]
      yield [FLOW]
    },
    expire() {
      told.push('expire')
      return []
    },
  } as unknown as CaptureTable
  const capture = new RunningCapture(
    { taskId: 1, table: { captureId: 'c' }, updateMs: 1, expireMs: 2 } as unknown as CaptureStart,
    {
      feed: { source: {} as PacketSource, table, readyFds: [], poll() {} },
      output: {
        send: () => {
          told.push('send')
          return told.length === 2 ? paused : undefined
        },
        sendEvicted() {},
        flush: () => void told.push('flush'),
      },
    },
    {
      watch: () => () => {},
      yieldTurn: async () => {},
      clock: { now: () => 0, setTimeout: (callback: () => void) => due.push(callback), clearTimeout: () => {} },
      emit() {},
      onBroken() {},
    },
  )
  const [update, expire] = due
  update!()
  expire!()
  expect(capture.isWalking).toBe(true)
  while (told.length < 2) await Promise.resolve()
  expect([told, capture.isWalking]).toEqual([['update', 'send'], false])
  goOn()
  while (told.length < 6) await Promise.resolve()
  await Promise.resolve()
  expect([told, capture.isWalking]).toEqual([['update', 'send', 'send', 'flush', 'expire', 'flush'], false])
})

test('its source is polled for its figures without being woken, and what it throws then breaks the capture', () => {
  const broken: unknown[] = []
  let polls = 0
  const fault = new Error('nothing comes any more')
  const stats = { packetsReceived: 4, packetsDropped: 0, packetsIfDropped: 0 }
  const capture = new RunningCapture(
    { taskId: 1, table: { captureId: 'c' } } as unknown as CaptureStart,
    {
      feed: {
        source: { stats: () => stats } as PacketSource,
        readyFds: [],
        poll() {
          if (++polls === 3) throw fault
        },
      },
      output: { send: () => undefined, sendEvicted() {}, flush() {} },
    } as never,
    {
      watch: () => () => {},
      yieldTurn: async () => {},
      clock: { now: () => 0, setTimeout: () => undefined, clearTimeout: () => {} },
      emit() {},
      onBroken: (error) => void broken.push(error),
    },
  )
  for (const expected of [[], [], [fault]]) {
    expect(capture.figures()).toEqual({ taskId: 1, source: stats })
    expect(broken).toEqual(expected)
  }
})
