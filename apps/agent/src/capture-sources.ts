import type { CaptureSourceChoice } from '@skydive/capture'
import type { ConfigValues } from '@skydive/daemon'

/** Where the scripts of the sources lie, in a bundle. */
export interface SourceScripts {
  readonly afpacket?: URL
  readonly pcap?: URL
  readonly pcapsocket?: URL
  readonly sflow?: URL
  readonly netflow?: URL
}

/** The sources of packets and of records of this build, by capture type. */
export function captureSources({ agent }: ConfigValues, scripts: SourceScripts): Readonly<Record<string, CaptureSourceChoice>> {
  const module = (script: URL | undefined, name: string) => (script ?? new URL(import.meta.resolve(name))).href
  const { netflow, pcapsocket } = agent.flow
  const pcapsocketOptions = { address: pcapsocket.bind_address, minPort: pcapsocket.min_port, maxPort: pcapsocket.max_port }
  const switchOptions = { address: netflow.bind_address, minPort: netflow.port_min, maxPort: netflow.port_max }
  return {
    afpacket: { module: module(scripts.afpacket, '@skydive/probe-afpacket'), options: { ringBytes: agent.capture.ring_bytes } },
    pcap: { module: module(scripts.pcap, '@skydive/probe-pcap') },
    pcapsocket: { module: module(scripts.pcapsocket, '@skydive/probe-pcapsocket'), options: pcapsocketOptions },
    sflow: { module: module(scripts.sflow, '@skydive/probe-sflow') },
    netflow: { module: module(scripts.netflow, '@skydive/probe-netflow'), switchOptions },
  }
}
