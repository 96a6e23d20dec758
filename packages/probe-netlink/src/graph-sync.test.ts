import { beforeEach, describe, expect, test } from '@jest/globals'
import type { NetworkNamespace, NodeIds } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { aLink } from '../test/samples.ts'
import type { Link } from './decode-link.ts'
import { type DeviceInfo, UNKNOWN_DEVICE } from './ethtool.ts'
import { GraphSync, type KernelQueries } from './graph-sync.ts'
import { Aspect } from './namespace-mirror.ts'
import { interfaceKey, WatchedNamespace } from './watched-namespace.ts'

const VETH: DeviceInfo = { ...UNKNOWN_DEVICE, driver: 'veth' }
/** How the namespaces call each other: the host's own is 9 to both, x is 1 and y is 2 to everybody. */
const [NSID_X, NSID_Y, NSID_HOST] = [1, 2, 9]

let graph: Graph
let host: WatchedNamespace
let x: WatchedNamespace
let y: WatchedNamespace
let sync: GraphSync
let nowMs: number
let ids: NodeIds & { readonly known: Map<string, string> }
/** What ethtool says; everything is a veth. */
let devices: Map<string, DeviceInfo>
/** What the kernel answers when one interface is read anew, by `namespace/index`. */
let kernelLinks: Map<string, Link>
let questions: string[]

function namespace(name: string): WatchedNamespace {
  const info: NetworkNamespace = {
    key: `key-${name}`,
    path: `/run/netns/${name}`,
    name,
    nodeId: `node-${name}`,
    tid: `tid-${name}`,
  }
  return new WatchedNamespace(info, name !== '')
}

beforeEach(() => {
  graph = createGraph()
  const writer = graph.writer({ origin: 'agent.test', host: 'test' })
  ;[host, x, y] = ['', 'x', 'y'].map(namespace) as [WatchedNamespace, WatchedNamespace, WatchedNamespace]
  writer.transaction((tx) => {
    for (const { info } of [host, x, y]) tx.addNode({ id: info.nodeId, metadata: { Type: 'netns', Name: info.name } })
  })
  const known = new Map<string, string>()
  let count = 0
  ids = {
    known,
    idOf(key) {
      const id = known.get(key) ?? `id${count++}`
      known.set(key, id)
      return id
    },
    rename(from, to) {
      known.set(to, known.get(from)!)
      known.delete(from)
    },
    forget: (key) => void known.delete(key),
    retain() {},
  }
  devices = new Map()
  kernelLinks = new Map()
  questions = []
  const queries: KernelQueries = {
    devices: (_, links) => new Map(links.map((link) => [link.index, devices.get(link.name) ?? VETH])),
    resolve: (_, netnsid) =>
      new Map([
        [NSID_X, x],
        [NSID_Y, y],
        [NSID_HOST, host],
      ]).get(netnsid),
    link(where, index) {
      questions.push(`${where.info.name}/${index}`)
      return kernelLinks.get(`${where.info.name}/${index}`)
    },
  }
  nowMs = 1000
  sync = new GraphSync(writer, ids, queries, { maxRoutes: 10, maxNeighbors: 2 }, () => nowMs)
})

const flush = () => sync.flush([host, x, y])
/** The version counter's growth while `body` runs. */
const versionsOf = (body: () => void) => {
  const before = graph.cursor.version
  body()
  return graph.cursor.version - before
}
const node = (name: string) => {
  const { view } = graph
  let found: { id: string; metadata: Readonly<Record<string, unknown>>; owner: unknown } | undefined
  view.forEachNodeWith('Name', name, (ordinal) => {
    const { id, metadata } = view.node(ordinal)
    found = { id, metadata, owner: undefined }
    return true
  })
  view.forEachEdge((edge) => {
    if (view.edgeValue(edge, 'RelationType') !== 'ownership' || view.node(view.childOf(edge)).id !== found?.id) return true
    found = { ...found!, owner: view.nodeValue(view.parentOf(edge), 'Name') }
    return true
  })
  return found
}
/** `parent>child:Type` of each `layer2` edge. */
const joints = () => {
  const { view } = graph
  const found: string[] = []
  view.forEachEdge((edge) => {
    if (view.edgeValue(edge, 'RelationType') !== 'layer2') return true
    const ends = [view.parentOf(edge), view.childOf(edge)].map((ordinal) => view.nodeValue(ordinal, 'Name'))
    found.push(`${ends.join('>')}:${view.edgeValue(edge, 'Type') ?? ''}`)
    return true
  })
  return found.sort()
}

describe('an interface', () => {
  test('that comes is a node owned by its namespace, with a TID of its own', () => {
    x.mirror.applyLink(aLink({ index: 2, name: 'v0', counters: [5] }))
    expect(versionsOf(flush)).toBe(1)
    expect(node('v0')).toEqual({
      id: 'id0',
      owner: 'x',
      metadata: {
        Name: 'v0',
        Type: 'veth',
        EncapType: 'ether',
        IfIndex: 2,
        Driver: 'veth',
        State: 'UP',
        LinkFlags: ['UP', 'BROADCAST', 'MULTICAST'],
        MTU: 1500,
        MAC: '02:00:00:00:00:01',
        Metric: { RxPackets: 5 },
        TID: expect.any(String),
      },
    })
  })

  test('that says nothing new writes nothing', () => {
    x.mirror.applyLink(aLink({ index: 2 }))
    flush()
    x.mirror.touch(2, Aspect.all)
    expect(versionsOf(flush)).toBe(0)
  })

  test('that loses something loses the key', () => {
    x.mirror.applyLink(aLink({ index: 2, name: 'v0' }))
    x.mirror.applyAddress({ index: 2, family: 2, cidr: '10.0.0.1/24' })
    flush()
    x.mirror.removeAddress({ index: 2, family: 2, cidr: '10.0.0.1/24' })
    x.mirror.applyLink(aLink({ index: 2, name: 'v0', mtu: 9000 }))
    flush()
    expect([node('v0')!.metadata['IPV4'], node('v0')!.metadata['MTU']]).toEqual([undefined, 9000])
  })

  test('that goes is gone, and so is its id', () => {
    x.mirror.applyLink(aLink({ index: 2, name: 'v0' }))
    flush()
    x.mirror.removeLink(aLink({ index: 2, name: 'v0' }))
    flush()
    expect([node('v0'), ids.known.size]).toEqual([undefined, 0])
  })

  test('that goes and comes again between two looks is another node', () => {
    x.mirror.applyLink(aLink({ index: 2, name: 'v0' }))
    flush()
    x.mirror.removeLink(aLink({ index: 2, name: 'v0' }))
    x.mirror.applyLink(aLink({ index: 2, name: 'v0' }))
    expect([versionsOf(flush), node('v0')!.id]).toEqual([1, 'id1'])
  })

  test('shows no more neighbours than it may', () => {
    x.mirror.applyLink(aLink({ index: 2, name: 'v0' }))
    for (const ip of ['10.0.0.3', '10.0.0.1', '10.0.0.2']) {
      x.mirror.applyNeighbor({ family: 2, index: 2, state: 2, flags: 0, mac: '', ip, vlan: 0, vni: 0 })
    }
    flush()
    expect((node('v0')!.metadata['Neighbors'] as { IP: string }[]).map(({ IP }) => IP)).toEqual(['10.0.0.1', '10.0.0.2'])
  })
})

describe('a move between namespaces', () => {
  beforeEach(() => {
    host.mirror.applyLink(aLink({ index: 2, name: 'v0', kind: 'veth' }))
    flush()
  })
  const leave = () => host.mirror.removeLink(aLink({ index: 2, name: 'v0', newNetnsid: NSID_X, newIndex: 7 }))
  const arrive = () => x.mirror.applyLink(aLink({ index: 7, name: 'v0', kind: 'veth' }))

  test.each([
    ['in one look', () => {}],
    ['between two', () => flush()],
  ])('seen %s keeps the node; TID, owner and what its id is made from are of the new place', (_, between) => {
    const { id, metadata } = node('v0')!
    leave()
    between()
    arrive()
    flush()
    const after = node('v0')!
    expect({ id: after.id, owner: after.owner, index: after.metadata['IfIndex'], ids: [...ids.known] }).toEqual({
      id,
      owner: 'x',
      index: 7,
      ids: [[interfaceKey(x, 7, 'veth'), id]],
    })
    expect(after.metadata['TID']).not.toBe(metadata['TID'])
    expect(sync.moving).toBe(false)
  })

  test('through two namespaces at once ends in the last', () => {
    const { id } = node('v0')!
    leave()
    flush()
    x.mirror.applyLink(aLink({ index: 7, name: 'v0', kind: 'veth' }))
    x.mirror.removeLink(aLink({ index: 7, name: 'v0', kind: 'veth', newNetnsid: NSID_Y, newIndex: 8 }))
    y.mirror.applyLink(aLink({ index: 8, name: 'v0', kind: 'veth' }))
    flush()
    expect([node('v0')!.id, node('v0')!.owner]).toEqual([id, 'y'])
  })

  test('to where nobody looks is an end', () => {
    host.mirror.removeLink(aLink({ index: 2, name: 'v0', newNetnsid: 77 }))
    flush()
    expect([node('v0'), sync.moving]).toEqual([undefined, false])
  })

  test('that never arrives ends after two seconds', () => {
    leave()
    flush()
    nowMs += 1999
    flush()
    expect([node('v0') !== undefined, sync.moving]).toEqual([true, true])
    nowMs += 1
    flush()
    expect([node('v0'), sync.moving]).toEqual([undefined, false])
  })

  test('into a namespace that goes meanwhile ends', () => {
    leave()
    flush()
    sync.remove(x)
    expect([node('v0'), sync.moving]).toEqual([undefined, false])
  })
})

describe('edges', () => {
  test('a port has one to its master, until it leaves it', () => {
    devices.set('br0', UNKNOWN_DEVICE)
    x.mirror.applyLink(aLink({ index: 2, name: 'p0', master: 3 }))
    x.mirror.applyLink(aLink({ index: 3, name: 'br0', kind: 'bridge' }))
    flush()
    const during = joints()
    x.mirror.applyLink(aLink({ index: 2, name: 'p0' }))
    flush()
    expect([during, joints()]).toEqual([['br0>p0:'], []])
  })

  test('a pair is one edge, found by index and namespace, from the higher index (of equal ones: the lesser id) to the other', () => {
    x.mirror.applyLink(aLink({ index: 7, name: 'v0', link: 7, linkNetnsid: NSID_Y }))
    x.mirror.applyLink(aLink({ index: 8, name: 'stranger' }))
    y.mirror.applyLink(aLink({ index: 7, name: 'v1', link: 7, linkNetnsid: NSID_X }))
    y.mirror.applyLink(aLink({ index: 8, name: 'w0', link: 9 }))
    y.mirror.applyLink(aLink({ index: 9, name: 'w1', link: 8 }))
    flush()
    expect({ joints: joints(), questions }).toEqual({ joints: ['v0>v1:veth', 'w1>w0:veth'], questions: [] })
  })

  test('a VLAN stands below its lower device', () => {
    devices.set('eth0.5', UNKNOWN_DEVICE)
    devices.set('eth0', UNKNOWN_DEVICE)
    host.mirror.applyLink(aLink({ index: 2, name: 'eth0' }))
    host.mirror.applyLink(aLink({ index: 3, name: 'eth0.5', kind: 'vlan', link: 2, vlanId: 5 }))
    flush()
    expect(joints()).toEqual(['eth0>eth0.5:vlan'])
  })

  test('the other end of a pair that nobody told of is read again', () => {
    host.mirror.applyLink(aLink({ index: 2, name: 'v0' }))
    kernelLinks.set('/2', aLink({ index: 2, name: 'v0', link: 5, linkNetnsid: NSID_X }))
    x.mirror.applyLink(aLink({ index: 5, name: 'v1', link: 2, linkNetnsid: NSID_HOST }))
    flush()
    expect({ questions, peer: node('v0')!.metadata['PeerIfIndex'], name: node('v0')!.metadata['LinkNetNsName'] }).toEqual({
      questions: ['/2'],
      peer: 5,
      name: 'x',
    })
  })
})

describe('what stands on an interface that moved', () => {
  beforeEach(() => {
    devices.set('m0', UNKNOWN_DEVICE)
    devices.set('m1', UNKNOWN_DEVICE)
    devices.set('m2', UNKNOWN_DEVICE)
    host.mirror.applyLink(aLink({ index: 2, name: 'v0' }))
    host.mirror.applyLink(aLink({ index: 3, name: 'm0', kind: 'macvlan', link: 2 }))
    y.mirror.applyLink(aLink({ index: 3, name: 'm1', kind: 'macvlan', link: 2, linkNetnsid: NSID_HOST }))
    // Another 2, in another namespace, that nothing happens to.
    y.mirror.applyLink(aLink({ index: 2, name: 'other' }))
    y.mirror.applyLink(aLink({ index: 4, name: 'm2', kind: 'macvlan', link: 2 }))
    flush()
    kernelLinks.set('/3', aLink({ index: 3, name: 'm0', kind: 'macvlan', link: 7, linkNetnsid: NSID_X }))
    kernelLinks.set('y/3', aLink({ index: 3, name: 'm1', kind: 'macvlan', link: 7, linkNetnsid: NSID_X }))
  })

  test('is read again, in whatever namespace it is, and nothing else', () => {
    host.mirror.removeLink(aLink({ index: 2, name: 'v0', newNetnsid: NSID_X, newIndex: 7 }))
    x.mirror.applyLink(aLink({ index: 7, name: 'v0' }))
    flush()
    const place = (name: string) => ['ParentIndex', 'LinkNetNsName'].map((key) => node(name)!.metadata[key])
    expect({ questions, m0: place('m0'), m1: place('m1'), m2: place('m2') }).toEqual({
      questions: ['/3', 'y/3'],
      m0: [7, 'x'],
      m1: [7, 'x'],
      m2: [2, undefined],
    })
  })

  test('is not when that was deleted: it goes too, and that is told', () => {
    host.mirror.removeLink(aLink({ index: 2, name: 'v0' }))
    flush()
    expect(questions).toEqual([])
  })
})

describe('counters', () => {
  const read = (...counters: readonly (readonly [index: number, ...values: number[]])[]) =>
    sync.updateCounters(x, (visit) => {
      // One array for all, as the kernel's answers are read.
      const values = new Float64Array(3)
      for (const [index, ...told] of counters) {
        values.set(told)
        visit(index, values)
      }
    })

  beforeEach(() => {
    x.mirror.applyLink(aLink({ index: 2, name: 'a', counters: [1, 0, 0] }))
    x.mirror.applyLink(aLink({ index: 3, name: 'b', counters: [1, 0, 0] }))
    flush()
  })

  test('what changed is written in one version with what it grew by', () => {
    nowMs = 31_000
    expect(versionsOf(() => read([2, 1, 0, 0], [3, 1, 0, 60], [99, 1, 1, 1]))).toBe(1)
    expect([node('a'), node('b')].map((found) => [found!.metadata['Metric'], found!.metadata['LastUpdateMetric']])).toEqual([
      [{ RxPackets: 1 }, undefined],
      [
        { RxPackets: 1, RxBytes: 60, Last: 31_000 },
        { RxBytes: 60, Start: 1000, Last: 31_000 },
      ],
    ])
  })

  test('at rest nothing is written; the next growth counts from the last reading', () => {
    nowMs = 31_000
    expect(versionsOf(() => read([2, 1, 0, 0], [3, 1, 0, 0]))).toBe(0)
    nowMs = 61_000
    read([2, 4, 0, 0])
    expect(node('a')!.metadata['LastUpdateMetric']).toEqual({ RxPackets: 3, Start: 31_000, Last: 61_000 })
  })

  test('told twice in one reading, the last one counts', () => {
    read([2, 2, 0, 0], [2, 5, 0, 0])
    expect(node('a')!.metadata['LastUpdateMetric']).toMatchObject({ RxPackets: 4 })
  })
})

describe('devices', () => {
  test('what ethtool says differently is written with the next look', () => {
    x.mirror.applyLink(aLink({ index: 2, name: 'a' }))
    flush()
    devices.set('a', { ...VETH, speedMbps: 10_000 })
    sync.touchChangedDevices(x, [aLink({ index: 2, name: 'a' })])
    flush()
    expect(node('a')!.metadata['Speed']).toBe(10_000)
  })
})
