import { useMemo } from 'react'
import { Button, Collection, ListLayout, Tree, TreeItem, TreeItemContent, Virtualizer } from 'react-aria-components'
import type { SceneElement } from '../engine/scene.ts'
import { usePage, usePageState } from './page-context.ts'

/** An element of the scene with what is shown inside it. */
interface Branch {
  readonly id: string
  readonly element: SceneElement
  readonly children: readonly Branch[]
}

const ROW_HEIGHT = 28

/** The visible elements as a tree, by name within a container. */
function branches(elements: ReadonlyMap<string, SceneElement>): Branch[] {
  const byParent = new Map<string, SceneElement[]>()
  for (const element of elements.values()) {
    const siblings = byParent.get(element.parent)
    if (siblings) siblings.push(element)
    else byParent.set(element.parent, [element])
  }
  const below = (parent: string): Branch[] =>
    (byParent.get(parent) ?? [])
      .sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true }))
      .map((element) => ({ id: element.id, element, children: below(element.id) }))
  return below('')
}

function describe({ label, type, state, hidden, captured }: SceneElement): string {
  const parts = [label, type, state === 'none' ? '' : state, hidden > 0 ? `${hidden} inside` : '', captured ? 'captured' : '']
  return parts.filter((part) => part !== '').join(', ')
}

function Row({ branch }: { readonly branch: Branch }): React.JSX.Element {
  const { element, children } = branch
  return (
    <TreeItem id={element.id} textValue={describe(element)} hasChildItems={element.kind !== 'leaf'}>
      <TreeItemContent>
        {({ level }) => (
          <div className="tree-row" style={{ paddingInlineStart: (level - 1) * 14 }}>
            {element.kind === 'leaf' ? (
              <span className="tree-chevron" />
            ) : (
              <Button slot="chevron" className="tree-chevron" aria-label={element.kind === 'open' ? 'fold' : 'open'}>
                {element.kind === 'open' ? '▾' : '▸'}
              </Button>
            )}
            <span className={`state state-${element.state}`} aria-hidden="true" />
            <span className="tree-label">{element.label}</span>
            <span className="tree-type">{element.hidden > 0 ? `${element.type} · ${element.hidden}` : element.type}</span>
          </div>
        )}
      </TreeItemContent>
      <Collection items={children}>{(child) => <Row branch={child} />}</Collection>
    </TreeItem>
  )
}

/** What the canvas draws, as a tree for keyboards and screen readers: same selection, same foldings. */
export function TopologyTree(): React.JSX.Element {
  const { store } = usePage()
  const version = usePageState((state) => state.sceneVersion)
  const selected = usePageState((state) => state.selected)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scene is changed in place; its version says when.
  const items = useMemo(() => branches(store.scene.elements), [store, version])
  const open = useMemo(() => {
    const ids = new Set<string>()
    for (const element of items.flatMap(flatten)) if (element.kind === 'open') ids.add(element.id)
    return ids
  }, [items])

  return (
    <Virtualizer layout={ListLayout} layoutOptions={{ rowHeight: ROW_HEIGHT }}>
      <Tree
        aria-label="Topology"
        className="tree"
        items={items}
        selectionMode="single"
        selectionBehavior="replace"
        selectedKeys={selected === undefined ? [] : [selected]}
        expandedKeys={open}
        onSelectionChange={(keys) => {
          const [id] = keys === 'all' ? [] : [...keys]
          store.select(id === undefined ? undefined : String(id))
        }}
        onExpandedChange={(keys) => {
          for (const element of store.scene.elements.values()) {
            if (element.kind === 'leaf') continue
            const wanted = keys.has(element.id)
            if (wanted !== (element.kind === 'open')) store.setOpen(element.id, wanted)
          }
        }}
        renderEmptyState={() => 'Nothing here yet.'}
      >
        {(branch) => <Row branch={branch} />}
      </Tree>
    </Virtualizer>
  )
}

function flatten(branch: Branch): SceneElement[] {
  return [branch.element, ...branch.children.flatMap(flatten)]
}
