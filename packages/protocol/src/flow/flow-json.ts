import type { Flow } from '@skydive/contracts'

/** The JSON text of a flow. Raw packets are never in it. */
export function encodeFlowJson(flow: Flow): string {
  return JSON.stringify(withoutRawPackets(flow))
}

/** The flow as a JSON answer has it: the same members without the raw packets. */
export function withoutRawPackets(flow: Flow): Flow {
  if (!flow.LastRawPackets) return flow
  const { LastRawPackets: _, ...rest } = flow
  return rest
}
