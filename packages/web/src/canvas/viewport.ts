import type { Bounds } from './scene-store.ts'

const SMALLEST_ZOOM = 0.02
const LARGEST_ZOOM = 4
/** Room around everything when the whole is fitted, in CSS pixels. */
const FIT_MARGIN = 24
/** Labels are drawn from this zoom on. */
const READABLE_ZOOM = 0.55
/** What is brought into sight is shown at least this large, where it fits. */
const SHOWN_ZOOM = 0.8

/** The window onto the world: zoom and the world point in the upper left corner. All pixels are CSS pixels. */
export class Viewport {
  zoom = 1
  left = 0
  top = 0
  width = 1
  height = 1

  /** What of the world is visible. */
  get window(): Bounds {
    return {
      left: this.left,
      top: this.top,
      right: this.left + this.width / this.zoom,
      bottom: this.top + this.height / this.zoom,
    }
  }

  toWorld(x: number, y: number): { x: number; y: number } {
    return { x: this.left + x / this.zoom, y: this.top + y / this.zoom }
  }

  pan(dx: number, dy: number): void {
    this.left -= dx / this.zoom
    this.top -= dy / this.zoom
  }

  /** Zooms by a factor and keeps the point under the pointer where it is. */
  zoomAt(x: number, y: number, factor: number): void {
    const fixed = this.toWorld(x, y)
    this.zoom = Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, this.zoom * factor))
    this.left = fixed.x - x / this.zoom
    this.top = fixed.y - y / this.zoom
  }

  /** Shows all of the bounds, no larger than life. */
  fit(bounds: Bounds): void {
    const width = Math.max(1, bounds.right - bounds.left)
    const height = Math.max(1, bounds.bottom - bounds.top)
    const zoom = Math.min((this.width - 2 * FIT_MARGIN) / width, (this.height - 2 * FIT_MARGIN) / height, 1.25)
    this.zoom = Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, zoom))
    this.left = bounds.left + width / 2 - this.width / this.zoom / 2
    this.top = bounds.top + height / 2 - this.height / this.zoom / 2
  }

  /**
   * Brings something into sight with the least change: not at all when it is readable where it is, else into the middle, and smaller only
   * when it would not fit. With `least` being visible is enough.
   */
  show(bounds: Bounds, how: 'least' | 'readable'): void {
    const { left, top, right, bottom } = this.window
    const isVisible = bounds.left >= left && bounds.top >= top && bounds.right <= right && bounds.bottom <= bottom
    if (isVisible && (how === 'least' || this.zoom >= READABLE_ZOOM)) return
    const room = Math.min(
      (this.width - 2 * FIT_MARGIN) / (bounds.right - bounds.left),
      (this.height - 2 * FIT_MARGIN) / (bounds.bottom - bounds.top),
    )
    if (isVisible && room <= this.zoom) return
    this.zoom = Math.min(
      LARGEST_ZOOM,
      Math.max(SMALLEST_ZOOM, Math.min(room, how === 'least' ? this.zoom : Math.max(this.zoom, SHOWN_ZOOM))),
    )
    this.left = (bounds.left + bounds.right) / 2 - this.width / this.zoom / 2
    this.top = (bounds.top + bounds.bottom) / 2 - this.height / this.zoom / 2
  }
}
