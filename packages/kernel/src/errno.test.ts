import { describe, expect, test } from '@jest/globals'
import { errnoName, SystemCallError, systemError } from './index.ts'

describe('systemError', () => {
  test.each([
    [1, 'ERR_PERMISSION', 'open socket: EPERM; it takes CAP_NET_ADMIN'],
    [13, 'ERR_PERMISSION', 'open socket: EACCES; it takes CAP_NET_ADMIN'],
    [2, 'ERR_NOT_FOUND', 'open socket: ENOENT'],
    [19, 'ERR_NOT_FOUND', 'open socket: ENODEV'],
    [93, 'ERR_UNSUPPORTED', 'open socket: EPROTONOSUPPORT; this kernel was built without it'],
    [105, 'ERR_SYSTEM_CALL', 'open socket: ENOBUFS'],
  ])('errno %i is %s', (errno, code, message) => {
    const error = systemError('open socket', errno)
    expect({ code: error.code, message: error.message }).toEqual({ code, message })
  })

  test('carries number, name and fields', () => {
    const error = systemError('open socket', 105, { fd: 3 })
    expect(error).toBeInstanceOf(SystemCallError)
    expect({ errno: (error as SystemCallError).errno, fields: error.fields }).toEqual({
      errno: 105,
      fields: { fd: 3, errno: 'ENOBUFS' },
    })
  })

  test('a number without a name is shown as it is', () => {
    expect(errnoName(9999)).toBe('errno 9999')
  })
})
