import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import type { MetricPoint } from '../engine/messages.ts'
import { isDark, onColorScheme } from './color-scheme.ts'
import { clockTime, formatRate } from './text.ts'

const PLOT_HEIGHT = 120
/** The scale reaches at least this far, so that single packets don't look like a storm. */
const LEAST_SCALE_BYTES_PER_SECOND = 1_000
const DASHES = [5, 4]

/** Colours of the plot in light and in dark surroundings. */
const LIGHT = { text: '#55677a', grid: '#d5dde5', received: '#1d6fb8', sent: '#c2255c' } as const
const DARK = { text: '#a3b4c4', grid: '#33414f', received: '#6cb6f5', sent: '#ff7eb0' } as const
// Asked at every draw, as the scheme may have changed.
const color = (name: keyof typeof LIGHT) => (): string => (isDark() ? DARK : LIGHT)[name]

/** Received and sent bytes a second of the selected interface, as they come. */
export function MetricPlot({ points }: { readonly points: readonly MetricPoint[] }): React.JSX.Element {
  const holder = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)

  useEffect(() => {
    const element = holder.current!
    const axis = { stroke: color('text'), grid: { stroke: color('grid'), width: 1 }, ticks: { show: false } }
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: PLOT_HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_plot, _low, high) => [0, Math.max((high ?? 0) * 1.1, LEAST_SCALE_BYTES_PER_SECOND)] } },
        axes: [
          { ...axis, size: 24, space: 70, values: (_plot, ticks) => ticks.map((seconds) => clockTime(seconds * 1_000)) },
          { ...axis, size: 64, values: (_plot, ticks) => ticks.map(formatRate) },
        ],
        series: [
          {},
          { stroke: color('received'), width: 2, points: { show: false } },
          { stroke: color('sent'), width: 2, dash: DASHES, points: { show: false } },
        ],
      },
      [[], [], []],
      element,
    )
    plot.current = made
    const resize = new ResizeObserver(() => made.setSize({ width: Math.max(1, element.clientWidth), height: PLOT_HEIGHT }))
    resize.observe(element)
    const forget = onColorScheme(() => made.redraw())
    return () => {
      forget()
      resize.disconnect()
      made.destroy()
    }
  }, [])

  useEffect(() => {
    plot.current?.setData([
      points.map(({ timeMs }) => timeMs / 1_000),
      points.map(({ rxBytesPerSecond }) => rxBytesPerSecond),
      points.map(({ txBytesPerSecond }) => txBytesPerSecond),
    ])
  }, [points])

  const last = points.at(-1)
  return (
    <figure className="metric-plot">
      <figcaption>
        {last ? (
          <>
            <span className="key-received" /> received {formatRate(last.rxBytesPerSecond)} <span className="key-sent" /> sent{' '}
            {formatRate(last.txBytesPerSecond)}
          </>
        ) : (
          'Traffic is plotted from the next update of the counters on.'
        )}
      </figcaption>
      <div ref={holder} className="plot" aria-hidden="true" />
    </figure>
  )
}
