import { DecodeError, FLOW_PROTOCOLS, type Flow, ICMP_TYPES } from '@skydive/contracts'
import { z } from 'zod'
import { releaseSpelling } from './extra-layer-spelling.ts'

const integer = z.number().int()
const protocol = z.enum(FLOW_PROTOCOLS)
const layer = z.object({ Protocol: protocol, A: z.string().optional(), B: z.string().optional(), ID: integer })
const metric = z.object({
  ABPackets: integer,
  ABBytes: integer,
  BAPackets: integer,
  BABytes: integer,
  Start: integer,
  Last: integer,
  RTT: integer.optional(),
})

/** Both spellings of the original are read; what is in it is not looked at. */
const extraLayer = z.record(z.string(), z.unknown()).transform((layer) => releaseSpelling(layer) as Record<string, unknown>)

/** The Flow JSON of spec flows 1.1 to 1.3. Members that we don't know are dropped; extra layers are kept as they are. */
export const flowSchema = z.object({
  UUID: z.string().default(''),
  LayersPath: z.string().optional(),
  Application: z.string().optional(),
  Link: layer.optional(),
  Network: layer.optional(),
  Transport: z.object({ Protocol: protocol, A: integer, B: integer, ID: integer }).optional(),
  ICMP: z
    .object({
      Type: z.enum(ICMP_TYPES),
      Code: integer.optional(),
      ID: integer.optional(),
    })
    .optional(),
  LastUpdateMetric: metric.optional(),
  Metric: metric.optional(),
  TCPMetric: z
    .object({
      ABSynStart: integer,
      BASynStart: integer,
      ABSynTTL: integer.optional(),
      BASynTTL: integer.optional(),
      ABFinStart: integer,
      BAFinStart: integer,
      ABRstStart: integer,
      BARstStart: integer,
      ABSegmentOutOfOrder: integer,
      ABSegmentSkipped: integer,
      ABSegmentSkippedBytes: integer,
      ABPackets: integer,
      ABBytes: integer,
      ABSawStart: integer,
      ABSawEnd: integer,
      BASegmentOutOfOrder: integer,
      BASegmentSkipped: integer,
      BASegmentSkippedBytes: integer,
      BAPackets: integer,
      BABytes: integer,
      BASawStart: integer,
      BASawEnd: integer,
    })
    .optional(),
  IPMetric: z.object({ Fragments: integer, FragmentErrors: integer }).optional(),
  Start: integer,
  Last: integer,
  TrackingID: z.string().optional(),
  L3TrackingID: z.string().optional(),
  ParentUUID: z.string().default(''),
  NodeTID: z.string().optional(),
  CaptureID: z.string().optional(),
  RawPacketsCaptured: integer.default(0),
  FinishType: z.union([z.literal(1), z.literal(2), z.literal(3)]).optional(),
  DHCPv4: extraLayer.optional(),
  DNS: extraLayer.optional(),
  VRRPv2: extraLayer.optional(),
})

/** Reads a flow's JSON value. @throws ERR_DECODE naming the member that is wrong. */
export function decodeFlowJson(value: unknown): Flow {
  const parsed = flowSchema.safeParse(value)
  if (parsed.success) return parsed.data as Flow
  const [issue] = parsed.error.issues
  throw new DecodeError(`flow: ${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'not a flow'}`, 0)
}
