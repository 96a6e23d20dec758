import { useEffect, useState } from 'react'
import type { FlowRow } from './api.ts'
import { usePage, usePageState } from './page-context.ts'

const REFRESH_MS = 2_000
/** While the analyzer can't answer, asking often tells nothing new. */
const RETRY_MS = 10_000
/** Flows that are asked for at once: the newest. */
export const MOST_FLOWS = 2_000
const MOST_SIGHTINGS = 100

/** Now, or the five minutes until the time shown. */
const contextOf = (atMs: number | undefined) => (atMs === undefined ? 'G' : `G.At(${Math.round(atMs)}, 300)`)

/** The same conversation wherever it was captured. */
export function sightingsQuery(trackingId: string, atMs: number | undefined): string {
  return `${contextOf(atMs)}.Flows().Has('TrackingID', '${trackingId}').Limit(${MOST_SIGHTINGS})`
}

/** The query behind the table: all flows, or those seen on one interface. */
function flowQuery(tid: string | undefined, atMs: number | undefined): string {
  const context = contextOf(atMs)
  const source = tid === undefined ? `${context}.Flows()` : `${context}.V().Has('TID', '${tid}').Flows()`
  return `${source}.Sort(DESC, 'Last').Limit(${MOST_FLOWS})`
}

/** The flows of now, asked again and again, or of a time in the past, asked once; and why there are none when that failed. */
export function useFlows(
  tid: string | undefined,
  atMs: number | undefined,
): { readonly flows: readonly FlowRow[]; readonly error: string } {
  const { api } = usePage()
  // A line that is back is a reason to ask at once.
  const isLost = usePageState((state) => state.connection.state === 'lost')
  const [flows, setFlows] = useState<readonly FlowRow[]>([])
  const [error, setError] = useState('')

  useEffect(() => {
    let isStopped = false
    let timer: ReturnType<typeof setTimeout> | undefined
    if (isLost) return
    const refresh = async (): Promise<void> => {
      let pauseMs = REFRESH_MS
      try {
        const found = await api.flows(flowQuery(tid, atMs))
        if (isStopped) return
        setFlows(found)
        setError('')
      } catch (reason) {
        if (isStopped) return
        setError((reason as Error).message)
        pauseMs = RETRY_MS
      }
      // The past does not change: only the present is asked for again.
      if (atMs === undefined) timer = setTimeout(() => void refresh(), pauseMs)
    }
    void refresh()
    return () => {
      isStopped = true
      clearTimeout(timer)
    }
  }, [api, tid, atMs, isLost])
  return { flows, error }
}
