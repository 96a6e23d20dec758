import type { CaptureStart } from '../src/agent/messages.ts'

/** A capture of the source `module` on an interface, with all defaults. */
export const captureStart = (module: string): CaptureStart => ({
  taskId: 1,
  module,
  target: { interfaceName: 'v0', ifindex: 1, bpfFilter: '', snapLength: 0, excludePeers: [] },
  table: {
    nodeTid: 't',
    captureId: 'c',
    layerKeyMode: 'L2',
    rawPacketLimit: 0,
    extraTcpMetric: false,
    maxFlows: 10,
    ipDefrag: false,
    reassembleTcp: false,
    extraLayers: 0,
    mplsUdpPorts: [],
  },
  updateMs: 60_000,
  expireMs: 600_000,
})
