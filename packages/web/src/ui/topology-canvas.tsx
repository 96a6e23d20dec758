import { useEffect, useRef } from 'react'
import { anchorOf } from '../canvas/geometry.ts'
import { CanvasRenderer } from '../canvas/renderer.ts'
import type { Bounds } from '../canvas/scene-store.ts'
import { DARK, LIGHT } from '../canvas/theme.ts'
import { Viewport } from '../canvas/viewport.ts'
import type { SceneElement } from '../engine/scene.ts'
import { CanvasNotice } from './canvas-notice.tsx'
import { isDark, onColorScheme } from './color-scheme.ts'
import { usePage } from './page-context.ts'

/** Pointer movement below this many pixels is a click. */
const CLICK_SLACK = 4
/** One notch of the wheel. */
const ZOOM_STEP = 1.0015
/** One click on a button, or one key. */
export const BUTTON_ZOOM = 1.25

declare global {
  interface Window {
    /** For tests and measurements: where things are drawn, and how many frames were. */
    skydiveCanvas?: {
      /** Where an element is drawn, in the coordinates of the page. */
      position(id: string): { x: number; y: number } | undefined
      frames(): number
      fit(): void
      /** Zooms about the middle. */
      zoom(factor: number): void
    }
  }
}

/** The drawing of the topology: pan by dragging, zoom by the wheel, click to select, double click to open or fold. */
export function TopologyCanvas(): React.JSX.Element {
  const { store } = usePage()
  const canvasRef = useRef<HTMLCanvasElement>(null)

  useEffect(() => {
    const canvas = canvasRef.current!
    const renderer = new CanvasRenderer(canvas.getContext('2d', { alpha: false })!)
    const viewport = new Viewport()
    const undo = new AbortController()
    let moved = false
    let frame = 0

    const draw = (): void => {
      frame = 0
      const { selected, hovered, highlighted, lines, hoverLines, way } = store.state
      renderer.draw(
        store.scene,
        viewport,
        { selected, hovered, highlighted, lines: [...lines, ...hoverLines], way },
        isDark() ? DARK : LIGHT,
        devicePixelRatio,
      )
    }
    // One draw a frame, however many changes came since the last one.
    const schedule = (): void => {
      if (frame === 0) frame = requestAnimationFrame(draw)
    }
    const fit = (): void => {
      viewport.fit(store.scene.bounds())
      schedule()
    }
    store.onDraw = schedule
    store.onWhole = () => {
      if (!moved) fit()
    }
    store.onFocus = (ids, how) => {
      const bounds = boundsOf(ids.flatMap((id) => store.scene.elements.get(id) ?? []))
      if (!bounds) return
      moved = true
      viewport.show(bounds, how)
      schedule()
    }
    const zoom = (x: number, y: number, factor: number): void => {
      moved = true
      viewport.zoomAt(x, y, factor)
      schedule()
    }
    window.skydiveCanvas = {
      position(id) {
        const element = store.scene.elements.get(id)
        if (!element) return undefined
        const { x, y } = anchorOf(element)
        const box = canvas.getBoundingClientRect()
        return { x: box.left + (x - viewport.left) * viewport.zoom, y: box.top + (y - viewport.top) * viewport.zoom }
      },
      frames: () => renderer.frames,
      fit() {
        moved = false
        fit()
      },
      zoom: (factor) => zoom(viewport.width / 2, viewport.height / 2, factor),
    }

    const resize = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      canvas.width = Math.round(width * devicePixelRatio)
      canvas.height = Math.round(height * devicePixelRatio)
      viewport.width = width
      viewport.height = height
      if (moved) schedule()
      else fit()
    })
    resize.observe(canvas)

    const at = (event: MouseEvent) => {
      const box = canvas.getBoundingClientRect()
      const x = event.clientX - box.left
      const y = event.clientY - box.top
      const world = viewport.toWorld(x, y)
      return { x, y, element: store.scene.at(world.x, world.y) }
    }
    let drag: { x: number; y: number; distance: number } | undefined
    const listen = <K extends keyof HTMLElementEventMap>(type: K, listener: (event: HTMLElementEventMap[K]) => void): void =>
      canvas.addEventListener(type, listener, { signal: undo.signal, passive: false })

    listen('pointerdown', (event) => {
      drag = { x: event.clientX, y: event.clientY, distance: 0 }
      canvas.setPointerCapture(event.pointerId)
    })
    listen('pointermove', (event) => {
      if (!drag) {
        const { element } = at(event)
        canvas.style.cursor = element ? 'pointer' : ''
        store.hover(element?.id)
        return
      }
      canvas.style.cursor = 'grabbing'
      viewport.pan(event.clientX - drag.x, event.clientY - drag.y)
      drag = {
        x: event.clientX,
        y: event.clientY,
        distance: drag.distance + Math.hypot(event.clientX - drag.x, event.clientY - drag.y),
      }
      moved ||= drag.distance > CLICK_SLACK
      schedule()
    })
    listen('pointerup', (event) => {
      canvas.style.cursor = ''
      if (drag && drag.distance <= CLICK_SLACK) store.select(at(event).element?.id)
      drag = undefined
    })
    listen('pointerleave', () => store.hover(undefined))
    listen('dblclick', (event) => {
      const { element } = at(event)
      if (element && element.kind !== 'leaf') store.setOpen(element.id, element.kind === 'folded')
    })
    listen('wheel', (event) => {
      event.preventDefault()
      const { x, y } = at(event)
      zoom(x, y, ZOOM_STEP ** -event.deltaY)
    })
    const forgetScheme = onColorScheme(schedule)

    return () => {
      undo.abort()
      forgetScheme()
      resize.disconnect()
      cancelAnimationFrame(frame)
      store.onDraw = () => {}
      store.onFocus = () => {}
      delete window.skydiveCanvas
    }
  }, [store])

  return (
    <div className="canvas-area">
      <canvas ref={canvasRef} className="canvas" aria-label="Topology drawing; the tree beside it says the same" role="img" />
      <CanvasNotice />
      <div className="canvas-buttons" role="toolbar" aria-label="View">
        <button type="button" onClick={() => window.skydiveCanvas?.zoom(BUTTON_ZOOM)} title="Larger (+)" aria-label="Larger">
          +
        </button>
        <button
          type="button"
          onClick={() => window.skydiveCanvas?.zoom(1 / BUTTON_ZOOM)}
          title="Smaller (−)"
          aria-label="Smaller"
        >
          −
        </button>
        <button type="button" onClick={() => window.skydiveCanvas?.fit()} title="Show everything (0)">
          Fit
        </button>
      </div>
    </div>
  )
}

/** The box around elements; `undefined` around nothing. */
function boundsOf(elements: readonly SceneElement[]): Bounds | undefined {
  if (elements.length === 0) return undefined
  return {
    left: Math.min(...elements.map(({ x }) => x)),
    top: Math.min(...elements.map(({ y }) => y)),
    right: Math.max(...elements.map(({ x, width }) => x + width)),
    bottom: Math.max(...elements.map(({ y, height }) => y + height)),
  }
}
