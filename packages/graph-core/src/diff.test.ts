import { describe, expect, test } from '@jest/globals'
import type { GraphEdge, GraphNode, Metadata } from '@skydive/contracts'
import { createGraph, type Graph, type GraphOptions } from './index.ts'

function fixture(options: GraphOptions = {}) {
  const clock = { ms: 1000 }
  const graph = createGraph({ epoch: 'e', ...options, clock: { now: () => clock.ms } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const at = (ms: number, body: Parameters<typeof writer.transaction>[0]): void => {
    clock.ms = ms
    writer.transaction(body)
  }
  return { graph, clock, at }
}

const node = (id: string, revision: number, metadata: Metadata, times: readonly [number, number, number | null]): GraphNode => ({
  kind: 'node',
  id,
  host: 'alpha',
  origin: 'agent.alpha',
  metadata,
  revision,
  createdAtMs: times[0],
  updatedAtMs: times[1],
  deletedAtMs: times[2],
})

const peerNode = (id: string, revision: number, updatedAtMs: number, metadata: Metadata): GraphNode => ({
  ...node(id, revision, metadata, [500, updatedAtMs, null]),
  origin: 'agent.beta',
  host: 'beta',
})

/** What a diff says in one line an element: `+ a`, `- b`, `~ c MTU`. */
function lines(graph: Graph, fromMs: number, toMs: number, ignoreKeys?: readonly string[]): string[] {
  const { nodes, edges, transient } = graph.diff(fromMs, toMs, ignoreKeys ? { ignoreKeys } : {})
  const mark = { added: '+', removed: '-', changed: '~' }
  return [
    ...[...nodes, ...edges].map(({ change, id, keys }) => [mark[change], id, ...keys.map(({ key }) => key)].join(' ')),
    ...transient.map(({ id }) => `* ${id}`),
  ]
}

describe('diff', () => {
  test('tells what was added, removed and changed, with keys and revisions', () => {
    const { graph, at } = fixture()
    at(1100, (tx) => {
      tx.addNode({ id: 'a', metadata: { MTU: 1500, Features: { gro: true, tso: true }, Metric: { RxBytes: 1 } } })
      tx.addNode({ id: 'b', metadata: { Name: 'b' } })
    })
    at(1200, (tx) => tx.patchNode('a', { MTU: 9000, 'Features.gro': undefined, 'Metric.RxBytes': 2 }))
    at(1300, (tx) => tx.patchNode('a', { MTU: 1400, Vlan: { ID: 5 } }))
    at(1310, (tx) => tx.patchNode('b', { Name: 'was b' }))
    at(1320, (tx) => tx.deleteNode('b'))
    at(1330, (tx) => {
      tx.addNode({ id: 'c', metadata: {} })
      tx.own('a', 'c')
    })
    const before = node('a', 1, { MTU: 1500, Features: { gro: true, tso: true }, Metric: { RxBytes: 1 } }, [1100, 1100, null])
    const after = node('a', 3, { MTU: 1400, Features: { tso: true }, Metric: { RxBytes: 2 }, Vlan: { ID: 5 } }, [
      1100,
      1300,
      null,
    ])
    expect(graph.diff(1150, 1400)).toEqual({
      fromMs: 1150,
      toMs: 1400,
      nodes: [
        {
          change: 'changed',
          id: 'a',
          before,
          after,
          keys: [
            { key: 'Features.gro', before: true },
            { key: 'MTU', before: 1500, after: 1400 },
            { key: 'Vlan.ID', after: 5 },
          ],
          revisions: [2, 3],
        },
        { change: 'removed', id: 'b', before: node('b', 2, { Name: 'was b' }, [1100, 1310, 1320]), keys: [], revisions: [2] },
        { change: 'added', id: 'c', after: node('c', 1, {}, [1330, 1330, null]), keys: [], revisions: [1] },
      ],
      edges: [
        { change: 'added', id: expect.any(String), after: expect.objectContaining({ parent: 'a' }), keys: [], revisions: [1] },
      ],
      transient: [],
      coverage: { complete: true },
    })
  })

  test.each<[string, Metadata, Metadata, readonly string[] | undefined, readonly string[]]>([
    ['counters', { Metric: { RxBytes: 1 } }, { Metric: { RxBytes: 2 } }, undefined, []],
    ['counters, when everything counts', { Metric: { RxBytes: 1 } }, { Metric: { RxBytes: 2 } }, [], ['~ a Metric.RxBytes']],
    ['counters that appear', {}, { Metric: { RxBytes: 2 } }, undefined, []],
    [
      'counters of Open vSwitch',
      { Ovs: { Metric: { x: 1 }, a: 1 } },
      { Ovs: { Metric: { x: 2 }, a: 2 } },
      undefined,
      ['~ a Ovs.a'],
    ],
    [
      'counters of a capture',
      { Captures: [{ ID: 'c', PacketsReceived: 1 }] },
      { Captures: [{ ID: 'c', PacketsReceived: 2 }] },
      undefined,
      [],
    ],
    ['another capture', { Captures: [{ ID: 'c' }] }, { Captures: [{ ID: 'd' }] }, undefined, ['~ a Captures']],
    ['a key that is ignored', { MTU: 1, Name: 'a' }, { MTU: 2, Name: 'a' }, ['MTU'], []],
    ['a value that becomes an object', { Vlan: 1 }, { Vlan: { ID: 1 } }, undefined, ['~ a Vlan']],
    ['an object that comes', {}, { Vlan: { ID: 1, PCP: 2 } }, undefined, ['~ a Vlan.ID Vlan.PCP']],
    ['an empty object that comes', {}, { Vlan: {} }, undefined, ['~ a Vlan']],
    ['a key with a dot', { Labels: { 'a.b': 1 } }, { Labels: { 'a.b': 2 } }, undefined, ['~ a Labels.a\\.b']],
    ['a list', { IPV4: ['10.0.0.1/8'] }, { IPV4: ['10.0.0.1/8', '10.0.0.2/8'] }, undefined, ['~ a IPV4']],
    ['back and forth', { MTU: 1 }, { MTU: 1, Metric: { x: 1 } }, undefined, []],
  ])('%s', (_title, before, after, ignoreKeys, expected) => {
    const { graph, at } = fixture()
    at(1100, (tx) => tx.addNode({ id: 'a', metadata: before }))
    at(1200, (tx) => tx.replaceNode('a', { other: 1 }))
    at(1300, (tx) => tx.replaceNode('a', after))
    expect(lines(graph, 1100, 1300, ignoreKeys)).toEqual(expected)
  })

  test('what came and went in between is neither added nor removed, and is told apart', () => {
    const { graph, at } = fixture()
    at(1100, (tx) => tx.addNode({ id: 'a', metadata: {} }))
    at(1200, (tx) => tx.deleteNode('a'))
    expect(lines(graph, 1050, 1300)).toEqual(['* a'])
    expect(graph.diff(1050, 1300).transient).toEqual([node('a', 1, {}, [1100, 1100, 1200])])
  })

  test.each<[string, number, number, readonly string[]]>([
    ['the beginning belongs to what was before', 1100, 1150, []],
    ['the end belongs to it', 1050, 1100, ['+ a']],
    ['a deleted element is there at the instant of its deletion', 1150, 1200, []],
    ['and gone right after', 1200, 1201, ['- a']],
    ['one instant has no difference', 1100, 1100, []],
    ['nor has the future', 5000, 9000, []],
  ])('%s', (_title, fromMs, toMs, expected) => {
    const { graph, at } = fixture()
    at(1100, (tx) => tx.addNode({ id: 'a', metadata: {} }))
    at(1200, (tx) => tx.deleteNode('a'))
    expect(lines(graph, fromMs, toMs)).toEqual(expected)
  })

  test('an id that was made again is compared like any other, ends and owner included', () => {
    const { graph, at } = fixture()
    at(1100, (tx) => {
      for (const id of ['a', 'b', 'c', 'same', 'other']) tx.addNode({ id, metadata: { v: id === 'other' ? 1 : 0 } })
      tx.addEdge({ id: 'e', parent: 'a', child: 'b', metadata: {} })
    })
    at(1200, (tx) => {
      tx.deleteEdge('e')
      for (const id of ['same', 'other']) tx.deleteNode(id)
    })
    at(1300, (tx) => {
      tx.addEdge({ id: 'e', parent: 'a', child: 'c', metadata: {}, host: 'gamma' })
      for (const id of ['same', 'other']) tx.addNode({ id, metadata: { v: 0 } })
    })
    expect(lines(graph, 1150, 1400)).toEqual(['~ other v', '~ e @Host Child'])
    expect(graph.diff(1150, 1400).edges[0]).toMatchObject({
      revisions: [1],
      before: { deletedAtMs: 1200 },
      after: { deletedAtMs: null },
    })
  })

  test('the times of a peer count, not when its word came', () => {
    const { graph, clock } = fixture()
    const peer = graph.replica('agent.beta')
    clock.ms = 2000
    peer.apply([{ kind: 'node-added', node: peerNode('p', 1, 1500, { MTU: 1 }) }])
    clock.ms = 2500
    peer.apply([{ kind: 'node-updated', node: peerNode('p', 2, 3000, { MTU: 2 }) }])
    expect([lines(graph, 1400, 1600), lines(graph, 1600, 2600), lines(graph, 2900, 3100), lines(graph, 1400, 3100)]).toEqual([
      ['+ p'],
      [],
      ['~ p MTU'],
      ['+ p'],
    ])
  })

  test('an end after the window is not told', () => {
    const { graph, at } = fixture()
    at(1100, (tx) => tx.addNode({ id: 'a', metadata: {} }))
    at(1300, (tx) => tx.deleteNode('a'))
    expect(graph.diff(1050, 1200).nodes).toEqual([
      { change: 'added', id: 'a', after: node('a', 1, {}, [1100, 1100, null]), keys: [], revisions: [1] },
    ])
  })

  test('where the log does not reach, it says so and does not guess', () => {
    const { graph, at } = fixture({ retention: { ageMs: 100 } })
    at(1010, (tx) => tx.addNode({ id: 'a', metadata: { v: 0 } }))
    at(1020, (tx) => tx.patchNode('a', { v: 1 }))
    at(1150, (tx) => tx.patchNode('a', { v: 2 }))
    const { coverage } = graph.diff(1000, 1200)
    expect(coverage).toEqual({ complete: false, knownFromMs: 1020 })
    // Since 1020 the node has changed; that it was added is before what is known.
    expect([lines(graph, 1000, 1200), lines(graph, 1000, 1010)]).toEqual([['~ a v'], []])
  })

  test('what was forgotten before it came into force is not known before that', async () => {
    const { graph, clock, at } = fixture({ retention: { ageMs: 100 } })
    const peer = graph.replica('agent.beta')
    peer.apply([{ kind: 'node-added', node: peerNode('p', 1, 900, { MTU: 1 }) }])
    peer.apply([{ kind: 'node-updated', node: peerNode('p', 2, 5000, { MTU: 2 }) }])
    clock.ms = 1200
    at(1200, (tx) => tx.addNode({ id: 'a', metadata: {} }))
    expect(graph.stats().knownFromMs).toBe(5000)
    expect(await graph.coverage({ startMs: 1100, lastMs: 6000 })).toEqual({ complete: false, knownFromMs: 5000 })
    expect(graph.diff(1100, 6000).coverage).toEqual({ complete: false, knownFromMs: 5000 })
  })

  test.each([
    ['ends before it begins', 20, 10],
    ['no time', Number.NaN, 10],
  ])('a window that %s is refused', (_title, fromMs, toMs) => {
    const { graph } = fixture()
    const message = `nothing is from ${fromMs} to ${toMs}: write the earlier time first, both in ms`
    for (const ask of [() => graph.diff(fromMs, toMs), () => graph.between(fromMs, toMs)]) {
      expect(ask).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }))
    }
  })

  test.each([Number.NaN, undefined, 'yesterday', new Date(Number.NaN)])('%s is no instant', async (timeMs) => {
    const { graph } = fixture()
    expect(() => graph.at(timeMs as number)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    const slice = { startMs: timeMs as number, lastMs: timeMs as number }
    await expect(graph.open(slice)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('without history there is no difference to tell', () => {
    const { graph } = fixture({ retention: { bytes: 0 } })
    for (const ask of [() => graph.diff(1, 2), () => graph.history('a')]) {
      expect(ask).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }))
    }
  })
})

describe('history', () => {
  test('is every revision of every life, a deletion with the revision that it ended', () => {
    const { graph, at } = fixture()
    at(1100, (tx) => tx.addNode({ id: 'a', metadata: { v: 0 } }))
    at(1200, (tx) => tx.patchNode('a', { v: 1 }))
    at(1300, (tx) => tx.deleteNode('a'))
    at(1400, (tx) => tx.addNode({ id: 'a', metadata: { v: 2 } }))
    const [first, second, third] = [
      node('a', 1, { v: 0 }, [1100, 1100, null]),
      node('a', 2, { v: 1 }, [1100, 1200, 1300]),
      node('a', 1, { v: 2 }, [1400, 1400, null]),
    ]
    expect(graph.history('a')).toEqual([first, second, third])
    expect(graph.history('a', { startMs: 1150, lastMs: 1250 })).toEqual([first, { ...second, deletedAtMs: null }])
    expect(graph.history('a', { startMs: 1250, lastMs: 1350 })).toEqual([second])
    expect(graph.history('a', { startMs: 1310, lastMs: 1350 })).toEqual([])
    expect(graph.history('nobody')).toEqual([])
  })

  test('knows edges as well', () => {
    const { graph, at } = fixture()
    at(1100, (tx) => {
      tx.addNode({ id: 'a', metadata: {} })
      tx.addEdge({ id: 'e', parent: 'a', child: 'a', metadata: { v: 0 } })
    })
    at(1200, (tx) => tx.patchEdge('e', { v: 1 }))
    expect(graph.history('e').map((item) => [(item as GraphEdge).parent, item.revision])).toEqual([
      ['a', 1],
      ['a', 2],
    ])
  })
})
