import { refused } from './capture-refusal.ts'

/** Where flows or packets of a capture go besides the agent's flow table (spec flows 3.6), and `ipfix`, which the original lacks. */
export const CAPTURE_TARGET_TYPES = ['netflowv5', 'erspanv1', 'ipfix'] as const

/** One of {@link CAPTURE_TARGET_TYPES}. */
export type CaptureTargetType = (typeof CAPTURE_TARGET_TYPES)[number]

/** A target taken apart: `{ host: '10.0.0.9', port: 2055 }`. */
export interface TargetAddress {
  /** An address without brackets, or a name; `localhost` when only a port is given. */
  readonly host: string
  /** 0 when none is given. */
  readonly port: number
}

/** Where a capture's flows or packets go: `{ type: 'ipfix', host: '10.0.0.9', port: 4739 }`. */
export interface CaptureDestination extends TargetAddress {
  readonly type: CaptureTargetType
}

const WITH_PORT = /^(?:(?:\[([0-9a-fA-F:.%]+)\]|([A-Za-z0-9.-]*)):)?(\d{1,5})$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/

/** Takes `host:port`, `[v6]:port`, `:port`, a bare port or a bare IPv4 address apart; `undefined` for anything else. */
export function parseTargetAddress(target: string): TargetAddress | undefined {
  if (IPV4.test(target)) return { host: target, port: 0 }
  const match = WITH_PORT.exec(target)
  const port = Number(match?.[3])
  if (!match || port > 65_535) return undefined
  return { host: match[1] ?? (match[2] || 'localhost'), port }
}

/**
 * Where a capture's flows or packets go; `undefined` when that is the agent's flow table.
 * @throws ERR_INVALID_ARGUMENT beginning with the member, for a type or an address that can't be used.
 */
export function captureDestination(capture: {
  readonly Target: string
  readonly TargetType: string
}): CaptureDestination | undefined {
  const { Target, TargetType } = capture
  const address = Target === '' ? undefined : parseTargetAddress(Target)
  if (Target !== '' && address === undefined)
    throw refused(
      'Target',
      Target,
      'Not a valid address',
      'give host:port, [IPv6]:port, :port, a port from 0 to 65535, or an IPv4 address',
    )
  if (TargetType === '' || TargetType === 'local') return undefined
  const type = CAPTURE_TARGET_TYPES.find((known) => known === TargetType)
  if (type === undefined) {
    const known = CAPTURE_TARGET_TYPES.join(' ')
    throw refused('TargetType', TargetType, `Not a valid target type: ${TargetType}, available types: [${known}]`)
  }
  if (type === 'erspanv1') {
    if (address && IPV4.test(address.host)) return { type, ...address }
    throw refused('Target', Target, 'an erspanv1 target takes an IPv4 address, such as 10.0.0.9')
  }
  if (address && address.port > 0) return { type, ...address }
  throw refused('Target', Target, `a target of type ${type} takes host:port, such as 10.0.0.9:${type === 'ipfix' ? 4739 : 2055}`)
}
