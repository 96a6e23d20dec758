import { useEffect, useState } from 'react'
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from 'react-aria-components'
import { usePage, usePageState } from './page-context.ts'

/** How far back the slider reaches, in seconds, by name. */
const SPANS = { '5 min': 300, '1 h': 3_600, '6 h': 21_600, '24 h': 86_400 } as const

/** Moves the whole page to a time in the past, and back. */
export function TimeSlider(): React.JSX.Element {
  const { store } = usePage()
  const atMs = usePageState((state) => state.atMs)
  const error = usePageState((state) => state.timeError)
  const [span, setSpan] = useState<keyof typeof SPANS>('5 min')
  const [secondsBack, setSecondsBack] = useState(0)

  useEffect(() => {
    if (atMs === undefined) setSecondsBack(0)
  }, [atMs])

  const go = (seconds: number): void =>
    store.send({ kind: 'time', atMs: seconds === 0 ? undefined : Date.now() - seconds * 1_000 })
  const shown = secondsBack === 0 ? 'now' : new Date(atMs ?? Date.now() - secondsBack * 1_000).toLocaleString()
  return (
    <fieldset className="time" aria-label="Time">
      <Slider
        value={SPANS[span] - secondsBack}
        minValue={0}
        maxValue={SPANS[span]}
        onChange={(value) => setSecondsBack(SPANS[span] - (value as number))}
        onChangeEnd={(value) => go(SPANS[span] - (value as number))}
        className="slider"
      >
        <Label>Time</Label>
        <SliderOutput>{() => shown}</SliderOutput>
        <SliderTrack className="slider-track">
          <SliderThumb className="slider-thumb" />
        </SliderTrack>
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
      <button
        type="button"
        className={atMs === undefined ? 'live on' : 'live'}
        aria-pressed={atMs === undefined}
        onClick={() => go(0)}
      >
        Live
      </button>
      {error !== undefined && (
        <span className="error" role="alert">
          {error}
        </span>
      )}
    </fieldset>
  )
}
