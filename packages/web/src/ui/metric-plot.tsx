import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import type { MetricPoint } from '../engine/messages.ts'

const PLOT_HEIGHT = 120

/** Bytes with a unit: `1.5 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  const units = ['B/s', 'kB/s', 'MB/s', 'GB/s']
  let value = bytesPerSecond
  let unit = 0
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** Received and sent bytes a second of the selected interface, as they come. */
export function MetricPlot({ points }: { readonly points: readonly MetricPoint[] }): React.JSX.Element {
  const holder = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)

  useEffect(() => {
    const width = holder.current!.clientWidth
    plot.current = new uPlot(
      {
        width,
        height: PLOT_HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, 1_000)] } },
        axes: [{ size: 24 }, { size: 62, values: (_plot, ticks) => ticks.map(formatRate) }],
        series: [{}, { label: 'received', stroke: '#1d6fb8', width: 1.5 }, { label: 'sent', stroke: '#c2255c', width: 1.5 }],
      },
      [[], [], []],
      holder.current!,
    )
    return () => plot.current?.destroy()
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
        {last
          ? `received ${formatRate(last.rxBytesPerSecond)}, sent ${formatRate(last.txBytesPerSecond)}`
          : 'Traffic is shown from the next metric update on.'}
      </figcaption>
      <div ref={holder} aria-hidden="true" />
    </figure>
  )
}
