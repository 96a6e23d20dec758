import { expect, test } from '@jest/globals'
import type { EnhancedFlow, Filter, Flow, FlowPlace, FlowQuery, FlowRecord } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import { createRecordTable } from '@skydive/flow-table/records'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import fc from 'fast-check'
import { answerTableQuery } from '../src/agent/analyzer-messages.ts'
import type { CaptureFeed, CaptureTable } from '../src/agent/capture-feed.ts'
import { ExporterTables } from '../src/agent/exporter-tables.ts'
import { createLiveFlowReader } from '../src/analyzer/live-flow-reader.ts'

const NOW_MS = 1_700_000_000_000
const FORMAT = { layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: LINK_TYPE.ETHERNET } as const

/** A datagram of 10.0.0.1 from port 1000 + `from` to 10.0.0.<to>, `lastMs` after the beginning. */
interface Sent {
  readonly from: number
  readonly to: number
  readonly lastMs: number
}

function pcapRecord({ from, to, lastMs }: Sent): Uint8Array {
  const head = {
    5: 2,
    11: 1,
    12: 8,
    14: 0x45,
    17: 46,
    22: 64,
    23: 17,
    26: 10,
    29: 1,
    30: 10,
    33: to,
    34: 3,
    35: 0xe8 + from,
    37: 53,
  }
  const data = Uint8Array.from({ length: 60 }, (_, i) => (head as Record<number, number>)[i] ?? 0)
  return encodePcap([{ timeMs: NOW_MS + lastMs, data }]).slice(24)
}

function flowRecord({ from, to, lastMs }: Sent): FlowRecord {
  const addresses = Int32Array.of(0x0a000001, 0, 0, 0, 0x0a000000 + to, 0, 0, 0)
  return {
    ...{
      observer: 0,
      exporterAddress: '',
      inputIndex: 0,
      outputIndex: 0,
      isEgress: false,
      ipVersion: 4,
      addresses,
      protocol: 17,
    },
    ...{ sourcePort: 1000 + from, destinationPort: 53, icmpType: 0, icmpCode: 0, packets: 1, bytes: 60, reversePackets: 0 },
    ...{
      reverseBytes: 0,
      isTotal: false,
      startMs: NOW_MS,
      lastMs: NOW_MS + lastMs,
      tcpFlags: 0,
      sourceMac: 0,
      destinationMac: 0,
    },
    vlanId: 0,
  }
}

const KINDS = ['packets', 'samples', 'records'] as const

/** A table of each kind that captures have, with what was sent. */
function table(kind: (typeof KINDS)[number], nodeTid: string, sent: readonly Sent[]): CaptureTable {
  if (kind === 'records') {
    const made = createRecordTable({ nodeTid })
    for (const one of sent) made.consume(flowRecord(one), NOW_MS)
    return made
  }
  if (kind === 'samples') {
    const made = new ExporterTables({ nodeTid, rawPacketLimit: 1 }, FORMAT, () => {})
    for (const one of sent) made.consume(pcapRecord(one), 0, 76, 1, undefined, `10.1.0.${one.to & 1}`)
    return made
  }
  const made = createFlowTable({ nodeTid, rawPacketLimit: 1 })
  const consume = made.consumer(FORMAT)
  for (const one of sent) consume(pcapRecord(one), 0, 76)
  return made
}

/** A condition, and whether a flow meets it, said in another way. */
interface Condition {
  readonly filter: Filter
  readonly meets: (flow: Flow) => boolean
}

/** The analyzer knows where 10.0.0.1 and 10.0.0.2 run. */
const placeOf = ({ Network }: Flow): FlowPlace | undefined =>
  Network?.B === '10.0.0.2' ? { tid: 't2', name: 'eth2', type: 'device', host: 'alpha' } : undefined
const enhance = (flow: Flow): EnhancedFlow => {
  const b = placeOf(flow)
  return { flow, places: b ? { b } : {} }
}

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.nat(4).map(
    (port): Condition => ({
      filter: { GteInt64Filter: { Key: 'Transport.A', Value: 1000 + port } },
      meets: ({ Transport }) => Transport!.A >= 1000 + port,
    }),
  ),
  fc.integer({ min: 1, max: 3 }).map(
    (to): Condition => ({
      filter: { TermStringFilter: { Key: 'Network.B', Value: `10.0.0.${to}` } },
      meets: ({ Network }) => Network!.B === `10.0.0.${to}`,
    }),
  ),
  fc.constantFrom('n0', 'n1').map(
    (tid): Condition => ({
      filter: { TermStringFilter: { Key: 'NodeTID', Value: tid } },
      meets: ({ NodeTID }) => NodeTID === tid,
    }),
  ),
  // Of these the tables know nothing, or agents of the original.
  fc.constant<Condition>({
    filter: { TermStringFilter: { Key: 'Place.B.Name', Value: 'eth2' } },
    meets: ({ Network }) => Network!.B === '10.0.0.2',
  }),
  fc.constant<Condition>({ filter: { IPV6RangeFilter: { Key: 'Network.A', Value: '2001:db8::/32' } }, meets: () => false }),
  fc.constant<Condition>({ filter: {}, meets: () => true }),
)
const combined = (inner: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> =>
  fc
    .tuple(fc.constantFrom(0 as const, 1 as const, 2 as const), fc.array(inner, { minLength: 1, maxLength: 3 }))
    .map(([Op, all]) => ({
      filter: { BoolFilter: { Op, Filters: all.map(({ filter }) => filter) } },
      meets: (flow) => {
        const met = all.map(({ meets }) => meets(flow))
        // NOT of several: one of them is not met.
        return Op === 0 ? met.includes(true) : Op === 1 ? !met.includes(false) : met.includes(false)
      },
    }))
const condition = fc.oneof(leaf, combined(leaf), combined(combined(leaf)))

const SORT_KEYS = { Last: (flow: Flow) => flow.Last, 'Transport.A': (flow: Flow) => flow.Transport!.A }
const DEDUP_KEYS = {
  'Network.B': (flow: Flow) => flow.Network!.B,
  NodeTID: (flow: Flow) => flow.NodeTID,
  TrackingID: (flow: Flow) => flow.TrackingID,
}

const question = fc.record(
  {
    condition,
    sort: fc.tuple(fc.constantFrom('Last' as const, 'Transport.A' as const), fc.boolean()),
    dedup: fc.constantFrom('Network.B' as const, 'NodeTID' as const, 'TrackingID' as const),
    page: fc.tuple(fc.nat(4), fc.nat(5)),
    nodeTids: fc.subarray(['n0', 'n1', 'n2']),
  },
  { requiredKeys: [] },
)
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never

function written({ condition, sort, dedup, page, nodeTids }: Question): FlowQuery {
  return {
    ...(condition && { Filter: condition.filter }),
    ...(sort && { Sort: true, SortBy: sort[0], SortOrder: sort[1] ? 2 : 1 }),
    ...(dedup && { Dedup: true, DedupBy: dedup }),
    ...(page && { PaginationRange: { From: page[0], To: page[0] + page[1] } }),
    ...(nodeTids && { nodeTids }),
  }
}

/** The answer of somebody who has all flows at hand, done step by step. */
function central(flows: readonly Flow[], { condition, sort, dedup, page, nodeTids }: Question): readonly Flow[] {
  let left = flows.filter((flow) => (!nodeTids || nodeTids.includes(flow.NodeTID!)) && (!condition || condition.meets(flow)))
  if (sort) {
    const [key, descending] = sort
    left = [...left].sort((a, b) => (SORT_KEYS[key](a) - SORT_KEYS[key](b)) * (descending ? -1 : 1))
  }
  if (dedup) {
    const first = new Map<unknown, Flow>()
    for (const flow of left) if (!first.has(DEDUP_KEYS[dedup](flow))) first.set(DEDUP_KEYS[dedup](flow), flow)
    left = [...first.values()]
  }
  return page ? left.slice(page[0], page[0] + page[1]) : left
}

const datagram = fc.record({ from: fc.nat(4), to: fc.integer({ min: 1, max: 3 }), lastMs: fc.nat(6) })
/** By agent, by capture. */
const agents = fc.array(
  fc.array(fc.record({ kind: fc.constantFrom(...KINDS), node: fc.nat(2), sent: fc.array(datagram, { maxLength: 8 }) }), {
    maxLength: 3,
  }),
  { minLength: 1, maxLength: 3 },
)

test('what many tables answer to a query, each for itself, is together what one would answer that has all flows', async () => {
  await fc.assert(
    fc.asyncProperty(agents, question, async (held, asked) => {
      const feeds = held.map((captures) =>
        captures.map(({ kind, node, sent }) => ({ table: table(kind, `n${node}`, sent) }) as unknown as CaptureFeed),
      )
      const reader = createLiveFlowReader({
        enhance,
        sources: () =>
          feeds.map((own, i) => ({ name: `agent.${i}`, hostId: String(i), query: (query) => answerTableQuery(query, own) })),
      })
      const all: Flow[] = []
      for (const { table: one } of feeds.flat()) {
        const kept = one!.rawPackets()
        for (const flow of await one!.search({})) {
          all.push(kept.has(flow.UUID) ? { ...flow, LastRawPackets: kept.get(flow.UUID)! } : flow)
        }
      }
      const { flows, missing } = await reader.search(written(asked), undefined)
      expect(flows).toEqual(central(all, asked).map(enhance))
      expect(missing).toEqual([])
    }),
  )
})
