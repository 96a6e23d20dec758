import { expect, test } from '@jest/globals'
import { completionEdit } from './gremlin-completion.ts'

/** `|` is the cursor, `[…]` what is replaced. */
test.each([
  ['G.V().[HasK]', 'HasKey(', 'G.V().HasKey(|)'],
  ["G.V().[Ha]('Type')", 'Has(', "G.V().Has(|'Type')"],
  ["G.V().HasKey(['MA]')", "'MAC'", "G.V().HasKey('MAC'|)"],
  ["G.V().HasKey(['MA]", "'MAC'", "G.V().HasKey('MAC'|"],
  ['G.V().Sort([AS])', 'ASC', 'G.V().Sort(ASC|)'],
])('%s, %s chosen', (marked, insert, expected) => {
  const from = marked.indexOf('[')
  const to = marked.indexOf(']') - 1
  const text = marked.replace('[', '').replace(']', '')
  const edit = completionEdit(text, from, to, insert)
  const after = text.slice(0, from) + edit.insert + text.slice(edit.to)
  expect(`${after.slice(0, edit.cursor)}|${after.slice(edit.cursor)}`).toBe(expected)
})
