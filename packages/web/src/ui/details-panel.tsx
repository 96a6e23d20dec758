import type { MetadataValue } from '@skydive/contracts'
import type { ElementDetails } from '../engine/messages.ts'
import { CapturePanel } from './capture-panel.tsx'
import { MetadataList, MetadataRow } from './metadata-list.tsx'
import { MetricPlot } from './metric-plot.tsx'
import { usePage, usePageState } from './page-context.ts'

/** Neighbours beyond this many are counted, not listed. */
const MOST_NEIGHBORS = 100
const STATE_CLASSES: Readonly<Record<string, string>> = { UP: 'badge badge-up', DOWN: 'badge badge-down' }

const text = (value: MetadataValue | undefined): string => (value === undefined ? '' : String(value))

function Neighbors({ neighbors }: { readonly neighbors: ElementDetails['neighbors'] }): React.JSX.Element {
  const { store } = usePage()
  const goTo = (id: string): void => {
    store.send({ kind: 'reveal', id })
    store.select(id)
  }
  return (
    <>
      <h3>Joined to</h3>
      <ul className="neighbors">
        {neighbors.slice(0, MOST_NEIGHBORS).map(({ id, label, relation, outgoing, where }) => (
          <li key={`${id} ${relation} ${outgoing}`}>
            {outgoing ? '→' : '←'}{' '}
            <button type="button" className="plain link" onClick={() => goTo(id)}>
              {label}
            </button>{' '}
            <span className="faint">{`${relation} · ${where}`}</span>
          </li>
        ))}
      </ul>
      {neighbors.length > MOST_NEIGHBORS && <p className="faint">… and {neighbors.length - MOST_NEIGHBORS} more</p>}
    </>
  )
}

function Element({ details }: { readonly details: ElementDetails }): React.JSX.Element {
  const { store } = usePage()
  const metrics = usePageState((state) => state.metrics)
  const { metadata } = details
  const name = text(metadata['Name']) || details.id
  const tid = text(metadata['TID'])
  const isInterface = metadata['IfIndex'] !== undefined && tid !== ''
  return (
    <section aria-label={`Details of ${name}`}>
      <nav className="path" aria-label="Where it is">
        {details.path.map(({ id, label }, index) => (
          <span key={id}>
            {index > 0 && ' ⊃ '}
            <button type="button" className="plain link" onClick={() => store.select(id)}>
              {label}
            </button>
          </span>
        ))}
      </nav>
      <h2>
        {name} <span className="badge">{text(metadata['Type'])}</span>{' '}
        {metadata['State'] !== undefined && (
          <span className={STATE_CLASSES[text(metadata['State'])] ?? 'badge'}>{text(metadata['State'])}</span>
        )}
      </h2>
      {isInterface && <CapturePanel key={details.id} details={details} tid={tid} />}
      {metadata['Metric'] !== undefined && <MetricPlot points={metrics} />}
      {details.neighbors.length > 0 && <Neighbors neighbors={details.neighbors} />}
      <h3>Metadata</h3>
      <MetadataList metadata={metadata} />
      <h3>Record</h3>
      <dl className="meta">
        <MetadataRow name="ID" value={details.id} />
        <MetadataRow name="Host" value={details.host} />
        <MetadataRow name="Origin" value={details.origin} />
        <MetadataRow name="CreatedAt" value={new Date(details.createdAtMs).toLocaleString()} />
        <MetadataRow name="UpdatedAt" value={new Date(details.updatedAtMs).toLocaleString()} />
        <MetadataRow name="Revision" value={details.revision} />
      </dl>
    </section>
  )
}

/** Everything about the selected element. */
export function DetailsPanel(): React.JSX.Element {
  const details = usePageState((state) => state.details)
  const selected = usePageState((state) => state.selected)
  return (
    <aside className="details" aria-label="Selection">
      {details && <Element details={details} />}
      {!details && selected === undefined && (
        <p className="faint">Select something in the drawing or in the tree to see what it is. Press ? for help.</p>
      )}
      {!details && selected !== undefined && <p className="faint">What was selected is not there at the time shown.</p>}
    </aside>
  )
}
