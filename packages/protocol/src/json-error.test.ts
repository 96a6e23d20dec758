import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { describeJsonError } from './json-error.ts'

describe('describeJsonError', () => {
  it.each([
    ['{bad', "invalid character 'b' looking for beginning of object key string", 1],
    ['{"a"x', "invalid character 'x' after object key", 4],
    ['{"a":1 x', "invalid character 'x' after object key:value pair", 7],
    ['[1 2', "invalid character '2' after array element", 3],
    ['x', "invalid character 'x' looking for beginning of value", 0],
    ['trux', "invalid character 'x' in literal true (expecting 'e')", 3],
    ['{} x', "invalid character 'x' after top-level value", 3],
    ['{"a":', 'unexpected end of JSON input', 5],
    ['"a\nb"', "invalid character '\\n' in string literal", 2],
    ['"\\x"', "invalid character 'x' in string escape code", 2],
    ["'a'", "invalid character '\\'' looking for beginning of value", 0],
    ['[{},[]', 'unexpected end of JSON input', 6],
    ['', 'unexpected end of JSON input', 0],
  ])('%s', (text, message, offset) => {
    expect(describeJsonError(text)).toEqual({ message, offset })
  })

  it('ends for any text, and finds a fault in whatever JSON.parse refuses', () => {
    const pieces = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-', 'true', 'nul', ' ', '"', '\\')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        let refused = false
        try {
          JSON.parse(text)
        } catch {
          refused = true
        }
        if (refused) expect(describeJsonError(text).message).not.toBe('invalid JSON')
      }),
      { numRuns: 2000 },
    )
  })
})
