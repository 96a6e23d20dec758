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
