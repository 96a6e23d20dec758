import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readlinkSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals'
import { type NetworkNamespace, type NodeIds, oidUuid } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { type Kernel, openKernel } from '@skydive/kernel'
import { createMemoryLogger, createMemoryMetrics, enterPrivateNetwork, type PrivateNetwork, SYSTEM_CLOCK } from '@skydive/testkit'
import { describeProbe } from '@skydive/testkit/probe'
import { hostTid, netnsTid } from '@skydive/topology'
import { type NetnsOptions, type NetnsProbe, netnsProbe } from '../src/index.ts'

const HOST = hostTid('test')
let outer: Kernel
let network: PrivateNetwork
let graph: Graph
let probe: NetnsProbe
let log: string[]

beforeEach(() => {
  outer = openKernel()
  network = enterPrivateNetwork(outer.systemCall)
  graph = createGraph()
  log = []
})
afterEach(async () => {
  await probe?.stop()
  network.leave()
  outer.dispose()
})

function memoryIds(): NodeIds {
  const seen = new Map<string, number>()
  let count = 0
  return {
    idOf(key) {
      const number = seen.get(key) ?? count++
      seen.set(key, number)
      return oidUuid(`${key}${number}`)
    },
    rename() {},
    forget: (key) => void seen.delete(key),
    retain() {},
  }
}

async function start(options: NetnsOptions = {}): Promise<void> {
  const writer = graph.writer({ origin: 'agent.test', host: 'test' })
  writer.transaction((tx) => tx.addNode({ id: 'host', metadata: { Type: 'host', Name: 'test', TID: HOST } }))
  probe = netnsProbe(options)({
    graph: writer,
    hostNodeId: 'host',
    logger: createMemoryLogger(),
    clock: SYSTEM_CLOCK,
    metrics: createMemoryMetrics(),
    nodeIds: memoryIds(),
    hostTid: HOST,
  })
  const names = (list: readonly NetworkNamespace[]) => list.map(({ name }) => name).sort()
  probe.follow({
    added: (list) => void log.push(`+${names(list)}`),
    removed: (list) => void log.push(`-${names(list)}`),
  })
  await probe.start()
}

const namespaces = () => {
  const { view } = graph
  const found = new Map<string, Readonly<Record<string, unknown>>>()
  view.forEachNodeWith('Type', 'netns', (node) => {
    found.set(String(view.nodeValue(node, 'Name')), view.node(node).metadata)
    return true
  })
  return found
}
const until = (condition: () => boolean) =>
  new Promise<void>((resolve) => {
    if (condition()) return resolve()
    const stop = graph.subscribe(() => {
      if (!condition()) return
      stop()
      resolve()
    })
  })

describe('named namespaces', () => {
  test('those that are there come in one transaction, as the recorded ones look', async () => {
    network.ip('netns add x', 'netns add y')
    await start()
    const { dev, ino } = statSync('/var/run/netns/x')
    expect({ version: graph.cursor.version, log, x: namespaces().get('x'), y: namespaces().has('y') }).toEqual({
      version: 2,
      log: ['+x,y'],
      x: {
        Name: 'x',
        Type: 'netns',
        Path: '/var/run/netns/x',
        Inode: ino,
        Device: dev,
        TID: netnsTid(HOST, '/var/run/netns/x'),
      },
      y: true,
    })
  })

  test('they come and go while it runs; the followers hear of it first', async () => {
    await start()
    network.ip('netns add x')
    await until(() => namespaces().has('x'))
    network.ip('netns del x')
    await until(() => !namespaces().has('x'))
    expect(log).toEqual(['+x', '-x'])
  })

  test('one of the same name after it is another node', async () => {
    await start()
    const ids: string[] = []
    for (let round = 0; round < 2; round++) {
      network.ip('netns add x')
      await until(() => namespaces().has('x'))
      graph.view.forEachNodeWith('Name', 'x', (node) => void ids.push(graph.view.node(node).id) as undefined)
      network.ip('netns del x')
      await until(() => !namespaces().has('x'))
    }
    expect(new Set(ids).size).toBe(2)
  })

  test('a folder that is deleted and made anew is watched again', async () => {
    network.ip('netns add other')
    network.run('mkdir', ['/run/netns/sub'])
    await start({ runPaths: ['/run/netns/sub'] })
    network.run('rmdir', ['/run/netns/sub'])
    network.run('mkdir', ['/run/netns/sub'])
    network.run('touch', ['/run/netns/sub/z'])
    network.run('mount', ['--bind', '/run/netns/other', '/run/netns/sub/z'])
    await until(() => namespaces().has('z'))
    network.run('umount', ['/run/netns/sub/z'])
  })

  test('a hundred at once', async () => {
    await start()
    const names = Array.from({ length: 100 }, (_, i) => `n${i}`)
    network.ip(...names.map((name) => `netns add ${name}`))
    await until(() => namespaces().size === 100)
    network.ip(...names.map((name) => `netns del ${name}`))
    await until(() => namespaces().size === 0)
  }, 30_000)
})

describe('registered namespaces', () => {
  test('one node for all paths, which goes with the last; its path is one that still leads there', async () => {
    network.ip('netns add x')
    await start()
    let held: NetworkNamespace | undefined
    probe.follow({ added: ([first]) => void (held = first), removed() {} })
    network.run('touch', ['/run/netns-other'])
    network.run('mount', ['--bind', '/run/netns/x', '/run/netns-other'])
    const id = await probe.register('/run/netns-other', 'other')
    expect({ same: id === held?.nodeId, names: [...namespaces().keys()] }).toEqual({ same: true, names: ['x'] })
    network.ip('netns del x')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect({ names: [...namespaces().keys()], path: held?.path }).toEqual({ names: ['x'], path: '/run/netns-other' })
    probe.unregister('/run/netns-other')
    expect([...namespaces().keys()]).toEqual([])
    network.run('umount', ['/run/netns-other'])
    network.run('rm', ['/run/netns-other'])
  })

  test('the own namespace is the host', async () => {
    await start()
    expect(await probe.register('/proc/thread-self/ns/net', 'own')).toBe('host')
  })

  test('a path at which nothing appears is refused in the end', async () => {
    await start()
    await expect(probe.register('/run/netns/none', 'none')).rejects.toThrow(
      'register /run/netns/none: no network namespace appeared there',
    )
  })
})

describe('namespaces of processes', () => {
  test('come with the process, by name and inode, and go with it', async () => {
    await start({ processes: true, processIntervalMs: 100 })
    const child = spawn('unshare', ['-n', 'sleep', '60'])
    const inode = () => (existsSync(`/proc/${child.pid}/ns/net`) ? readlinkSync(`/proc/${child.pid}/ns/net`) : '')
    await until(() => namespaces().has(`sleep-${child.pid}`))
    const { TID: tid, Path: path } = namespaces().get(`sleep-${child.pid}`)!
    expect({ tid, path }).toEqual({ tid: netnsTid(HOST, inode()), path: `/proc/${child.pid}/ns/net` })
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await until(() => !namespaces().has(`sleep-${child.pid}`))
  })

  test('are not looked for unless asked', async () => {
    const child = spawn('unshare', ['-n', 'sleep', '60'])
    await start()
    expect(namespaces().size).toBe(0)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
})

describe('options', () => {
  test.each([
    [{ runPaths: ['relative'] }, 'runPaths.0'],
    [{ processes: 'yes' }, 'processes'],
    [{ processIntervalMs: 1 }, 'processIntervalMs'],
    [{ run_path: [] }, '(all)'],
  ])('%j is refused by name', (options, name) => {
    expect(() => netnsProbe(options as never)).toThrow(`probe netns: option ${name}: `)
  })
})

describeProbe('netns', {
  runner: { describe, it, expect },
  createGraph,
  createCase() {
    const nodeIds = memoryIds()
    return {
      create: (components) => netnsProbe({ runPaths: ['/run/netns'] })({ ...components, nodeIds, hostTid: HOST }),
      change: () => network.ip('netns add suite'),
    }
  },
})
