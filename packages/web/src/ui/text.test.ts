import { expect, test } from '@jest/globals'
import { clockTime, firstLine, formatBytes, formatRate } from './text.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_500, '1.5 kB'],
  [234_000, '234 kB'],
  [23_400_000, '23.4 MB'],
  [5e15, '5000 TB'],
])('%d bytes', (bytes, expected) => {
  expect([formatBytes(bytes), formatRate(bytes)]).toEqual([expected, `${expected}/s`])
})

test('the first line of an error', () => {
  expect(firstLine('Expected step function, got: Hass\nat line 1')).toBe('Expected step function, got: Hass')
})

test('the time of day', () => {
  expect(clockTime(new Date(2026, 10, 25, 3, 5, 7).getTime())).toBe('03:05:07')
})
