import { useEffect, useState } from 'react'
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from 'react-aria-components'
import { usePage, usePageState } from './page-context.ts'
import { firstLine } from './text.ts'

/** How far back the slider reaches, in seconds, by name. */
const SPANS = { '5 min': 300, '1 h': 3_600, '6 h': 21_600, '24 h': 86_400, '7 d': 604_800 } as const

/** What a field for date and time holds, in local time: `2026-11-25T03:35:02`. */
function localDateTime(timeMs: number): string {
  const shifted = timeMs - new Date(timeMs).getTimezoneOffset() * 60_000
  return new Date(shifted).toISOString().slice(0, 19)
}

/** `12 s ago`, `3 min ago`, `5.2 h ago`: what the slider says while it is moved. */
function ago(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s ago`
  return seconds < 3_600 ? `${Math.round(seconds / 60)} min ago` : `${(seconds / 3_600).toFixed(1)} h ago`
}

/** Moves the whole page to a time in the past, and back. */
export function TimeSlider(): React.JSX.Element {
  const { store } = usePage()
  const atMs = usePageState((state) => state.atMs)
  const error = usePageState((state) => state.timeError)
  const [span, setSpan] = useState<keyof typeof SPANS>('5 min')
  const [secondsBack, setSecondsBack] = useState(0)

  useEffect(() => {
    setSecondsBack(atMs === undefined ? 0 : Math.max(0, (Date.now() - atMs) / 1_000))
  }, [atMs])

  const show = (time: number | undefined): void => store.send({ kind: 'time', atMs: time })
  const isLive = atMs === undefined
  return (
    <fieldset className={isLive ? 'time' : 'time past'} aria-label="Time">
      <Slider
        value={Math.max(0, SPANS[span] - secondsBack)}
        minValue={0}
        maxValue={SPANS[span]}
        onChange={(value) => setSecondsBack(SPANS[span] - (value as number))}
        onChangeEnd={(value) => show(value === SPANS[span] ? undefined : Date.now() - (SPANS[span] - (value as number)) * 1_000)}
        className="slider"
      >
        <Label>Time</Label>
        <SliderTrack className="slider-track">
          <SliderThumb className="slider-thumb" />
        </SliderTrack>
        <SliderOutput>{() => (secondsBack === 0 ? 'now' : ago(secondsBack))}</SliderOutput>
      </Slider>
      <select
        value={span}
        aria-label="Reach of the slider"
        onChange={(event) => setSpan(event.target.value as keyof typeof SPANS)}
      >
        {Object.keys(SPANS).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <input
        type="datetime-local"
        step={1}
        aria-label="Date and time to show"
        value={isLive ? '' : localDateTime(atMs)}
        onChange={(event) => {
          const time = Date.parse(event.target.value)
          if (Number.isNaN(time)) return
          setSecondsBack(Math.max(0, (Date.now() - time) / 1_000))
          show(time)
        }}
      />
      <button type="button" className={isLive ? 'live on' : 'live'} aria-pressed={isLive} onClick={() => show(undefined)}>
        Live
      </button>
      {error !== undefined && (
        <span className="error" role="alert" title={error}>
          {firstLine(error)}
        </span>
      )}
    </fieldset>
  )
}
