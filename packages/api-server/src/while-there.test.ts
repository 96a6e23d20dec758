import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { Departures } from './while-there.ts'

const connection = () => new EventEmitter() as Socket

describe('the signal of a connection', () => {
  test('serves one after the other what is answered at once', () => {
    const departures = new Departures()
    const socket = connection()
    const [first, second] = [1, 2].map(() => departures.whileThere(socket, (signal) => signal))
    expect(second).toBe(first)
    expect(socket.listenerCount('close')).toBe(1)
    expect(departures.whileThere(connection(), (signal) => signal)).not.toBe(first)
  })

  test('is kept when what was asked is refused at once', () => {
    const departures = new Departures()
    const socket = connection()
    const refused = new Error('refused')
    const refuse = () =>
      departures.whileThere(socket, () => {
        throw refused
      })
    expect(refuse).toThrow(refused)
    expect(refuse).toThrow(refused)
    expect(socket.listenerCount('close')).toBe(1)
  })

  test('fires when the client goes while something waits, and is nobody else’s', async () => {
    const departures = new Departures()
    const socket = connection()
    const answer = departures.whileThere(
      socket,
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal))),
    )
    const another = departures.whileThere(socket, (signal) => signal) as AbortSignal
    expect(another.aborted).toBe(false)
    socket.emit('close')
    const first = await answer
    expect(first).not.toBe(another)
    expect([(first as AbortSignal).aborted, another.aborted]).toEqual([true, true])
  })

  test('does not fire for what was waited for and is over', async () => {
    const departures = new Departures()
    const socket = connection()
    const asked: AbortSignal[] = []
    const runs = [async () => 1, () => Promise.reject(new Error('failed'))].map((run) =>
      departures.whileThere<number>(socket, (signal) => {
        asked.push(signal)
        return run()
      }),
    )
    await Promise.allSettled(runs)
    socket.emit('close')
    expect(asked.map(({ aborted }) => aborted)).toEqual([false, false])
  })

  test('takes one listener, however many wait', () => {
    const departures = new Departures()
    const socket = connection()
    for (let i = 0; i < 20; i++) departures.whileThere(socket, () => new Promise(() => {}))
    expect(socket.listenerCount('close')).toBe(1)
  })
})
