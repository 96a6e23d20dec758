import { describe, expect, test } from '@jest/globals'
import { type Clock, SILENT_LOGGER } from '@skydive/contracts'
import { WriteQueue } from './write-queue.ts'

/** A clock that runs its timers when told to. */
function manualClock() {
  const timers: { callback: () => void; delayMs: number }[] = []
  const time = { nowMs: 0 }
  const clock: Clock = {
    now: () => time.nowMs,
    setTimeout: (callback, delayMs) => timers.push({ callback, delayMs }),
    clearTimeout: () => {},
  }
  return { clock, timers, time }
}

/** A medium that can be told to refuse, and when its next write has ended. */
function medium() {
  const written: number[][] = []
  const state = { refuses: false }
  return {
    written,
    state,
    write: async (items: readonly number[]) => {
      if (state.refuses) throw new Error('disk full')
      written.push([...items])
    },
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('WriteQueue', () => {
  test('items of one interval share one write', async () => {
    const { clock, timers } = manualClock()
    const { written, write } = medium()
    const queue = new WriteQueue<number>({ name: 'x', capacity: 10, write, clock, logger: SILENT_LOGGER })
    queue.push([1])
    queue.push([2, 3])
    expect(timers.length).toBe(1)
    timers[0]!.callback()
    await settled()
    expect([written, queue.status()]).toEqual([[[1, 2, 3]], { state: 'ok', queued: 0, written: 3, dropped: 0 }])
  })

  test('a medium that refuses keeps the items, in order, and says why; what is too much is counted', async () => {
    const { clock, timers } = manualClock()
    const { written, write, state } = medium()
    let gaps = 0
    const queue = new WriteQueue<number>({ name: 'x', capacity: 3, write, onGap: () => gaps++, clock, logger: SILENT_LOGGER })
    state.refuses = true
    queue.push([1, 2])
    timers.shift()!.callback()
    await settled()
    queue.push([3, 4])
    expect(queue.status()).toEqual({ state: 'degraded', reason: 'disk full', queued: 3, written: 0, dropped: 1 })
    await expect(queue.flush()).rejects.toThrow('disk full')

    state.refuses = false
    await queue.flush()
    expect([written, gaps, queue.status()]).toEqual([[[1, 2, 3]], 1, { state: 'ok', queued: 0, written: 3, dropped: 1 }])
  })

  test('retries wait longer and longer', async () => {
    const { clock, timers } = manualClock()
    const { write, state } = medium()
    state.refuses = true
    const queue = new WriteQueue<number>({ name: 'x', capacity: 3, write, clock, logger: SILENT_LOGGER })
    queue.push([1])
    const delays: number[] = []
    for (let i = 0; i < 9; i++) {
      const timer = timers.shift()!
      delays.push(timer.delayMs)
      timer.callback()
      await settled()
    }
    expect(delays).toEqual([200, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  test('what is being written is queued until it is durable, and has its place when it is refused', async () => {
    const { clock, timers } = manualClock()
    let refuse = (_error: Error): void => {}
    const write = () => new Promise<void>((_, reject) => (refuse = reject))
    const queue = new WriteQueue<number>({ name: 'x', capacity: 3, write, clock, logger: SILENT_LOGGER })
    queue.push([1, 2])
    timers.shift()!.callback()
    queue.push([3, 4])
    expect(queue.status()).toMatchObject({ state: 'degraded', reason: '1 dropped: the queue is full', queued: 3, dropped: 1 })
    refuse(new Error('disk full'))
    await settled()
    expect(queue.status()).toEqual({ state: 'degraded', reason: 'disk full', queued: 3, written: 0, dropped: 1 })
  })

  test('a write that does not end is told after 10 s, and no longer when it has ended', async () => {
    const { clock, timers, time } = manualClock()
    let end = (): void => {}
    const write = () => new Promise<void>((resolve) => (end = resolve))
    const queue = new WriteQueue<number>({ name: 'x', capacity: 3, write, clock, logger: SILENT_LOGGER })
    time.nowMs = 1_000_000
    queue.push([1])
    timers.shift()!.callback()
    time.nowMs += 9_999
    expect(queue.status()).toEqual({ state: 'ok', queued: 1, written: 0, dropped: 0 })
    time.nowMs += 2_001
    const reason = 'a write takes 12 s: the disk hangs or is far too slow'
    expect(queue.status()).toEqual({ state: 'degraded', reason, queued: 1, written: 0, dropped: 0 })
    end()
    await settled()
    expect(queue.status()).toEqual({ state: 'ok', queued: 0, written: 1, dropped: 0 })
  })

  test('close writes what is left and takes nothing more', async () => {
    const { clock } = manualClock()
    const { written, write } = medium()
    const queue = new WriteQueue<number>({ name: 'x', capacity: 3, write, clock, logger: SILENT_LOGGER })
    queue.push([1])
    await queue.close()
    queue.push([2])
    expect([written, queue.status()]).toEqual([[[1]], { state: 'closed', queued: 0, written: 1, dropped: 1 }])
  })
})
