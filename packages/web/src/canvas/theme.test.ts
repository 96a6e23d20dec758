import { describe, expect, test } from '@jest/globals'
import { areaColor, DARK, LIGHT, type Theme } from './theme.ts'

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe.each<[string, Theme]>([
  ['light', LIGHT],
  ['dark', DARK],
])('%s', (_name, theme) => {
  const grounds = [theme.background, ...theme.areas]

  test.each(['title', 'label', 'faint'] as const)('%s can be read on every ground', (name) => {
    expect(grounds.filter((ground) => contrast(theme[name], ground) < 4.5)).toEqual([])
  })

  test.each(['up', 'down', 'waiting', 'none'] as const)('the sign in a circle that is %s can be read', (state) => {
    expect(contrast(theme.signs[state], theme[state])).toBeGreaterThanOrEqual(4.5)
  })

  test('the count in a folded container can be read', () => {
    expect(contrast(theme.foldedText, theme.folded)).toBeGreaterThanOrEqual(4.5)
  })

  // Areas below the third level are rare; there the border of a mark is told by its width as well.
  test.each(['outline', 'edge', 'edgeStrong', 'way', 'selected', 'highlighted', 'captured'] as const)(
    '%s is seen on the usual grounds',
    (name) => {
      expect(grounds.slice(0, 4).filter((ground) => contrast(theme[name], ground) < 3)).toEqual([])
    },
  )
})

test('areas deeper than there are colours have the last one, none has the background', () => {
  expect([areaColor(LIGHT, 0), areaColor(LIGHT, 99), areaColor(LIGHT, undefined)]).toEqual(['#ffffff', '#d8e2ec', '#f4f6f8'])
})
