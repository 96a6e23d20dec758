import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ABSENT, exchange, GOLDEN, golden, startServer, stopServers, type TestServer } from './harness.ts'

interface Recording {
  readonly target?: 'analyzer' | 'agent'
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers?: Record<string, string>
    readonly body?: string | null
  }
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body_raw?: string | null
}

/** The first line is the recorded text. */
const SECOND_LINE = 'the original does not say which value or resource it means, nor what it takes: a second line does'

/** What we answer differently on purpose, and why. */
const CORRECTED: Readonly<Record<string, { status?: number; body?: string; contentType?: string | undefined; why: string }>> = {
  'options-topology': { status: 403, why: 'a foreign origin is refused' },
  'capture-bad10': {
    body: 'expected an object, got "str"\n',
    why: 'the text names a type of the implementation',
  },
  'capture-bad4': {
    body: 'Type: Not a valid capture type: nosuch, available types: [ovssflow pcapsocket ovsmirror dpdk afpacket pcap ebpf sflow ovsnetflow netflow]\n',
    why: 'the original collects NetFlow of Open vSwitch alone',
  },
  'capture-bad5': {
    body: 'HeaderSize: A valid header size is >= 14 && <= 4096\n-5 is refused: give 0 (the default) or 14 to 4096\n',
    why: SECOND_LINE,
  },
  'capture-bad6': {
    body: 'LayerKeyMode: Not a valid layer key mode\n"L9" is refused: give L2, L3 or nothing (flow.default_layer_key_mode)\n',
    why: SECOND_LINE,
  },
  'capture-bad7': {
    body: 'RawPacketLimit: A valid raw packet limit size is > 0 && <= 10\n999999 is refused: give 0 (none) to 10\n',
    why: SECOND_LINE,
  },
  'capture-bad8': {
    body: 'Target: Not a valid address\n"bad" is refused: give host:port, [IPv6]:port, :port, a port from 0 to 65535, or an IPv4 address\n',
    why: SECOND_LINE,
  },
  'capture-create-dup': {
    body: 'duplicated resource\ncapture <uuid> (cap1) has the same type, query and filter\n',
    why: SECOND_LINE,
  },
  'ui-nosuch': {
    body: '404 page not found\n',
    contentType: 'text/plain; charset=utf-8',
    why: 'the original says nothing where a file of the page is missing',
  },
  'agent-api': {
    body: '{"Host":"refhost","Version":"0.28.0-a4452f2","Service":"agent"}\n',
    why: 'the agent of the original forgot its version',
  },
  'analyzer-topology-get': { contentType: 'application/json; charset=UTF-8', why: 'the original loses the content type' },
}

/** Recordings that other tests replay: queries by `gremlin-golden` beside this, what takes whole daemons by `e2e/recorded-exchanges`. */
const QUERIES = /^q/
const ELSEWHERE = ['agent-status', 'analyzer-status', 'analyzer-config-etcd', 'ids', 'pcap-upload']

const recordings =
  golden('http/ids.json') === undefined ? [] : readdirSync(join(GOLDEN, 'http')).map((file) => file.replace(/\.json$/, ''))

/** The recorded life of a resource, in the order in which it was recorded. */
const ORDER = [
  'list0',
  'bad',
  'create',
  'create-dup',
  'list1',
  'get',
  'get-noid',
  'get-nosuch',
  'patch',
  'patch-bad',
  'get2',
  'delete',
  'delete-nosuch',
  'get-deleted',
  'list2',
]
const rank = (name: string) => {
  const step = name.replace(/^(capture|node)-/, '').replace(/^bad\d+$/, 'bad')
  return ORDER.indexOf(step)
}
const isLife = (name: string) => /^(capture|node)-/.test(name)
const ordered = [...recordings]
  .filter((name) => !QUERIES.test(name) && !ELSEWHERE.includes(name))
  .sort((a, b) => Number(isLife(a)) - Number(isLife(b)) || rank(a) - rank(b))

describe('recorded REST exchanges', () => {
  let analyzer: TestServer
  let agent: TestServer
  /** Recorded id to ours: the server assigns them. */
  let captureId = ''

  beforeAll(async () => {
    analyzer = await startServer({ version: '0.28.0-a4452f2' })
    agent = await startServer({ service: 'agent', version: '0.28.0-a4452f2' })
  })
  afterAll(stopServers)

  const recorded = ordered.length === 0 ? it.skip.each(ABSENT) : it.each(ordered)

  recorded('%s', async (name) => {
    const recording = golden<Recording>(`http/${name}.json`)!
    const { request } = recording
    const target = recording.target === 'agent' ? agent : analyzer
    const recordedId = /\/api\/capture\/([0-9a-f-]{36})/.exec(request.path)?.[1]
    const localise = (text: string) => (recordedId ? text.replaceAll(recordedId, captureId) : text)
    const answer = await exchange(
      target.port,
      request.method,
      localise(request.path),
      { Host: '127.0.0.1:8082', ...request.headers },
      request.body,
    )

    const corrected = CORRECTED[name] ?? { why: '' }
    expect({ status: answer.status }).toEqual({ status: corrected.status ?? recording.status })
    if (corrected.status !== undefined) return
    const contentType = recording.headers.find(([key]) => key === 'Content-Type')?.[1]
    expect(answer.headers['content-type']).toBe('contentType' in corrected ? corrected.contentType : contentType)
    expect(answer.headers['location']).toBe(recording.headers.find(([key]) => key === 'Location')?.[1])
    if (typeof recording.body_raw !== 'string') return
    // What is told besides comes behind the recorded text, which stays.
    if (corrected.why === SECOND_LINE) expect(answer.body.split('\n')[0]).toBe(recording.body_raw.trimEnd())
    if (name === 'capture-create') captureId = JSON.parse(answer.body).UUID
    expect(stable(answer.body)).toEqual(stable(corrected.body ?? localise(recording.body_raw)))
  })
})

/** Ids, times and counts of running captures vary; the order of metadata keys means nothing. */
function stable(body: string): unknown {
  const text = body
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
    .replace(/"(CreatedAt|UpdatedAt)":\d+/g, '"$1":0')
    .replace(/"Count":\d+/g, '"Count":0')
  try {
    return { json: JSON.parse(text), newline: text.endsWith('\n') }
  } catch {
    return text
  }
}
