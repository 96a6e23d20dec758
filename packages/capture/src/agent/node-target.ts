import { type GraphNode, type GraphView, InvalidArgumentError, type MetadataObject, NotFoundError } from '@skydive/contracts'
import { captureTypesOf, needsInterface } from './capture-types.ts'

/** What a capture needs to know of its node. */
export interface NodeTarget {
  readonly interfaceName: string
  readonly ifindex: number
  readonly nodeTid: string
  /** Path of the namespace; absent: the host's. */
  readonly netns?: string
  /** IPv4 addresses without prefix length. */
  readonly addresses: readonly string[]
  /** `MPLSUDPPort` of the node: the UDP port that carries MPLS there. */
  readonly mplsUdpPort?: number
}

/**
 * Reads where to capture from the node's metadata and its ownership path (spec flows 3.5). A capture to which packets are sent, and one on a
 * bridge of a switch, runs in the agent's own namespace and needs no more than the node's TID.
 * @throws ERR_INVALID_ARGUMENT naming what the node lacks; ERR_NOT_FOUND when it hangs in no host.
 */
export function nodeTarget(view: GraphView, node: GraphNode, captureType: string): NodeTarget {
  const { Name: name, IfIndex: ifindex, TID: nodeTid, LinkFlags: flags, Type: type } = node.metadata
  const { IPV4: prefixes, MPLSUDPPort: mplsUdpPort } = node.metadata
  const refuse = (why: string): never => {
    throw new InvalidArgumentError(`capture on node ${node.id} (${String(name)}): ${why}`, { node: node.id, type })
  }
  const allowed = captureTypesOf(type)
  if (allowed.length === 0) return refuse(`a node of type ${String(type)} can't be captured`)
  if (!allowed.includes(captureType)) {
    return refuse(`type "${captureType}" is not for nodes of type ${String(type)}, which take ${allowed.join(', ')}`)
  }
  if (typeof nodeTid !== 'string' || nodeTid === '') return refuse('it has no TID yet')
  const addresses = Array.isArray(prefixes) ? prefixes.map((prefix) => String(prefix).replace(/\/.*/, '')) : []
  if (!needsInterface(captureType, type))
    return { interfaceName: String(name ?? ''), ifindex: Number(ifindex ?? 0), nodeTid, addresses }
  if (typeof name !== 'string' || name === '') return refuse('it has no Name')
  if (typeof ifindex !== 'number') return refuse('it has no IfIndex')
  if (!Array.isArray(flags) || !flags.includes('UP')) return refuse('it is down; set it up first')
  const netns = namespaceOf(view, node.id)
  return {
    interfaceName: name,
    ifindex,
    nodeTid,
    addresses,
    ...(netns !== undefined && { netns }),
    ...(typeof mplsUdpPort === 'number' && { mplsUdpPort }),
  }
}

/** The path of the nearest namespace above a node, `undefined` in the host's. */
function namespaceOf(view: GraphView, id: string): string | undefined {
  const seen = new Set<number>()
  let level = [view.nodeOrdinal(id)]
  while (level.length > 0) {
    const parents: number[] = []
    for (const ordinal of level) {
      const { metadata } = view.node(ordinal)
      if (metadata['Type'] === 'netns' && typeof metadata['Path'] === 'string') return metadata['Path']
      if (metadata['Type'] === 'host') return undefined
      view.forEachIn(ordinal, (edge, parent) => {
        if (view.edgeValue(edge, 'RelationType') === 'ownership' && !seen.has(parent)) {
          seen.add(parent)
          parents.push(parent)
        }
        return undefined
      })
    }
    level = parents
  }
  throw new NotFoundError(`capture on node ${id}: no host owns it`, { node: id })
}

/** The elements of `Captures` of a node, whatever their origin. */
export function capturesOf(node: GraphNode): readonly MetadataObject[] {
  const { Captures: captures } = node.metadata
  return Array.isArray(captures) ? (captures as readonly MetadataObject[]) : []
}
