import { ETHERTYPE } from './constants.ts'
import { LAYER } from './layers.ts'
import { ABSENT, type PacketWalk } from './packet-walk.ts'
import { STEP, stepOfEtherType, stepOfNibble } from './steps.ts'
import { erspanHeaderBytes, geneveHeaderBytes, greHeaderBytes, greKey, gtpHeaderBytes } from './tunnel-headers.ts'

const ERSPAN_II_BYTES = 8

// Headers that carry packets of their own.

/** RFC 2784. A label directly below belongs to the same sequence (spec flows 1.6). */
export function gre(walk: PacketWalk): number {
  const at = walk.at
  const headerBytes = greHeaderBytes(walk.bytes, at, walk.end)
  if (headerBytes === ABSENT) return STEP.END
  walk.add(LAYER.GRE)
  walk.tunnelId = greKey(walk.bytes, at)
  const protocol = walk.bytes.getUint16(at + 2)
  walk.at = at + headerBytes
  const erspanBytes = erspanHeaderBytes(walk.bytes, walk.at, walk.end, protocol)
  if (erspanBytes === ABSENT) return STEP.END
  if (erspanBytes === 0) {
    const step = stepOfEtherType(protocol)
    if (step === STEP.MPLS) return step
    return step === STEP.END || step === STEP.LLC ? STEP.END : walk.carry(step)
  }
  walk.at += erspanBytes
  walk.carry(STEP.ETHERNET)
  // The header of type II counts as bytes of what it carries.
  if (protocol === ETHERTYPE.ERSPAN) walk.headerBytes -= ERSPAN_II_BYTES
  return STEP.END
}

/** RFC 7348 section 5. */
export function vxlan(walk: PacketWalk): number {
  const at = walk.at
  if (at + 8 > walk.end) return STEP.END
  walk.tunnelId = walk.bytes.getUint32(at + 4) >>> 8
  walk.isVniKeyed = true
  walk.layer(LAYER.VXLAN, 8, STEP.END)
  return walk.carry(STEP.ETHERNET)
}

export function geneve(walk: PacketWalk): number {
  const at = walk.at
  const headerBytes = geneveHeaderBytes(walk.bytes, at, walk.end)
  if (headerBytes === ABSENT) return STEP.END
  walk.tunnelId = walk.bytes.getUint32(at + 4) >>> 8
  walk.isVniKeyed = true
  walk.layer(LAYER.Geneve, headerBytes, STEP.END)
  return walk.carry(stepOfEtherType(walk.bytes.getUint16(at + 2)))
}

/** Only user packets (message type 255) carry IP. */
export function gtp(walk: PacketWalk): number {
  const at = walk.at
  const headerBytes = gtpHeaderBytes(walk.bytes, at, walk.end)
  if (headerBytes === ABSENT) return STEP.END
  walk.layer(LAYER.GTPv1U, headerBytes, STEP.END)
  if (walk.bytes.getUint8(at + 1) !== 255 || walk.at >= walk.end) return STEP.END
  return stepOfNibble(walk.bytes.getUint8(walk.at) >>> 4, STEP.PPP)
}
