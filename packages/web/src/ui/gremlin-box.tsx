import { acceptCompletion, autocompletion, closeBrackets, completionStatus } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { type Diagnostic, setDiagnostics } from '@codemirror/lint'
import { EditorState } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError } from './api.ts'
import { gremlinCompletions } from './gremlin-completion.ts'
import { usePage, usePageState } from './page-context.ts'

const FIRST_QUERY = "G.V().Has('Type', 'netns').Out()"
/** Results beyond this many are counted, not printed. */
const MOST_PRINTED = 200

/** The editor in the colours of the page, light or dark. */
const THEME = EditorView.theme({
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--selection) !important' },
  '.cm-tooltip': {
    background: 'var(--surface)',
    color: 'var(--text)',
    border: '1px solid var(--line)',
    borderRadius: '5px',
    boxShadow: '0 4px 16px rgb(0 0 0 / 25%)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent)', color: 'var(--surface)' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
})

/** The ids of elements in an answer, at the top or in a `{Nodes, Edges}`, so that they can be shown in the drawing. */
function elementIds(answer: unknown): string[] {
  if (Array.isArray(answer)) return answer.flatMap(elementIds)
  if (typeof answer !== 'object' || answer === null) return []
  const { ID, Nodes, Parent, Child } = answer as { ID?: unknown; Nodes?: unknown; Parent?: unknown; Child?: unknown }
  if (typeof Parent === 'string' && typeof Child === 'string') return [Parent, Child]
  if (typeof ID === 'string') return [ID]
  return elementIds(Nodes)
}

function summary(answer: unknown): string {
  if (Array.isArray(answer)) return answer.length === 1 ? '1 result' : `${answer.length} results`
  return typeof answer === 'object' && answer !== null ? 'one object' : `= ${String(answer)}`
}

function printed(answer: unknown): string {
  if (!Array.isArray(answer) || answer.length <= MOST_PRINTED) return JSON.stringify(answer, null, 2)
  return `${JSON.stringify(answer.slice(0, MOST_PRINTED), null, 2)}\n… and ${answer.length - MOST_PRINTED} more`
}

/** Where the word ends that begins at an offset; one character at least, where there is one. */
function wordEnd(text: string, from: number): number {
  const word = /^\w+/.exec(text.slice(from))?.[0].length ?? 1
  return Math.min(from + word, text.length)
}

/** A query box: completion of steps and of the keys that this network has, errors at their place, results shown in the drawing. */
export function GremlinBox(): React.JSX.Element {
  const { api, store } = usePage()
  const holder = useRef<HTMLDivElement>(null)
  const editor = useRef<EditorView | undefined>(undefined)
  const [answer, setAnswer] = useState<unknown>(undefined)
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const hasMarks = usePageState((state) => state.highlighted.size > 0)

  const run = useCallback(async (): Promise<void> => {
    const view = editor.current!
    const query = view.state.doc.toString().trim()
    if (query === '') return
    setBusy(true)
    view.dispatch(setDiagnostics(view.state, []))
    try {
      const found = await api.query(query)
      setAnswer(found)
      setError('')
      store.send({ kind: 'highlight', ids: elementIds(found), reveal: true })
    } catch (reason) {
      setAnswer(undefined)
      setError((reason as Error).message)
      const position = reason instanceof ApiError ? reason.position : undefined
      if (position !== undefined) {
        const from = Math.min(position, view.state.doc.length)
        const diagnostic: Diagnostic = {
          from,
          to: wordEnd(view.state.doc.toString(), from),
          severity: 'error',
          message: (reason as Error).message,
        }
        view.dispatch(setDiagnostics(view.state, [diagnostic]))
      }
    } finally {
      setBusy(false)
    }
  }, [api, store])

  useEffect(() => {
    editor.current = new EditorView({
      parent: holder.current!,
      state: EditorState.create({
        doc: FIRST_QUERY,
        extensions: [
          keymap.of([
            {
              key: 'Enter',
              run: () => {
                void run()
                return true
              },
            },
            // A Tab in the moment before the list opens must not leave the editor.
            { key: 'Tab', run: (view) => acceptCompletion(view) || completionStatus(view.state) === 'pending' },
            ...defaultKeymap,
            ...historyKeymap,
          ]),
          history(),
          closeBrackets(),
          // Nothing is chosen but by Tab and Enter, so a list takes them from the moment it is seen.
          autocompletion({ override: [gremlinCompletions(() => store.state.keys)], interactionDelay: 0 }),
          placeholder("G.V().Has('Name', 'eth0')"),
          EditorView.contentAttributes.of({ 'aria-label': 'Gremlin query' }),
          EditorView.lineWrapping,
          THEME,
        ],
      }),
    })
    return () => editor.current?.destroy()
  }, [run, store])

  return (
    <section className="gremlin" aria-label="Gremlin">
      <div className="bar">
        <div ref={holder} className="editor" />
        <button type="button" className="primary" disabled={busy} onClick={() => void run()}>
          {busy ? 'Running…' : 'Run'}
        </button>
        <button type="button" disabled={!hasMarks} onClick={() => store.send({ kind: 'highlight', ids: [], reveal: false })}>
          Clear marks
        </button>
      </div>
      {error !== '' && (
        <pre className="error" role="alert">
          {error}
        </pre>
      )}
      {answer !== undefined && (
        <>
          <p className="faint" role="status">
            {summary(answer)}
            {hasMarks && ', marked in the drawing'}
          </p>
          <pre className="answer">{printed(answer)}</pre>
        </>
      )}
    </section>
  )
}
