import { useState } from 'react'
import type { CaptureRequest } from './api.ts'

/** The analyzer keeps at most this many packets of a flow. */
const MOST_RAW_PACKETS = 10

interface Props {
  readonly isBusy: boolean
  readonly onStart: (options: Omit<CaptureRequest, 'GremlinQuery' | 'Name'>) => void
}

/** What to capture: a filter, and what to keep besides the counters. */
export function CaptureForm({ isBusy, onStart }: Props): React.JSX.Element {
  const [filter, setFilter] = useState('')
  const [rawPackets, setRawPackets] = useState(0)
  const [tcpMetric, setTcpMetric] = useState(false)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onStart({
          ...(filter !== '' && { BPFFilter: filter }),
          ...(rawPackets > 0 && { RawPacketLimit: rawPackets }),
          ...(tcpMetric && { ExtraTCPMetric: true }),
        })
      }}
    >
      <div className="capture-start">
        <input
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          placeholder="all packets, or: port 80"
          aria-label="BPF filter"
          spellCheck={false}
        />
        <button type="submit" className="primary" disabled={isBusy}>
          Start
        </button>
      </div>
      <details>
        <summary>Options</summary>
        <label>
          <input
            type="number"
            min={0}
            max={MOST_RAW_PACKETS}
            value={rawPackets}
            onChange={(event) => setRawPackets(Number(event.target.value))}
          />{' '}
          packets kept of each flow
        </label>
        <label>
          <input type="checkbox" checked={tcpMetric} onChange={(event) => setTcpMetric(event.target.checked)} /> times of SYN, FIN
          and RST
        </label>
      </details>
    </form>
  )
}
