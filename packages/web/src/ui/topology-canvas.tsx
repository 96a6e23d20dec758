import { useEffect, useRef } from 'react'
import { CanvasRenderer } from '../canvas/renderer.ts'
import { anchorOf } from '../canvas/scene-store.ts'
import { DARK, LIGHT } from '../canvas/theme.ts'
import { Viewport } from '../canvas/viewport.ts'
import { usePage } from './page-context.ts'

/** Pointer movement below this many pixels is a click. */
const CLICK_SLACK = 4
/** One notch of the wheel. */
const ZOOM_STEP = 1.0015

declare global {
  interface Window {
    /** For tests and measurements: where things are drawn, and how many frames were. */
    skydiveCanvas?: { position(id: string): { x: number; y: number } | undefined; frames(): number; fit(): void }
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
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const undo = new AbortController()
    let moved = false
    let frame = 0

    const draw = (): void => {
      frame = 0
      const { selected, hovered, highlighted, lines } = store.state
      const theme = (document.documentElement.dataset['theme'] ?? (dark.matches ? 'dark' : 'light')) === 'dark' ? DARK : LIGHT
      renderer.draw(store.scene, viewport, { selected, hovered, highlighted, lines }, theme, devicePixelRatio)
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
    store.onCenter = (id) => {
      const element = store.scene.elements.get(id)
      if (!element) return
      moved = true
      const { x, y } = anchorOf(element)
      viewport.center(x, y)
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
      fit,
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
        store.hover(at(event).element?.id)
        return
      }
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
      moved = true
      const { x, y } = at(event)
      viewport.zoomAt(x, y, ZOOM_STEP ** -event.deltaY)
      schedule()
    })
    dark.addEventListener('change', schedule, { signal: undo.signal })

    return () => {
      undo.abort()
      resize.disconnect()
      cancelAnimationFrame(frame)
      store.onDraw = () => {}
      delete window.skydiveCanvas
    }
  }, [store])

  return (
    <div className="canvas-area">
      <canvas ref={canvasRef} className="canvas" aria-label="Topology drawing; the tree beside it says the same" role="img" />
      <div className="canvas-buttons">
        <button type="button" onClick={() => window.skydiveCanvas?.fit()} title="Show everything">
          Fit
        </button>
      </div>
    </div>
  )
}
