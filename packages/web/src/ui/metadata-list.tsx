import type { Metadata, MetadataValue } from '@skydive/contracts'
import { useState } from 'react'

type Entry = readonly [key: string, value: MetadataValue]

const isScalar = (value: MetadataValue): boolean => typeof value !== 'object' || value === null
const isGroup = (value: MetadataValue): boolean =>
  !isScalar(value) && !(Array.isArray(value) && value.every((item: MetadataValue) => isScalar(item)))

/** What names an entry of a list without opening it, such as a route's prefix or a capture's name. */
function hint(value: MetadataValue): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ''
  const { Name, Prefix, IP, ID, MAC } = value as { readonly [key: string]: MetadataValue }
  const named = Name ?? Prefix ?? IP ?? MAC ?? ID
  return named === undefined || !isScalar(named) ? '' : ` ${String(named)}`
}

function Group({ name, value }: { readonly name: string; readonly value: MetadataValue }): React.JSX.Element {
  const [isOpen, setIsOpen] = useState(false)
  const entries: Entry[] = Array.isArray(value)
    ? value.map((item: MetadataValue, index) => [`${index}${hint(item)}`, item] as const)
    : Object.entries(value as Metadata)
  return (
    <div className="meta-group">
      <dt>
        <button type="button" className="plain" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? '▾' : '▸'} {name} <span className="faint">({entries.length})</span>
        </button>
      </dt>
      {isOpen && (
        <dd>
          <Entries entries={entries} />
        </dd>
      )}
    </div>
  )
}

/** A name and a value: scalars and lists of them in place, objects to be opened. */
export function MetadataRow({ name, value }: { readonly name: string; readonly value: MetadataValue }): React.JSX.Element {
  if (isGroup(value)) return <Group name={name} value={value} />
  const shown = Array.isArray(value) ? value.join(', ') : String(value)
  return (
    <div className="meta-row">
      <dt>{name}</dt>
      <dd>{shown === '' ? '–' : shown}</dd>
    </div>
  )
}

function Entries({ entries }: { readonly entries: readonly Entry[] }): React.JSX.Element {
  // What can be read at once stands before what must be opened.
  const ordered = [...entries.filter(([, value]) => !isGroup(value)), ...entries.filter(([, value]) => isGroup(value))]
  return (
    <dl className="meta">
      {ordered.map(([key, value]) => (
        <MetadataRow key={key} name={key} value={value} />
      ))}
    </dl>
  )
}

/** All metadata of an element. */
export function MetadataList({ metadata }: { readonly metadata: Metadata }): React.JSX.Element {
  return <Entries entries={Object.entries(metadata)} />
}
