import { describe, expect, test } from '@jest/globals'
import { DecodeError, InvalidArgumentError, SkydiveError, UnsupportedError } from './index.ts'

describe('SkydiveError', () => {
  test('carries code, fault, fields and cause', () => {
    const cause = new Error('inner')
    const error = new InvalidArgumentError('listen: "x" is no port; give 1 to 65535', { value: 'x' }, cause)
    expect({ ...error, message: error.message, name: error.name, cause: error.cause }).toEqual({
      code: 'ERR_INVALID_ARGUMENT',
      fault: 'caller',
      fields: { value: 'x' },
      message: 'listen: "x" is no port; give 1 to 65535',
      name: 'InvalidArgumentError',
      cause,
    })
  })

  test('isInstance knows the family and the code, and nothing else', () => {
    const error = new DecodeError('record is cut', 24)
    expect([
      SkydiveError.isInstance(error),
      SkydiveError.isInstance(error, 'ERR_DECODE'),
      SkydiveError.isInstance(error, 'ERR_NOT_FOUND'),
      SkydiveError.isInstance(new Error('x')),
      SkydiveError.isInstance(null),
    ]).toEqual([true, true, false, false, false])
  })

  test('isInstance accepts an error of another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { code: 'ERR_LIMIT', [Symbol.for('skydive.error')]: true })
    expect(SkydiveError.isInstance(foreign, 'ERR_LIMIT')).toBe(true)
  })

  test('an unsupported feature says what it requires', () => {
    expect(new UnsupportedError('no BPF compiler', { package: 'libpcap0.8' }).requires).toEqual({ package: 'libpcap0.8' })
  })
})
