import { EventEmitter } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { ChildGroup, type GroupChild } from './child-group.ts'

/** A child that ends when it is told to. */
class FakeChild extends EventEmitter {
  readonly signals: unknown[] = []

  kill(signal: unknown): boolean {
    this.signals.push(signal)
    return true
  }

  end(code: number | null, signal: string | null = null): void {
    this.emit('exit', code, signal)
  }
}

function start() {
  const told: string[] = []
  const group = new ChildGroup((line) => told.push(line))
  const [analyzer, agent] = [new FakeChild(), new FakeChild()]
  group.add('analyzer', analyzer as unknown as GroupChild)
  group.add('agent', agent as unknown as GroupChild)
  return { group, analyzer, agent, told }
}

describe('a child that ends unasked stops the other and is told:', () => {
  test.each<[string, number | null, string | null, string, number]>([
    ['killed', null, 'SIGKILL', 'by SIGKILL', 1],
    ['ended by SIGTERM before it listened for it', null, 'SIGTERM', 'by SIGTERM', 1],
    ['ended with a code', 3, null, 'with code 3', 3],
    ['ended in order', 0, null, 'with code 0', 1],
  ])('%s', async (_title, code, signal, how, exitCode) => {
    const { group, analyzer, agent, told } = start()
    const ended = group.ended()
    agent.end(code, signal)
    expect([analyzer.signals, told]).toEqual([['SIGTERM'], [`skydive: the agent ended ${how}, so everything stops`]])
    analyzer.end(0)
    expect([await ended, told.length]).toEqual([exitCode, 1])
  })
})

describe('children that were asked to end say nothing:', () => {
  test.each<[string, number | null, string | null, number]>([
    ['in order', 0, null, 0],
    ['by the signal itself', null, 'SIGTERM', 0],
    ['with a code', 2, null, 2],
    ['by force', null, 'SIGKILL', 1],
  ])('%s', async (_title, code, signal, exitCode) => {
    const { group, analyzer, agent, told } = start()
    const ended = group.ended()
    group.stop()
    analyzer.end(code, signal)
    agent.end(0)
    expect([await ended, analyzer.signals, told]).toEqual([exitCode, ['SIGTERM'], []])
  })
})

test('asked twice, they are ended by force', () => {
  const { group, analyzer, agent } = start()
  group.stop()
  group.stop()
  expect([analyzer.signals, agent.signals]).toEqual([
    ['SIGTERM', 'SIGKILL'],
    ['SIGTERM', 'SIGKILL'],
  ])
})
