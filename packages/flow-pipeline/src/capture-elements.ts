import type { CaptureSpan, GraphNode, MetadataObject, MetadataValue } from '@skydive/contracts'

/** A capture as a node's `Captures` shows it (spec flows 3.3). Its span has no beginning of its own yet. */
export interface SeenCapture {
  readonly span: CaptureSpan
  /** It is shown as failed. */
  readonly ended: boolean
}

/** The captures of a node by id. Elements without one are left out, and those whose flows go elsewhere: here nothing is known of them. */
export function activeCaptures(node: GraphNode): ReadonlyMap<string, SeenCapture> {
  const found = new Map<string, SeenCapture>()
  const list = node.metadata['Captures']
  if (!Array.isArray(list)) return found
  for (const element of list) {
    if (typeof element !== 'object' || element === null || Array.isArray(element)) continue
    const captureId = textOf(element['ID'])
    if (captureId !== '' && LOCAL.has(textOf(element['TargetType'])))
      found.set(captureId, { span: spanOf(node, captureId, element), ended: element['State'] === 'error' })
  }
  return found
}

/** Types of targets whose flows come to the analyzer. */
const LOCAL: ReadonlySet<string> = new Set(['', 'local'])

/** Whether two spans are of one capture, run in the same way. */
export function sameCapture(a: CaptureSpan, b: CaptureSpan): boolean {
  return a.filter === b.filter && a.type === b.type && a.samplingRate === b.samplingRate && a.nodeTid === b.nodeTid
}

function spanOf(node: GraphNode, captureId: string, element: MetadataObject): CaptureSpan {
  const error = textOf(element['Error'])
  return {
    captureId,
    captureName: textOf(element['Name']),
    nodeId: node.id,
    nodeTid: textOf(node.metadata['TID']),
    nodeName: textOf(node.metadata['Name']),
    host: node.host,
    type: textOf(element['Type']),
    filter: textOf(element['BPFFilter']),
    samplingRate: Math.max(1, countOf(element['SamplingRate'])),
    fromMs: 0,
    packetsReceived: countOf(element['PacketsReceived']),
    packetsDropped: countOf(element['PacketsDropped']),
    ...(typeof element['PacketsIfDropped'] === 'number' && { packetsIfDropped: countOf(element['PacketsIfDropped']) }),
    ...(error !== '' && { error }),
  }
}

const textOf = (value: MetadataValue | undefined): string => (typeof value === 'string' ? value : '')

const countOf = (value: MetadataValue | undefined): number => (typeof value === 'number' && value > 0 ? value : 0)
