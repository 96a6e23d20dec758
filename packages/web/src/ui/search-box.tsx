import { useState } from 'react'
import { usePage, usePageState } from './page-context.ts'

/** Finds elements by name, address, MAC, type or id; Enter goes to the first. */
export function SearchBox(): React.JSX.Element {
  const { store } = usePage()
  const hits = usePageState((state) => state.hits)
  const found = usePageState((state) => state.searchText)
  const [text, setText] = useState('')
  const [open, setOpen] = useState(false)

  const choose = (id: string): void => {
    store.send({ kind: 'reveal', id })
    store.select(id)
    setOpen(false)
  }
  return (
    <search className="search">
      <input
        value={text}
        placeholder="Search: name, address, MAC…"
        aria-label="Search the topology"
        onChange={(event) => {
          setText(event.target.value)
          setOpen(true)
          store.send({ kind: 'search', text: event.target.value })
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && hits[0]) choose(hits[0].id)
          if (event.key === 'Escape') setOpen(false)
        }}
      />
      {open && text !== '' && found === text && (
        <ul className="hits" aria-label="Found">
          {hits.map((hit) => (
            <li key={hit.id}>
              <button type="button" className="plain" onClick={() => choose(hit.id)}>
                <b>{hit.label}</b> <span className="faint">{`${hit.type} · ${hit.where}`}</span>
              </button>
            </li>
          ))}
          {hits.length === 0 && <li className="faint">Nothing has this in its name, addresses, type or id.</li>}
        </ul>
      )}
    </search>
  )
}
