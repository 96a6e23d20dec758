import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import type { SceneElement } from '../engine/scene.ts'
import { usePage, usePageState } from './page-context.ts'
import type { TreeRow } from './tree-rows.ts'

const ROW_HEIGHT = 28
const INDENT = 14

function describe({ label, type, state, hidden, captured }: SceneElement): string {
  const parts = [label, type, state === 'none' ? '' : state, hidden > 0 ? `${hidden} inside` : '', captured ? 'captured' : '']
  return parts.filter((part) => part !== '').join(', ')
}

/** What a key does, after the ARIA pattern of trees: the row to go to, or a container to open or fold. */
function afterKey(
  key: string,
  rows: readonly TreeRow[],
  at: number,
  element: SceneElement | undefined,
): { go?: number; open?: boolean } {
  if (key === 'ArrowDown') return { go: Math.min(at + 1, rows.length - 1) }
  if (key === 'ArrowUp') return { go: Math.max(at - 1, 0) }
  if (key === 'Home') return { go: 0 }
  if (key === 'End') return { go: rows.length - 1 }
  if (key === 'ArrowRight') return element?.kind === 'folded' ? { open: true } : element?.kind === 'open' ? { go: at + 1 } : {}
  if (key !== 'ArrowLeft') return {}
  if (element?.kind === 'open') return { open: false }
  const level = rows[at]?.level ?? 1
  for (let above = at - 1; above >= 0; above--) if (rows[above]!.level < level) return { go: above }
  return {}
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

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const at = Math.max(
      0,
      rows.findIndex(({ id }) => id === focused),
    )
    const id = rows[at]?.id
    if (id === undefined) return
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      store.select(id)
      return
    }
    const { go, open } = afterKey(event.key, rows, at, store.scene.elements.get(id))
    if (open !== undefined) store.setOpen(id, open)
    if (go !== undefined && rows[go]) {
      setFocused(rows[go].id)
      virtual.scrollToIndex(go)
    }
    if (go !== undefined || open !== undefined) event.preventDefault()
  }

  return (
    <div
      ref={scroller}
      role="tree"
      aria-label="Topology"
      className="tree"
      tabIndex={0}
      aria-activedescendant={focused === undefined ? undefined : rowId(focused)}
      onKeyDown={onKeyDown}
    >
      {rows.length === 0 && <p className="faint empty">Nothing here yet.</p>}
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
      onClick={() => store.select(element.id)}
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
      <span className={`state state-${element.state}`} />
      <span className="tree-label">{element.label}</span>
      <span className="tree-type">{element.hidden > 0 ? `${element.type} · ${element.hidden}` : element.type}</span>
    </div>
  )
}
