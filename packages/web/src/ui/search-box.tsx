import { useState } from 'react'
import { usePage, usePageState } from './page-context.ts'

const LIST = 'search-hits'
const optionId = (index: number): string => `${LIST}-${index}`

/** Finds elements by name, address, MAC, type or id: arrows choose, Enter goes there. */
export function SearchBox(): React.JSX.Element {
  const { store } = usePage()
  const hits = usePageState((state) => state.hits)
  const found = usePageState((state) => state.searchText)
  const [text, setText] = useState('')
  const [isOpen, setIsOpen] = useState(false)
  const [active, setActive] = useState(0)
  const isShown = isOpen && text !== '' && found === text

  const choose = (index: number): void => {
    const hit = hits[index]
    if (!hit) return
    store.send({ kind: 'reveal', id: hit.id })
    store.select(hit.id)
    setIsOpen(false)
  }
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === 'Escape') setIsOpen(false)
    else if (event.key === 'Enter' && isShown) choose(active)
    else if (event.key === 'ArrowDown') {
      setIsOpen(true)
      setActive(Math.min(active + 1, hits.length - 1))
    } else if (event.key === 'ArrowUp') setActive(Math.max(active - 1, 0))
    else return
    event.preventDefault()
  }
  return (
    <search className="search">
      <input
        id="search"
        role="combobox"
        value={text}
        placeholder="Search: name, address, MAC…"
        aria-label="Search the topology"
        aria-expanded={isShown}
        aria-controls={LIST}
        aria-autocomplete="list"
        aria-activedescendant={isShown && hits.length > 0 ? optionId(active) : undefined}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value)
          setIsOpen(true)
          setActive(0)
          store.send({ kind: 'search', text: event.target.value })
        }}
        onFocus={() => setIsOpen(true)}
        onBlur={() => setIsOpen(false)}
        onKeyDown={onKeyDown}
      />
      <div className="hits" hidden={!isShown}>
        <div id={LIST} role="listbox" aria-label="Found">
          {hits.map((hit, index) => (
            // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the text field, which names the active option.
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of all options are those of the text field.
            <div
              key={hit.id}
              id={optionId(index)}
              role="option"
              aria-selected={index === active}
              className="hit"
              // The field would lose the focus, and the list close, before the click.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(index)}
            >
              <b>{hit.label}</b> <span className="faint">{[hit.type, hit.where].filter((part) => part !== '').join(' · ')}</span>
            </div>
          ))}
        </div>
        {hits.length === 0 && (
          <p className="faint" role="status">
            Nothing has this in its name, addresses, type or id.
          </p>
        )}
      </div>
    </search>
  )
}
