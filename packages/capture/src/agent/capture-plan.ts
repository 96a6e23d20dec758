import { type CaptureSpread, type CaptureTarget, InvalidArgumentError, NotFoundError } from '@skydive/contracts'
import { type Capture, type CaptureDestination, captureDestination, parseTargetAddress } from '@skydive/protocol'
import type { CaptureAgentOptions, CaptureSourceChoice } from './capture-agent.ts'
import { captureTypesOf, isSwitch } from './capture-types.ts'
import type { CaptureTableOptions } from './messages.ts'
import { type NodeTarget, nodeTarget } from './node-target.ts'

/** How a capture is to be run on its node. */
export interface CapturePlan {
  readonly target: CaptureTarget
  readonly table: CaptureTableOptions
  readonly source: CaptureSourceChoice
  /** Absent: the analyzer. */
  readonly destination?: CaptureDestination
}

const DEFAULT_MAX_FLOWS = 500_000
/** Bits beyond these mean nothing. */
const ALL_EXTRA_LAYERS = 255
const DEFAULT_SNAP_LENGTH = 256

/**
 * Says how a capture is run on a node of the graph.
 * @throws ERR_NOT_FOUND (node), ERR_INVALID_ARGUMENT (type, target, a node that can't be captured).
 */
export function planCapture(
  nodeId: string,
  capture: Capture,
  { graph, sources, flow = {}, fanoutWorkers = 1 }: Pick<CaptureAgentOptions, 'graph' | 'sources' | 'flow' | 'fanoutWorkers'>,
): CapturePlan {
  const { view } = graph
  const ordinal = view.nodeOrdinal(nodeId)
  if (ordinal < 0) throw new NotFoundError(`there is no node ${nodeId} here`, { node: nodeId })
  const node = view.node(ordinal)
  const type = capture.Type || (captureTypesOf(node.metadata['Type'])[0] ?? '')
  const where = nodeTarget(view, node, type)
  const source = sources[type]
  if (source === undefined) {
    const known = Object.keys(sources).sort().join(', ') || 'none'
    throw new InvalidArgumentError(`type "${type}" is not available on this agent; it has ${known}`, {
      type,
    })
  }
  const destination = captureDestination(capture)
  const { module, options, switchOptions } = source
  const chosen = isSwitch(node.metadata['Type']) ? (switchOptions ?? options) : options
  return {
    source: { module, ...(chosen !== undefined && { options: chosen }) },
    ...(destination && { destination }),
    target: {
      interfaceName: where.interfaceName,
      ifindex: where.ifindex,
      ...(where.netns !== undefined && { netns: where.netns }),
      bpfFilter: capture.BPFFilter,
      snapLength: capture.HeaderSize || DEFAULT_SNAP_LENGTH,
      addresses: where.addresses,
      ...(capture.Port !== 0 && { port: capture.Port }),
      excludePeers: destination ? [] : othersTarget(capture),
      // A collector numbers what it gets of one exporter: with a target there is one.
      ...(fanoutWorkers > 1 && !destination && { spread: spreadOf(capture, fanoutWorkers, where) }),
    },
    table: {
      nodeTid: where.nodeTid,
      captureId: capture.UUID,
      layerKeyMode: (capture.LayerKeyMode || flow.defaultLayerKeyMode || 'L2') === 'L3' ? 'L3' : 'L2',
      rawPacketLimit: capture.RawPacketLimit,
      extraTcpMetric: capture.ExtraTCPMetric,
      ipDefrag: capture.IPDefrag,
      reassembleTcp: capture.ReassembleTCP,
      extraLayers: capture.ExtraLayers & ALL_EXTRA_LAYERS,
      mplsUdpPorts: where.mplsUdpPort === undefined ? [] : [where.mplsUdpPort],
      maxFlows: flow.maxFlows ?? DEFAULT_MAX_FLOWS,
      ...(flow.applicationPorts && { applicationPorts: flow.applicationPorts }),
      ...(flow.applicationTimeoutsMs && { applicationTimeoutsMs: flow.applicationTimeoutsMs }),
    },
  }
}

function spreadOf({ IPDefrag }: Capture, sources: number, { mplsUdpPort }: NodeTarget): CaptureSpread {
  return { sources, keepFragments: IPDefrag, tunnelUdpPorts: mplsUdpPort === undefined ? [] : [mplsUdpPort] }
}

/** Without a type of target the address is where somebody else sends to: it is left out of the capture all the same (spec flows 3.4). */
function othersTarget({ Target: target }: Capture): CaptureTarget['excludePeers'] {
  const address = target === '' ? undefined : parseTargetAddress(target)
  return address ? [{ address: address.host, port: address.port }] : []
}
