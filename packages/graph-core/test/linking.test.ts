import { describe, expect, test } from '@jest/globals'
import type { GraphTransaction, GraphWriter, Metadata } from '@skydive/contracts'
import fc from 'fast-check'
import { createGraph, edgesOf, firstLink, type Graph } from '../src/index.ts'
import { Indexer, MetadataIndexer, MetadataLinker, nodeEventsOf, Processor, ResourceLinker } from '../src/linking.ts'

interface World {
  readonly graph: Graph
  readonly writer: GraphWriter
  write(body: (tx: GraphTransaction) => void): void
}

function world(): World {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  return { graph, writer, write: (body) => writer.transaction(body) }
}

const ids = (matches: readonly { readonly node: { readonly id: string } }[]) => matches.map(({ node }) => node.id).sort()
const links = ({ graph }: World) => {
  const found: string[] = []
  graph.view.forEachEdge((row) => {
    const { parent, child } = graph.view.edge(row)
    found.push(`${parent}-${child}`)
    return true
  })
  return found.sort()
}

describe('an index over metadata', () => {
  test('A25: a MAC finds the nodes that have it, of those with MAC and TID', () => {
    const { graph, write } = world()
    const index = new Indexer({
      source: nodeEventsOf(graph),
      entriesOf: ({ metadata: { MAC, TID } }) => (MAC && TID ? [{ key: [MAC], value: TID }] : []),
    })
    index.start()
    write((tx) => {
      tx.addNode({ id: 'a', metadata: { MAC: '00:01', TID: 'ta' } })
      tx.addNode({ id: 'b', metadata: { MAC: '00:02', TID: 'tb' } })
      tx.addNode({ id: 'c', metadata: { MAC: '00:02', TID: 'tc' } })
      tx.addNode({ id: 'd', metadata: { MAC: '00:01' } })
    })
    expect(index.get('00:01').map(({ node, value }) => [node.id, value])).toEqual([['a', 'ta']])
    expect(ids(index.get('00:02'))).toEqual(['b', 'c'])
    write((tx) => tx.deleteNode('b'))
    expect(ids(index.get('00:02'))).toEqual(['c'])
    index.stop()
    expect(index.get('00:02')).toEqual([])
    expect(graph.stats().listeners).toBe(0)
  })

  test('A26: three paths together', () => {
    const { graph, write } = world()
    const label = (name: string) => `Docker.Labels.io.kubernetes.${name}`
    const index = new MetadataIndexer({
      source: nodeEventsOf(graph),
      paths: [label('pod.namespace'), label('pod.name'), label('container.name')],
    })
    index.start()
    write((tx) => {
      const Docker = { Labels: { io: { kubernetes: { pod: { namespace: 'ns', name: 'web-1' }, container: { name: 'nginx' } } } } }
      tx.addNode({ id: 'c', metadata: { Docker } })
      tx.addNode({
        id: 'pod',
        metadata: { Docker: { Labels: { io: { kubernetes: { pod: { namespace: 'ns', name: 'web-1' } } } } } },
      })
    })
    expect(ids(index.get('ns', 'web-1', 'nginx'))).toEqual(['c'])
    expect(ids(index.get('ns', 'web-1'))).toEqual([])
  })

  test('A27: an array of objects, each entry of which finds the node while it is there', () => {
    const { graph, write } = world()
    const index = new MetadataIndexer({ source: nodeEventsOf(graph), paths: ['VFS.MAC'] })
    index.start()
    write((tx) => tx.addNode({ id: 'n', metadata: { VFS: [{ MAC: 'm1' }, { MAC: 'm2' }] } }))
    expect([ids(index.get('m1')), ids(index.get('m2'))]).toEqual([['n'], ['n']])
    write((tx) => tx.patchNode('n', { VFS: [{ MAC: 'm2' }] }))
    expect([ids(index.get('m1')), ids(index.get('m2'))]).toEqual([[], ['n']])
    write((tx) => tx.patchNode('n', { VFS: undefined }))
    expect([ids(index.get('m1')), ids(index.get('m2'))]).toEqual([[], []])
  })

  test('is a source: a node enters once and leaves once', () => {
    const { graph, write } = world()
    const index = new MetadataIndexer({ source: nodeEventsOf(graph), paths: ['MAC'] })
    const chained = new MetadataIndexer({ source: index, paths: ['Name'] })
    const seen: string[] = []
    index.start()
    chained.start()
    chained.subscribe((events) => seen.push(...events.map(({ kind, node }) => `${kind} ${node.id}`)))
    write((tx) => tx.addNode({ id: 'n', metadata: { Name: 'eth0' } }))
    write((tx) => tx.patchNode('n', { MAC: 'm' }))
    write((tx) => tx.patchNode('n', { MTU: 1 }))
    write((tx) => tx.patchNode('n', { MAC: undefined }))
    write((tx) => tx.deleteNode('n'))
    expect(seen).toEqual(['added n', 'updated n', 'deleted n'])
  })

  test('one that only grows keeps what a node was found under', () => {
    const { graph, write } = world()
    const index = new MetadataIndexer({ source: nodeEventsOf(graph), paths: ['MAC'], appendOnly: true })
    index.start()
    write((tx) => tx.addNode({ id: 'n', metadata: { MAC: 'm1' } }))
    write((tx) => tx.patchNode('n', { MAC: 'm2' }))
    expect([ids(index.get('m1')), ids(index.get('m2'))]).toEqual([['n'], ['n']])
    write((tx) => tx.deleteNode('n'))
    expect([ids(index.get('m1')), ids(index.get('m2'))]).toEqual([[], []])
  })

  test('without a path is refused, and too many combinations are', () => {
    const { graph, write } = world()
    const source = nodeEventsOf(graph)
    expect(() => new MetadataIndexer({ source, paths: [] })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    const many = Array.from({ length: 101 }, (_, i) => i)
    write((tx) => tx.addNode({ id: 'n', metadata: { A: many, B: many } }))
    expect(() => new MetadataIndexer({ source, paths: ['A', 'B'] }).start()).toThrow(
      expect.objectContaining({ code: 'ERR_LIMIT' }),
    )
  })
})

describe('links that are kept', () => {
  const family = { RelationType: 'layer2' }

  test('A28: there is one link when both ends are there, whichever comes first', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const here = world()
      const linker = new ResourceLinker({
        writer: here.writer,
        metadata: family,
        from: { source: nodeEventsOf(here.graph), linksOf: ({ id }) => (id === 'a' ? [{ parent: 'a', child: 'b' }] : []) },
        to: { source: nodeEventsOf(here.graph), linksOf: ({ id }) => (id === 'b' ? [{ parent: 'a', child: 'b' }] : []) },
      })
      linker.start()
      for (const id of order) here.write((tx) => tx.addNode({ id, metadata: {} }))
      expect(links(here)).toEqual(['a-b'])
      here.write((tx) => tx.deleteNode('b'))
      expect([links(here), linker.size]).toEqual([[], 0])
      here.write((tx) => tx.addNode({ id: 'b', metadata: {} }))
      expect(links(here)).toEqual(['a-b'])
      expect(firstLink(here.graph.view, 'a', 'b')?.metadata).toEqual(family)
      linker.stop()
      here.write((tx) => tx.deleteNode('b'))
      here.write((tx) => tx.addNode({ id: 'b', metadata: {} }))
      expect(links(here)).toEqual([])
    }
  })

  test('A29: a link goes when the name no longer matches, what others have linked stays', () => {
    const here = world()
    here.write((tx) => {
      tx.addNode({ id: 'root', metadata: {} })
      tx.addNode({ id: 'other', metadata: { Name: 'no' } })
      tx.addEdge({ id: 'hand', parent: 'root', child: 'other', metadata: family })
    })
    const linker = new ResourceLinker({
      writer: here.writer,
      metadata: family,
      to: {
        source: nodeEventsOf(here.graph),
        linksOf: ({ id, metadata }) => (metadata['Name'] === 'yes' ? [{ parent: 'root', child: id, metadata: { Rank: 1 } }] : []),
      },
    })
    linker.start()
    here.write((tx) => tx.addNode({ id: 'n', metadata: { Name: 'yes' } }))
    expect(links(here)).toEqual(['root-n', 'root-other'])
    expect(firstLink(here.graph.view, 'root', 'n')?.metadata).toEqual({ Rank: 1, RelationType: 'layer2' })
    here.write((tx) => tx.patchNode('n', { Name: 'no' }))
    expect(links(here)).toEqual(['root-other'])
  })

  test('one strategy that throws is told, the other nodes are linked', () => {
    const here = world()
    const errors: unknown[] = []
    const linker = new ResourceLinker({
      writer: here.writer,
      metadata: family,
      to: {
        source: nodeEventsOf(here.graph),
        linksOf({ id }) {
          if (id === 'bad') throw new Error('no strategy')
          return id === 'root' ? [] : [{ parent: 'root', child: id }]
        },
      },
      onError: (error) => errors.push((error as Error).message),
    })
    linker.start()
    here.write((tx) => {
      for (const id of ['root', 'bad', 'good']) tx.addNode({ id, metadata: {} })
    })
    expect([links(here), errors]).toEqual([['root-good'], ['no strategy']])
  })

  function byName(here: World, paths: { readonly from: string; readonly to: string }): MetadataLinker {
    return new MetadataLinker({
      writer: here.writer,
      from: new MetadataIndexer({ source: nodeEventsOf(here.graph), paths: [paths.from] }),
      to: new MetadataIndexer({ source: nodeEventsOf(here.graph), paths: [paths.to] }),
      metadata: family,
    })
  }

  test('A30: a link follows the key', () => {
    const here = world()
    byName(here, { from: 'Name', to: 'ParentHost' }).start()
    here.write((tx) => {
      tx.addNode({ id: 'n1', metadata: { Name: 'one' } })
      tx.addNode({ id: 'n2', metadata: { Name: 'two' } })
      tx.addNode({ id: 'n3', metadata: { ParentHost: 'one' } })
    })
    expect(links(here)).toEqual(['n1-n3'])
    here.write((tx) => tx.patchNode('n3', { ParentHost: 'two' }))
    expect(links(here)).toEqual(['n2-n3'])
  })

  test('A31: arrays on either side', () => {
    const here = world()
    byName(here, { from: 'Names', to: 'Wants' }).start()
    here.write((tx) => {
      tx.addNode({ id: 'a', metadata: { Names: ['x', 'y'] } })
      tx.addNode({ id: 'b', metadata: { Wants: ['y', 'z'] } })
      tx.addNode({ id: 'c', metadata: { Wants: ['z'] } })
    })
    expect(links(here)).toEqual(['a-b'])
    here.write((tx) => tx.patchNode('a', { Names: ['z'] }))
    expect(links(here)).toEqual(['a-b', 'a-c'])
    here.write((tx) => tx.patchNode('b', { Wants: ['x'] }))
    expect(links(here)).toEqual(['a-c'])
    here.write((tx) => tx.patchNode('a', { Names: undefined }))
    expect(links(here)).toEqual([])
  })

  test('W52: two families between the same nodes have links of their own', () => {
    const here = world()
    const make = (metadata: Metadata) =>
      new MetadataLinker({
        writer: here.writer,
        from: new MetadataIndexer({ source: nodeEventsOf(here.graph), paths: ['Name'] }),
        to: new MetadataIndexer({ source: nodeEventsOf(here.graph), paths: ['Wants'] }),
        metadata,
      })
    make({ RelationType: 'layer2' }).start()
    make({ RelationType: 'vlayer2', Family: 1 }).start()
    here.write((tx) => {
      tx.addNode({ id: 'a', metadata: { Name: 'x' } })
      tx.addNode({ id: 'b', metadata: { Wants: 'x' } })
    })
    expect(edgesOf(here.graph.view, 'a').map(({ metadata }) => metadata['RelationType'])).toEqual(['layer2', 'vlayer2'])
  })

  test('after any changes the links are those of a join', () => {
    const key = fc.constantFrom('x', 'y', 'z')
    const keys = fc.option(fc.oneof(key, fc.array(key, { maxLength: 2 })), { nil: undefined })
    const id = fc.constantFrom('a', 'b', 'c', 'd')
    const change = fc.oneof(
      fc.tuple(id, keys, keys).map(([node, Has, Wants]) => ({ node, Has, Wants })),
      id.map((node) => ({ node, gone: true as const })),
    )
    fc.assert(
      fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), (steps) => {
        const here = world()
        const linker = byName(here, { from: 'Has', to: 'Wants' })
        linker.start()
        for (const step of steps) {
          here.write((tx) => {
            for (const one of step) {
              if ('gone' in one) tx.deleteNode(one.node)
              else {
                const { Has, Wants } = one
                tx.putNode({
                  id: one.node,
                  metadata: { ...(Has !== undefined && { Has }), ...(Wants !== undefined && { Wants }) },
                })
              }
            }
          })
          const joined: string[] = []
          const nodes = [...nodeEventsOf(here.graph).nodes()]
          for (const parent of nodes) {
            for (const child of nodes) {
              const has = [parent.metadata['Has'] ?? []].flat()
              const wants = [child.metadata['Wants'] ?? []].flat()
              if (has.some((one) => wants.includes(one))) joined.push(`${parent.id}-${child.id}`)
            }
          }
          expect(links(here)).toEqual(joined.sort())
          expect(linker.size).toBe(joined.length)
        }
        linker.stop()
        expect(here.graph.stats().listeners).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('actions on nodes that come later', () => {
  test('A32: once, later, and as often as wanted', () => {
    const here = world()
    const processor = new Processor({
      source: nodeEventsOf(here.graph),
      paths: ['MAC'],
      matches: ({ metadata }) => metadata['Type'] === 'device',
    })
    processor.start()
    const add = (id: string, Type: string, MAC: string) => here.write((tx) => tx.addNode({ id, metadata: { Type, MAC } }))
    const marks: string[] = []
    add('present', 'device', 'm1')
    processor.doAction(({ id }) => {
      marks.push(`once ${id}`)
      return false
    }, 'm1')
    processor.doAction(({ id }) => {
      marks.push(`later ${id}`)
      return false
    }, 'm2')
    let budget = 3
    processor.doAction(({ id }) => {
      marks.push(`three ${id}`)
      return --budget > 0
    }, 'm3')
    processor.doAction(() => marks.push('never') > 0, 'm4')
    expect(processor.pending).toBe(3)
    processor.cancel('m4')
    add('other', 'bridge', 'm2')
    for (const [i, mac] of ['m2', 'm3', 'm3', 'm3', 'm3', 'm4'].entries()) add(`n${i}`, 'device', mac)
    expect(marks).toEqual(['once present', 'later n0', 'three n1', 'three n2', 'three n3'])
    expect(processor.pending).toBe(0)
    processor.stop()
    expect(here.graph.stats().listeners).toBe(0)
  })

  test('an action may write, and ask for more', () => {
    const here = world()
    const processor = new Processor({ source: nodeEventsOf(here.graph), paths: ['MAC'] })
    processor.start()
    processor.doAction(({ id }) => {
      here.write((tx) => tx.patchNode(id, { Marked: true }))
      processor.doAction((next) => {
        here.write((tx) => tx.patchNode(next.id, { Again: true }))
        return false
      }, 'm')
      return false
    }, 'm')
    here.write((tx) => tx.addNode({ id: 'n', metadata: { MAC: 'm' } }))
    expect(here.graph.view.node(here.graph.view.nodeOrdinal('n')).metadata).toEqual({ MAC: 'm', Marked: true, Again: true })
    expect(processor.pending).toBe(0)
  })
})
