import type { Metadata } from '@skydive/contracts'
import { random } from './in-turn.ts'

export const NODES = 100_000
export const EDGES = 292_000

interface NodeInput {
  readonly id: string
  readonly metadata: Metadata
}

interface EdgeInput extends NodeInput {
  readonly parent: string
  readonly child: string
}

/** The nodes and edges of a graph as a caller has them. */
export interface Topology {
  readonly nodes: readonly NodeInput[]
  readonly edges: readonly EdgeInput[]
}

/** About 25 keys, as an interface has them; keys in one order, so that V8 shares their shape. Parsed, as what comes from elsewhere is. */
export function nodeMetadata(i: number): Metadata {
  const text = JSON.stringify({
    Type: i % 50 === 0 ? 'host' : ['bridge', 'device', 'netns', 'veth', 'container'][i % 5],
    Name: `node-${i}`,
    TID: `tid-${i}`,
    MAC: `02:00:${(i >> 16) & 255}:${(i >> 8) & 255}:${i & 255}`,
    MTU: i % 10 === 0 ? 9000 : 1500,
    State: i % 3 === 0 ? 'DOWN' : 'UP',
    IfIndex: i,
    Driver: 'veth',
    EncapType: 'ether',
    Speed: 10_000,
    IPV4: [`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/24`],
    IPV6: [],
    LinkFlags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'],
    Features: { gro: true, gso: true, tso: true, lro: false, rxvlan: true, txvlan: true, ntuple: false, rxhash: false },
    Metric: { RxBytes: i, RxPackets: i, TxBytes: i, TxPackets: i, Start: 1, Last: 2 },
    LastUpdateMetric: { RxBytes: 1, RxPackets: 1, TxBytes: 1, TxPackets: 1, Start: 1, Last: 2 },
    Manager: 'netlink',
    Path: '/var/run/netns/x',
    Device: 4,
    Inode: i,
    Vlan: 0,
    BusInfo: '',
    Hostname: 'alpha',
    Platform: 'debian',
    OS: 'linux',
  })
  return JSON.parse(text)
}

export function nodeId(i: number): string {
  return `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
}

export function edgeId(i: number): string {
  return `10000000-0000-4000-8000-${String(i).padStart(12, '0')}`
}

/** Every node is the child of random ones, nearly three times. */
export function topology(): Topology {
  const next = random(7)
  const nodes = Array.from({ length: NODES }, (_, i) => ({ id: nodeId(i), metadata: nodeMetadata(i) }))
  const edges = Array.from({ length: EDGES }, (_, i) => ({
    id: edgeId(i),
    parent: nodes[Math.floor(next() * NODES)]!.id,
    child: nodes[i % NODES]!.id,
    metadata: { RelationType: i < NODES ? 'ownership' : 'layer2' },
  }))
  return { nodes, edges }
}
