import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Kernel } from '@skydive/kernel'
import { childTid, hostTid, netnsTid } from '@skydive/topology'
import { applyMessage } from '../src/apply-message.ts'
import { type EventHandler, openEventSocket } from '../src/event-socket.ts'
import { NamespaceMirror } from '../src/namespace-mirror.ts'
import { openTestHost, type TestHost } from './host.ts'

let host: TestHost
beforeEach(async () => {
  host = await openTestHost()
})
afterEach(() => host.close())

const metadata = (place: string) => host.interfaces().get(place)
const value = (place: string, key: string) => metadata(place)?.[key]
const idOf = (place: string) => {
  const { view } = host.graph
  let id: string | undefined
  view.forEachNode((ordinal) => {
    if (view.node(ordinal).metadata === metadata(place)) id = view.node(ordinal).id
    return true
  })
  return id
}
/** Edges of type layer2 as `parent>child:Type`, by names. */
const layer2 = () => {
  const { view } = host.graph
  const found: string[] = []
  view.forEachEdge((edge) => {
    if (view.edgeValue(edge, 'RelationType') !== 'layer2') return true
    const [parent, child] = [view.parentOf(edge), view.childOf(edge)].map((node) => view.nodeValue(node, 'Name'))
    const type = view.edgeValue(edge, 'Type') ?? ''
    // A pair has no upper end.
    found.push(`${(type === 'veth' ? [parent, child].sort() : [parent, child]).join('>')}:${type}`)
    return true
  })
  return found.sort()
}

/** `ethtool -K NAME gso off`. */
function switchSegmentationOff(kernel: Kernel, name: string): void {
  const [SIOCETHTOOL, ETHTOOL_SGSO, NAME_BYTES, VALUE_AT] = [0x8946, 0x24, 16, 64]
  const memory = kernel.mapMemory({ byteLength: 128 })
  const view = new DataView(memory.buffer)
  new TextEncoder().encodeInto(name, new Uint8Array(memory.buffer, 0, NAME_BYTES))
  view.setBigUint64(NAME_BYTES, memory.address + BigInt(VALUE_AT), true)
  view.setUint32(VALUE_AT, ETHTOOL_SGSO, true)
  const fd = kernel.socket({ domain: 2, type: 2, protocol: 0 })
  expect(kernel.ioctl(fd, SIOCETHTOOL, new Uint8Array(memory.buffer, 0, VALUE_AT))).toBe(0)
  kernel.close(fd)
  memory.close()
}

describe('at start', () => {
  test('everything that is there is written in one transaction for the host', async () => {
    host.network.ip('link add br0 type bridge', 'link add v0 type veth peer name v1', 'link set v0 master br0')
    const before = host.graph.cursor.version
    await host.start()
    expect({
      names: [...host.interfaces().keys()].sort(),
      versions: host.graph.cursor.version - before,
      edges: layer2(),
      tid: value('/br0', 'TID'),
    }).toEqual({
      names: ['/br0', '/lo', '/v0', '/v1'],
      versions: 1,
      edges: ['br0>v0:', 'v0>v1:veth'],
      tid: childTid(hostTid('test'), 'br0', 'bridge'),
    })
  })

  test('a second start writes nothing, and after stop nothing is written', async () => {
    const probe = await host.start()
    await probe.stop()
    const version = host.graph.cursor.version
    await probe.start()
    expect(host.graph.cursor.version).toBe(version)
    await probe.stop()
    host.network.ip('link add br0 type bridge')
    await new Promise((resolve) => setImmediate(resolve))
    expect({ version: host.graph.cursor.version, status: probe.status }).toEqual({ version, status: { state: 'stopped' } })
  })
})

describe('news', () => {
  test('an interface comes, is changed and goes', async () => {
    await host.start()
    host.network.ip('link add br0 type bridge')
    await host.until(() => value('/br0', 'State') === 'DOWN')
    host.network.ip('link set br0 mtu 1400 up', 'addr add 10.1.0.1/24 dev br0', 'addr add 10.2.0.1/24 dev br0')
    await host.until(() => String(value('/br0', 'IPV4')) === '10.1.0.1/24,10.2.0.1/24' && value('/br0', 'MTU') === 1400)
    host.network.ip('addr del 10.1.0.1/24 dev br0')
    await host.until(() => String(value('/br0', 'IPV4')) === '10.2.0.1/24')
    host.network.ip('addr del 10.2.0.1/24 dev br0')
    await host.until(() => value('/br0', 'IPV4') === undefined)
    const tid = value('/br0', 'TID')
    host.network.ip('link set br0 name br1')
    await host.until(() => metadata('/br1') !== undefined)
    expect(value('/br1', 'TID')).toBe(tid)
    host.network.ip('link del br1')
    await host.until(() => metadata('/br1') === undefined)
  })

  test('a port enters a bridge and leaves it', async () => {
    host.network.ip('link add br0 type bridge', 'link add v0 type veth peer name v1')
    await host.start()
    host.network.ip('link set v0 master br0')
    await host.until(() => layer2().includes('br0>v0:'))
    host.network.ip('link set v0 nomaster')
    await host.until(() => !layer2().includes('br0>v0:'))
    expect({ master: value('/v0', 'MasterIndex'), edges: layer2() }).toEqual({ master: undefined, edges: ['v0>v1:veth'] })
  })

  test('a route in another table, a route over two interfaces, a neighbour', async () => {
    host.network.ip('link add v0 type veth peer name v1', 'link set v0 up', 'link set v1 up')
    host.network.ip('addr add 10.1.0.1/24 dev v0', 'addr add 10.2.0.1/24 dev v1')
    await host.start()
    host.network.ip(
      'route add 10.9.0.0/24 via 10.1.0.2 table 2',
      'route add 10.8.0.0/24 nexthop via 10.1.0.2 nexthop via 10.2.0.2',
      'neigh add 10.1.0.2 lladdr 02:00:00:00:00:09 dev v0',
    )
    const tables = (name: string) =>
      (value(`/${name}`, 'RoutingTables') ?? []) as { ID: number; Routes: { Prefix: string; NextHops: unknown[] }[] }[]
    const route = (name: string, table: number, prefix: string) =>
      tables(name)
        .find(({ ID }) => ID === table)
        ?.Routes.find(({ Prefix }) => Prefix === prefix)?.NextHops
    await host.until(() => JSON.stringify(value('/v0', 'Neighbors') ?? '').includes('10.1.0.2'))
    const index = (name: string) => value(`/${name}`, 'IfIndex')
    expect({
      table2: route('v0', 2, '10.9.0.0/24'),
      one: route('v0', 254, '10.8.0.0/24'),
      other: route('v1', 254, '10.8.0.0/24'),
      neighbors: (value('/v0', 'Neighbors') as { IP: string }[]).filter(({ IP }) => IP === '10.1.0.2'),
    }).toEqual({
      table2: [{ Priority: 0, IP: '10.1.0.2', IfIndex: index('v0') }],
      one: [{ Priority: 0, IP: '10.1.0.2', IfIndex: index('v0') }],
      other: [{ Priority: 0, IP: '10.2.0.2', IfIndex: index('v1') }],
      neighbors: [{ MAC: '02:00:00:00:00:09', IP: '10.1.0.2', State: ['NUD_PERMANENT'], IfIndex: index('v0') }],
    })
    host.network.ip('link set v0 down')
    await host.until(() => route('v0', 2, '10.9.0.0/24') === undefined)
  })

  test('an offload that is switched off is told at once', async () => {
    host.network.ip('link add v0 type veth peer name v1')
    await host.start()
    const offload = () => (value('/v0', 'Features') as Record<string, boolean>)['tx-generic-segmentation']
    expect(offload()).toBe(true)
    switchSegmentationOff(host.kernel, 'v0')
    await host.until(() => offload() === false)
  })

  test('each tenth reading finds what the kernel did not tell', async () => {
    host.network.ip('link add v0 type veth peer name v1')
    await host.start({ metricsIntervalMs: 100 })
    // The multicast groups of an interface are entries of its forwarding table; nobody tells when one is joined.
    const socket = createSocket('udp4').bind(0)
    await once(socket, 'listening')
    host.network.ip('addr add 10.1.0.1/24 dev v0', 'link set v0 up', 'link set v1 up')
    await host.until(() => value('/v0', 'State') === 'UP')
    socket.addMembership('239.1.2.3', '10.1.0.1')
    await host.until(() => JSON.stringify(value('/v0', 'FDB') ?? '').includes('01:00:5e:01:02:03'))
    socket.close()
  })

  test('counters, with what grew since the last reading', async () => {
    await host.start({ metricsIntervalMs: 100 })
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    for (let i = 0; i < 20; i++) socket.send('x'.repeat(100), socket.address().port, '127.0.0.1')
    const metric = () => value('/lo', 'Metric') as Record<string, number>
    await host.until(() => (metric()['RxPackets'] ?? 0) >= 20)
    socket.close()
    const last = value('/lo', 'LastUpdateMetric') as Record<string, number>
    expect({
      rx: metric()['RxBytes'],
      tx: metric()['TxBytes'],
      growth: last['RxPackets'],
      span: last['Last']! > last['Start']!,
    }).toEqual({
      rx: 20 * 128,
      tx: 20 * 128,
      growth: 20,
      span: true,
    })
  })
})

describe('namespaces', () => {
  test('a pair across two namespaces is one edge, and each end knows where the other is', async () => {
    await host.start()
    host.addNamespace('x')
    host.addNamespace('y')
    host.network.ip('link add v0 netns x type veth peer name v1 netns y', 'link add h0 type veth peer name x0 netns x')
    await host.until(() => layer2().length === 2)
    expect({
      edges: layer2(),
      names: ['x/v0', 'y/v1', '/h0', 'x/x0'].map((place) => value(place, 'LinkNetNsName')),
      tid: value('x/v0', 'TID'),
    }).toEqual({
      edges: ['h0>x0:veth', 'v0>v1:veth'],
      names: ['y', 'x', 'x', ''],
      tid: childTid(netnsTid(hostTid('test'), '/run/netns/x'), 'v0', 'veth'),
    })
  })

  test('with equal indexes in both namespaces the pair is found all the same', async () => {
    await host.start()
    host.addNamespace('x')
    host.addNamespace('y')
    host.network.ip('link add v0 index 77 netns x type veth peer name v1 index 77 netns y')
    await host.until(() => layer2().length === 1)
    expect([value('x/v0', 'IfIndex'), value('y/v1', 'IfIndex')]).toEqual([77, 77])
  })

  test('an interface that moves keeps its node and gets the TID of its new place', async () => {
    await host.start()
    host.addNamespace('x')
    host.network.ip('link add v0 type veth peer name v1')
    await host.until(() => metadata('/v1') !== undefined)
    const before = idOf('/v1')
    host.network.ip('link set v1 netns x')
    await host.until(() => metadata('x/v1') !== undefined && value('/v0', 'LinkNetNsName') === 'x')
    expect({ id: idOf('x/v1'), edges: layer2(), tid: value('x/v1', 'TID'), old: metadata('/v1') }).toEqual({
      id: before,
      edges: ['v0>v1:veth'],
      tid: childTid(netnsTid(hostTid('test'), '/run/netns/x'), 'v1', 'veth'),
      old: undefined,
    })
  })

  test('one that moves to a namespace that nobody watches is gone', async () => {
    await host.start()
    host.network.ip('netns add secret', 'link add v0 type veth peer name v1')
    await host.until(() => metadata('/v1') !== undefined)
    host.network.ip('link set v1 netns secret')
    await host.until(() => metadata('/v1') === undefined && value('/v0', 'LinkNetNsID') !== undefined)
    expect({ edges: layer2(), name: value('/v0', 'LinkNetNsName') }).toEqual({ edges: [], name: '' })
  })

  test.each([
    ['the host', 'after a while', '', false],
    ['the host', 'in the same moment', '', true],
    ['a namespace', 'after a while', 'x', false],
    // Nobody has a number for y in x until the macvlan is read again.
    ['a namespace', 'in the same moment', 'x', true],
  ])('a macvlan in %s says where its lower device went %s, which nobody tells', async (_, __, place, atOnce) => {
    await host.start()
    for (const name of ['x', 'y']) host.addNamespace(name)
    host.network.ip(
      'link add v0 type veth peer name v1',
      `link add m0 link v0 ${place && `netns ${place}`} type macvlan mode bridge`,
    )
    if (!atOnce) await host.until(() => metadata(`${place}/m0`) !== undefined)
    host.network.ip('link set v0 netns y')
    await host.until(() => value(`${place}/m0`, 'LinkNetNsName') === 'y')
    expect({ parent: value(`${place}/m0`, 'ParentIndex'), pair: layer2() }).toEqual({
      parent: value('y/v0', 'IfIndex'),
      pair: ['v0>v1:veth'],
    })
  })

  test('a namespace that is known only later brings its names and pairs', async () => {
    host.network.ip('link add v0 type veth peer name v1')
    await host.start()
    host.addNamespace('y')
    host.network.ip('link set v0 netns y')
    await host.until(() => metadata('y/v0') !== undefined)
    host.addNamespace('x')
    host.network.ip('link set v1 netns x')
    await host.until(() => value('y/v0', 'LinkNetNsName') === 'x' && layer2().length === 1)
  })

  test('watching does not keep a namespace alive', async () => {
    await host.start()
    host.addNamespace('x')
    host.network.ip('link add h0 type veth peer name x0 netns x')
    await host.until(() => metadata('x/x0') !== undefined)
    // Nobody tells the probe: it is the kernel that takes the interfaces down with the namespace.
    host.network.ip('netns del x')
    await host.until(() => metadata('/h0') === undefined && metadata('x/x0') === undefined)
  })

  test('one that is removed takes its interfaces along', async () => {
    await host.start()
    host.addNamespace('x')
    expect(metadata('x/lo')).toBeDefined()
    host.deleteNamespace('x')
    expect([...host.interfaces().keys()]).toEqual(['/lo'])
  })
})

describe('without the right to hear all', () => {
  test('a socket inside a namespace hears that one', async () => {
    host.network.ip('netns add x')
    const buffer = host.kernel.receiveBuffer(64 << 10)
    const mirror = new NamespaceMirror()
    let heard: () => void = () => {}
    const handler: EventHandler = {
      message: (_, bytes, message) => applyMessage(mirror, bytes, message),
      overrun() {},
      undecodable() {},
      drained: () => heard(),
      failed() {},
    }
    const socket = openEventSocket(host.kernel, host.readiness, buffer, handler, 1 << 20, '/run/netns/x')
    const names = () => [...mirror.interfaces.values()].map(({ link }) => link.name)
    const done = new Promise<void>((resolve) => {
      heard = () => names().includes('inside') && resolve()
    })
    host.network.ip('link add outside type bridge', 'link add inside netns x type bridge')
    await done
    expect({ names: names(), hearsAll: socket.hearsAll }).toEqual({ names: ['inside'], hearsAll: false })
    socket.close()
    buffer.close()
  })
})

describe('under load', () => {
  const batch = (lines: readonly string[]) => {
    const ip = spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'ignore'] })
    ip.stdin.end(`${lines.join('\n')}\n`)
    return once(ip, 'exit')
  }
  const pairs = Array.from({ length: 1000 }, (_, i) => `link add a${i} type veth peer name b${i}`)

  test('a thousand pairs in one batch are complete two seconds after the last command', async () => {
    await host.start()
    await batch(pairs)
    const endMs = performance.now()
    await host.until(() => host.graph.view.nodeCount === 2002 && layer2().length === 1000)
    expect(performance.now() - endMs).toBeLessThan(2000)
  }, 60_000)

  test('news that the kernel had to drop are made up for by reading everything again', async () => {
    await host.start({ queueBytes: 4096 })
    await batch(pairs)
    await host.until(() => host.graph.view.nodeCount === 2002 && layer2().length === 1000)
    expect(host.metrics.values.get('skydive_netlink_overruns_total')).toBeGreaterThan(0)
  }, 60_000)
})
