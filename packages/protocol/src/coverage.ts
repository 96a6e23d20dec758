import { FLOW_LOSS_CAUSES, type FlowCoverage, type FlowCoverageSummary } from '@skydive/contracts'
import { z } from 'zod'

const time = z
  .string()
  .min(1)
  .max(64)
  .describe('ms or s since the epoch, RFC 3339, RFC 1123, a duration from now such as -1h, or now')

/** `GET /api/coverage`. */
export const coverageQuerySchema = z.strictObject({
  from: time,
  to: time.optional().describe('As from; now when absent'),
})

const ms = z.number().int().describe('ms since the epoch')

/** What it answers. Shape: `{ From: 1000, To: 2000, Complete: true, Watched: 1, Lost: { Packets: 0, Flows: 0 }, Captures: […], Losses: [] }`. */
export const coverageSchema = z.object({
  From: ms,
  To: ms,
  KnownFrom: ms.optional().describe('Nothing is known of the time before; absent when all is known'),
  Complete: z.boolean().describe('A capture ran at every moment, and nothing was lost'),
  Watched: z.number().describe('The share of the time in which at least one capture ran, 0 to 1'),
  Lost: z.object({ Packets: z.number().int(), Flows: z.number().int() }),
  Captures: z
    .array(
      z.object({
        ID: z.string(),
        Name: z.string().optional(),
        NodeID: z.string(),
        NodeTID: z.string(),
        NodeName: z.string(),
        Host: z.string(),
        Type: z.string().optional().describe('Absent: the agent chose'),
        BPFFilter: z.string().optional().describe('Absent: all packets'),
        SamplingRate: z.number().int().describe('One packet in so many'),
        From: ms,
        To: ms.optional().describe('Absent while it runs'),
        PacketsReceived: z.number().int(),
        PacketsDropped: z.number().int(),
        PacketsIfDropped: z
          .number()
          .int()
          .optional()
          .describe('Dropped by the interface, whatever the filter; absent where the agent does not tell'),
        Error: z.string().optional(),
      }),
    )
    .describe('In the order of their beginning'),
  Losses: z.array(
    z.object({
      Cause: z
        .enum(FLOW_LOSS_CAUSES)
        .describe(
          'interface: dropped before a capture could see them; kernel: no room in the ring; table: the flow table was full; link: an agent could not send; store: the store did not take them',
        ),
      Host: z.string(),
      CaptureID: z.string().optional(),
      From: ms,
      To: ms,
      Packets: z.number().int(),
      Flows: z.number().int(),
    }),
  ),
})

/** The answer of `GET /api/coverage`. */
export type CoverageAnswer = z.infer<typeof coverageSchema>

/** The answer to a question about coverage. */
export function toWireCoverage(coverage: FlowCoverage, summary: FlowCoverageSummary): CoverageAnswer {
  const { fromMs, toMs, knownFromMs, spans, losses } = coverage
  return {
    From: fromMs,
    To: toMs,
    ...(knownFromMs !== undefined && { KnownFrom: knownFromMs }),
    Complete: summary.complete,
    Watched: summary.watched,
    Lost: { Packets: summary.lostPackets, Flows: summary.lostFlows },
    Captures: spans.map((span) => ({
      ID: span.captureId,
      ...(span.captureName !== '' && { Name: span.captureName }),
      NodeID: span.nodeId,
      NodeTID: span.nodeTid,
      NodeName: span.nodeName,
      Host: span.host,
      ...(span.type !== '' && { Type: span.type }),
      ...(span.filter !== '' && { BPFFilter: span.filter }),
      SamplingRate: span.samplingRate,
      From: span.fromMs,
      ...(span.toMs !== undefined && { To: span.toMs }),
      PacketsReceived: span.packetsReceived,
      PacketsDropped: span.packetsDropped,
      ...(span.packetsIfDropped !== undefined && { PacketsIfDropped: span.packetsIfDropped }),
      ...(span.error !== undefined && { Error: span.error }),
    })),
    Losses: losses.map((loss) => ({
      Cause: loss.cause,
      Host: loss.host,
      ...(loss.captureId !== undefined && { CaptureID: loss.captureId }),
      From: loss.fromMs,
      To: loss.toMs,
      Packets: loss.packets,
      Flows: loss.flows,
    })),
  }
}

/**
 * The value of the header `X-Skydive-Coverage` of an answer about flows: `complete`, or `partial;lost=12;packets=10;flows=2;watched=0.5`, where `lost` is the
 * sum of both. The share is rounded down, so that 1 means the whole time.
 */
export function formatCoverage({ complete, lostPackets, lostFlows, watched }: FlowCoverageSummary): string {
  if (complete) return 'complete'
  const share = Math.floor(watched * 1_000_000) / 1_000_000
  return `partial;lost=${lostPackets + lostFlows};packets=${lostPackets};flows=${lostFlows};watched=${share}`
}

/** What an agent tells of reports of flows that it had to drop before they could be sent. */
export const flowLossSchema = z.object({ Flows: z.number().int().nonnegative(), From: ms, To: ms })

/** {@link flowLossSchema} when it is read. */
export type FlowLossBody = z.infer<typeof flowLossSchema>
