import type { MetadataValue } from '@skydive/contracts'
import { useCallback, useEffect, useState } from 'react'
import type { ElementDetails } from '../engine/messages.ts'
import type { CaptureRequest, CaptureSummary } from './api.ts'
import { CaptureForm } from './capture-form.tsx'
import { usePage, usePageState } from './page-context.ts'
import { firstLine } from './text.ts'

/** A capture on this node, as the agent tells it in `Captures` (spec flows 3.3). */
interface NodeCapture {
  readonly id: string
  readonly state: string
  readonly received: number
  readonly dropped: number
  readonly error: string
}

function nodeCaptures(value: MetadataValue | undefined): readonly NodeCapture[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: MetadataValue) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return []
    const { ID, State, PacketsReceived, PacketsDropped, PacketsIfDropped, Error: error } = item as Record<string, MetadataValue>
    return [
      {
        id: String(ID),
        state: String(State ?? 'active'),
        received: Number(PacketsReceived ?? 0),
        dropped: Number(PacketsDropped ?? 0) + Number(PacketsIfDropped ?? 0),
        error: error === undefined ? '' : String(error),
      },
    ]
  })
}

/** The query that names one interface for ever: `G.V().Has('TID', '…')`. */
function queryFor(tid: string): string {
  return `G.V().Has('TID', '${tid}')`
}

/** While a capture does not run, the list is read again so often: why it was refused is nowhere else. */
const WAITING_REFRESH_MS = 2_000

interface RowProps {
  readonly capture: CaptureSummary
  readonly running: NodeCapture | undefined
  /** Why it could not be started here; empty when it was not refused. */
  readonly refusal: string
  readonly isBusy: boolean
  readonly onStop: () => void
}

function CaptureRow({ capture, running, refusal, isBusy, onStop }: RowProps): React.JSX.Element {
  const state = running?.state ?? (refusal === '' ? 'waiting' : 'refused')
  const error = running?.error ?? refusal
  return (
    <li className="capture-row">
      <span className={`capture-dot capture-${state}`} aria-hidden="true" />
      <span className="capture-name" title={capture.GremlinQuery}>
        <b>{capture.BPFFilter || 'all packets'}</b> <span className="faint">{state}</span>
        {running && (
          <span className="capture-counters">
            {`${running.received.toLocaleString()} received, `}
            <span className={running.dropped > 0 ? 'error' : ''}>{`${running.dropped.toLocaleString()} dropped`}</span>
          </span>
        )}
        {error !== '' && (
          <span className="error" title={error}>
            {firstLine(error)}
          </span>
        )}
      </span>
      <button
        type="button"
        disabled={isBusy}
        onClick={onStop}
        aria-label={`Stop the capture of ${capture.BPFFilter || 'all packets'}`}
      >
        Stop
      </button>
    </li>
  )
}

/** Starts and stops captures on the selected interface, and shows how those that run get on. */
export function CapturePanel({ details, tid }: { readonly details: ElementDetails; readonly tid: string }): React.JSX.Element {
  const { api } = usePage()
  const isLive = usePageState((state) => state.atMs === undefined)
  const [captures, setCaptures] = useState<readonly CaptureSummary[]>([])
  const [error, setError] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const running = nodeCaptures(details.metadata['Captures'])
  const runningKey = running.map(({ id }) => id).join()

  const refresh = useCallback(() => {
    api.captures().then(setCaptures, (reason: Error) => setError(reason.message))
  }, [api])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is read again when what runs has changed.
  useEffect(refresh, [refresh, runningKey])

  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    setIsBusy(true)
    setError('')
    try {
      await work()
      refresh()
    } catch (reason) {
      setError((reason as Error).message)
    } finally {
      setIsBusy(false)
    }
  }
  const start = (options: Omit<CaptureRequest, 'GremlinQuery' | 'Name'>): void => {
    const name = String(details.metadata['Name'] ?? tid)
    void attempt(() => api.createCapture({ GremlinQuery: queryFor(tid), Name: name, ...options }))
  }

  const shown = captures.filter(
    ({ UUID, GremlinQuery }) => GremlinQuery === queryFor(tid) || running.some(({ id }) => id === UUID),
  )
  const isWaiting = isLive && shown.some(({ UUID }) => !running.some(({ id }) => id === UUID))
  useEffect(() => {
    if (!isWaiting) return undefined
    const timer = setInterval(refresh, WAITING_REFRESH_MS)
    return () => clearInterval(timer)
  }, [isWaiting, refresh])

  return (
    <section className="capture" aria-label="Capture">
      <h3>Capture</h3>
      {shown.length > 0 && (
        <ul>
          {shown.map((capture) => (
            <CaptureRow
              key={capture.UUID}
              capture={capture}
              running={running.find(({ id }) => id === capture.UUID)}
              refusal={capture.Refusals?.find(({ NodeID }) => NodeID === details.id)?.Reason ?? ''}
              isBusy={isBusy}
              onStop={() => void attempt(() => api.deleteCapture(capture.UUID))}
            />
          ))}
        </ul>
      )}
      {isLive ? <CaptureForm isBusy={isBusy} onStart={start} /> : <p className="faint">Go back to live to start a capture.</p>}
      {error !== '' && (
        <p className="error" role="alert" title={error}>
          {firstLine(error)}
        </p>
      )}
    </section>
  )
}
