import { statSync } from 'node:fs'
import type { NetworkNamespace } from '@skydive/contracts'
import { type NamespaceFeed, type NamespaceListener, type NodeIds, oidUuid, type Probe } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { type Kernel, openKernel, type Readiness } from '@skydive/kernel'
import {
  createMemoryLogger,
  createMemoryMetrics,
  enterPrivateNetwork,
  type MemoryLogger,
  type MemoryMetrics,
  type PrivateNetwork,
  SYSTEM_CLOCK,
} from '@skydive/testkit'
import { hostTid, netnsTid } from '@skydive/topology'
import { type NetlinkOptions, netlinkProbe } from '../src/index.ts'

/** A private network with the probe on it, and a graph that it writes. */
export interface TestHost {
  readonly network: PrivateNetwork
  readonly kernel: Kernel
  readonly readiness: Readiness
  readonly graph: Graph
  readonly logger: MemoryLogger
  readonly metrics: MemoryMetrics
  readonly hostId: string
  start(options?: NetlinkOptions): Promise<Probe>
  /** Makes a named namespace and tells the probe, as probe-netns would. */
  addNamespace(name: string): void
  /** Tells the probe that it goes, then deletes it. */
  deleteNamespace(name: string): void
  /** Resolves when the condition holds; it is looked at after every batch. */
  until(condition: () => boolean): Promise<void>
  /** The metadata of interfaces by `namespace/name`. */
  interfaces(): ReadonlyMap<string, Readonly<Record<string, unknown>>>
  /** Pairs and ports, sorted, by their places: `/br0>/v0` for a port, `/v0=x/v1` for a pair. */
  joints(): readonly string[]
  close(): Promise<void>
}

export async function openTestHost(): Promise<TestHost> {
  const outer = openKernel()
  const network = enterPrivateNetwork(outer.systemCall)
  const kernel = openKernel()
  const readiness = kernel.readiness()
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.test', host: 'test' })
  const [hostId, tid] = ['host-node', hostTid('test')]
  writer.transaction((tx) => tx.addNode({ id: hostId, metadata: { Type: 'host', Name: 'test', TID: tid } }))
  const [logger, metrics] = [createMemoryLogger(), createMemoryMetrics()]
  const listeners = new Set<NamespaceListener>()
  const known = new Map<string, NetworkNamespace>()
  const probes: Probe[] = []
  const namespaces: NamespaceFeed = {
    follow(listener) {
      listeners.add(listener)
      listener.added([...known.values()])
      return () => void listeners.delete(listener)
    },
  }

  const interfaces = () => {
    const { view } = graph
    const found = new Map<string, Readonly<Record<string, unknown>>>()
    view.forEachEdge((edge) => {
      if (view.edgeValue(edge, 'RelationType') !== 'ownership') return true
      const [owner, node] = [view.node(view.parentOf(edge)), view.node(view.childOf(edge))]
      if (node.metadata['Type'] === 'netns') return true
      const place = owner.metadata['Type'] === 'host' ? '' : String(owner.metadata['Name'])
      found.set(`${place}/${node.metadata['Name']}`, node.metadata)
      return true
    })
    return found
  }

  return {
    network,
    kernel,
    readiness,
    graph,
    logger,
    metrics,
    hostId,
    async start(options) {
      const probe = netlinkProbe(options)({
        graph: writer,
        hostNodeId: hostId,
        logger,
        clock: SYSTEM_CLOCK,
        metrics,
        kernel,
        readiness,
        nodeIds: memoryIds(),
        hostTid: tid,
        namespaces,
      })
      probes.push(probe)
      await probe.start()
      return probe
    },
    addNamespace(name) {
      network.ip(`netns add ${name}`)
      const path = `/run/netns/${name}`
      const { dev, ino } = statSync(path)
      const info: NetworkNamespace = { key: `${dev}:${ino}`, path, name, nodeId: `ns-${name}`, tid: netnsTid(tid, path) }
      writer.transaction((tx) => {
        tx.addNode({ id: info.nodeId, metadata: { Type: 'netns', Name: name, Path: path, TID: info.tid } })
        tx.own(hostId, info.nodeId)
      })
      known.set(name, info)
      for (const listener of listeners) listener.added([info])
    },
    deleteNamespace(name) {
      const info = known.get(name)!
      known.delete(name)
      for (const listener of listeners) listener.removed([info])
      writer.transaction((tx) => tx.deleteNode(info.nodeId))
      network.ip(`netns del ${name}`)
    },
    until(condition) {
      return new Promise((resolve) => {
        if (condition()) return resolve()
        const stop = graph.subscribe(() => {
          if (!condition()) return
          stop()
          resolve()
        })
      })
    },
    interfaces,
    joints() {
      const { view } = graph
      const places = new Map([...interfaces()].map(([place, metadata]) => [metadata, place]))
      const found: string[] = []
      view.forEachEdge((edge) => {
        if (view.edgeValue(edge, 'RelationType') !== 'layer2') return true
        const [parent = '?', child = '?'] = [view.parentOf(edge), view.childOf(edge)].map((node) =>
          places.get(view.node(node).metadata),
        )
        found.push(view.edgeValue(edge, 'Type') === 'veth' ? [parent, child].sort().join('=') : `${parent}>${child}`)
        return true
      })
      return found.sort()
    },
    async close() {
      for (const probe of probes) await probe.stop()
      await readiness.close()
      kernel.dispose()
      network.leave()
      outer.dispose()
    },
  }
}

export function memoryIds(): NodeIds {
  const ids = new Map<string, string>()
  let count = 0
  return {
    idOf(key) {
      const id = ids.get(key) ?? oidUuid(`${key}${count++}`)
      ids.set(key, id)
      return id
    },
    rename(from, to) {
      const id = ids.get(from)
      ids.delete(from)
      if (id !== undefined) ids.set(to, id)
    },
    forget: (key) => void ids.delete(key),
    retain(prefix, keys) {
      for (const key of [...ids.keys()]) if (key.startsWith(prefix) && !keys.has(key)) ids.delete(key)
    },
  }
}
