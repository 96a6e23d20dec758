import type { CaptureSpan, FlowLoss } from '@skydive/contracts'
import { sameCapture } from './capture-elements.ts'

/**
 * What an interface dropped comes from a counter of 32 bits less what that counter was at the beginning: where the driver began anew, it is as if some
 * of 4 billion packets were missing. So many are not lost from one report to the next.
 */
const MOST_AT_ONCE = 2 ** 31

/** Whether a capture that is seen now is the one that was seen before: the counters of another run begin at 0. */
export function continues(before: CaptureSpan, now: CaptureSpan): boolean {
  return sameCapture(before, now) && isSameRun(before, now)
}

/**
 * Packets that were dropped since a capture was last seen, also in another run of it. What the interface had dropped before anybody told of it is in the
 * counter alone: nobody knows when that was.
 */
export function droppedSince(before: CaptureSpan, now: CaptureSpan): readonly Pick<FlowLoss, 'cause' | 'packets'>[] {
  const isSame = isSameRun(before, now)
  const kernel = isSame ? now.packetsDropped - before.packetsDropped : now.packetsDropped
  return [
    { cause: 'interface', packets: byInterface(isSame ? (before.packetsIfDropped ?? now.packetsIfDropped) : 0, now) },
    { cause: 'kernel', packets: kernel },
  ]
}

/** A counter of the interface that fell began anew, without the capture. */
function byInterface(before = 0, { packetsIfDropped: now = 0 }: CaptureSpan): number {
  const packets = now >= before ? now - before : now
  return packets < MOST_AT_ONCE ? packets : 0
}

/** Whether nothing was counted since. */
export function countsNothingNew(before: CaptureSpan, now: CaptureSpan): boolean {
  return (
    now.packetsReceived === before.packetsReceived &&
    now.packetsDropped === before.packetsDropped &&
    now.packetsIfDropped === before.packetsIfDropped
  )
}

function isSameRun(before: CaptureSpan, now: CaptureSpan): boolean {
  return now.packetsReceived >= before.packetsReceived && now.packetsDropped >= before.packetsDropped
}
