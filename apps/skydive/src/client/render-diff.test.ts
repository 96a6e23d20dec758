import { describe, expect, test } from '@jest/globals'
import type { DiffAnswer } from '@skydive/client'
import { isDifferent, renderDiff } from './render-diff.ts'

const NOTHING: DiffAnswer = {
  From: 0,
  To: 1,
  Complete: true,
  Nodes: [],
  Edges: [],
  Transient: { Nodes: [], Edges: [] },
  Places: {},
}

const wire = (id: string, metadata: Record<string, unknown>) => ({
  ID: id,
  Metadata: metadata,
  Host: 'alpha',
  Origin: 'agent.alpha',
  CreatedAt: 0,
  UpdatedAt: 0,
  DeletedAt: null,
  Revision: 1,
})
const wireEdge = (id: string, parent: string, child: string, relation: string) => ({
  ...wire(id, { RelationType: relation }),
  Parent: parent,
  Child: child,
})
const added = <T extends { ID: string }>(after: T) => ({
  Change: 'added' as const,
  ID: after.ID,
  After: after,
  Keys: [],
  Revisions: [1],
})
const removed = <T extends { ID: string }>(before: T) => ({
  Change: 'removed' as const,
  ID: before.ID,
  Before: before,
  Keys: [],
  Revisions: [],
})

describe('renderDiff', () => {
  test('nothing', () => {
    expect([renderDiff(NOTHING, true), isDifferent(NOTHING)]).toEqual(['nothing changed', false])
  })

  test('groups by owner, keys with both values, links that say nothing new left out', () => {
    const diff: DiffAnswer = {
      ...NOTHING,
      Nodes: [
        {
          Change: 'changed',
          ID: 'e0',
          Before: wire('e0', { Type: 'device', Name: 'e0' }),
          After: wire('e0', { Type: 'device', Name: 'lan' }),
          Keys: [
            { Key: 'IPV4', After: ['10.0.0.1/8'] },
            { Key: 'MTU', Before: 1500, After: 1400 },
            { Key: 'Name', Before: 'e0', After: 'lan' },
            { Key: 'State', Before: 'UP' },
          ],
          Revisions: [2],
        },
        added(wire('v1', { Type: 'veth', Name: 'v1' })),
        removed(wire('ns', { Type: 'netns', Name: 'red' })),
      ],
      Edges: [
        added(wireEdge('1', 'blue', 'v1', 'ownership')),
        added(wireEdge('2', 'e0', 'v1', 'layer2')),
        removed(wireEdge('3', 'h', 'ns', 'ownership')),
        removed(wireEdge('4', 'e0', 'br', 'layer2')),
      ],
      Transient: { Nodes: [wire('t', {})], Edges: [] },
      Places: {
        e0: { Name: 'lan', Type: 'device', Owners: ['alpha'] },
        v1: { Name: 'v1', Type: 'veth', Owners: ['alpha', 'blue'] },
        ns: { Name: 'red', Type: 'netns', Owners: ['alpha'] },
      },
    }
    expect(renderDiff(diff, false)).toBe(
      [
        'alpha',
        '  ~ device lan (was e0)',
        '      IPV4: absent -> ["10.0.0.1/8"]',
        '      MTU: 1500 -> 1400',
        '      Name: e0 -> lan',
        '      State: UP -> absent',
        '  - netns red',
        'alpha › blue',
        '  + veth v1',
        '  + layer2 lan — v1',
        'without an owner',
        '  - layer2 lan — br',
        '2 added, 2 removed, 1 changed, 1 came and went in between',
      ].join('\n'),
    )
    expect(isDifferent(diff)).toBe(true)
  })

  test('colours on a terminal only, and names cannot steer it', () => {
    const diff = { ...NOTHING, Nodes: [added(wire('x', { Type: 'veth', Name: 'a\u001b[2Jb' }))] }
    expect(renderDiff(diff, true).split('\n')[1]).toBe('  \u001b[32m+ veth a[2Jb\u001b[0m')
    expect(renderDiff(diff, false).split('\n')[1]).toBe('  + veth a[2Jb')
  })
})
