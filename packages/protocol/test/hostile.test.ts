import { describe, expect, test } from '@jest/globals'
import { type Flow, type GraphNode, SkydiveError, toWireNode } from '@skydive/contracts'
import fc from 'fast-check'
import {
  decodeFlowJson,
  decodeFlowMessage,
  decodeFlowSet,
  decodeFlowStream,
  decodeTableQuery,
  decodeTableReply,
  encodeFlowMessage,
  encodeFlowSet,
  encodeTableQuery,
  encodeTableReply,
  FlowStreamWriter,
  splitFlowMessage,
} from '../src/flow/index.ts'
import { decodeBinaryMessage, decodeGraphMessage, decodeTextMessage, OutgoingMessage } from '../src/index.ts'

// Whatever a peer sends is read, or refused with an error of ours: nothing else is thrown, and no object inherits anything from it.

const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 6_000)

const FLOW: Flow = {
  UUID: 'u',
  TrackingID: 't',
  NodeTID: 'tid',
  Application: 'TCP',
  LayersPath: 'Ethernet/IPv4/TCP',
  Link: { Protocol: 'ETHERNET', A: '02:00:00:00:00:01', B: '02:00:00:00:00:02', ID: 0 },
  Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
  Transport: { Protocol: 'TCP', A: 40_000, B: 80, ID: 0 },
  ICMP: { Type: 'ECHO', ID: 7 },
  Metric: { ABPackets: 1, ABBytes: 2, BAPackets: 3, BABytes: 4, Start: 5, Last: 6 },
  Start: 5,
  Last: 6,
  ParentUUID: '',
  RawPacketsCaptured: 1,
  LastRawPackets: [{ Timestamp: 1, Index: 0, Data: Uint8Array.of(1, 2, 3), LinkType: 1 }],
}
const NODE: GraphNode = {
  kind: 'node',
  id: 'n',
  metadata: { Name: 'eth0', Type: 'device', Features: { gro: true }, IPV4: ['10.0.0.1/8'] },
  host: 'alpha',
  origin: 'agent.alpha',
  createdAtMs: 1,
  updatedAtMs: 2,
  deletedAtMs: null,
  revision: 3,
}

/** Reads, or refuses with an error that a caller can tell from a fault of ours. */
function readsOrRefuses(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if (!SkydiveError.isInstance(error) || error.code === 'ERR_INVARIANT') throw error
  }
  expect(Object.keys(Object.prototype)).toEqual([])
}

const filter = {
  BoolFilter: {
    Op: 1 as const,
    Filters: [{ TermStringFilter: { Key: 'NodeTID', Value: 'x' } }, { GtInt64Filter: { Key: 'Last', Value: 7 } }],
  },
}

const BINARY: readonly (readonly [name: string, sample: Uint8Array, decode: (bytes: Uint8Array) => unknown])[] = [
  [
    'a flow message',
    encodeFlowMessage({
      Flows: [FLOW, FLOW],
      Stats: { CaptureID: 'c', FlowCount: 1, FlowDropped: 2, KernelFlowDropped: 3, PacketsDropped: 4, PacketsReceived: 5 },
      Batch: { Origin: 'alpha:1', Sequence: 2 },
    }),
    decodeFlowMessage,
  ],
  ['a message that is split', encodeFlowMessage({ Flows: [FLOW, FLOW] }), splitFlowMessage],
  ['a flow set', encodeFlowSet([FLOW]), decodeFlowSet],
  ['a stream of flows', new FlowStreamWriter().encode([FLOW, FLOW]), decodeFlowStream],
  [
    'a table query',
    encodeTableQuery({ Type: 'SearchQuery', Query: { Filter: filter, Sort: true, SortBy: 'Last' } }),
    decodeTableQuery,
  ],
  ['a table reply', encodeTableReply({ Status: 200, FlowSetBytes: [Uint8Array.of(1, 2)] }), decodeTableReply],
  [
    'an envelope',
    new OutgoingMessage({ namespace: 'Graph', type: 'NodeAdded', uuid: 'u', body: toWireNode(NODE) }).binary(),
    decodeBinaryMessage,
  ],
]

/** Damage to bytes: some are changed, put in, taken out or said again. */
const damage = fc.array(
  fc.record({
    at: fc.nat(4_000),
    kind: fc.constantFrom('set', 'insert', 'cut', 'drop', 'again'),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 255)),
  }),
  { minLength: 1, maxLength: 6 },
)

function damaged(
  sample: Uint8Array,
  changes: readonly { readonly at: number; readonly kind: string; readonly byte: number }[],
): Uint8Array {
  let bytes = [...sample]
  for (const { at, kind, byte } of changes) {
    const index = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'set') bytes[index] = byte
    else if (kind === 'insert') bytes.splice(index, 0, byte)
    else if (kind === 'drop') bytes.splice(index, 1 + (byte % 8))
    else if (kind === 'cut') bytes = bytes.slice(0, index)
    else bytes.splice(index, 0, ...bytes.slice(index, index + byte))
  }
  return Uint8Array.from(bytes)
}

describe('bytes', () => {
  test.each(BINARY)('%s, damaged or made up', (_name, sample, decode) => {
    expect(() => decode(sample)).not.toThrow()
    fc.assert(
      fc.property(damage, fc.uint8Array({ maxLength: 80 }), (changes, noise) => {
        readsOrRefuses(() => decode(damaged(sample, changes)))
        readsOrRefuses(() => decode(noise))
      }),
      { numRuns: Math.ceil(NUM_RUNS / BINARY.length) },
    )
  })

  test.each(BINARY)('%s, of lengths without end', (_name, _sample, decode) => {
    for (const byte of [0x80, 0xff, 0x0a]) {
      for (const length of [1, 11, 200, 2000]) readsOrRefuses(() => decode(new Uint8Array(length).fill(byte)))
    }
  })

  test('a filter without end is refused', () => {
    let query = Uint8Array.of()
    // 3: BoolFilter, in it 2: Filters, in it the next.
    for (let depth = 0; depth < 20_000; depth++) {
      const inner = lengthPrefixed(2, query)
      query = lengthPrefixed(3, inner)
      if (query.length > 60_000) break
    }
    expect(() => decodeTableQuery(lengthPrefixed(2, lengthPrefixed(1, query)))).toThrow(
      expect.objectContaining({ code: 'ERR_DECODE' }),
    )
  })
})

function lengthPrefixed(field: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = [(field << 3) | 2]
  for (let length = bytes.length; ; length >>>= 7) {
    if (length < 128) {
      head.push(length)
      break
    }
    head.push((length & 127) | 128)
  }
  const whole = new Uint8Array(head.length + bytes.length)
  whole.set(head)
  whole.set(bytes, head.length)
  return whole
}

const TYPES = [
  ...['SyncRequest', 'Sync', 'SyncReply', 'Resume'],
  ...['Node', 'Edge'].flatMap((kind) => ['Added', 'Updated', 'PartiallyUpdated', 'Deleted'].map((what) => kind + what)),
]
const MEMBERS = [
  ...[
    'ID',
    'Host',
    'Origin',
    'Metadata',
    'Parent',
    'Child',
    'CreatedAt',
    'UpdatedAt',
    'DeletedAt',
    'Revision',
    'Ops',
    'Type',
    'Key',
    'Value',
  ],
  ...['Nodes', 'Edges', 'Time', 'GremlinFilter', 'Part', 'Parts', '__proto__', 'constructor', 'toString'],
]
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>('a', '', '__proto__', 'a.__proto__.b', 1, 2, 0, -1, 1.5, 1e300, true, null),
    fc.array(tie('json'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...MEMBERS), tie('json')), { maxLength: 6 })
      .map(
        (members) =>
          JSON.parse(`{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`) as unknown,
      ),
  ),
}))

describe('JSON', () => {
  test('graph messages of any content', () => {
    const defaults = { nowMs: 1, origin: 'peer' }
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), json, (type, body) => {
        readsOrRefuses(() => decodeGraphMessage({ namespace: 'Graph', type, uuid: 'u', status: 200, body }, defaults))
      }),
      { numRuns: NUM_RUNS },
    )
  })

  test('envelopes and flows of any content', () => {
    const flowLike = fc.dictionary(fc.constantFrom(...Object.keys(FLOW), '__proto__'), json, { maxKeys: 8 })
    const noise = fc.array(
      fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '1', '"Namespace"', '"Type"', '"Obj"', 'null'),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(flowLike, noise, (value, pieces) => {
        readsOrRefuses(() => decodeFlowJson({ ...FLOW, ...value }))
        readsOrRefuses(() => decodeTextMessage(pieces.join('')))
        readsOrRefuses(() => decodeTextMessage(JSON.stringify({ Namespace: 'G', Type: 'T', ...value })))
      }),
      { numRuns: Math.ceil(NUM_RUNS / 6) },
    )
  })
})
