import { expect, test } from '@jest/globals'
import type { Kernel } from '@skydive/kernel'
import { IdleSocket } from './idle-socket.ts'

const FD = 7
const [EIO, ENETDOWN] = [5, 100]

/** A socket with these errors and interfaces, one after the other; the last of each stays. */
function socket(errors: readonly number[], interfaces: readonly number[]) {
  const asked: unknown[] = []
  let looks = 0
  const at = (values: readonly number[]) => values[Math.min(looks, values.length) - 1]!
  const kernel = {
    getSocketOption(fd: number, level: number, name: number, into: Int32Array) {
      looks++
      asked.push([fd, level, name, into.byteLength])
      into[0] = at(errors)
    },
    systemCall(number: number, fd: number, address: Uint8Array, byteLength: Uint32Array) {
      asked.push([number === 51 || number === 204, fd, address.length, byteLength[0]])
      new DataView(address.buffer).setInt32(4, at(interfaces), true)
      return 0
    },
  } as unknown as Kernel
  return { idle: new IdleSocket(kernel, FD), asked }
}

test('it fetches the error of the socket, and asks for its interface from the first one on', () => {
  const { idle, asked } = socket([0, ENETDOWN, 0], [3])
  for (let look = 0; look < 3; look++) idle.look()
  // SOL_SOCKET, SO_ERROR; struct sockaddr_ll.
  const [error, address] = [
    [FD, 1, 4, 4],
    [true, FD, 20, 20],
  ]
  expect(asked).toEqual([error, error, address, error, address])
})

test.each<readonly [string, readonly number[], readonly number[], string]>([
  ['an interface that is there', [0], [3], '.....'],
  ['one that goes down', [ENETDOWN, 0], [3], '.....'],
  ['one that goes down again and again', [ENETDOWN], [3], '.....'],
  ['one that is gone', [ENETDOWN, 0], [-1], '..xxx'],
  ['one that goes later', [ENETDOWN, 0], [3, 3, -1], '....x'],
  ['one that is there again', [ENETDOWN, 0], [-1, -1, 3, -1, -1], '.....'],
])('%s', (_, errors, interfaces, expected) => {
  const { idle } = socket(errors, interfaces)
  const told = Array.from({ length: 5 }, () => {
    try {
      idle.look()
      return '.'
    } catch (error) {
      expect(error).toMatchObject({
        code: 'ERR_UNAVAILABLE',
        message: 'capture: the interface left its network namespace: it was moved to another one, or deleted',
      })
      return 'x'
    }
  })
  expect(told.join('')).toBe(expected)
})

test('another error is thrown', () => {
  expect(() => socket([EIO], [3]).idle.look()).toThrow(
    expect.objectContaining({ code: 'ERR_SYSTEM_CALL', message: 'read a packet socket: EIO' }),
  )
})
