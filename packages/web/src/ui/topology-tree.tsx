import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import type { SceneElement } from '../engine/scene.ts'
import { usePage, usePageState } from './page-context.ts'
import { afterKey, afterTyping, type TreeSight } from './tree-keys.ts'
import type { TreeRow } from './tree-rows.ts'

const ROW_HEIGHT = 28
const INDENT = 14

/** A pause of this length begins a new word when letters are typed to find a row. */
const TYPING_PAUSE_MS = 600
const STATE_WORDS = { up: 'up', down: 'down', waiting: 'waiting for a lower layer', none: '' } as const

function describe({ label, type, state, hidden, captured }: SceneElement): string {
  const parts = [label, type, STATE_WORDS[state], hidden > 0 ? `${hidden} inside` : '', captured ? 'being captured' : '']
  return parts.filter((part) => part !== '').join(', ')
}

/** What the canvas draws, as a tree for keyboards and screen readers: same selection, same foldings; only rows in sight are in the DOM. */
export function TopologyTree(): React.JSX.Element {
  const { store } = usePage()
  usePageState((state) => state.sceneVersion)
  const selected = usePageState((state) => state.selected)
  const scroller = useRef<HTMLDivElement>(null)
  const [focused, setFocused] = useState<string | undefined>(undefined)
  const rows = store.tree.rows
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  })

  // What is selected in the drawing comes into sight here.
  useEffect(() => {
    if (selected === undefined) return
    setFocused(selected)
    const at = store.tree.rows.findIndex(({ id }) => id === selected)
    if (at >= 0) virtual.scrollToIndex(at)
  }, [selected, store, virtual])

  const focusedAt = rows.findIndex(({ id }) => id === focused)
  const typed = useRef({ text: '', atMs: 0 })

  const goTo = (index: number): void => {
    const row = rows[index]
    if (!row) return
    setFocused(row.id)
    virtual.scrollToIndex(index)
  }
  /** Letters typed in a row make a word. */
  const type = (key: string, at: number, sight: TreeSight): void => {
    const now = performance.now()
    const text = now - typed.current.atMs < TYPING_PAUSE_MS ? typed.current.text + key : key
    typed.current = { text, atMs: now }
    const found = afterTyping(text, at, sight)
    if (found !== undefined) goTo(found)
  }
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const at = Math.max(0, focusedAt)
    const id = rows[at]?.id
    if (id === undefined) return
    const sight: TreeSight = {
      rows,
      element: (wanted) => store.scene.elements.get(wanted),
      page: Math.max(1, Math.floor(scroller.current!.clientHeight / ROW_HEIGHT) - 1),
    }
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      store.select(id)
      store.onFocus([id], 'least')
      return
    }
    const { go, open } = afterKey(event.key, at, sight)
    for (const container of open?.ids ?? []) store.setOpen(container, open!.open)
    if (go !== undefined) goTo(go)
    if (go !== undefined || open !== undefined) event.preventDefault()
    else if (/^[\p{L}\p{N}_]$/u.test(event.key)) type(event.key, at, sight)
  }

  return (
    <div
      ref={scroller}
      role="tree"
      aria-label="Topology"
      className="tree"
      tabIndex={0}
      aria-activedescendant={focusedAt < 0 ? undefined : rowId(rows[focusedAt]!.id)}
      onFocus={() => {
        // What was focused may be gone by now.
        if (focusedAt < 0)
          goTo(
            Math.max(
              0,
              rows.findIndex(({ id }) => id === selected),
            ),
          )
      }}
      onKeyDown={onKeyDown}
    >
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="presentation">
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]!
          const element = store.scene.elements.get(row.id)
          return (
            element && (
              <Row
                key={row.id}
                row={row}
                element={element}
                top={start}
                focused={row.id === focused}
                selected={row.id === selected}
              />
            )
          )
        })}
      </div>
    </div>
  )
}

const rowId = (id: string): string => `tree-${id}`

interface RowProps {
  readonly row: TreeRow
  readonly element: SceneElement
  readonly top: number
  readonly focused: boolean
  readonly selected: boolean
}

function Row({ row, element, top, focused, selected }: RowProps): React.JSX.Element {
  const { store } = usePage()
  const container = element.kind !== 'leaf'
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around handles the keys of all its rows.
    // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the tree, which names its active row.
    <div
      id={rowId(element.id)}
      role="treeitem"
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={selected}
      aria-expanded={container ? element.kind === 'open' : undefined}
      aria-label={describe(element)}
      className={focused ? 'tree-row focused' : 'tree-row'}
      style={{ transform: `translateY(${top}px)`, paddingInlineStart: 6 + (row.level - 1) * INDENT }}
      onClick={() => {
        store.select(element.id)
        store.onFocus([element.id], 'least')
      }}
      onDoubleClick={() => container && store.setOpen(element.id, element.kind === 'folded')}
    >
      <span
        className="tree-chevron"
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation()
          if (container) store.setOpen(element.id, element.kind === 'folded')
        }}
      >
        {container ? (element.kind === 'open' ? '▾' : '▸') : ''}
      </span>
      <span className={`state state-${element.kind === 'leaf' ? element.state : 'container'}`} />
      <span className="tree-label">{element.label}</span>
      {element.captured && <span className="capture-dot" title="being captured" />}
      <span className="tree-type">{element.hidden > 0 ? `${element.type} · ${element.hidden}` : element.type}</span>
    </div>
  )
}
