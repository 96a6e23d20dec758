import { describe, expect, test } from '@jest/globals'
import type { GraphEdge, GraphNode, Metadata } from '@skydive/contracts'
import type { EngineUpdate } from './messages.ts'
import { TopologyEngine } from './topology-engine.ts'

const common = { host: 'alpha', origin: 'agent.alpha', createdAtMs: 1, updatedAtMs: 2, deletedAtMs: null, revision: 1 } as const
const node = (id: string, Type: string, metadata: Metadata = {}): GraphNode => ({
  kind: 'node',
  ...common,
  id,
  metadata: { Type, Name: id, TID: `tid-${id}`, ...metadata },
})
const edge = (parent: string, child: string, RelationType = 'ownership'): GraphEdge => ({
  kind: 'edge',
  ...common,
  id: `${parent}>${child}`,
  parent,
  child,
  metadata: { RelationType },
})

// host ⊃ ns ⊃ eth0 – veth0 (in host) – br0 – veth1 (in host) – eth1 (in other)
const NODES = [
  node('host', 'host'),
  node('ns', 'netns'),
  node('other', 'netns'),
  node('eth0', 'veth', { IPV4: ['10.0.0.1/24'], MAC: '02:00:00:00:00:01' }),
  node('eth1', 'veth', { IPV4: ['10.0.0.2/24'] }),
  node('veth0', 'veth'),
  node('veth1', 'veth'),
  node('br0', 'bridge'),
]
const EDGES = [
  edge('host', 'ns'),
  edge('host', 'other'),
  edge('host', 'veth0'),
  edge('host', 'veth1'),
  edge('host', 'br0'),
  edge('ns', 'eth0'),
  edge('other', 'eth1'),
  edge('veth0', 'eth0', 'layer2'),
  edge('veth1', 'eth1', 'layer2'),
  edge('br0', 'veth0', 'layer2'),
  edge('br0', 'veth1', 'layer2'),
]

/** An engine with the graph above; what it told is kept, waiting work is done by `settle`. */
function engine() {
  const told: EngineUpdate[] = []
  const waiting: (() => void)[] = []
  const made = new TopologyEngine({
    post: (update) => told.push(structuredClone(update)),
    later: (callback) => waiting.push(callback),
    now: () => 0,
  })
  made.snapshot(NODES, EDGES)
  return {
    made,
    told,
    settle(): void {
      for (const callback of waiting.splice(0)) callback()
    },
    last<K extends EngineUpdate['kind']>(kind: K): EngineUpdate & { kind: K } {
      const found = told.findLast((update) => update.kind === kind)
      if (!found) throw new Error(`nothing of kind ${kind} was told`)
      return found as EngineUpdate & { kind: K }
    },
    tells(work: () => void): EngineUpdate[] {
      const before = told.length
      work()
      return told.slice(before)
    },
  }
}

describe('TopologyEngine', () => {
  test('a snapshot in parts shows nothing before the last one', () => {
    const told: string[] = []
    const made = new TopologyEngine({ post: ({ kind }) => told.push(kind), later: () => {}, now: () => 0 })
    made.snapshotPart(NODES, [], 0, 2)
    expect(told.filter((kind) => kind === 'scene')).toEqual([])
    made.snapshotPart([], EDGES, 1, 2)
    expect(told.filter((kind) => kind === 'scene')).toEqual(['scene'])
  })

  test('counts and the keys for completion', () => {
    const { last } = engine()
    expect(last('counts')).toEqual({ kind: 'counts', nodes: 8, edges: 11 })
    expect(last('keys')).toEqual({ kind: 'keys', keys: ['IPV4', 'MAC', 'Name', 'TID', 'Type'] })
  })

  test('several changes within a frame are one delta', () => {
    const { made, tells, settle, last } = engine()
    const patch = (revision: number, State: string) =>
      made.changes([
        { kind: 'node-patched', id: 'eth0', revision, updatedAtMs: 3, ops: [{ op: 'set', key: 'State', value: State }] },
      ])
    const before = tells(() => {
      patch(2, 'UP')
      patch(3, 'DOWN')
    })
    expect(before.filter(({ kind }) => kind === 'scene')).toEqual([])
    settle()
    const { delta } = last('scene')
    expect([delta.whole, delta.elements.map(({ id, state }) => `${id} ${state}`)]).toEqual([false, ['eth0 down']])
  })

  test('details: where it is, what it is joined to and where that is', () => {
    const { made, last } = engine()
    made.select('veth0')
    const { details } = last('details')
    expect(details && { path: details.path, neighbors: details.neighbors }).toEqual({
      path: [
        { id: 'host', label: 'host' },
        { id: 'veth0', label: 'veth0' },
      ],
      neighbors: [
        { id: 'eth0', label: 'eth0', relation: 'layer2', outgoing: true, where: 'host ⊃ ns' },
        { id: 'br0', label: 'br0', relation: 'layer2', outgoing: false, where: 'host' },
      ],
    })
    expect(last('emphasis').lines).toEqual([
      { from: 'veth0', to: 'eth0', relation: 'layer2' },
      { from: 'br0', to: 'veth0', relation: 'layer2' },
    ])
    made.select(undefined)
    expect([last('details').details, last('emphasis').lines]).toEqual([undefined, []])
  })

  test('hovering a folded container tells the lines that leave it', () => {
    const { made, last } = engine()
    made.setOpen('ns', false)
    made.hover('ns')
    expect(last('hover')).toEqual({ kind: 'hover', id: 'ns', lines: [{ from: 'veth0', to: 'ns', relation: 'layer2' }] })
    made.hover(undefined)
    expect(last('hover')).toEqual({ kind: 'hover', id: undefined, lines: [] })
  })

  test.each<[string, string, readonly string[]]>([
    ['the exact name stands before names that begin so', 'veth1', ['veth1']],
    ['names that begin so, by name', 'veth', ['veth0', 'veth1', 'eth0', 'eth1']],
    ['an address', '10.0.0.2', ['eth1']],
    ['a MAC, whatever the case', '02:00:00:00:00:01', ['eth0']],
    ['a type', 'netns', ['ns', 'other']],
    ['nothing at all', '  ', []],
    ['what is not there', 'zz', []],
  ])('search: %s', (_title, text, expected) => {
    const { made, last } = engine()
    made.search(text)
    expect(last('search').hits.map(({ id }) => id)).toEqual(expected)
  })

  test('a hit says where it is', () => {
    const { made, last } = engine()
    made.search('eth0')
    expect(last('search').hits[0]).toEqual({ id: 'eth0', label: 'eth0', type: 'veth', where: 'host ⊃ ns' })
  })

  test('highlighting by id or TID opens what hides it and brings it into sight', () => {
    const { made, last } = engine()
    made.setOpen('ns', false)
    made.highlight(['tid-eth0', 'br0', 'nobody'], false)
    expect([last('emphasis').highlighted, last('emphasis').focus]).toEqual([['ns', 'br0'], []])
    made.highlight(['tid-eth0', 'br0'], true)
    expect([last('emphasis').highlighted, last('emphasis').focus]).toEqual([
      ['eth0', 'br0'],
      ['eth0', 'br0'],
    ])
    made.highlight([], false)
    expect(last('emphasis').highlighted).toEqual([])
  })

  test('a followed flow marks the nodes of its way and the lines between them', () => {
    const { made, last } = engine()
    made.follow(['tid-eth0', 'tid-veth0', 'tid-eth1'])
    const { highlighted, way } = last('emphasis')
    expect([...highlighted].sort()).toEqual(['br0', 'eth0', 'eth1', 'veth0', 'veth1'])
    expect(way.map(({ from, to }) => `${from} ${to}`)).toEqual(['veth0 eth0', 'br0 veth0', 'br0 veth1', 'veth1 eth1'])
    made.highlight([], false)
    expect(last('emphasis').way).toEqual([])
  })

  test('what lies between the ends is passed the nearest first, in whatever order it is told', () => {
    const { made, last } = engine()
    made.follow(['tid-eth0', 'tid-eth1', 'tid-veth1', 'tid-veth0', 'tid-eth0', 'tid-eth1'])
    const { highlighted, way } = last('emphasis')
    expect([...highlighted].sort()).toEqual(['br0', 'eth0', 'eth1', 'veth0', 'veth1'])
    expect(way.map(({ from, to }) => `${from} ${to}`)).toEqual(['veth0 eth0', 'br0 veth0', 'br0 veth1', 'veth1 eth1'])
  })

  test('a way that breaks off goes on at the next stop', () => {
    const { made, last } = engine()
    made.follow(['tid-other', 'tid-eth1', 'tid-veth1', 'tid-other'])
    const { highlighted, way } = last('emphasis')
    expect([...highlighted].sort()).toEqual(['eth1', 'other', 'veth1'])
    expect(way.map(({ from, to }) => `${from} ${to}`)).toEqual(['veth1 eth1'])
  })

  test('ends without a way between them are marked alone', () => {
    const { made, last } = engine()
    made.follow(['tid-eth0', 'tid-other', 'tid-nobody'])
    expect([[...last('emphasis').highlighted].sort(), last('emphasis').way]).toEqual([['eth0', 'other'], []])
  })

  test('the past is shown instead of the present, which goes on behind it', () => {
    const { made, last, tells, settle } = engine()
    made.showPast(1_000, { nodes: [node('host', 'host'), node('gone', 'veth')], edges: [edge('host', 'gone')] })
    expect([
      last('time').atMs,
      last('scene')
        .delta.elements.map(({ id }) => id)
        .sort(),
    ]).toEqual([1_000, ['gone', 'host']])
    const while_ = tells(() => {
      made.changes([{ kind: 'node-added', node: node('new', 'veth') }])
      settle()
    })
    expect(while_.filter(({ kind }) => kind === 'scene')).toEqual([])
    made.search('new')
    expect(last('search').hits).toEqual([])
    made.timeError('no history')
    expect(last('time')).toEqual({ kind: 'time', atMs: 1_000, error: 'no history' })
    made.showPast(undefined)
    expect([last('time').atMs, last('counts').nodes, last('scene').delta.elements.some(({ id }) => id === 'new')]).toEqual([
      undefined,
      9,
      true,
    ])
  })

  test('a snapshot after a broken line keeps selection, places and foldings', () => {
    const { made, last } = engine()
    made.select('eth1')
    made.setOpen('ns', false)
    const before = new Map(last('scene').delta.elements.map((element) => [element.id, element]))
    made.snapshot(NODES, EDGES)
    const { delta } = last('scene')
    expect([delta.whole, last('details').details?.id]).toEqual([true, 'eth1'])
    expect(delta.elements.find(({ id }) => id === 'ns')).toEqual(before.get('ns'))
  })

  test('the layout can be kept and given to the next engine', () => {
    const { made, last } = engine()
    made.saveLayout()
    const { layout } = last('layout')
    const places: string[] = []
    const next = new TopologyEngine(
      {
        post: (update) => {
          if (update.kind === 'scene') places.push(...update.delta.elements.map(({ id, x, y }) => `${id} ${x} ${y}`))
        },
        later: () => {},
        now: () => 0,
      },
      layout,
    )
    next.snapshot([...NODES].reverse(), [...EDGES].reverse())
    const first = engine()
      .last('scene')
      .delta.elements.map(({ id, x, y }) => `${id} ${x} ${y}`)
    expect(places.sort()).toEqual(first.sort())
  })
})
