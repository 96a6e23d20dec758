import { describe, expect, test } from '@jest/globals'
import type { GraphEdge } from '@skydive/contracts'
import { EdgeBundler } from './edge-bundler.ts'
import type { SceneEdge } from './scene.ts'

const edge = (id: string, parent: string, child: string, metadata: GraphEdge['metadata'] = {}): GraphEdge => ({
  kind: 'edge',
  id,
  parent,
  child,
  host: '',
  origin: '',
  metadata,
  createdAtMs: 0,
  updatedAtMs: 0,
  deletedAtMs: null,
  revision: 1,
})

/** A bundler over nodes that are inside what the prefix of their name says (`h1/a` in `h1`), and the lines that a page would hold. */
function following() {
  const folded = new Set<string>()
  const owner = (id: string): string => id.split('/').slice(0, -1).join('/')
  const bundler = new EdgeBundler({
    owner,
    representative: (id) => (folded.has(owner(id)) ? owner(id) : id),
  })
  const lines = new Map<string, SceneEdge>()
  return {
    bundler,
    lines,
    fold(id: string, ...members: readonly string[]): void {
      if (!folded.delete(id)) folded.add(id)
      for (const member of members) bundler.touchNode(member)
    },
    flush(): { told: number; lines: string[] } {
      const { edges, removedEdges } = bundler.flush(false)
      for (const id of removedEdges) lines.delete(id)
      for (const line of edges) lines.set(line.id, line)
      const shown = [...lines.values()].map(
        ({ from, to, relation, directed, count }) => `${from} ${directed ? '→' : '–'} ${to} ${relation} ×${count}`,
      )
      return { told: edges.length + removedEdges.length, lines: shown.sort() }
    },
  }
}

describe('EdgeBundler', () => {
  test.each<[string, string, GraphEdge['metadata'], string]>([
    ['layer 2 has no direction', 'layer2', {}, 'a – b layer2 ×1'],
    ['layer 2 that says so has one', 'layer2', { Directed: 'true' }, 'a → b layer2 ×1'],
    ['an association has a direction', 'association', {}, 'a → b association ×1'],
  ])('%s', (_title, relation, metadata, expected) => {
    const { bundler, flush } = following()
    bundler.put(edge('e', 'a', 'b', metadata), relation)
    expect(flush().lines).toEqual([expected])
  })

  test('relations of one type between the same elements are one line, which goes with the last of them', () => {
    const { bundler, fold, flush } = following()
    bundler.put(edge('1', 'h/a', 'x'), 'layer2')
    bundler.put(edge('2', 'h/b', 'x'), 'layer2')
    bundler.put(edge('3', 'h/b', 'x'), 'vlayer2')
    fold('h', 'h/a', 'h/b')
    expect(flush().lines).toEqual(['h – x layer2 ×2', 'h – x vlayer2 ×1'])
    bundler.remove('1')
    expect(flush()).toEqual({ told: 1, lines: ['h – x layer2 ×1', 'h – x vlayer2 ×1'] })
    bundler.remove('2')
    bundler.remove('3')
    expect(flush().lines).toEqual([])
  })

  test('what happens inside a folded container is not drawn', () => {
    const { bundler, fold, flush } = following()
    bundler.put(edge('1', 'h/a', 'h/b'), 'layer2')
    expect(flush().lines).toEqual(['h/a – h/b layer2 ×1'])
    fold('h', 'h/a', 'h/b')
    expect(flush().lines).toEqual([])
    fold('h', 'h/a', 'h/b')
    expect(flush().lines).toEqual(['h/a – h/b layer2 ×1'])
  })

  test('nothing is told when nothing changed', () => {
    const { bundler, flush } = following()
    bundler.put(edge('1', 'a', 'b'), 'layer2')
    expect([flush().told, flush().told]).toEqual([1, 0])
  })

  test('too many lines between containers become one line each; few again are drawn one by one', () => {
    const { bundler, flush } = following()
    for (let i = 0; i < 801; i++) bundler.put(edge(`${i}`, `h1/a${i}`, `h2/b${i}`), 'layer2')
    bundler.put(edge('in', 'h1/a0', 'h1/a1'), 'layer2')
    expect(flush().lines).toEqual(['h1 – h2 layer2 ×801', 'h1/a0 – h1/a1 layer2 ×1'])
    for (let i = 10; i < 801; i++) bundler.remove(`${i}`)
    expect(flush().lines.length).toBe(11)
  })
})
