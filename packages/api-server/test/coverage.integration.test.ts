import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureSpan, FlowCoverageSummary, FlowLoss } from '@skydive/contracts'
import { coverageSchema } from '@skydive/protocol'
import { exchange, startServer, stopServers, type TestServer } from './harness.ts'

const NOW_MS = 1_764_072_000_000
const clock = { now: () => NOW_MS, setTimeout, clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout) }

const running: CaptureSpan = {
  captureId: 'c1',
  captureName: '',
  nodeId: 'n1',
  nodeTid: 't1',
  nodeName: 'eth0',
  host: 'alpha',
  type: '',
  filter: '',
  samplingRate: 1,
  fromMs: NOW_MS - 60_000,
  packetsReceived: 7,
  packetsDropped: 2,
}
const failed: CaptureSpan = {
  ...running,
  captureName: 'web',
  type: 'sflow',
  filter: 'port 80',
  samplingRate: 10,
  toMs: NOW_MS - 30_000,
  packetsIfDropped: 4,
  error: 'link is down',
}
const losses: FlowLoss[] = [
  { cause: 'kernel', host: 'alpha', captureId: 'c1', fromMs: NOW_MS - 9_000, toMs: NOW_MS - 8_000, packets: 2, flows: 0 },
  { cause: 'link', host: 'beta', fromMs: NOW_MS - 5_000, toMs: NOW_MS - 4_000, packets: 0, flows: 3 },
  { cause: 'interface', host: 'alpha', captureId: 'c1', fromMs: NOW_MS - 5_000, toMs: NOW_MS - 3_000, packets: 4, flows: 0 },
]
const partial: FlowCoverageSummary = { complete: false, lostPackets: 6, lostFlows: 3, watched: 0.66666 }
const asked: [number, number][] = []
const summarized: [number, number][] = []
let server: TestServer

beforeAll(async () => {
  server = await startServer({
    clock,
    coverage: {
      read(fromMs, toMs) {
        asked.push([fromMs, toMs])
        return { fromMs, toMs, knownFromMs: NOW_MS - 90_000, spans: [failed, running], losses }
      },
      summary({ startMs, lastMs }) {
        summarized.push([startMs, lastMs])
        return partial
      },
    },
    query: async (text) => ({
      json: () => '[]',
      ...(text === 'G.Flows()' && { coverage: partial }),
      ...(text === 'G.At(1).Flows()' && { coverage: { ...partial, complete: true } }),
    }),
  })
})
afterAll(stopServers)

describe('GET /api/coverage', () => {
  test('tells captures and losses of the time, by the names of the wire', async () => {
    const { status, headers, body } = await exchange(server.port, 'GET', '/api/coverage?from=-90s')
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=UTF-8'])
    expect(coverageSchema.parse(JSON.parse(body))).toEqual({
      From: NOW_MS - 90_000,
      To: NOW_MS,
      KnownFrom: NOW_MS - 90_000,
      Complete: false,
      Watched: 0.66666,
      Lost: { Packets: 6, Flows: 3 },
      Captures: [
        {
          ID: 'c1',
          Name: 'web',
          NodeID: 'n1',
          NodeTID: 't1',
          NodeName: 'eth0',
          Host: 'alpha',
          Type: 'sflow',
          BPFFilter: 'port 80',
          SamplingRate: 10,
          From: NOW_MS - 60_000,
          To: NOW_MS - 30_000,
          PacketsReceived: 7,
          PacketsDropped: 2,
          PacketsIfDropped: 4,
          Error: 'link is down',
        },
        {
          ID: 'c1',
          NodeID: 'n1',
          NodeTID: 't1',
          NodeName: 'eth0',
          Host: 'alpha',
          SamplingRate: 1,
          From: NOW_MS - 60_000,
          PacketsReceived: 7,
          PacketsDropped: 2,
        },
      ],
      Losses: [
        { Cause: 'kernel', Host: 'alpha', CaptureID: 'c1', From: NOW_MS - 9_000, To: NOW_MS - 8_000, Packets: 2, Flows: 0 },
        { Cause: 'link', Host: 'beta', From: NOW_MS - 5_000, To: NOW_MS - 4_000, Packets: 0, Flows: 3 },
        { Cause: 'interface', Host: 'alpha', CaptureID: 'c1', From: NOW_MS - 5_000, To: NOW_MS - 3_000, Packets: 4, Flows: 0 },
      ],
    })
    await exchange(server.port, 'GET', `/api/coverage?from=${NOW_MS - 5_000}&to=-1s`)
    expect(asked).toEqual([
      [NOW_MS - 90_000, NOW_MS],
      [NOW_MS - 5_000, NOW_MS - 1_000],
    ])
    expect(summarized).toEqual(asked)
  })

  test.each([
    ['', /from.*write \?from=-1h/s],
    ['from=yesterday', /from: "yesterday" is no time/],
    ['from=-1h&to=-2h', /from \(-1h\) is after to \(-2h\)/],
    ['from=-1h&until=now', /until/],
  ])('?%s is refused', async (parameters, words) => {
    const { status, body } = await exchange(server.port, 'GET', `/api/coverage?${parameters}`)
    expect([status, body]).toEqual([400, expect.stringMatching(words)])
  })

  test('is described, and not there without a ledger', async () => {
    const bare = await startServer()
    const paths = async ({ port }: TestServer) =>
      Object.keys((JSON.parse((await exchange(port, 'GET', '/api/openapi.json')).body) as { paths: object }).paths)
    expect([(await paths(server)).includes('/api/coverage'), (await paths(bare)).includes('/api/coverage')]).toEqual([
      true,
      false,
    ])
    expect((await exchange(bare.port, 'GET', '/api/coverage?from=-1h')).status).toBe(404)
  })
})

test.each([
  ['G.Flows()', 'partial;lost=9;packets=6;flows=3;watched=0.66666'],
  ['G.At(1).Flows()', 'complete'],
  ['G.V()', undefined],
])('%s: X-Skydive-Coverage is %s', async (GremlinQuery, expected) => {
  const { headers } = await exchange(
    server.port,
    'POST',
    '/api/topology',
    { 'Content-Type': 'application/json' },
    JSON.stringify({ GremlinQuery }),
  )
  expect(headers['x-skydive-coverage']).toBe(expected)
})
