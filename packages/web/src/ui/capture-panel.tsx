import { useCallback, useEffect, useState } from 'react'
import type { ElementDetails } from '../engine/messages.ts'
import { ApiError, type CaptureSummary } from './api.ts'
import { usePage } from './page-context.ts'

/** The query that names one interface for ever: `G.V().Has('TID', '…')`. */
function queryFor(details: ElementDetails): string {
  return `G.V().Has('TID', '${String(details.metadata['TID'] ?? '')}')`
}

/** The captures that run on the element, by their ids in its metadata. */
function runningIds(details: ElementDetails): string[] {
  const captures = details.metadata['Captures']
  if (!Array.isArray(captures)) return []
  return captures.flatMap((capture) =>
    typeof capture === 'object' && capture !== null && 'ID' in capture ? [String(capture.ID)] : [],
  )
}

/** Starts and stops captures on the selected interface. */
export function CapturePanel({ details }: { readonly details: ElementDetails }): React.JSX.Element {
  const { api } = usePage()
  const [captures, setCaptures] = useState<readonly CaptureSummary[]>([])
  const [filter, setFilter] = useState('')
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const running = runningIds(details)
  const runningKey = running.join()

  const refresh = useCallback(() => {
    api.captures().then(setCaptures, (reason: Error) => setError(reason.message))
  }, [api])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is read again when what runs has changed.
  useEffect(refresh, [refresh, runningKey])

  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true)
    setError('')
    try {
      await work()
      refresh()
    } catch (reason) {
      setError(reason instanceof ApiError ? reason.message : String(reason))
    } finally {
      setBusy(false)
    }
  }

  const query = queryFor(details)
  const shown = captures.filter(({ UUID, GremlinQuery }) => running.includes(UUID) || GremlinQuery === query)
  return (
    <div className="capture">
      <h3>Capture</h3>
      {shown.map((capture) => (
        <div key={capture.UUID} className="capture-row">
          <span className={running.includes(capture.UUID) ? 'live-dot' : 'live-dot off'} aria-hidden="true" />
          <span className="capture-name" title={capture.GremlinQuery}>
            {capture.Name || capture.BPFFilter || 'all packets'} {running.includes(capture.UUID) ? 'running' : 'waiting'}
          </span>
          <button type="button" disabled={busy} onClick={() => void attempt(() => api.deleteCapture(capture.UUID))}>
            Stop
          </button>
        </div>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const name = `page: ${String(details.metadata['Name'] ?? '')}`
          void attempt(() => api.createCapture({ GremlinQuery: query, Name: name, ...(filter !== '' && { BPFFilter: filter }) }))
        }}
      >
        <input
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          placeholder="BPF filter, such as: port 80"
          aria-label="BPF filter"
        />
        <button type="submit" disabled={busy}>
          Start
        </button>
      </form>
      {error !== '' && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </div>
  )
}
