import type { CaptureFlowOptions } from '@skydive/capture'
import type { ConfigValues } from '@skydive/daemon'

/** The section `flow` of the configuration as captures want it. */
export function captureFlowOptions({ flow }: ConfigValues): CaptureFlowOptions {
  return {
    updateMs: flow.update * 1_000,
    expireMs: flow.expire * 1_000,
    maxFlows: flow.max_entries,
    defaultLayerKeyMode: flow.default_layer_key_mode,
    applicationPorts: { tcp: byPort(flow.application_ports.tcp), udp: byPort(flow.application_ports.udp) },
    applicationTimeoutsMs: Object.fromEntries(
      Object.entries(flow.application_timeout).map(([name, seconds]) => [name.toUpperCase(), seconds * 1_000]),
    ),
  }
}

/** Names of applications by port number; keys of the configuration are text. */
function byPort(names: Readonly<Record<string, string>>): Record<number, string> {
  return Object.fromEntries(Object.entries(names).map(([port, name]) => [Number(port), name]))
}
