import type { MetadataValue } from '@skydive/contracts'
import { useState } from 'react'
import type { ElementDetails } from '../engine/messages.ts'
import { CapturePanel } from './capture-panel.tsx'
import { MetricPlot } from './metric-plot.tsx'
import { usePage, usePageState } from './page-context.ts'

/** A metadata value: scalars in place, objects and lists to be opened. */
function Value({ name, value }: { readonly name: string; readonly value: MetadataValue }): React.JSX.Element {
  const [open, setOpen] = useState(false)
  if (typeof value !== 'object' || value === null) {
    return (
      <div className="meta-row">
        <dt>{name}</dt>
        <dd>{String(value)}</dd>
      </div>
    )
  }
  const entries: [string, MetadataValue][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value)
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return (
      <div className="meta-row">
        <dt>{name}</dt>
        <dd>{value.join(', ') || '–'}</dd>
      </div>
    )
  }
  return (
    <div className="meta-group">
      <dt>
        <button type="button" className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? '▾' : '▸'} {name} <span className="faint">({entries.length})</span>
        </button>
      </dt>
      {open && (
        <dd>
          <dl className="meta">
            {entries.map(([key, inner]) => (
              <Value key={key} name={key} value={inner} />
            ))}
          </dl>
        </dd>
      )}
    </div>
  )
}

function Element({ details }: { readonly details: ElementDetails }): React.JSX.Element {
  const { store } = usePage()
  const metrics = usePageState((state) => state.metrics)
  const { metadata } = details
  return (
    <section aria-label={`Details of ${String(metadata['Name'] ?? details.id)}`}>
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
        {String(metadata['Name'] ?? details.id)} <span className="badge">{String(metadata['Type'] ?? '')}</span>
      </h2>
      {metadata['MAC'] !== undefined && <CapturePanel details={details} />}
      {metadata['Metric'] !== undefined && <MetricPlot points={metrics} />}
      {details.neighbors.length > 0 && (
        <>
          <h3>Joined to</h3>
          <ul className="neighbors">
            {details.neighbors.map(({ id, label, relation, outgoing }) => (
              <li key={`${id} ${relation} ${outgoing}`}>
                {outgoing ? '→' : '←'}{' '}
                <button type="button" className="plain link" onClick={() => store.send({ kind: 'reveal', id })}>
                  {label}
                </button>{' '}
                <span className="faint">{relation}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>Metadata</h3>
      <dl className="meta">
        {Object.entries(metadata).map(([key, value]) => (
          <Value key={key} name={key} value={value} />
        ))}
      </dl>
      <h3>Record</h3>
      <dl className="meta">
        <Value name="ID" value={details.id} />
        <Value name="Host" value={details.host} />
        <Value name="Origin" value={details.origin} />
        <Value name="CreatedAt" value={new Date(details.createdAtMs).toLocaleString()} />
        <Value name="UpdatedAt" value={new Date(details.updatedAtMs).toLocaleString()} />
        <Value name="Revision" value={details.revision} />
      </dl>
    </section>
  )
}

/** Everything about the selected element. */
export function DetailsPanel(): React.JSX.Element {
  const details = usePageState((state) => state.details)
  return (
    <aside className="details" aria-label="Selection">
      {details ? (
        <Element details={details} />
      ) : (
        <p className="faint">Select something in the drawing or in the tree to see what it is.</p>
      )}
    </aside>
  )
}
