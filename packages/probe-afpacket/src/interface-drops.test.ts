import { describe, expect, test } from '@jest/globals'
import { type CaptureTarget, InvariantError, NotFoundError, PermissionError, UnsupportedError } from '@skydive/contracts'
import type { Kernel } from '@skydive/kernel'
import { InterfaceDrops, openInterfaceDrops } from './interface-drops.ts'

const FD = 9
const TARGET: CaptureTarget = { interfaceName: 'v0', ifindex: 3, bpfFilter: '', snapLength: 256, excludePeers: [] }
const [NEWSTATS, ERROR] = [92, 2]

/** struct rtnl_link_stats64: each counter is a hundred times its place, but for those that are given. */
function counters(fifo: number, missed: number, count = 25): Buffer {
  const bytes = Buffer.alloc(count * 8)
  for (let place = 0; place < count; place++) {
    bytes.writeBigUInt64LE(BigInt(place === 14 ? fifo : place === 15 ? missed : place * 100), place * 8)
  }
  return bytes
}
const attribute = (type: number, body: Buffer, byteLength = body.length + 4) => {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(byteLength)
  head.writeUInt16LE(type, 2)
  return Buffer.concat([head, body])
}
function answer(sequence: number, type: number, ...attributes: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(28)
  head.writeUInt16LE(type, 4)
  head.writeUInt32LE(sequence, 8)
  return Buffer.concat([head, ...attributes])
}
const stats = (sequence: number, fifo: number, missed: number) => answer(sequence, NEWSTATS, attribute(1, counters(fifo, missed)))

/** A kernel that answers each question with what stands there for it; -11 (EAGAIN) when nothing is left. */
function kernel(answers: readonly (readonly Buffer[])[], { refuses = -1 } = {}) {
  const asked: string[] = []
  const closed: number[] = []
  const waiting: Buffer[] = []
  const own = {
    send(fd: number, request: DataView) {
      const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength)
      asked.push(`${fd}:${bytes.toString('hex')}`)
      waiting.push(...(answers[asked.length - 1] ?? []))
      return asked.length - 1 === refuses ? -101 : bytes.length
    },
    receive(fd: number, into: DataView) {
      expect(fd).toBe(FD)
      const next = waiting.shift()
      if (!next) return -11
      new Uint8Array(into.buffer).set(next)
      return next.length
    },
    close: (fd: number) => void closed.push(fd),
  } as unknown as Kernel
  return { own, asked, closed }
}
/** What is told after each answer but the first. */
function told(answers: readonly (readonly Buffer[])[], options?: { refuses: number }): readonly number[] {
  const drops = new InterfaceDrops(kernel(answers, options).own, FD, 3)
  return answers.slice(1).map(() => drops.count())
}

test('it asks for the counters of one interface, by a number more each time', () => {
  const { own, asked, closed } = kernel([])
  const drops = new InterfaceDrops(own, FD, 0x1234)
  drops.count()
  // Length, RTM_GETSTATS, NLM_F_REQUEST, sequence, port; family and padding, index, IFLA_STATS_LINK_64.
  const ask = (sequence: string) => `9:1c0000005e000100${sequence}00000000${'00000000'}3412000001000000`
  expect(asked).toEqual([ask('01000000'), ask('02000000')])
  drops.close()
  expect(closed).toEqual([FD])
})

describe('it tells', () => {
  test.each<readonly [string, readonly number[], readonly (readonly Buffer[])[]]>([
    [
      'what both counters grew by since the beginning',
      [0, 7, 9],
      [[stats(1, 10, 5)], [stats(2, 10, 5)], [stats(3, 10, 12)], [stats(4, 12, 12)]],
    ],
    [
      'what came since a driver began anew',
      [7, 10, 11],
      [[stats(1, 10, 5)], [stats(2, 10, 12)], [stats(3, 1, 2)], [stats(4, 2, 2)]],
    ],
    ['the same when the interface is gone', [2, 2], [[stats(1, 0, 5)], [stats(2, 0, 7)], [answer(3, ERROR)]]],
    ['what came since the first answer, when that is late', [0, 3], [[answer(1, ERROR)], [stats(2, 0, 5)], [stats(3, 0, 8)]]],
    ['nothing when the kernel does not know the question', [0, 0], [[answer(1, ERROR)], [answer(2, ERROR)], [answer(3, ERROR)]]],
    ['nothing when there is no answer', [0, 0], [[], [], []]],
    ['what the answer to its own question says', [2], [[stats(1, 0, 5)], [stats(1, 0, 99), stats(2, 0, 7)]]],
    [
      'counters behind an attribute that fills up',
      [2],
      [[stats(1, 0, 5)], [answer(2, NEWSTATS, attribute(0, Buffer.alloc(0)), attribute(1, counters(0, 7)))]],
    ],
    [
      'counters behind an attribute of three bytes',
      [2],
      [[stats(1, 0, 5)], [answer(2, NEWSTATS, attribute(4, Buffer.alloc(4), 7), attribute(1, counters(0, 7)))]],
    ],
    ['great counters', [3], [[stats(1, 2 ** 40, 5)], [stats(2, 2 ** 40 + 3, 5)]]],
    [
      'as much as the sixteen first counters hold',
      [2],
      [[stats(1, 0, 5)], [answer(2, NEWSTATS, attribute(1, counters(0, 7, 16)))]],
    ],
    ['nothing of fifteen counters', [0], [[stats(1, 0, 5)], [answer(2, NEWSTATS, attribute(1, counters(9, 7, 15)))]]],
    ['nothing of an answer without counters', [0], [[stats(1, 0, 5)], [answer(2, NEWSTATS, attribute(4, Buffer.alloc(8)))]]],
    [
      'nothing of an attribute that ends behind the answer',
      [0],
      [[stats(1, 0, 5)], [answer(2, NEWSTATS, attribute(1, counters(0, 7), 205))]],
    ],
    ['nothing of an attribute without a length', [0], [[stats(1, 0, 5)], [answer(2, NEWSTATS, attribute(1, counters(0, 7), 0))]]],
    ['nothing of an answer that is cut', [0], [[stats(1, 0, 5)], [stats(2, 0, 7).subarray(0, 15)]]],
  ])('%s', (_, expected, answers) => {
    expect(told(answers)).toEqual(expected)
  })

  test('the same when it can not ask', () => {
    expect(told([[stats(1, 0, 5)], [stats(2, 0, 7)], [stats(3, 0, 9)]], { refuses: 2 })).toEqual([2, 2])
  })
})

describe('opening', () => {
  const withSocket = (socket: (options: unknown) => number) => ({ ...kernel([]).own, socket }) as unknown as Kernel
  const asking = (target: CaptureTarget) => {
    const asked: unknown[] = []
    const own = withSocket((options) => {
      asked.push(options)
      return FD
    })
    expect(openInterfaceDrops(own, target)).toBeInstanceOf(InterfaceDrops)
    return asked
  }

  test('asks for a socket of rtnetlink, in the namespace of the target', () => {
    expect(asking(TARGET)).toEqual([{ domain: 16, type: 3, protocol: 0 }])
    expect(asking({ ...TARGET, netns: '/run/netns/x' })).toEqual([{ domain: 16, type: 3, protocol: 0, netns: '/run/netns/x' }])
  })

  test('without such a socket nothing is told', () => {
    for (const refusal of [new UnsupportedError('no such protocol', {}), new PermissionError('not allowed', {})]) {
      const own = withSocket(() => {
        throw refusal
      })
      expect(openInterfaceDrops(own, TARGET)).toBeUndefined()
    }
  })

  test('a fault is thrown on', () => {
    for (const fault of [new InvariantError('nested'), new NotFoundError('no namespace', {}), new TypeError('x')]) {
      const own = withSocket(() => {
        throw fault
      })
      expect(() => openInterfaceDrops(own, TARGET)).toThrow(fault)
    }
  })
})
