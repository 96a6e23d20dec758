import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  pickedCompletion,
  startCompletion,
} from '@codemirror/autocomplete'
import { completeGremlin } from '@skydive/gremlin-dsl/completion'

/** What the editor calls the kinds of completions. */
const KIND_ICONS = { step: 'function', predicate: 'method', constant: 'constant', key: 'property' } as const

/** A change of a text: `from` to `to` become `insert`, then the cursor stands at `cursor`. */
export interface CompletionEdit {
  readonly to: number
  readonly insert: string
  readonly cursor: number
}

/**
 * What is changed when `insert` is chosen for the text between `from` and `to`: what the editor closed by itself behind the cursor is not
 * doubled, and what the completion opens is closed.
 */
export function completionEdit(text: string, from: number, to: number, insert: string): CompletionEdit {
  const last = insert.at(-1)
  const isDoubled = text[to] === last && (last === '(' || last === "'" || last === '"')
  const end = isDoubled ? to + 1 : to
  const isOpening = last === '(' && !isDoubled
  return { to: end, insert: isOpening ? `${insert})` : insert, cursor: from + insert.length }
}

/**
 * Steps, predicates, constants and the metadata keys of this network, for the editor. `keys` answers what is known by now. What is offered
 * follows each key at once: a list that waits for its next state takes no choice, and Tab would leave the editor.
 */
export function gremlinCompletions(keys: () => readonly string[]): (context: CompletionContext) => CompletionResult | null {
  const complete = (context: CompletionContext): CompletionResult | null => {
    const { from, candidates } = completeGremlin(context.state.doc.toString(), context.pos, { keys: keys() })
    if (candidates.length === 0) return null
    const options = candidates.map(
      ({ label, insert, kind }): Completion => ({
        label,
        type: KIND_ICONS[kind],
        apply: (view, completion, start, end) => {
          const edit = completionEdit(view.state.doc.toString(), start, end, insert)
          view.dispatch({
            changes: { from: start, to: edit.to, insert: edit.insert },
            selection: { anchor: edit.cursor },
            annotations: pickedCompletion.of(completion),
          })
          // Behind a parenthesis there is more to choose from.
          if (insert.endsWith('(')) startCompletion(view)
        },
      }),
    )
    // What does not fit was left out already, with the quote that a key begins with in mind.
    return { from, options, filter: false, update: (_current, _from, _to, next) => complete(next) }
  }
  return complete
}
