import { describe, expect, test } from '@jest/globals'
import type { GraphBatch, GraphEdge, GraphNode, GraphWriter, Metadata, ReplicaChange } from '@skydive/contracts'
import { relationId } from '@skydive/contracts'
import {
  areLinked,
  childrenOf,
  createGraph,
  edgesOf,
  firstLink,
  firstNodeWith,
  type Graph,
  nodesWith,
  ownerOf,
  parentsOf,
  relation,
  shortestPath,
} from './index.ts'

interface Fixture {
  readonly graph: Graph
  readonly writer: GraphWriter
  readonly clock: { ms: number; now(): number }
  readonly batches: GraphBatch[]
}

function fixture(options: Parameters<typeof createGraph>[0] = {}): Fixture {
  const clock = {
    ms: 1000,
    now() {
      return this.ms
    },
  }
  const graph = createGraph({ epoch: 'e', clock, ...options })
  const batches: GraphBatch[] = []
  graph.subscribe((batch) => batches.push(batch))
  return { graph, writer: graph.writer({ origin: 'agent.alpha', host: 'alpha' }), clock, batches }
}

function add(writer: GraphWriter, nodes: Readonly<Record<string, Metadata>>, edges: readonly string[] = []): void {
  writer.transaction((tx) => {
    for (const [id, metadata] of Object.entries(nodes)) tx.addNode({ id, metadata })
    for (const edge of edges) {
      const [parent, child, type = 'layer2'] = edge.split(/>|:/) as [string, string, string?]
      tx.addEdge({ id: edge, parent, child, metadata: { RelationType: type } })
    }
  })
}

const kinds = (batch: GraphBatch | undefined): readonly string[] =>
  (batch?.events ?? []).map((event) => `${event.kind} ${'node' in event ? event.node.id : event.edge.id}`)

const ids = (nodes: readonly GraphNode[]): string => nodes.map((node) => node.id).join('/')

describe('a transaction', () => {
  test('is one version, one batch, everything in order', () => {
    const { writer, batches, graph } = fixture()
    writer.transaction((tx) => {
      tx.addNode({ id: 'a', metadata: { Name: 'a' } })
      tx.addNode({ id: 'b', metadata: {} })
      tx.addEdge({ id: 'ab', parent: 'a', child: 'b', metadata: {} })
      tx.patchNode('a', { State: 'UP' })
    })
    expect(batches.map((batch) => [batch.version, batch.timeMs, kinds(batch)])).toEqual([
      [1, 1000, ['node-added a', 'node-added b', 'edge-added ab', 'node-updated a']],
    ])
    expect(graph.cursor).toEqual({ epoch: 'e', version: 1 })
  })

  test('A16 an element carries host, origin, times and revision', () => {
    const { writer, clock, batches } = fixture()
    add(writer, { a: { Name: 'a' } })
    clock.ms = 2000
    writer.transaction((tx) => tx.patchNode('a', { 'Features.gro': true, Name: undefined }))
    const created: GraphNode = {
      kind: 'node',
      id: 'a',
      metadata: { Name: 'a' },
      host: 'alpha',
      origin: 'agent.alpha',
      createdAtMs: 1000,
      updatedAtMs: 1000,
      deletedAtMs: null,
      revision: 1,
    }
    expect(batches[1]).toEqual({
      version: 2,
      timeMs: 2000,
      events: [
        {
          kind: 'node-updated',
          node: { ...created, metadata: { Features: { gro: true } }, updatedAtMs: 2000, revision: 2 },
          previous: created,
          ops: [
            { op: 'set', key: 'Features.gro', value: true },
            { op: 'delete', key: 'Name' },
          ],
        },
      ],
    })
  })

  test.each<[name: string, metadata: Metadata]>([
    ['the same value', { Name: 'a', List: ['x'] }],
    ['another order of keys', { List: ['x'], Name: 'a' }],
  ])('that changes nothing makes no version: %s', (_name, metadata) => {
    const { writer, batches } = fixture()
    add(writer, { a: { Name: 'a', List: ['x'] } })
    writer.transaction((tx) => {
      tx.putNode({ id: 'a', metadata })
      tx.patchNode('a', { Name: 'a', Nope: undefined })
      tx.deleteNode('nope')
      return undefined
    })
    expect(batches).toHaveLength(1)
  })

  test('replacing tells what differs', () => {
    const { writer, batches } = fixture()
    add(writer, { a: { Name: 'a', Old: 1, Deep: { x: 1, y: 2 } } })
    writer.transaction((tx) => tx.replaceNode('a', { Name: 'b', Deep: { x: 1, z: [1] } }))
    expect(batches[1]!.events[0]).toMatchObject({
      ops: [
        { op: 'delete', key: 'Old' },
        { op: 'set', key: 'Name', value: 'b' },
        { op: 'delete', key: 'Deep.y' },
        { op: 'set', key: 'Deep.z', value: [1] },
      ],
    })
  })

  test('that throws never was, and the next one works', () => {
    const { writer, batches, graph } = fixture()
    add(writer, { a: {}, b: {} }, ['a>b'])
    const before = graph.view
    expect(() =>
      writer.transaction((tx) => {
        tx.deleteNode('a')
        tx.addNode({ id: 'c', metadata: {} })
        tx.patchNode('b', { x: 1 })
        throw new Error('no')
      }),
    ).toThrow('no')
    expect([graph.view === before, batches.length, edgesOf(graph.view, 'a').map((edge) => edge.id)]).toEqual([true, 1, ['a>b']])
    add(writer, { c: {} })
    expect(kinds(batches[1])).toEqual(['node-added c'])
  })

  test.each<[string, string, (writer: GraphWriter) => unknown]>([
    ['Node ID conflict', 'ERR_CONFLICT', (w) => w.transaction((tx) => tx.addNode({ id: 'a', metadata: {} }))],
    [
      'Edge ID conflict',
      'ERR_CONFLICT',
      (w) => w.transaction((tx) => tx.addEdge({ id: 'a>b', parent: 'a', child: 'b', metadata: {} })),
    ],
    [
      'Parent node not found',
      'ERR_NOT_FOUND',
      (w) => w.transaction((tx) => tx.addEdge({ parent: 'x', child: 'b', metadata: {} })),
    ],
    [
      'Child node not found',
      'ERR_NOT_FOUND',
      (w) => w.transaction((tx) => tx.addEdge({ parent: 'a', child: 'x', metadata: {} })),
    ],
    ['Node not found', 'ERR_NOT_FOUND', (w) => w.transaction((tx) => tx.patchNode('x', {}))],
    ['Edge not found', 'ERR_NOT_FOUND', (w) => w.transaction((tx) => tx.replaceEdge('x', {}))],
    ['"c" belongs to agent.beta', 'ERR_PERMISSION', (w) => w.transaction((tx) => tx.patchNode('c', { a: 1 }))],
    ['"c" belongs to agent.beta', 'ERR_PERMISSION', (w) => w.transaction((tx) => tx.deleteNode('c'))],
    ['metadata "Name.x" can\'t be set', 'ERR_INVALID_ARGUMENT', (w) => w.transaction((tx) => tx.patchNode('a', { 'Name.x': 1 }))],
    ['needs an id', 'ERR_INVALID_ARGUMENT', (w) => w.transaction((tx) => tx.addNode({ id: '', metadata: {} }))],
    [
      'metadata A.B[1] is NaN',
      'ERR_INVALID_ARGUMENT',
      (w) => w.transaction((tx) => tx.addNode({ id: 'n', metadata: { A: { B: [1, Number.NaN] } } })),
    ],
    ['within another one', 'ERR_INVARIANT', (w) => w.transaction(() => w.transaction(() => undefined))],
    ['after its body had returned', 'ERR_INVARIANT', (w) => w.transaction((tx) => tx).addNode({ id: 'late', metadata: {} })],
  ])('refuses with "%s"', (text, code, write) => {
    const { graph, writer, batches } = fixture()
    add(writer, { a: { Name: 'a' }, b: {} }, ['a>b'])
    add(graph.writer({ origin: 'agent.beta', host: 'beta' }), { c: {} })
    let error: unknown
    try {
      write(writer)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) })
    expect(batches).toHaveLength(2)
  })

  test('may link to nodes of others, and deleting one takes all its edges along, first', () => {
    const { graph, writer, batches } = fixture()
    add(graph.writer({ origin: 'agent.beta', host: 'beta' }), { theirs: {} })
    add(writer, { mine: {} }, ['mine>theirs', 'theirs>mine', 'theirs>theirs'])
    graph.writer({ origin: 'agent.beta', host: 'beta' }).transaction((tx) => tx.deleteNode('theirs'))
    expect(kinds(batches[2])).toEqual([
      'edge-deleted theirs>mine',
      'edge-deleted theirs>theirs',
      'edge-deleted mine>theirs',
      'node-deleted theirs',
    ])
  })

  test('own moves a child, linkLayer2 links once', () => {
    const { graph, writer } = fixture()
    add(writer, { host: {}, ns: {}, eth0: {}, br0: {} })
    writer.transaction((tx) => {
      tx.own('host', 'eth0')
      tx.own('host', 'eth0')
      tx.own('ns', 'eth0')
      tx.linkLayer2('br0', 'eth0')
      tx.linkLayer2('eth0', 'br0', { Extra: 1 })
    })
    expect([ownerOf(graph.view, 'eth0')?.id, edgesOf(graph.view, 'eth0').map((edge) => [edge.id, edge.parent])]).toEqual([
      'ns',
      [
        [relationId('ns', 'eth0', 'ownership'), 'ns'],
        [relationId('br0', 'eth0', 'layer2'), 'br0'],
      ],
    ])
  })

  test('takes copies: what the caller changes afterwards changes nothing', () => {
    const { graph, writer } = fixture()
    const metadata = { List: ['a'], Deep: { x: 1 } }
    add(writer, { a: metadata })
    metadata.List.push('b')
    metadata.Deep.x = 2
    expect(firstNodeWith(graph.view, '@Host', 'alpha')?.metadata).toEqual({ List: ['a'], Deep: { x: 1 } })
  })

  test('the time never goes backwards', () => {
    const { writer, clock, batches } = fixture()
    add(writer, { a: {} })
    clock.ms = 10
    add(writer, { b: {} })
    expect(batches.map((batch) => batch.timeMs)).toEqual([1000, 1000])
  })

  test('keys such as __proto__ are keys like any other', () => {
    const { graph, writer } = fixture()
    add(writer, { a: JSON.parse('{"__proto__": {"x": 1}, "constructor": "c"}') })
    writer.transaction((tx) => tx.patchNode('a', { '__proto__.y': 2 }))
    const { metadata } = graph.view.node(graph.view.nodeOrdinal('a'))
    expect([JSON.stringify(metadata), ({} as { x?: unknown }).x]).toEqual([
      '{"__proto__":{"x":1,"y":2},"constructor":"c"}',
      undefined,
    ])
  })

  test('clear deletes what the origin owns, and no more', () => {
    const { graph, writer } = fixture()
    add(graph.writer({ origin: 'agent.beta', host: 'beta' }), { theirs: {} })
    add(writer, { a: {}, b: {} }, ['a>theirs'])
    expect([writer.clear(), graph.stats().nodes, graph.stats().edges]).toEqual([2, 1, 0])
  })
})

describe('listeners', () => {
  test('A18 see causes before consequences, in the order of subscription', () => {
    const { graph, writer } = fixture()
    const log: string[] = []
    const first = (batch: GraphBatch): void => {
      log.push(`1:${kinds(batch)}`)
      if (batch.version === 1) add(writer, { nested: {} })
    }
    graph.subscribe(first, { skipOwn: true })
    graph.subscribe((batch) => log.push(`2:${kinds(batch)}`))
    add(writer, { a: {} })
    expect(log).toEqual(['1:node-added a', '2:node-added a', '2:node-added nested'])
  })

  test('without skipOwn a listener sees every version', () => {
    const { graph, writer } = fixture()
    const versions: number[] = []
    graph.subscribe((batch) => {
      versions.push(batch.version)
      if (batch.version < 4) add(writer, { [`n${batch.version}`]: {} })
    })
    add(writer, { a: {} })
    expect(versions).toEqual([1, 2, 3, 4])
  })

  test('A19 nothing is lost of 2,000 changes made while one is told', () => {
    const { graph, writer, batches } = fixture()
    let once = true
    graph.subscribe(() => {
      if (!once) return
      once = false
      for (let i = 0; i < 2000; i++) add(writer, { [`n${i}`]: {} })
    })
    add(writer, { a: {} })
    expect([graph.stats().nodes, batches.length, batches.at(-1)?.version]).toEqual([2001, 2001, 2001])
  })

  test('may come and go while a batch is told; a thrower stays', () => {
    const errors: unknown[] = []
    const { graph, writer } = fixture({ onListenerError: (error) => errors.push(error) })
    const log: string[] = []
    const stop = graph.subscribe(() => {
      log.push('once')
      stop()
      graph.subscribe((batch) => log.push(`late ${batch.version}`))
    })
    graph.subscribe(() => {
      throw new Error('listener')
    })
    add(writer, { a: {} })
    add(writer, { b: {} })
    expect([log, errors.map(String)]).toEqual([
      ['once', 'late 2'],
      ['Error: listener', 'Error: listener'],
    ])
  })
})

describe('the log', () => {
  test('gives what followed a cursor, while it remembers', () => {
    const { graph, writer } = fixture()
    const start = graph.cursor
    add(writer, { a: {} })
    const middle = graph.cursor
    add(writer, { b: {} })
    expect(graph.since(start)?.map((batch) => batch.version)).toEqual([1, 2])
    expect(graph.since(middle)?.map((batch) => batch.version)).toEqual([2])
    expect(graph.since(graph.cursor)).toEqual([])
    expect([graph.since({ epoch: 'other', version: 1 }), graph.since({ epoch: 'e', version: 3 })]).toEqual([undefined, undefined])
  })

  test('forgets by age, and says how far back it knows', async () => {
    const { graph, writer, clock } = fixture({ retention: { ageMs: 100 } })
    const start = graph.cursor
    add(writer, { a: { v: 0 } })
    clock.ms = 1050
    writer.transaction((tx) => tx.patchNode('a', { v: 1 }))
    clock.ms = 1120
    writer.transaction((tx) => tx.patchNode('a', { v: 2 }))
    expect([graph.since(start), graph.stats().logLength]).toEqual([undefined, 2])
    expect(await graph.coverage({ startMs: 1060, lastMs: 1060 })).toEqual({ complete: true })
    expect(await graph.coverage({ startMs: 900, lastMs: 1060 })).toEqual({ complete: false, knownFromMs: 1000 })
  })

  test('forgets by size, and rows that nobody needs are used again', () => {
    const { graph, writer } = fixture({ retention: { bytes: 5000 } })
    for (let i = 0; i < 1000; i++) {
      add(writer, { [`n${i}`]: { Name: `n${i}` } })
      writer.transaction((tx) => tx.deleteNode(`n${i}`))
    }
    const { logBytes, nodes } = graph.stats()
    expect([logBytes <= 5600, nodes, graph.view.nodeOrdinals < 50]).toEqual([true, 0, true])
  })

  test('without history another time is refused', async () => {
    const { graph } = fixture({ retention: { bytes: 0 } })
    await expect(graph.open({ startMs: 1, lastMs: 1 })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining('Backend does not support history'),
    })
  })

  test('a fired signal ends open', async () => {
    await expect(createGraph().open(undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
  })
})

describe('look-ups', () => {
  const { graph, writer } = fixture()
  add(
    writer,
    { n1: { Value: 1, Type: 'intf' }, n2: { Value: 2, Type: 'intf' }, n3: { Value: 3 }, n4: { Value: 4, Name: 'Node4' } },
    ['n1>n2', 'n2>n3', 'n3>n4', 'n2>n4'],
  )
  const { view } = graph

  test('A1 A3 A5 links have a direction', () => {
    expect([areLinked(view, 'n2', 'n1'), firstLink(view, 'n1', 'n2')?.id, firstLink(view, 'n2', 'n1')]).toEqual([
      true,
      'n1>n2',
      undefined,
    ])
    expect([areLinked(view, 'n1', 'n2', relation('ownership')), areLinked(view, 'n1', 'nope')]).toEqual([false, false])
  })

  test('A6 nodes by value, with and without an index', () => {
    expect([ids(nodesWith(view, 'Type', 'intf')), ids(nodesWith(view, 'Value', 1)), firstNodeWith(view, 'Value', 9)]).toEqual([
      'n1/n2',
      'n1',
      undefined,
    ])
  })

  test('A8 parents and children', () => {
    expect([ids(parentsOf(view, 'n4')), ids(childrenOf(view, 'n2')), ids(childrenOf(view, 'nope'))]).toEqual([
      'n3/n2',
      'n3/n4',
      '',
    ])
    expect(ids(parentsOf(view, 'n4', undefined, (node) => node.metadata['Type'] === 'intf'))).toBe('n2')
  })

  test('A9 A10 shortest paths', () => {
    const value = (wanted: number) => (node: GraphNode) => node.metadata['Value'] === wanted
    expect([
      ids(shortestPath(view, 'n4', value(1))),
      ids(shortestPath(view, 'n4', value(4))),
      ids(shortestPath(view, 'n4', value(9))),
      ids(shortestPath(view, 'n4', value(1), () => false)),
    ]).toEqual(['n4/n2/n1', 'n4', '', ''])
  })

  test('A13 a tree of 1,112 nodes with one closing edge', () => {
    const tree = createGraph()
    tree.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
      tx.addNode({ id: 'r', metadata: {} })
      let level = ['r']
      for (let depth = 0; depth < 3; depth++) {
        level = level.flatMap((parent) =>
          Array.from({ length: 10 }, (_, i) => {
            const id = `${parent}.${i}`
            tx.addNode({ id, metadata: {} })
            tx.addEdge({ parent, child: id, metadata: {} })
            return id
          }),
        )
      }
      tx.addNode({ id: 'end', metadata: {} })
      tx.addEdge({ parent: 'r.9.9.9', child: 'end', metadata: {} })
    })
    const is = (id: string) => (node: GraphNode) => node.id === id
    expect([shortestPath(tree.view, 'r', is('end')).length, shortestPath(tree.view, 'end', is('r')).length]).toEqual([5, 5])
  })
})

describe('a replica', () => {
  const node = (id: string, revision: number, metadata: Metadata = {}, origin = 'agent.beta'): GraphNode => ({
    kind: 'node',
    id,
    metadata,
    host: 'beta',
    origin,
    createdAtMs: 5,
    updatedAtMs: 5 + revision,
    deletedAtMs: null,
    revision,
  })
  const edge = (id: string, parent: string, child: string): GraphEdge => ({ ...node(id, 1), kind: 'edge', parent, child })

  test('keeps ids, times and revisions, and applies only what is newer', () => {
    const { graph } = fixture()
    const replica = graph.replica('agent.beta')
    const patch = (revision: number): ReplicaChange => ({
      kind: 'node-patched',
      id: 'a',
      revision,
      updatedAtMs: 9,
      ops: [{ op: 'set', key: 'State', value: 'UP' }],
    })
    const changes: readonly ReplicaChange[] = [
      { kind: 'node-added', node: node('a', 3, { Name: 'a' }) },
      { kind: 'node-added', node: node('a', 7) },
      { kind: 'node-updated', node: node('a', 3, { Name: 'old' }) },
      { kind: 'node-updated', node: node('a', 4, { Name: 'b' }) },
      patch(4),
      patch(5),
      { kind: 'node-updated', node: node('x', 1) },
      { kind: 'edge-added', edge: edge('e', 'a', 'x') },
      { kind: 'edge-updated', edge: edge('e', 'a', 'x') },
      { kind: 'edge-deleted', edge: edge('e', 'a', 'x') },
    ]
    const { applied, ignored, refused } = replica.apply(changes)
    expect({ applied, ignored, refused: refused.map(({ reason }) => reason) }).toEqual({
      applied: 3,
      ignored: 4,
      refused: ['Node not found', 'Child node not found', 'Edge not found'],
    })
    expect(graph.view.node(graph.view.nodeOrdinal('a'))).toEqual({
      ...node('a', 5, { Name: 'b', State: 'UP' }),
      updatedAtMs: 9,
    })
  })

  test('sync touches nothing that is equal, and deletes what is missing', () => {
    const { graph, writer, batches } = fixture()
    add(writer, { mine: {} })
    const replica = graph.replica('agent.beta')
    replica.sync([node('a', 1), node('b', 1), node('c', 1)], [edge('ab', 'a', 'b'), edge('bc', 'b', 'c')])
    const kept = graph.view.node(graph.view.nodeOrdinal('a'))
    replica.sync([node('a', 1), node('b', 2, { x: 1 }), node('d', 1)], [edge('ab', 'a', 'b')])
    expect(kinds(batches[2])).toEqual(['edge-deleted bc', 'node-deleted c', 'node-updated b', 'node-added d'])
    expect(graph.view.node(graph.view.nodeOrdinal('a'))).toBe(kept)
    expect([replica.clear(), graph.stats().nodes]).toEqual([3, 1])
  })

  test('sync takes what was made anew, whose revisions began at 1 again', () => {
    const { graph, batches } = fixture()
    const replica = graph.replica('agent.beta')
    const captured = { Captures: [{ ID: 'c1', State: 'active' }] }
    replica.sync([node('a', 18, captured), node('b', 1)], [edge('ab', 'a', 'b')])
    const again = { ...node('a', 3, { Name: 'a' }), createdAtMs: 7 }
    replica.sync([again, node('b', 1)], [edge('ab', 'a', 'b')])
    expect(kinds(batches[1])).toEqual(['edge-deleted ab', 'node-deleted a', 'node-added a', 'edge-added ab'])
    expect(graph.view.node(graph.view.nodeOrdinal('a'))).toEqual(again)
    // What it tells from then on is newer than what it told at first.
    expect(replica.apply([{ kind: 'node-updated', node: { ...again, revision: 4 } }])).toMatchObject({ applied: 1, ignored: 0 })
  })
})

describe('metadata that is handed over', () => {
  test('is taken as it is, while what is given is copied', () => {
    const { graph, writer } = fixture()
    const [given, own, ofEdge] = [{ Name: 'a' }, { Name: 'b', Features: { gro: true } }, { RelationType: 'layer2' }]
    writer.transaction((tx) => {
      tx.addNode({ id: 'a', metadata: given })
      tx.addNode({ id: 'b', metadata: own, handedOver: true })
      tx.addEdge({ id: 'e', parent: 'a', child: 'b', metadata: ofEdge, handedOver: true })
    })
    const { view } = graph
    const held = [view.node(view.nodeOrdinal('a')), view.node(view.nodeOrdinal('b')), view.edge(view.edgeOrdinal('e'))]
    expect(held.map(({ metadata }) => metadata)).toEqual([given, own, ofEdge])
    expect(held.map(({ metadata }) => [given, own, ofEdge].some((object) => object === metadata))).toEqual([false, true, true])
  })

  test('is revised without being changed', () => {
    const { graph, writer } = fixture()
    const own = { Name: 'a', Features: { gro: true } }
    writer.transaction((tx) => tx.addNode({ id: 'a', metadata: own, handedOver: true }))
    writer.transaction((tx) => tx.patchNode('a', { 'Features.gro': false }))
    expect([own, graph.view.node(0).metadata]).toEqual([
      { Name: 'a', Features: { gro: true } },
      { Name: 'a', Features: { gro: false } },
    ])
  })
})

test.each([
  ['Kind', { Kind: 'b' }, 'b'],
  ['Kind.Of', { 'Kind.Of': 7 }, 7],
  ['Kin', { Kin: 'x', Other: 1 }, 'x'],
  ['@Revision', { Other: 1 }, 2],
  ['@UpdatedAt', { Other: 1 }, 2000],
])('an index of %s follows the patch %j', (key, patch, value) => {
  const clock = { ms: 1000 }
  const graph = createGraph({ clock: { now: () => clock.ms }, nodeIndexes: [key] })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    tx.addNode({ id: 'a', metadata: { Other: 0, ...(key === 'Kind.Of' && { Kind: { Of: 1 } }) } })
  })
  expect(graph.view.nodeCardinality(key, value)).toBe(0)
  clock.ms = 2000
  writer.transaction((tx) => {
    tx.patchNode('a', patch)
  })
  expect(graph.view.nodeCardinality(key, value)).toBe(1)
})
