import { describe, expect, test } from '@jest/globals'
import type { ElementSelection, Filter, Metadata } from '@skydive/contracts'
import { allOf, anyOf, elementField, isNull, not, prepareFilter, term } from '@skydive/filter'
import fc from 'fast-check'
import type { StoredRevision } from './messages.ts'
import { selectRevisions } from './topology-select.ts'

function stored(id: string, metadata: Metadata, kind: 'node' | 'edge' = 'node'): StoredRevision {
  return {
    kind,
    id,
    parent: kind === 'edge' ? 'a' : '',
    child: kind === 'edge' ? 'b' : '',
    host: 'alpha',
    origin: 'agent.alpha',
    createdAtMs: 1,
    updatedAtMs: 2,
    deletedAtMs: null,
    revision: 3,
    metadata: JSON.stringify(metadata),
  }
}

const ROWS = [
  stored('n1', { Type: 'host', Name: 'a"b\\c\u2028' }),
  stored('n2', { Type: 'device', Labels: { x: 'host' } }),
  stored('n3', { Type: 'device', MTU: 1500, List: ['host', 'x'] }),
  stored('e1', { RelationType: 'layer2', Type: 'host' }, 'edge'),
]

async function ids(selection: ElementSelection): Promise<string> {
  return (await selectRevisions(ROWS, selection)).map(({ id }) => id).join(' ')
}

describe('selectRevisions', () => {
  test.each<[selection: ElementSelection, ids: string]>([
    [{ kind: 'node' }, 'n1 n2 n3'],
    [{ kind: 'edge' }, 'e1'],
    [{ kind: 'node', filter: term('Type', 'host') }, 'n1'],
    [{ kind: 'node', filter: term('Name', 'a"b\\c\u2028') }, 'n1'],
    [{ kind: 'node', filter: term('Labels.x', 'host') }, 'n2'],
    [{ kind: 'node', filter: term('List', 'x') }, 'n3'],
    [{ kind: 'node', filter: term('@ID', 'n2') }, 'n2'],
    [{ kind: 'node', filter: term('@Host', 'alpha'), limit: 2 }, 'n1 n2'],
    [{ kind: 'node', filter: allOf([term('Type', 'device'), term('MTU', 1500)]) }, 'n3'],
    [{ kind: 'node', filter: anyOf([term('Type', 'host'), term('MTU', 1500)]) }, 'n1 n3'],
    [{ kind: 'node', filter: not(term('Type', 'host')) }, 'n2 n3'],
    [{ kind: 'node', filter: isNull('MTU') }, 'n1 n2'],
    [{ kind: 'node', filter: { RegexFilter: { Key: 'Type', Value: '^dev' } } }, 'n2 n3'],
    [{ kind: 'edge', filter: allOf([term('Parent', 'a'), term('RelationType', 'layer2')]) }, 'e1'],
    [{ kind: 'node', limit: 0 }, ''],
    [{ kind: 'node', filter: term('__proto__', 'x') }, ''],
  ])('%j', async (selection, expected) => expect(await ids(selection)).toBe(expected))

  test('a pattern that is none is refused', async () => {
    await expect(ids({ kind: 'node', filter: { RegexFilter: { Key: 'a', Value: '(' } } })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('finds what the filter finds', async () => {
    const value = fc.constantFrom<Metadata[string]>('host', 'x"y', '', 7, '7', true, 44.5, ['host', 7], [true], { x: 'host' }, [
      { x: 7 },
    ])
    const metadata = fc.dictionary(fc.constantFrom('Type', 'Name', 'a'), value, { maxKeys: 3 })
    const key = fc.constantFrom('Type', 'Name', 'a.x', 'Metadata.Type', '@ID', '@Revision', '@UpdatedAt', 'Parent', 'Child')
    const leaf: fc.Arbitrary<Filter> = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.tuple(key, fc.constantFrom('host', 'x"y', '', 'n0', 7, 1, true)).map(([k, v]) => term(k, v)),
      },
      fc.tuple(key, fc.constantFrom(1, 7, 44)).map(([Key, Value]): Filter => ({ GteInt64Filter: { Key, Value } })),
      fc.tuple(key, fc.constantFrom(2, 7, 45)).map(([Key, Value]): Filter => ({ LtInt64Filter: { Key, Value } })),
      fc
        .tuple(key, fc.constantFrom('^h', 'host|n1', '^(a|b)$', '\\d', ''))
        .map(([Key, Value]): Filter => ({ RegexFilter: { Key, Value } })),
      key.map(isNull),
    )
    const filter = fc.oneof(
      leaf,
      fc.array(leaf, { maxLength: 3 }).map(allOf),
      fc.array(leaf, { maxLength: 3 }).map(anyOf),
      leaf.map(not),
      fc.tuple(leaf, leaf, leaf).map(([a, b, c]) => allOf([a, anyOf([b, not(c)])])),
    )
    const kind = fc.constantFrom<'node' | 'edge'>('node', 'edge')
    await fc.assert(
      fc.asyncProperty(fc.array(metadata, { maxLength: 6 }), kind, filter, async (elements, of, wanted: Filter) => {
        const rows = elements.map((own, i) => stored(`n${i}`, own, of))
        const matches = await prepareFilter<unknown>(wanted, elementField as never)
        const expected = rows.filter((row) => matches({ ...row, metadata: JSON.parse(row.metadata) }))
        expect(await selectRevisions(rows, { kind: of, filter: wanted })).toEqual(expected)
      }),
      { numRuns: 1000 },
    )
  })
})
