import type { DiffAnswer } from '@skydive/client'

type NodeChange = DiffAnswer['Nodes'][number]
type EdgeChange = DiffAnswer['Edges'][number]
type KeyChange = NodeChange['Keys'][number]
type Mark = '+' | '-' | '~'

const MARKS: Readonly<Record<NodeChange['Change'], Mark>> = { added: '+', removed: '-', changed: '~' }
const COLOURS: Readonly<Record<Mark, string>> = { '+': '\u001b[32m', '-': '\u001b[31m', '~': '\u001b[33m' }
const COLOUR_OFF = '\u001b[0m'
const MAX_VALUE = 100
const NO_OWNER = 'without an owner'

/**
 * A difference for people: groups by owner, each element with its mark, each key with what it was and is. `isColoured` for a terminal.
 *
 * ```text
 * alpha › blue
 *   ~ veth v0
 *       MTU: 1500 -> 1400
 * 1 changed
 * ```
 */
export function renderDiff(diff: DiffAnswer, isColoured: boolean): string {
  const groups = new Map<string, string[]>()
  const add = (owner: string, lines: readonly string[]): void => void groups.set(owner, [...(groups.get(owner) ?? []), ...lines])
  const mark = (change: NodeChange['Change'], text: string): string => {
    const sign = MARKS[change]
    return isColoured ? `  ${COLOURS[sign]}${sign} ${text}${COLOUR_OFF}` : `  ${sign} ${text}`
  }
  const edges = diff.Edges.filter((edge) => !isImplied(edge, diff.Nodes))
  for (const node of diff.Nodes) {
    add(ownerOf(diff, node.ID), [mark(node.Change, describeNode(node)), ...node.Keys.map(keyLine)])
  }
  for (const edge of edges) {
    const { Child: child } = (edge.After ?? edge.Before)!
    add(ownerOf(diff, child), [mark(edge.Change, describeEdge(edge, diff)), ...edge.Keys.map(keyLine)])
  }
  const body = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([owner, lines]) => [owner, ...lines])
  return [...body, summary(diff, edges)].join('\n')
}

/** Whether anything differs between the two ends. */
export function isDifferent(diff: DiffAnswer): boolean {
  return diff.Nodes.length > 0 || diff.Edges.length > 0
}

/** A new element has an owner, and what goes takes its links along: the element says so already. */
function isImplied({ Change: change, Before: before, After: after }: EdgeChange, nodes: readonly NodeChange[]): boolean {
  if (change === 'changed') return false
  const edge = (after ?? before)!
  const relation = edge.Metadata['RelationType']
  return nodes.some(
    ({ ID: id, Change }) =>
      Change === change &&
      (id === edge.Child || (id === edge.Parent && change === 'removed')) &&
      (change === 'removed' || relation === 'ownership'),
  )
}

function ownerOf({ Places: places }: DiffAnswer, id: string): string {
  const owners = places?.[id]?.Owners ?? []
  return owners.length === 0 ? NO_OWNER : owners.map(plain).join(' › ')
}

function describeNode({ ID: id, Before: before, After: after }: NodeChange): string {
  const { Type: type, Name: name } = (after ?? before)!.Metadata
  const renamed = before && after && before.Metadata['Name'] !== name ? ` (was ${plain(before.Metadata['Name'])})` : ''
  return `${type === undefined ? '' : `${plain(type)} `}${plain(name ?? id)}${renamed}`
}

function describeEdge({ Before: before, After: after }: EdgeChange, { Places: places }: DiffAnswer): string {
  const { Parent: parent, Child: child, Metadata: metadata } = (after ?? before)!
  const name = (id: string): string => plain(places?.[id]?.Name ?? id)
  return `${plain(metadata['RelationType'] ?? 'edge')} ${name(parent)} — ${name(child)}`
}

function keyLine(change: KeyChange): string {
  const value = (key: 'Before' | 'After'): string => (key in change ? valueText(change[key]) : 'absent')
  return `      ${plain(change.Key)}: ${value('Before')} -> ${value('After')}`
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' && value !== '' ? plain(value) : JSON.stringify(value)
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text
}

/** Names come from anywhere; what would steer a terminal is left out. */
function plain(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\p{Cc}/gu, '')
}

function summary(diff: DiffAnswer, edges: readonly EdgeChange[]): string {
  const all = [...diff.Nodes, ...edges]
  const counts = (['added', 'removed', 'changed'] as const)
    .map((change) => ({ change, count: all.filter(({ Change }) => Change === change).length }))
    .filter(({ count }) => count > 0)
    .map(({ change, count }) => `${count} ${change}`)
  const transient = diff.Transient.Nodes.length
  if (transient > 0) counts.push(`${transient} came and went in between`)
  return counts.length === 0 ? 'nothing changed' : counts.join(', ')
}
