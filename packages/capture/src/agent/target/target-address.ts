import { isIP } from 'node:net'
import { type CaptureTarget, UnavailableError } from '@skydive/contracts'
import { IP_PROTOCOL } from '@skydive/packet'
import type { CaptureDestination } from '@skydive/protocol'
import type { CaptureSendTo } from '../messages.ts'
import { type LookUp, lookUpAll } from '../own-peers.ts'

/** Where a capture sends, and what of that it must not capture. */
export interface ResolvedTarget {
  readonly sendTo: CaptureSendTo
  readonly excludePeers: CaptureTarget['excludePeers']
}

/**
 * Looks the host of a target up: packets go to its first address, and what goes to any of them is left out of the capture.
 * @throws ERR_UNAVAILABLE for a name without an address.
 */
export async function resolveTarget(
  { type, host, port }: CaptureDestination,
  lookUp: LookUp = lookUpAll,
): Promise<ResolvedTarget> {
  const addresses = isIP(host) !== 0 ? [host] : await addressesOf(host, lookUp)
  const [address] = addresses
  if (address === undefined) throw unknownHost(host)
  // What ERSPAN sends has no ports.
  const what = type === 'erspanv1' ? { port: 0, protocol: IP_PROTOCOL.GRE } : { port }
  return { sendTo: { type, address, port }, excludePeers: addresses.map((one) => ({ address: one, ...what })) }
}

async function addressesOf(host: string, lookUp: LookUp): Promise<readonly string[]> {
  try {
    return await lookUp(host)
  } catch (error) {
    throw unknownHost(host, error)
  }
}

function unknownHost(host: string, cause?: unknown): UnavailableError {
  const why = cause === undefined ? 'it has no address' : (cause as Error).message
  return new UnavailableError(`capture: target ${host} can't be looked up: ${why}; give an address or mend the name`, {
    retryable: true,
    fields: { host },
  })
}
