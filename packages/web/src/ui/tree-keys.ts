import type { SceneElement } from '../engine/scene.ts'
import type { TreeRow } from './tree-rows.ts'

/** What a key does in the tree: go to a row, or open or fold containers. `{}`: nothing, the key is not ours. */
export interface KeyEffect {
  readonly go?: number
  readonly open?: { readonly ids: readonly string[]; readonly open: boolean }
}

/** What the tree shows, as far as keys are concerned. */
export interface TreeSight {
  readonly rows: readonly TreeRow[]
  element(id: string): SceneElement | undefined
  /** Rows that fit the screen: what PageUp and PageDown skip. */
  readonly page: number
}

/** The keys of the ARIA pattern of trees (WAI-ARIA APG, "Tree View"), `at` being the focused row. */
export function afterKey(key: string, at: number, { rows, element, page }: TreeSight): KeyEffect {
  const last = rows.length - 1
  const row = rows[at]
  if (!row) return {}
  const kind = element(row.id)?.kind
  switch (key) {
    case 'ArrowDown':
      return { go: Math.min(at + 1, last) }
    case 'ArrowUp':
      return { go: Math.max(at - 1, 0) }
    case 'PageDown':
      return { go: Math.min(at + page, last) }
    case 'PageUp':
      return { go: Math.max(at - page, 0) }
    case 'Home':
      return { go: 0 }
    case 'End':
      return { go: last }
    case 'ArrowRight':
      if (kind === 'folded') return { open: { ids: [row.id], open: true } }
      return kind === 'open' && at < last ? { go: at + 1 } : {}
    case 'ArrowLeft':
      if (kind === 'open') return { open: { ids: [row.id], open: false } }
      return above(rows, at)
    case '*':
      return { open: { ids: foldedSiblings(rows, at, element), open: true } }
    default:
      return {}
  }
}

/** The row after `at`, going round, whose label begins with what was typed; `at` itself counts once more than one character is there. */
export function afterTyping(typed: string, at: number, { rows, element }: TreeSight): number | undefined {
  const wanted = typed.toLowerCase()
  const first = typed.length > 1 ? 0 : 1
  for (let step = first; step < rows.length + first; step++) {
    const index = (at + step) % rows.length
    if (element(rows[index]!.id)?.label.toLowerCase().startsWith(wanted)) return index
  }
  return undefined
}

/** The container around a row. */
function above(rows: readonly TreeRow[], at: number): KeyEffect {
  const level = rows[at]!.level
  for (let index = at - 1; index >= 0; index--) if (rows[index]!.level < level) return { go: index }
  return {}
}

function foldedSiblings(rows: readonly TreeRow[], at: number, element: TreeSight['element']): string[] {
  const parent = element(rows[at]!.id)?.parent
  return rows.flatMap(({ id }) => {
    const found = element(id)
    return found?.kind === 'folded' && found.parent === parent ? [id] : []
  })
}
