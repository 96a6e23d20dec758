import { describe, expect, test } from '@jest/globals'
import type { Flow, Metadata } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { PlaceIndex } from './place-index.ts'

const flow = (over: Partial<Flow>): Flow => ({
  UUID: 'f',
  Start: 0,
  Last: 1_000,
  ParentUUID: '',
  RawPacketsCaptured: 0,
  NodeTID: 'tid-v0',
  ...over,
})

/** A graph with two namespaces joined by a cable, and the index that follows it. Times are what the test says. */
function twoNamespaces() {
  const clock = { nowMs: 0, now: () => clock.nowMs }
  const graph = createGraph({ clock })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const index = new PlaceIndex()
  index.follow(graph)
  const add = (id: string, metadata: Metadata, owner?: string) =>
    writer.transaction((tx) => {
      tx.addNode({ id, metadata: { Name: id, TID: `tid-${id}`, ...metadata } })
      if (owner) tx.own(owner, id)
    })
  add('x', { Type: 'netns' })
  add('y', { Type: 'netns' })
  add('v0', { Type: 'veth', MAC: '02:00:00:00:00:01', IPV4: ['10.0.0.1/24'] }, 'x')
  add('v1', { Type: 'veth', MAC: '02:00:00:00:00:02', IPV4: ['10.0.0.2/24'], IPV6: ['fd00::2/64'] }, 'y')
  return { clock, graph, writer, index, add }
}

const names = (places: ReturnType<PlaceIndex['placesOf']>) => [places.capture?.name, places.a?.name, places.b?.name]
const link = (A: string, B: string) => ({ Protocol: 'ETHERNET' as const, A, B, ID: 0 })
const network = (A: string, B: string) => ({ Protocol: 'IPV4' as const, A, B, ID: 0 })

describe('placesOf', () => {
  test('capture by TID, ends by MAC', () => {
    const { index } = twoNamespaces()
    expect(index.placesOf(flow({ Link: link('02:00:00:00:00:01', '02:00:00:00:00:02') }))).toEqual({
      capture: { tid: 'tid-v0', name: 'v0', type: 'veth', host: 'alpha' },
      a: { tid: 'tid-v0', name: 'v0', type: 'veth', host: 'alpha' },
      b: { tid: 'tid-v1', name: 'v1', type: 'veth', host: 'alpha' },
    })
  })

  test('a MAC that only a peer has, then an address', () => {
    const { index, add } = twoNamespaces()
    add('port', { Type: 'ovsport', PeerIntfMAC: '02:00:00:00:00:09' })
    expect(
      names(
        index.placesOf(flow({ Link: link('02:00:00:00:00:09', 'ff:ff:ff:ff:ff:ff'), Network: network('1.1.1.1', '10.0.0.2') })),
      ),
    ).toEqual(['v0', 'port', 'v1'])
    expect(names(index.placesOf(flow({ Network: { ...network('fd00::2', 'fd00::9'), Protocol: 'IPV6' } })))).toEqual([
      'v0',
      'v1',
      undefined,
    ])
  })

  test('an address counts in the namespace of the capture first, and never on another host', () => {
    const { graph, index, add } = twoNamespaces()
    add('other', { Type: 'veth', IPV4: ['10.0.0.7/24'] }, 'y')
    add('own', { Type: 'veth', IPV4: ['10.0.0.7/24'] }, 'x')
    graph
      .writer({ origin: 'agent.beta', host: 'beta' })
      .transaction((tx) => tx.addNode({ id: 'far', metadata: { Name: 'far', TID: 'tid-far', IPV4: ['10.0.0.8/24'] } }))
    expect(names(index.placesOf(flow({ Network: network('10.0.0.7', '10.0.0.8') })))).toEqual(['v0', 'own', undefined])
  })

  test('of several nodes with one MAC the captured one, then one that lived then', () => {
    const { clock, writer, index, add } = twoNamespaces()
    add('br', { Type: 'bridge', MAC: '02:00:00:00:00:01' }, 'x')
    expect(names(index.placesOf(flow({ Link: link('02:00:00:00:00:01', '') })))[1]).toBe('v0')
    clock.nowMs = 2_000
    writer.transaction((tx) => tx.deleteNode('v1'))
    add('w1', { Type: 'veth', MAC: '02:00:00:00:00:02' }, 'x')
    expect(names(index.placesOf(flow({ Link: link('', '02:00:00:00:00:02'), Last: 5_000 })))[2]).toBe('w1')
  })

  test('a node that is gone is still found, and forgotten after a quarter of an hour', () => {
    const { clock, writer, index, add } = twoNamespaces()
    writer.transaction((tx) => {
      tx.deleteNode('v0')
      tx.deleteNode('x')
    })
    expect(names(index.placesOf(flow({ Link: link('02:00:00:00:00:01', '02:00:00:00:00:02') })))).toEqual(['v0', 'v0', 'v1'])
    clock.nowMs = 16 * 60_000
    add('z', { Type: 'netns' })
    expect(names(index.placesOf(flow({ Link: link('02:00:00:00:00:01', '02:00:00:00:00:02') })))).toEqual([
      undefined,
      undefined,
      'v1',
    ])
  })

  test('a changed MAC or address is followed', () => {
    const { writer, index } = twoNamespaces()
    writer.transaction((tx) => tx.patchNode('v1', { MAC: '02:00:00:00:00:22', IPV4: ['10.0.0.22/24'] }))
    expect(
      names(
        index.placesOf(flow({ Link: link('02:00:00:00:00:02', '02:00:00:00:00:22'), Network: network('10.0.0.2', '1.1.1.1') })),
      ),
    ).toEqual(['v0', undefined, 'v1'])
  })

  test('a graph that is there already is taken up', () => {
    const { graph } = twoNamespaces()
    const late = new PlaceIndex()
    late.follow(graph)
    expect(names(late.placesOf(flow({ Link: link('02:00:00:00:00:01', '02:00:00:00:00:02') })))).toEqual(['v0', 'v0', 'v1'])
  })
})

describe('the exporter of a flow that a collector was told of', () => {
  const exporter = (Address: string, Input = 0, Output = 0) => ({ Address, Input, Output })
  /** The collector listens at v0 in x; a router has two interfaces in the namespace r of the same host, another one is on another host. */
  function routers() {
    const { graph, writer, index, add } = twoNamespaces()
    add('r', { Type: 'netns' })
    add('r-lan', { Type: 'veth', IfIndex: 2, IPV4: ['10.0.0.254/24'] }, 'r')
    add('r-wan', { Type: 'veth', IfIndex: 3, IPV4: ['192.0.2.1/24'], IPV6: ['2001:db8::1/64'] }, 'r')
    add('x-lo', { Type: 'device', IfIndex: 1, IPV4: ['127.0.0.1/8'] }, 'x')
    add('x-2', { Type: 'device', IfIndex: 2 }, 'x')
    add('y-lo', { Type: 'device', IfIndex: 1, IPV4: ['127.0.0.1/8'] }, 'y')
    const far = graph.writer({ origin: 'agent.beta', host: 'beta' })
    far.transaction((tx) => {
      for (const [id, ifIndex, address] of [
        ['b-0', 2, '198.51.100.1/24'],
        ['b-1', 3, '198.51.100.129/25'],
      ] as const) {
        tx.addNode({ id, metadata: { Name: id, TID: `tid-${id}`, Type: 'device', IfIndex: ifIndex, IPV4: [address] } })
      }
    })
    return { index, writer }
  }
  const shown = (index: PlaceIndex, Exporter: ReturnType<typeof exporter>) => {
    const { address, inputIndex, outputIndex, node, input, output } = index.placesOf(flow({ Exporter })).exporter!
    return [address, inputIndex, outputIndex, node?.name, input?.name, output?.name]
  }

  test.each([
    ['both interfaces of a router in a namespace', exporter('10.0.0.254', 2, 3), ['r-lan', 'r-lan', 'r-wan']],
    ['whichever of its addresses it sends from', exporter('2001:db8::1', 3, 2), ['r-wan', 'r-wan', 'r-lan']],
    ['a router on another host', exporter('198.51.100.1', 2, 3), ['b-0', 'b-0', 'b-1']],
    ['an index that it does not tell, and one that nobody has', exporter('10.0.0.254', 0, 9), ['r-lan', undefined, undefined]],
    ['an address that nobody has', exporter('203.0.113.1', 2, 3), [undefined, undefined, undefined]],
    ['the own namespace of the collector for a loopback address', exporter('127.0.0.1', 2, 3), ['x-lo', 'x-2', undefined]],
  ])('%s', (_, told, nodes) => {
    const { index } = routers()
    expect(shown(index, told)).toEqual([told.Address, told.Input, told.Output, ...nodes])
  })

  test('an index that changes is followed', () => {
    const { index, writer } = routers()
    writer.transaction((tx) => tx.patchNode('r-lan', { IfIndex: 7 }))
    expect(shown(index, exporter('10.0.0.254', 2, 7))).toEqual(['10.0.0.254', 2, 7, 'r-lan', undefined, 'r-lan'])
  })

  test('stands in the places and no more in the flow', () => {
    const { index } = routers()
    const told = flow({ Exporter: exporter('10.0.0.254', 2, 0) })
    const plain = flow({})
    expect(index.enhance(told)).toEqual({
      flow: plain,
      places: {
        capture: { tid: 'tid-v0', name: 'v0', type: 'veth', host: 'alpha' },
        exporter: {
          address: '10.0.0.254',
          inputIndex: 2,
          outputIndex: 0,
          node: { tid: 'tid-r-lan', name: 'r-lan', type: 'veth', host: 'alpha' },
          input: { tid: 'tid-r-lan', name: 'r-lan', type: 'veth', host: 'alpha' },
        },
      },
    })
    expect(index.enhance(plain).flow).toBe(plain)
  })
})
