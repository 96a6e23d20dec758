import { usePage, usePageState } from './page-context.ts'
import { clockTime } from './text.ts'

/** Says over the drawing what it shows when that is not the network as it is now. */
export function CanvasNotice(): React.JSX.Element | null {
  const { store } = usePage()
  const connection = usePageState((state) => state.connection)
  const lostAtMs = usePageState((state) => state.lostAtMs)
  const atMs = usePageState((state) => state.atMs)
  const nodes = usePageState((state) => state.nodes)

  if (connection.state === 'lost' && lostAtMs !== undefined) {
    return (
      <p className="notice notice-lost" role="alert">
        {nodes > 0
          ? `Connection lost: this is the network as it was at ${clockTime(lostAtMs)}.`
          : 'The analyzer can’t be reached.'}{' '}
        Trying again… <span className="faint">({connection.detail})</span>
      </p>
    )
  }
  if (atMs !== undefined) {
    return (
      <p className="notice notice-past" role="status">
        The network as it was at {new Date(atMs).toLocaleString()}{' '}
        <button type="button" onClick={() => store.send({ kind: 'time', atMs: undefined })}>
          Back to live
        </button>
      </p>
    )
  }
  if (nodes > 0) return null
  return (
    <p className="notice notice-empty" role="status">
      {connection.state === 'live'
        ? 'No agent has reported yet. What agents see appears here by itself.'
        : 'Connecting to the analyzer…'}
    </p>
  )
}
