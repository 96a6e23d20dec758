import { hostname as systemHostname } from 'node:os'
import { type GraphWriter, type Metadata, oidUuid } from '@skydive/contracts'
import { hostTid } from '@skydive/topology'

/** What the node of a host is made from. */
export interface HostNodeOptions {
  /** `host_id` of the configuration: the name by which the host goes in the graph. */
  readonly hostId: string
  /** Metadata of the configuration (`agent.metadata`), copied as it is; it can't replace what the agent knows itself. */
  readonly metadata?: Metadata
  /** The name that the operating system has; its own answer by default. */
  readonly hostname?: string
}

/** The host's node, by which everything else of the host is owned. */
export interface HostNode {
  readonly id: string
  readonly tid: string
}

/**
 * Adds the node of the host, which every probe finds there. The id follows from the name, so that a restart changes nothing.
 * Spec topology 3.
 */
export function putHostNode(
  graph: GraphWriter,
  { hostId, metadata = {}, hostname = systemHostname() }: HostNodeOptions,
): HostNode {
  const tid = hostTid(hostId)
  const id = oidUuid(`${tid}host`)
  graph.transaction((tx) => {
    tx.putNode({ id, metadata: { ...metadata, Name: hostId, Type: 'host', Hostname: hostname, TID: tid } })
  })
  return { id, tid }
}
