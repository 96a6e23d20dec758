import type { MetadataValue, NetworkNamespace } from '@skydive/contracts'
import type { DeviceInfo } from './ethtool.ts'
import { NamespaceMirror } from './namespace-mirror.ts'

/** The node of an interface and what was last written to it. */
export interface Published {
  readonly nodeId: string
  /** What its id was made from. */
  idKey: string
  tid: string
  metadata: Record<string, MetadataValue>
  device: DeviceInfo
  /** Ids of its `layer2` edges by what they are for. */
  readonly edges: Map<EdgeRole, string>
  counters: readonly number[]
  countedAtMs: number
}

/** What a `layer2` edge stands for at the interface that it was made for. */
export type EdgeRole = 'master' | 'lower' | 'peer'

/** A namespace whose interfaces are in the graph. */
export class WatchedNamespace {
  readonly mirror = new NamespaceMirror()
  readonly published = new Map<number, Published>()
  /** Interfaces whose other end lies in a namespace that is not known (yet). */
  readonly unresolved = new Set<number>()
  readonly info: NetworkNamespace
  /** False for the agent's own, which needs no entering. */
  readonly foreign: boolean
  constructor(info: NetworkNamespace, foreign: boolean) {
    this.info = info
    this.foreign = foreign
  }
}

/** Where an interface is, as one text. */
export function placeOf(namespace: WatchedNamespace, index: number): string {
  return `${namespace.info.key}/${index}`
}

/** What names an interface among everything on this host. */
export function interfaceKey(namespace: WatchedNamespace, index: number, kind: string): string {
  return `${namespace.info.key}/${index}/${kind || 'device'}`
}
