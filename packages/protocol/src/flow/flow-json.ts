import type { Flow } from '@skydive/contracts'

/** The JSON text of a flow. Raw packets and the exporter are never in it. */
export function encodeFlowJson(flow: Flow): string {
  return JSON.stringify(withoutRawPackets(flow))
}

/** The flow as a JSON answer has it: the same members without the raw packets and the exporter. */
export function withoutRawPackets(flow: Flow): Flow {
  if (!(flow.LastRawPackets || flow.Exporter)) return flow
  const { LastRawPackets: _, Exporter: __, ...rest } = flow
  return rest
}
