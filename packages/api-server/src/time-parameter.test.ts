import { describe, expect, test } from '@jest/globals'
import { parseTimeParameter } from './time-parameter.ts'

const NOW_MS = 1_764_072_000_000

describe('parseTimeParameter', () => {
  test.each([
    ['now', NOW_MS],
    ['1764072000123', 1_764_072_000_123],
    ['1764072000', NOW_MS],
    ['1764072000.5', NOW_MS + 500],
    ['0', 0],
    ['-1h', NOW_MS - 3_600_000],
    ['-1h30m', NOW_MS - 5_400_000],
    ['-500ms', NOW_MS - 500],
    ['5s', NOW_MS + 5_000],
    ['2025-11-25T12:00:00Z', NOW_MS],
    ['2025-11-25T13:00:00.250+01:00', NOW_MS + 250],
    ['Tue, 25 Nov 2025 12:00:00 GMT', NOW_MS],
    ['Tue, 25 Nov 2025 12:00:00 UTC', NOW_MS],
    [' -1h ', NOW_MS - 3_600_000],
  ])('%s', (text, expected) => {
    expect(parseTimeParameter('from', text, NOW_MS)).toBe(expected)
  })

  test.each([
    '',
    'yesterday',
    '-1',
    '1e9',
    '-1y',
    '2025-11-25',
    '2025-13-45T99:00:00Z',
    'Infinity',
    '12345678901234567',
    '1h-2m',
    '0x10',
  ])('refuses %j by name', (text) => {
    expect(() => parseTimeParameter('from', text, NOW_MS)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', fields: { name: 'from', value: text } }),
    )
  })
})
