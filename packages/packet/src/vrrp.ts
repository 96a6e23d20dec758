import type { FlowVrrpv2 } from '@skydive/contracts'

const HEADER_BYTES = 8

/** What flows show of the VRRP advertisement in `[offset, end)` (RFC 3768 section 5.1); `undefined` when it is none of version 2. */
export function decodeVrrpv2(view: DataView, offset: number, end: number): FlowVrrpv2 | undefined {
  if (offset + HEADER_BYTES > Math.min(end, view.byteLength)) return undefined
  const version = view.getUint8(offset) >>> 4
  if (version !== 2) return undefined
  const router = view.getUint8(offset + 1)
  const priority = view.getUint8(offset + 2)
  const interval = view.getUint8(offset + 5)
  return {
    version,
    ...(router !== 0 && { VirtualRtrID: router }),
    ...(priority !== 0 && { priority }),
    ...(interval !== 0 && { adver_int: interval }),
  }
}
