import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { EnhancedFlow, Metadata } from '@skydive/contracts'
import fc from 'fast-check'
import { memoryFolder } from '../test/memory-folder.ts'
import type { StoredRevision, TopologyChange } from './messages.ts'
import { StorageEngine } from './storage-engine.ts'

const SETTINGS = { retentionAgeMs: 1e12, retentionBytes: 1e12, topologyPartitionMs: 1_000_000, flowPartitionMs: 1_000_000 }

let dataDir: string
let engine: StorageEngine

beforeEach(() => {
  dataDir = memoryFolder()
  engine = new StorageEngine({ dataDir, ...SETTINGS })
})

afterEach(() => {
  engine.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const put = (id: string, createdAtMs: number, revision: number, updatedAtMs: number, metadata: Metadata): TopologyChange => ({
  op: 'put',
  element: { kind: 'node', id, parent: '', child: '', host: 'alpha', origin: 'agent.alpha', createdAtMs },
  revision,
  updatedAtMs,
  metadata,
})

const patch = (id: string, revision: number, updatedAtMs: number, key: string, value: string | number): TopologyChange => ({
  op: 'patch',
  kind: 'node',
  id,
  revision,
  updatedAtMs,
  ops: [{ op: 'set', key, value }],
})

const remove = (id: string, deletedAtMs: number): TopologyChange => ({ op: 'delete', kind: 'node', id, deletedAtMs })

const brief = (revisions: readonly StoredRevision[]) =>
  revisions.map(({ id, revision, deletedAtMs, metadata }) => [id, revision, deletedAtMs, JSON.parse(metadata)])

/** The timeline H of spec graph 0.3: created at 100 s, updated at 200 s, deleted at 300 s. */
function timeline(): void {
  engine.appendTopology(
    [put('n1', 100_000, 1, 100_000, { State: 'DOWN' }), patch('n1', 2, 200_000, 'State', 'UP'), remove('n1', 300_000)],
    100_000,
  )
}

describe('topology', () => {
  test.each([
    [50, 50, []],
    [150, 150, [['n1', 1, null, { State: 'DOWN' }]]],
    [250, 250, [['n1', 2, null, { State: 'UP' }]]],
    [300, 300, [['n1', 2, 300_000, { State: 'UP' }]]],
    [301, 301, []],
    [
      150,
      250,
      [
        ['n1', 1, null, { State: 'DOWN' }],
        ['n1', 2, null, { State: 'UP' }],
      ],
    ],
    [200, 200, [['n1', 2, null, { State: 'UP' }]]],
    [
      0,
      400,
      [
        ['n1', 1, null, { State: 'DOWN' }],
        ['n1', 2, 300_000, { State: 'UP' }],
      ],
    ],
  ])('timeline H read from %d s to %d s', (startSeconds, lastSeconds, expected) => {
    timeline()
    expect(brief(engine.readTopology({ startMs: startSeconds * 1000, lastMs: lastSeconds * 1000 }))).toEqual(expected)
  })

  test('a node of the same id that comes back is another life', () => {
    engine.appendTopology([put('n1', 1_000, 5, 2_000, { a: 1 })], 2_000)
    engine.appendTopology([put('n1', 9_000, 1, 9_000, { a: 2 })], 9_000)
    expect(brief(engine.readTopology({ startMs: 5_000, lastMs: 5_000 }))).toEqual([['n1', 5, null, { a: 1 }]])
    expect(brief(engine.readTopology({ startMs: 9_500, lastMs: 9_500 }))).toEqual([['n1', 1, null, { a: 2 }]])
  })

  test('what was stored already is not stored again', () => {
    engine.appendTopology(
      [put('n1', 1_000, 1, 1_000, { a: 1 }), put('n1', 1_000, 1, 1_000, { a: 1 }), patch('n1', 1, 1_500, 'a', 2)],
      1_000,
    )
    expect(brief(engine.readTopology({ startMs: 0, lastMs: 5_000 }))).toEqual([['n1', 1, null, { a: 1 }]])
  })

  test('reconcile ends what is gone, takes what is new, leaves the rest', () => {
    engine.appendTopology([put('stays', 1_000, 1, 1_000, {}), put('gone', 1_000, 1, 1_000, {})], 1_000)
    const element = { kind: 'node', parent: '', child: '', host: 'alpha', origin: 'agent.alpha', createdAtMs: 1_000 } as const
    const live = [
      { element: { ...element, id: 'stays' }, revision: 1, updatedAtMs: 1_000, metadata: {} },
      { element: { ...element, id: 'new', createdAtMs: 4_000 }, revision: 1, updatedAtMs: 4_000, metadata: {} },
    ]
    engine.appendTopology([{ op: 'reconcile', live, timeMs: 5_000, origin: undefined }], 5_000)
    expect(brief(engine.readTopology({ startMs: 6_000, lastMs: 6_000 }))).toEqual([
      ['stays', 1, null, {}],
      ['new', 1, null, {}],
    ])
    expect(brief(engine.readTopology({ startMs: 5_000, lastMs: 5_000 })).map(([id, , deleted]) => [id, deleted])).toContainEqual([
      'gone',
      5_000,
    ])
  })

  test.each([false, true])(
    'reconcile with an origin ends only what that one wrote, also when the file was closed between: %p',
    (isClosed) => {
      const element = { kind: 'node', parent: '', child: '', host: 'alpha', createdAtMs: 1_000 } as const
      const put = (id: string, origin: string) =>
        ({ op: 'put', element: { ...element, id, origin }, revision: 1, updatedAtMs: 1_000, metadata: {} }) as const
      engine.appendTopology([put('a1', 'agent.a'), put('a2', 'agent.a'), put('b1', 'agent.b')], 1_000)
      if (isClosed) {
        engine.close()
        engine = new StorageEngine({ dataDir, ...SETTINGS })
      }
      const live = [{ element: { ...element, id: 'a2', origin: 'agent.a' }, revision: 1, updatedAtMs: 1_000, metadata: {} }]
      engine.appendTopology([{ op: 'reconcile', live, timeMs: 5_000, origin: 'agent.a' }], 5_000)
      expect(brief(engine.readTopology({ startMs: 5_000, lastMs: 5_000 })).map(([id, , deleted]) => [id, deleted])).toEqual([
        ['a1', 5_000],
        ['a2', null],
        ['b1', null],
      ])
      expect(brief(engine.readTopology({ startMs: 6_000, lastMs: 6_000 })).map(([id]) => id)).toEqual(['a2', 'b1'])
      engine.appendTopology([{ op: 'reconcile', live, timeMs: 7_000, origin: 'agent.unknown' }], 7_000)
      expect(brief(engine.readTopology({ startMs: 8_000, lastMs: 8_000 })).map(([id]) => id)).toEqual(['a2', 'b1'])
    },
  )

  test('a closed store opens with its live elements and goes on', () => {
    engine.appendTopology([put('n1', 1_000, 1, 1_000, { a: 1 }), patch('n1', 2, 2_000, 'b.c', 1)], 2_000)
    engine.close()
    engine = new StorageEngine({ dataDir, ...SETTINGS })
    engine.appendTopology([patch('n1', 3, 3_000, 'b.d', 2)], 3_000)
    expect(brief(engine.readTopology({ startMs: 3_500, lastMs: 3_500 }))).toEqual([['n1', 3, null, { a: 1, b: { c: 1, d: 2 } }]])
  })

  test('a new file begins with what lives, and a slice over both files tells nothing twice', () => {
    engine.appendTopology([put('n1', 1_000, 1, 1_000, { a: 1 })], 1_000)
    engine.appendTopology([patch('n1', 2, 1_500_000, 'a', 2)], 1_500_000)
    expect(
      readdirSync(dataDir)
        .filter((file) => /^topology-.*\.db$/.test(file))
        .sort(),
    ).toEqual(['topology-1000.db', 'topology-1500000.db'])
    expect(brief(engine.readTopology({ startMs: 500, lastMs: 2_000_000 }))).toEqual([
      ['n1', 1, null, { a: 1 }],
      ['n1', 2, null, { a: 2 }],
    ])
  })

  test('any sequence of changes reads back at any time as a plain list of revisions does', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      op: fc.constantFrom('put', 'patch', 'patch', 'patch', 'delete'),
      value: fc.nat(9),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.nat(700), { minLength: 4, maxLength: 4 }), (steps, times) => {
        const dir = memoryFolder()
        // Short files, so that chains cross their borders.
        const store = new StorageEngine({ dataDir: dir, ...SETTINGS, topologyPartitionMs: 120 })
        try {
          const naive: {
            id: string
            created: number
            revision: number
            updated: number
            archived: number
            dead: boolean
            metadata: Metadata
          }[] = []
          const live = new Map<string, (typeof naive)[number]>()
          steps.forEach(({ id, op, value }, index) => {
            const now = 10 + index * 10
            const known = live.get(id)
            if (op === 'put' && !known) {
              const row = {
                id,
                created: now,
                revision: 1,
                updated: now,
                archived: Number.POSITIVE_INFINITY,
                dead: false,
                metadata: { v: value },
              }
              store.appendTopology([put(id, now, 1, now, row.metadata)], now)
              live.set(id, row)
              naive.push(row)
            } else if (op === 'patch' && known) {
              known.archived = now
              const row = {
                ...known,
                revision: known.revision + 1,
                updated: now,
                archived: Number.POSITIVE_INFINITY,
                dead: false,
                metadata: { ...known.metadata, [`k${value}`]: index },
              }
              store.appendTopology([patch(id, row.revision, now, `k${value}`, index)], now)
              live.set(id, row)
              naive.push(row)
            } else if (op === 'delete' && known) {
              known.archived = now
              known.dead = true
              store.appendTopology([remove(id, now)], now)
              live.delete(id)
            }
          })
          for (const [a, b] of [
            [times[0]!, times[0]!],
            [Math.min(times[1]!, times[2]!), Math.max(times[1]!, times[2]!)],
            [times[3]!, 1_000],
          ] as const) {
            const expected = naive
              .filter(({ updated, archived, dead }) => updated <= b && (archived > a || (dead && archived === a)))
              .map(({ id, created, revision, metadata }) => [id, created, revision, metadata])
            const read = store
              .readTopology({ startMs: a, lastMs: b })
              .map(({ id, createdAtMs, revision, metadata }) => [id, createdAtMs, revision, JSON.parse(metadata)])
            expect(read.sort()).toEqual(expected.sort())
          }
        } finally {
          store.close()
          rmSync(dir, { recursive: true, force: true })
        }
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})

const flow = (uuid: string, last: number, over: Partial<EnhancedFlow['flow']> = {}): EnhancedFlow => ({
  flow: {
    UUID: uuid,
    LayersPath: 'Ethernet/IPv4/TCP',
    Application: 'TCP',
    Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
    Start: 1_000,
    Last: last,
    TrackingID: `t${uuid}`,
    ParentUUID: '',
    NodeTID: 'tid-1',
    RawPacketsCaptured: 0,
    Metric: { ABPackets: last, ABBytes: 1, BAPackets: 1, BABytes: 1, Start: 1_000, Last: last },
    LastUpdateMetric: { ABPackets: 1, ABBytes: 2, BAPackets: 3, BABytes: 4, Start: last - 500, Last: last },
    ...over,
  },
  places: { capture: { tid: 'tid-1', name: 'v0', type: 'veth', host: 'alpha' } },
})

describe('flows', () => {
  const everything = { startMs: 0, lastMs: 1e12 }

  test('a later report of a flow takes the place of the earlier one, also over files, and each leaves its metric', async () => {
    engine.appendFlows([flow('a', 2_000)], 2_000)
    engine.appendFlows([flow('a', 3_000), flow('b', 2_500)], 3_000)
    engine.appendFlows([flow('a', 4_000)], 2_000_000)
    expect((await engine.searchFlows({ Sort: true, SortBy: 'Last' }, everything)).map((found) => found.flow.Last)).toEqual([
      2_500, 4_000,
    ])
    expect(
      (await engine.flowMetrics({ Filter: { TermStringFilter: { Key: 'UUID', Value: 'a' } } }, everything)).map(
        ([uuid, metrics]) => [uuid, metrics.map(({ Last }) => Last)],
      ),
    ).toEqual([['a', [2_000, 3_000, 4_000]]])
  })

  test('storing a report twice leaves what storing it once leaves', async () => {
    engine.appendFlows([flow('a', 2_000)], 2_000)
    engine.appendFlows([flow('a', 2_000)], 2_000)
    expect(await engine.searchFlows({}, everything)).toEqual([flow('a', 2_000)])
    expect(await engine.flowMetrics({}, everything)).toEqual([['a', [flow('a', 2_000).flow.LastUpdateMetric]]])
  })

  test.each([
    ['indexed term', { TermStringFilter: { Key: 'Network.A', Value: '10.0.0.9' } }, ['c']],
    ['range', { GtInt64Filter: { Key: 'Last', Value: 2_000 } }, ['b', 'c']],
    [
      'or of a column and another field',
      {
        BoolFilter: {
          Op: 0,
          Filters: [
            { TermStringFilter: { Key: 'UUID', Value: 'a' } },
            { TermInt64Filter: { Key: 'Metric.ABPackets', Value: 2_200 } },
          ],
        },
      },
      ['a', 'b'],
    ],
    [
      'and with a regular expression',
      {
        BoolFilter: {
          Op: 1,
          Filters: [{ RegexFilter: { Key: 'TrackingID', Value: '^t[bc]' } }, { LtInt64Filter: { Key: 'Last', Value: 2_300 } }],
        },
      },
      ['b'],
    ],
    ['not', { BoolFilter: { Op: 2, Filters: [{ TermStringFilter: { Key: 'UUID', Value: 'a' } }] } }, ['b', 'c']],
  ] as const)('filter: %s', async (_title, filter, expected) => {
    engine.appendFlows(
      [
        flow('a', 2_000),
        flow('b', 2_200),
        flow('c', 2_400, { Network: { Protocol: 'IPV4', A: '10.0.0.9', B: '10.0.0.2', ID: 0 } }),
      ],
      2_500,
    )
    const found = await engine.searchFlows({ Filter: filter as never, Sort: true, SortBy: 'Last' }, everything)
    expect(found.map(({ flow: { UUID } }) => UUID)).toEqual(expected)
  })

  test('only the nodes asked for, only the time asked for', async () => {
    engine.appendFlows([flow('a', 2_000), flow('b', 2_200, { NodeTID: 'tid-2' })], 2_500)
    expect((await engine.searchFlows({ nodeTids: ['tid-2'] }, everything)).map(({ flow: { UUID } }) => UUID)).toEqual(['b'])
    expect(await engine.searchFlows({ nodeTids: [] }, everything)).toEqual([])
    expect((await engine.searchFlows({}, { startMs: 2_100, lastMs: 3_000 })).map(({ flow: { UUID } }) => UUID)).toEqual(['b'])
  })

  test('kept packets come back by position and are not part of the flow', async () => {
    const packet = { Timestamp: 1_500, Index: 1, Data: Uint8Array.of(1, 2, 3), LinkType: 1 }
    engine.appendFlows([flow('a', 2_000, { LastRawPackets: [packet] })], 2_000)
    const [[uuid, packets]] = (await engine.rawPackets({}, everything)) as [[string, (typeof packet)[]]]
    expect([uuid, packets.map(({ Data, ...rest }) => ({ ...rest, Data: [...Data] }))]).toEqual([
      'a',
      [{ ...packet, Data: [1, 2, 3] }],
    ])
    expect((await engine.searchFlows({}, everything))[0]!.flow).not.toHaveProperty('LastRawPackets')
  })
})

describe('files', () => {
  test('old files go by age, the newest stays', () => {
    engine.close()
    engine = new StorageEngine({ dataDir, ...SETTINGS, retentionAgeMs: 2_000_000 })
    for (const now of [1_000, 1_500_000, 3_000_000, 6_000_000]) engine.appendTopology([put(`n${now}`, now, 1, now, {})], now)
    expect(
      readdirSync(dataDir)
        .filter((file) => /^topology.*\.db$/.test(file))
        .sort(),
    ).toEqual(['topology-3000000.db', 'topology-6000000.db'])
    expect(engine.topologyCoverage()).toBe(3_000_000)
  })

  test('old files go by size', () => {
    engine.close()
    engine = new StorageEngine({ dataDir, ...SETTINGS, retentionBytes: 100_000 })
    for (const now of [1_000, 1_500_000, 3_000_000]) {
      engine.appendFlows(
        Array.from({ length: 200 }, (_, i) => flow(`${now}-${i}`, now)),
        now,
      )
    }
    expect(readdirSync(dataDir).filter((file) => /^flow.*\.db$/.test(file))).toEqual(['flow-3000000.db'])
  })

  test('the folder belongs to its owner alone', () => {
    chmodSync(dataDir, 0o755)
    engine.close()
    engine = new StorageEngine({ dataDir, ...SETTINGS })
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  })

  test('a second engine on the same folder is refused, with the reason', () => {
    expect(() => new StorageEngine({ dataDir, ...SETTINGS })).toThrow(/in use by another process/)
  })

  test('a file in place of the folder is refused by name', () => {
    const file = join(dataDir, 'plain')
    writeFileSync(file, '')
    expect(() => new StorageEngine({ dataDir: file, ...SETTINGS })).toThrow(new RegExp(`${file} can't be used`))
  })
})

describe('objects', () => {
  test('write, read, list by prefix, delete; modified grows', () => {
    engine.writeObject('/capture/b', '{"b":1}', null, true)
    engine.writeObject('/capture/a', '{"a":1}', 5_000, true)
    engine.writeObject('/alert/x', '{}', null, false)
    expect(engine.listObjects('/capture/')).toEqual([
      { key: '/capture/a', value: '{"a":1}', modified: 2, expiresAtMs: 5_000 },
      { key: '/capture/b', value: '{"b":1}', modified: 1 },
    ])
    expect(engine.writeObject('/capture/a', 'x', null, true)).toBeUndefined()
    expect(engine.deleteObject('/capture/a')).toEqual({ key: '/capture/a', value: '{"a":1}', modified: 2, expiresAtMs: 5_000 })
    expect([engine.deleteObject('/capture/a'), engine.getObject('/capture/a')]).toEqual([undefined, undefined])
  })
})
