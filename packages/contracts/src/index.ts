/**
 * The contracts between the parts of Skydive: element, event, flow and store types, the interfaces that probes, sources and stores
 * implement, and the errors that cross package borders. No dependency, no I/O; everything here runs in a browser.
 *
 * @packageDocumentation
 */

export type {
  CaptureDescription,
  CaptureSource,
  CaptureSourceModule,
  CaptureSpread,
  CaptureStats,
  CaptureTarget,
  FlowRecord,
  FlowRecordSink,
  PacketBlockLayout,
  PacketBlockSink,
  PacketFormat,
  PacketSource,
  RecordSource,
} from './capture.ts'
export type {
  GraphEdge,
  GraphElement,
  GraphNode,
  Metadata,
  MetadataObject,
  MetadataOp,
  MetadataValue,
  TimeSlice,
} from './element.ts'
export type { ErrorFault, Requirement, SkydiveErrorInit } from './errors.ts'
export {
  CancelledError,
  ConflictError,
  DecodeError,
  InvalidArgumentError,
  InvariantError,
  LimitError,
  NotFoundError,
  PermissionError,
  ProtocolError,
  SkydiveError,
  UnavailableError,
  UnsupportedError,
} from './errors.ts'
export type { Cursor, GraphBatch, GraphEvent, GraphEvents, GraphListener, SubscribeOptions, Unsubscribe } from './events.ts'
export type { BoolFilterOp, Filter, SearchQuery, SortOrder } from './filter.ts'
export type {
  DnsQuestion,
  DnsRecord,
  EnhancedFlow,
  Flow,
  FlowDhcpv4,
  FlowDns,
  FlowExporter,
  FlowExporterPlace,
  FlowFinishType,
  FlowLayer,
  FlowMetric,
  FlowPlace,
  FlowPlaces,
  FlowProtocol,
  FlowVrrpv2,
  IcmpLayer,
  IcmpType,
  IpMetric,
  RawPacket,
  TcpMetric,
  TransportLayer,
} from './flow.ts'
export { EXTRA_LAYERS, FLOW_PROTOCOLS, ICMP_TYPES } from './flow.ts'
export type { CaptureSpan, FlowCoverage, FlowCoverageSummary, FlowLoss, FlowLossCause } from './flow-coverage.ts'
export { FLOW_LOSS_CAUSES } from './flow-coverage.ts'
export type { FlowAnswer, FlowQuery, FlowReader } from './flow-reader.ts'
export type { DiffOptions, ElementChange, GraphDiff, KeyChange } from './graph-diff.ts'
export { NOISY_KEYS } from './graph-diff.ts'
export type {
  ElementSelection,
  GraphSource,
  GraphView,
  IndexValue,
  NeighborVisitor,
  OrdinalVisitor,
  ReadOptions,
  SliceCoverage,
} from './graph-view.ts'
export type {
  EdgeInit,
  GraphReplica,
  GraphTransaction,
  GraphWriter,
  MetadataPatch,
  NodeInit,
  ReplicaChange,
  ReplicaResult,
} from './graph-writer.ts'
export { deterministicId, oidUuid, randomId, relationId } from './identifier.ts'
export type { Clock, Counter, Gauge, Logger, Metrics, Service } from './lifecycle.ts'
export { SILENT_LOGGER } from './lifecycle.ts'
export type { NamespaceFeed, NamespaceListener, NamespaceRegistry, NetworkNamespace } from './namespace.ts'
export { NeighborSpan } from './neighbor-span.ts'
export type { NodeIds } from './node-ids.ts'
export type { Detection, Probe, ProbeComponents, ProbeFactory, ProbeStatus } from './probe.ts'
export { ProbeStatusHolder } from './probe-status.ts'
export type { FlowStore, KeyValueEntry, KeyValueEvent, KeyValueStore, StoreStatus, TopologyStore } from './store.ts'
export type { TlsClientSettings, TlsServerSettings } from './tls.ts'
export type { WireEdge, WireNode } from './wire-element.ts'
export { toWireEdge, toWireNode } from './wire-element.ts'
