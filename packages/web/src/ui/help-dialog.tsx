import { useEffect, useRef } from 'react'

const SHORTCUTS: readonly (readonly [keys: string, what: string])[] = [
  ['/', 'Search'],
  ['+  −', 'Larger, smaller'],
  ['0', 'Show everything'],
  ['.', 'Back to live'],
  ['Esc', 'Clear the selection and the marks'],
  ['?', 'This help'],
  ['Arrows, Home, End, letters', 'In the tree: walk, open, fold, find'],
  ['Enter', 'In the tree: select; in the Gremlin box: run'],
]

const STATES: readonly (readonly [state: string, what: string])[] = [
  ['up', 'up'],
  ['down', 'down'],
  ['waiting', 'waits for a lower layer'],
  ['none', 'has no state'],
]

interface Props {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly areShortcutsOn: boolean
  readonly onShortcuts: (on: boolean) => void
}

/** What colours, lines and keys mean. Single-key shortcuts can be switched off here, for those who dictate (WCAG 2.1.4). */
export function HelpDialog({ isOpen, onClose, areShortcutsOn, onShortcuts }: Props): React.JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} className="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Help</h2>
      <div className="help-columns">
        <section>
          <h3>Keys</h3>
          <dl className="keys">
            {SHORTCUTS.map(([keys, what]) => (
              <div key={keys}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <label>
            <input type="checkbox" checked={areShortcutsOn} onChange={(event) => onShortcuts(event.target.checked)} /> single keys
            work outside of text fields
          </label>
        </section>
        <section>
          <h3>Drawing</h3>
          <ul className="legend">
            {STATES.map(([state, what]) => (
              <li key={state}>
                <span className={`state state-${state}`} /> {what}
              </li>
            ))}
            <li>
              <span className="capture-dot" /> being captured
            </li>
            <li>
              <span className="legend-line" /> layer 2, undirected
            </li>
            <li>
              <span className="legend-line dashed" /> other relations, with an arrow where directed
            </li>
          </ul>
          <p>Drag to move, wheel to zoom, click to select, double click to open or fold a container.</p>
        </section>
      </div>
      <form method="dialog">
        <button type="submit" className="primary">
          Close
        </button>
      </form>
    </dialog>
  )
}
