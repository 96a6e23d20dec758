import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createManualClock, createMemoryLogger, createMemoryMetrics, SYSTEM_CLOCK } from './components.ts'

describe('createManualClock', () => {
  test('stands at its start until it is turned', () => {
    const clock = createManualClock(1000)
    expect(clock.now()).toBe(1000)
    clock.advance(5)
    expect([clock.now(), clock.pending]).toEqual([1005, 0])
  })

  test('timers run in the order of their times, at their times, and of equal ones the first first', () => {
    const clock = createManualClock(0)
    const ran: [string, number][] = []
    const at = (name: string, delayMs: number) => clock.setTimeout(() => void ran.push([name, clock.now()]), delayMs)
    at('late', 30)
    at('first of two', 10)
    at('second of two', 10)
    at('at once', 0)
    clock.advance(10)
    expect([ran, clock.pending, clock.now()]).toEqual([
      [
        ['at once', 0],
        ['first of two', 10],
        ['second of two', 10],
      ],
      1,
      10,
    ])
    clock.advance(19)
    expect([ran.length, clock.now()]).toEqual([3, 29])
    clock.advance(1)
    expect(ran.at(-1)).toEqual(['late', 30])
  })

  test('a timer that a timer sets runs in the same turn when it is due', () => {
    const clock = createManualClock(0)
    const ran: number[] = []
    const again = () => {
      ran.push(clock.now())
      clock.setTimeout(again, 10)
    }
    clock.setTimeout(again, 10)
    clock.advance(35)
    expect([ran, clock.pending, clock.now()]).toEqual([[10, 20, 30], 1, 35])
  })

  test('what is cancelled does not run, also by a timer before it; cancelling twice or what is not there is nothing', () => {
    const clock = createManualClock(0)
    const ran: string[] = []
    const victim = clock.setTimeout(() => void ran.push('victim'), 20)
    clock.setTimeout(() => {
      ran.push('judge')
      clock.clearTimeout(victim)
      clock.clearTimeout(victim)
      clock.clearTimeout(undefined)
    }, 10)
    clock.advance(100)
    expect([ran, clock.pending]).toEqual([['judge'], 0])
  })

  test('a delay below zero is due at once, and time does not go back', () => {
    const clock = createManualClock(100)
    const ran: number[] = []
    clock.setTimeout(() => void ran.push(clock.now()), -50)
    clock.advance(0)
    expect([ran, clock.now()]).toEqual([[100], 100])
  })

  test('turned in steps or at once, the same runs in the same order at the same times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { maxLength: 20 }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }),
        (delays, steps) => {
          const run = (turns: readonly number[]) => {
            const clock = createManualClock(0)
            const ran: [number, number][] = []
            for (const [index, delay] of delays.entries()) clock.setTimeout(() => void ran.push([index, clock.now()]), delay)
            for (const turn of turns) clock.advance(turn)
            return { ran, pending: clock.pending, now: clock.now() }
          }
          expect(run(steps)).toEqual(run([steps.reduce((sum, step) => sum + step, 0)]))
        },
      ),
    )
  })
})

describe('createMemoryLogger', () => {
  test('keeps lines of every level in order, those of children too', () => {
    const logger = createMemoryLogger()
    logger.debug({ a: 1 }, 'one')
    logger.child({ probe: 'x' }).info({}, 'two')
    logger.warn({ error: 'e' }, 'three')
    logger.error({}, 'four')
    expect(logger.lines).toEqual([
      { level: 'debug', message: 'one', fields: { a: 1 } },
      { level: 'info', message: 'two', fields: {} },
      { level: 'warn', message: 'three', fields: { error: 'e' } },
      { level: 'error', message: 'four', fields: {} },
    ])
  })
})

describe('createMemoryMetrics', () => {
  test('a counter adds up, a gauge is what it was set to, the same name is the same one', () => {
    const metrics = createMemoryMetrics()
    metrics.counter('packets_total', 'Packets').add(2)
    metrics.counter('packets_total', 'Packets').add(3)
    metrics.gauge('queue', 'Waiting').set(7)
    metrics.gauge('queue', 'Waiting').set(4)
    expect([...metrics.values]).toEqual([
      ['packets_total', 5],
      ['queue', 4],
    ])
    metrics.gauge('queue', 'Waiting').remove({})
    expect([...metrics.values]).toEqual([['packets_total', 5]])
  })
})

describe('SYSTEM_CLOCK', () => {
  test('runs its timers, and not those that are cancelled', async () => {
    const ran: string[] = []
    const cancelled = SYSTEM_CLOCK.setTimeout(() => void ran.push('cancelled'), 0)
    SYSTEM_CLOCK.clearTimeout(cancelled)
    await new Promise<void>((resolve) => SYSTEM_CLOCK.setTimeout(() => resolve(), 1))
    expect([ran, Number.isInteger(SYSTEM_CLOCK.now())]).toEqual([[], true])
  })
})
