import { InvalidArgumentError } from '@skydive/contracts'
import { z } from 'zod'
import { refused } from './capture-refusal.ts'
import { CAPTURE_TARGET_TYPES, captureDestination } from './capture-target.ts'

/** Capture types in the order in which the original lists them, then `netflow`, which it has for Open vSwitch alone. */
export const CAPTURE_TYPES = [
  'ovssflow',
  'pcapsocket',
  'ovsmirror',
  'dpdk',
  'afpacket',
  'pcap',
  'ebpf',
  'sflow',
  'ovsnetflow',
  'netflow',
] as const

/** A known capture type. */
export type CaptureType = (typeof CAPTURE_TYPES)[number]

/** Capture types of which several may run on one node; an empty type counts as one of them (spec platform 1.4.2). */
const SHAREABLE: ReadonlySet<string> = new Set(['', 'afpacket', 'pcap'])

/** Whether several captures of `type` may run on one node. */
export function isShareableCaptureType(type: string): boolean {
  return SHAREABLE.has(type)
}

const uint32 = z.number().int().min(0).max(0xffff_ffff)

/**
 * A capture as REST takes it (spec platform 1.4.2). Unknown members are ignored, missing ones take their zero value. What needs a
 * Gremlin parser or a BPF compiler is checked by {@link checkCapture}.
 */
export const captureSchema = z.object({
  UUID: z.string().default('').describe('Assigned by the server; what a client sends is overwritten'),
  GremlinQuery: z.string().default('').describe('Which nodes to capture on, now and later'),
  BPFFilter: z.string().default('').describe('libpcap expression'),
  Name: z.string().default(''),
  Description: z.string().default(''),
  Type: z
    .string()
    .default('')
    .describe(`Empty (chosen by the type of the node) or one of ${CAPTURE_TYPES.join(' ')}`),
  Count: z.number().int().default(0).describe('On read: nodes on which this capture is active'),
  Port: z.number().int().min(0).max(65_535).default(0).describe('Port of a collector that the user fixes'),
  SamplingRate: uint32.default(0).describe('sFlow: one packet in N; 0 samples none'),
  PollingInterval: uint32.default(0).describe('sFlow counters, seconds'),
  RawPacketLimit: z.number().int().default(0).describe('Packets kept of a flow, 0 to 10'),
  HeaderSize: z.number().int().default(0).describe('Bytes kept of a packet: 0 (default) or 14 to 4096'),
  ExtraTCPMetric: z.boolean().default(false),
  IPDefrag: z.boolean().default(false),
  ReassembleTCP: z.boolean().default(false),
  LayerKeyMode: z.string().default('').describe('L2, L3 or empty for flow.default_layer_key_mode'),
  ExtraLayers: z.number().int().min(0).default(0).describe('Bit mask: VRRP 1, DNS 2, DHCPv4 4, all 255'),
  Target: z
    .string()
    .default('')
    .describe('host:port, or an IPv4 address for erspanv1, that packets or flows are sent to instead of the flow table'),
  TargetType: z
    .string()
    .default('')
    .describe(`Empty or local (the flow table), or one of ${CAPTURE_TARGET_TYPES.join(' ')}`),
})

/** A capture with every member set. */
export type Capture = z.infer<typeof captureSchema>

/** A capture as REST answers it. */
export const captureAnswerSchema = captureSchema.extend({
  Refusals: z
    .array(z.object({ NodeID: z.string(), Host: z.string(), Reason: z.string() }))
    .optional()
    .describe(
      'Nodes on which it could not be started when that was last tried, the first twenty; absent without any. It is tried again',
    ),
})

/** What {@link checkCapture} cannot know by itself. Each throws with the reason when it refuses. */
export interface CaptureValidators {
  gremlin(expression: string): void
  bpf(expression: string): void | Promise<void>
}

/**
 * Checks the rules of a capture that is to be created.
 *
 * @throws ERR_INVALID_ARGUMENT beginning with the member, such as `GremlinQuery: Not a valid Gremlin expression: …`. Where the original does not say
 * what it refused and what it takes, a second line does: `-5 is refused: give 0 (the default) or 14 to 4096`.
 */
export async function checkCapture(capture: Capture, validators: CaptureValidators): Promise<void> {
  await attempt('GremlinQuery', 'Not a valid Gremlin expression', capture.GremlinQuery, () =>
    validators.gremlin(capture.GremlinQuery),
  )
  if (capture.BPFFilter !== '') {
    await attempt('BPFFilter', 'Not a valid BPF expression', capture.BPFFilter, () => validators.bpf(capture.BPFFilter))
  }
  if (capture.Type !== '' && !(CAPTURE_TYPES as readonly string[]).includes(capture.Type)) {
    throw refused(
      'Type',
      capture.Type,
      `Not a valid capture type: ${capture.Type}, available types: [${CAPTURE_TYPES.join(' ')}]`,
    )
  }
  if (capture.RawPacketLimit < 0 || capture.RawPacketLimit > 10) {
    throw refused(
      'RawPacketLimit',
      capture.RawPacketLimit,
      'A valid raw packet limit size is > 0 && <= 10',
      'give 0 (none) to 10',
    )
  }
  if (capture.HeaderSize !== 0 && (capture.HeaderSize < 14 || capture.HeaderSize > 4096)) {
    throw refused(
      'HeaderSize',
      capture.HeaderSize,
      'A valid header size is >= 14 && <= 4096',
      'give 0 (the default) or 14 to 4096',
    )
  }
  if (!['', 'L2', 'L3'].includes(capture.LayerKeyMode)) {
    throw refused(
      'LayerKeyMode',
      capture.LayerKeyMode,
      'Not a valid layer key mode',
      'give L2, L3 or nothing (flow.default_layer_key_mode)',
    )
  }
  const destination = captureDestination(capture)
  checkCapabilities(capture)
  if (destination?.type === 'erspanv1' && COUNTING.has(capture.Type)) {
    throw refused('TargetType', capture.TargetType, `${capture.Type} capture has no packets that erspanv1 could mirror`)
  }
}

/** The members of a stored capture in the wire's order and with its presence rules (spec flows 3.1). */
export function toWireCapture(capture: Capture): Record<string, unknown> {
  const optional = <K extends keyof Capture>(key: K) => (capture[key] === '' || capture[key] === 0 ? {} : { [key]: capture[key] })
  return {
    UUID: capture.UUID,
    ...optional('GremlinQuery'),
    ...optional('BPFFilter'),
    ...optional('Name'),
    ...optional('Description'),
    ...optional('Type'),
    Count: capture.Count,
    ...optional('Port'),
    SamplingRate: capture.SamplingRate,
    PollingInterval: capture.PollingInterval,
    ...optional('RawPacketLimit'),
    ...optional('HeaderSize'),
    ExtraTCPMetric: capture.ExtraTCPMetric,
    IPDefrag: capture.IPDefrag,
    ReassembleTCP: capture.ReassembleTCP,
    ...optional('LayerKeyMode'),
    ...optional('ExtraLayers'),
    ...optional('Target'),
    ...optional('TargetType'),
  }
}

/** Whether `candidate` may not stand beside `existing` (answer 409). */
export function isDuplicateCapture(existing: Capture, candidate: Capture): boolean {
  if (existing.Type !== candidate.Type || existing.GremlinQuery !== candidate.GremlinQuery) return false
  return !isShareableCaptureType(candidate.Type) || existing.BPFFilter === candidate.BPFFilter
}

/** Types that count by themselves, eBPF in the kernel and NetFlow at the exporter: they see neither filters nor packets. */
const COUNTING: ReadonlySet<string> = new Set(['ebpf', 'netflow'])

function checkCapabilities(capture: Capture): void {
  if (!COUNTING.has(capture.Type)) return
  if (capture.BPFFilter !== '') {
    throw refused('BPFFilter', capture.BPFFilter, `${capture.Type} capture doesn't support BPF filtering`)
  }
  if (capture.RawPacketLimit !== 0) {
    throw refused('RawPacketLimit', capture.RawPacketLimit, `${capture.Type} capture doesn't support raw packet capture`)
  }
}

async function attempt(field: string, text: string, value: string, check: () => void | Promise<void>): Promise<void> {
  try {
    await check()
  } catch (error) {
    throw new InvalidArgumentError(`${field}: ${text}: ${(error as Error).message}`, { field, value }, error)
  }
}
