import type { GraphWriter, MetadataObject } from '@skydive/contracts'
import type { Capture } from '@skydive/protocol'
import type { CaptureFigures } from './messages.ts'
import { capturesOf } from './node-target.ts'

/** A capture as its node shows it. */
export interface ShownCapture {
  readonly nodeId: string
  readonly capture: Capture
  figures: CaptureFigures | undefined
  /** Keys of the node that the source wrote. */
  readonly nodeKeys: Set<string>
}

/** Gets a capture's element of the node's list as it is; `undefined` from it takes the element away. */
export type ElementChange = (element: MetadataObject | undefined) => MetadataObject | undefined

/** Changes a capture's element of `Captures` (spec flows 3.3), and what its source says of the node, which goes with it. */
export function writeCaptures(graph: GraphWriter, shown: ShownCapture, change: ElementChange): void {
  const { nodeId, capture, figures, nodeKeys } = shown
  const ordinal = graph.view.nodeOrdinal(nodeId)
  if (ordinal < 0) return
  const captures = capturesOf(graph.view.node(ordinal))
  const at = captures.findIndex(({ ID: id }) => id === capture.UUID)
  const changed = change(captures[at])
  const rest = captures.filter((_, index) => index !== at)
  const next = changed === undefined ? rest : at < 0 ? [...captures, changed] : captures.with(at, changed)
  const ofNode = changed === undefined || changed['State'] === 'error' ? {} : (figures?.description?.node ?? {})
  const gone = [...nodeKeys].filter((name) => !(name in ofNode)).map((name) => [name, undefined] as const)
  for (const name of Object.keys(ofNode)) nodeKeys.add(name)
  graph.transaction((tx) =>
    tx.patchNode(nodeId, { Captures: next.length === 0 ? undefined : next, ...ofNode, ...Object.fromEntries(gone) }),
  )
}

/** An element with counters as they are now; a refusal that has passed goes. */
export function withCounters({ TargetError: _, ...element }: MetadataObject, shown: ShownCapture): MetadataObject {
  return { ...element, ...counters(shown), ...shown.figures?.description?.capture }
}

function counters({ figures }: ShownCapture): MetadataObject {
  const { packetsReceived = 0, packetsDropped = 0, packetsIfDropped = 0 } = figures?.source ?? {}
  const { sentTo } = figures ?? {}
  return {
    PacketsReceived: packetsReceived,
    PacketsDropped: packetsDropped,
    PacketsIfDropped: packetsIfDropped,
    ...(sentTo && {
      TargetSent: sentTo.sent,
      TargetDropped: sentTo.dropped,
      TargetSkipped: sentTo.skipped,
      ...(sentTo.refusal !== undefined && { TargetError: sentTo.refusal }),
    }),
  }
}

/** An element of `Captures` (spec flows 3.3); empty members are left out. */
export function captureState(task: ShownCapture, state: 'active' | 'error'): MetadataObject {
  const { UUID, Name, Description, BPFFilter, Type, Target, TargetType } = task.capture
  return {
    ...counters(task),
    ID: UUID,
    State: state,
    ...(Name !== '' && { Name }),
    ...(Description !== '' && { Description }),
    ...(BPFFilter !== '' && { BPFFilter }),
    ...(Type !== '' && { Type }),
    ...(task.figures?.sentTo && { Target, TargetType }),
    ...task.figures?.description?.capture,
  }
}
