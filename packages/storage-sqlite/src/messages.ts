import type {
  ElementSelection,
  EnhancedFlow,
  FlowMetric,
  FlowPlaces,
  FlowQuery,
  GraphDiff,
  GraphEdge,
  GraphNode,
  KeyValueEntry,
  Metadata,
  MetadataOp,
  RawPacket,
  StoreStatus,
  TimeSlice,
} from '@skydive/contracts'

// What crosses the border between the main thread and the store worker: plain data, structured-cloneable.

/** An element as the worker stores it. `parent` and `child` are empty for a node. */
export interface StoredElement {
  readonly kind: 'node' | 'edge'
  readonly id: string
  readonly parent: string
  readonly child: string
  readonly host: string
  readonly origin: string
  readonly createdAtMs: number
}

/** A revision read back. `metadata` is JSON text, parsed by the reader. */
export interface StoredRevision extends StoredElement {
  readonly updatedAtMs: number
  readonly deletedAtMs: number | null
  readonly revision: number
  readonly metadata: string
}

/** One change for the history. An update carries its operations, and the whole metadata where a keyframe is due. */
export type TopologyChange =
  | {
      readonly op: 'put'
      readonly element: StoredElement
      readonly revision: number
      readonly updatedAtMs: number
      readonly metadata: Metadata
    }
  | {
      readonly op: 'patch'
      readonly kind: 'node' | 'edge'
      readonly id: string
      readonly revision: number
      readonly updatedAtMs: number
      readonly ops: readonly MetadataOp[]
    }
  | { readonly op: 'delete'; readonly kind: 'node' | 'edge'; readonly id: string; readonly deletedAtMs: number }
  /** What lives: what is held beyond that ends at `timeMs`. With `origin`, of what that one wrote. */
  | {
      readonly op: 'reconcile'
      readonly live: readonly LiveElement[]
      readonly timeMs: number
      readonly origin: string | undefined
    }

/** A live element as it is. */
export interface LiveElement {
  readonly element: StoredElement
  readonly revision: number
  readonly updatedAtMs: number
  readonly metadata: Metadata
}

/** Where the files are and how long they stay. */
export interface StorageSettings {
  readonly dataDir: string
  readonly retentionAgeMs: number
  readonly retentionBytes: number
  /** Length of one topology file. */
  readonly topologyPartitionMs: number
  /** Length of one flow file. */
  readonly flowPartitionMs: number
}

/** What the worker does, by name, with the type of the answer. Requests are carried out one after the other, in order. */
export interface StoreOperations {
  readonly open: { readonly request: StorageSettings; readonly reply: undefined }
  readonly appendTopology: {
    readonly request: { readonly changes: readonly TopologyChange[]; readonly nowMs: number }
    readonly reply: undefined
  }
  readonly readTopology: { readonly request: TimeSlice; readonly reply: readonly StoredRevision[] }
  readonly selectTopology: {
    readonly request: { readonly selection: ElementSelection; readonly slice: TimeSlice }
    readonly reply: readonly StoredRevision[]
  }
  readonly diffTopology: {
    readonly request: { readonly fromMs: number; readonly toMs: number; readonly ignoreKeys: readonly string[] }
    readonly reply: GraphDiff
  }
  readonly topologyHistory: {
    readonly request: { readonly id: string; readonly slice: TimeSlice | undefined }
    readonly reply: readonly (GraphNode | GraphEdge)[]
  }
  readonly topologyCoverage: { readonly request: undefined; readonly reply: number | undefined }
  readonly appendFlows: {
    readonly request: { readonly flows: readonly EnhancedFlow[]; readonly nowMs: number }
    readonly reply: undefined
  }
  readonly searchFlows: {
    readonly request: { readonly query: FlowQuery; readonly slice: TimeSlice }
    readonly reply: readonly EnhancedFlow[]
  }
  readonly flowMetrics: {
    readonly request: { readonly query: FlowQuery; readonly slice: TimeSlice }
    readonly reply: readonly (readonly [string, readonly FlowMetric[]])[]
  }
  readonly rawPackets: {
    readonly request: { readonly query: FlowQuery; readonly slice: TimeSlice }
    readonly reply: readonly (readonly [string, readonly RawPacket[]])[]
  }
  readonly getObject: { readonly request: string; readonly reply: KeyValueEntry | undefined }
  readonly listObjects: { readonly request: string; readonly reply: readonly KeyValueEntry[] }
  readonly writeObject: {
    readonly request: {
      readonly key: string
      readonly value: string
      readonly expiresAtMs: number | null
      readonly exclusive: boolean
    }
    /** `undefined`: the key was taken and `exclusive` was asked for. */
    readonly reply: KeyValueEntry | undefined
  }
  readonly deleteObject: { readonly request: string; readonly reply: KeyValueEntry | undefined }
  readonly status: { readonly request: undefined; readonly reply: Pick<StoreStatus, 'bytes'> }
  readonly close: { readonly request: undefined; readonly reply: undefined }
}

/** The name of an operation of the worker. */
export type StoreOperation = keyof StoreOperations

/** A numbered request to the worker. */
export interface StoreRequest<Operation extends StoreOperation = StoreOperation> {
  readonly number: number
  readonly operation: Operation
  readonly request: StoreOperations[Operation]['request']
}

/** The worker's answer to the request of the same number. */
export type StoreReply =
  | { readonly number: number; readonly reply: unknown }
  | { readonly number: number; readonly error: { readonly message: string; readonly code: string } }

/** A flow with its places as it lies in a row. */
export interface StoredFlow {
  readonly flow: EnhancedFlow['flow']
  readonly places: FlowPlaces
}
