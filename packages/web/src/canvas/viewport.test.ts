import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Viewport } from './viewport.ts'

function viewport(width: number, height: number, zoom = 1, left = 0, top = 0): Viewport {
  return Object.assign(new Viewport(), { width, height, zoom, left, top })
}
const shown = ({ zoom, left, top }: Viewport) => ({ zoom, left, top })

describe('Viewport', () => {
  test('the window is what of the world fits', () => {
    expect(viewport(800, 600, 2, 10, 20).window).toEqual({ left: 10, top: 20, right: 410, bottom: 320 })
  })

  test('panning moves by pixels, whatever the zoom', () => {
    const view = viewport(800, 600, 2, 10, 20)
    view.pan(100, -50)
    expect(shown(view)).toEqual({ zoom: 2, left: -40, top: 45 })
  })

  test.each([
    [
      'a small world is shown no larger than 1.25',
      { left: 0, top: 0, right: 100, bottom: 100 },
      { zoom: 1.25, left: -270, top: -190 },
    ],
    ['a wide world fits its width', { left: 0, top: 0, right: 7_520, bottom: 100 }, { zoom: 0.1, left: -240, top: -2_950 }],
    [
      'nothing can be smaller than 0.02',
      { left: 0, top: 0, right: 1e6, bottom: 1 },
      { zoom: 0.02, left: 480_000, top: -14_999.5 },
    ],
  ])('fit: %s', (_title, bounds, expected) => {
    const view = viewport(800, 600)
    view.fit(bounds)
    expect(shown(view)).toEqual(expected)
  })

  const readable = { zoom: 0.8, left: 1_060 - 500, top: 1_036 - 375 }
  test.each([
    [
      'what is visible and readable stays',
      viewport(800, 600),
      'readable',
      { left: 10, top: 10, right: 106, bottom: 82 },
      { zoom: 1, left: 0, top: 0 },
    ],
    [
      'what is visible but tiny stays when that is enough',
      viewport(800, 600, 0.1),
      'least',
      { left: 1_012, top: 1_000, right: 1_108, bottom: 1_072 },
      { zoom: 0.1, left: 0, top: 0 },
    ],
    [
      'what is visible but tiny comes closer',
      viewport(800, 600, 0.1),
      'readable',
      { left: 1_012, top: 1_000, right: 1_108, bottom: 1_072 },
      readable,
    ],
    [
      'what is outside comes into the middle',
      viewport(800, 600),
      'least',
      { left: 2_000, top: 2_000, right: 2_096, bottom: 2_072 },
      { zoom: 1, left: 1_648, top: 1_736 },
    ],
    [
      'what would not fit makes everything smaller',
      viewport(800, 600),
      'readable',
      { left: 0, top: 0, right: 1_504, bottom: 100 },
      { zoom: 0.5, left: -48, top: -550 },
    ],
  ] as const)('show: %s', (_title, view, how, bounds, expected) => {
    view.show(bounds, how)
    expect(shown(view)).toEqual(expected)
  })

  test('zooming keeps the point under the pointer, and stays within bounds', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 800, noNaN: true }),
        fc.double({ min: 0, max: 600, noNaN: true }),
        fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { maxLength: 10 }),
        (x, y, factors) => {
          const view = viewport(800, 600, 1, 300, 200)
          const before = view.toWorld(x, y)
          for (const factor of factors) view.zoomAt(x, y, factor)
          const after = view.toWorld(x, y)
          expect(after.x).toBeCloseTo(before.x, 4)
          expect(after.y).toBeCloseTo(before.y, 4)
          expect(view.zoom >= 0.02 && view.zoom <= 4).toBe(true)
        },
      ),
    )
  })
})
