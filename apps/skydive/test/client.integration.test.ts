import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ApiServer, type CaptureRefusal, createApiServer } from '@skydive/api-server'
import { type GraphNode, InvalidArgumentError, type KeyValueEntry } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createPublisherEndpoint } from '@skydive/sync'
import { runCli } from '../src/cli.ts'

const graph = createGraph()
const entries = new Map<string, KeyValueEntry>()
const uploads: Buffer[] = []
let server: ApiServer
let analyzer: string
let refusals: readonly CaptureRefusal[] = []
let folder: string

beforeAll(async () => {
  const put = async (key: string, value: string) => {
    const entry = { key, value, modified: 1 }
    entries.set(key, entry)
    return entry
  }
  server = createApiServer({
    service: 'analyzer',
    hostId: 'an1',
    version: '0',
    listen: { host: '127.0.0.1', port: 0 },
    graph,
    query: async (text) => {
      const nodes: GraphNode[] = []
      graph.view.forEachNode((row) => {
        nodes.push(graph.view.node(row))
        return undefined
      })
      if (text === 'G')
        return { json: () => JSON.stringify([{ Nodes: nodes.map(wire), Edges: [] }]), graph: { nodes, edges: [] } }
      if (text === 'G.Flows().RawPackets()') return { json: () => '[]', rawPackets: [rawPacket(1), rawPacket(228)] }
      if (text === 'G.V()') return { json: () => JSON.stringify(nodes.map(wire)) }
      if (text === 'G.V().Count()') return { json: () => String(nodes.length) }
      throw new InvalidArgumentError('Expected right parenthesis')
    },
    explain: async (text, { profile }) => ({
      json: { query: text, profile },
      text: `answers nodes${profile ? ', in 1 ms' : ''}`,
    }),
    resources: {
      store: {
        get: async (key) => entries.get(key),
        list: async (prefix) => [...entries.values()].filter(({ key }) => key.startsWith(prefix)),
        create: put,
        set: put,
        delete: async (key) => entries.delete(key),
        watch: () => () => {},
        close: async () => {},
      },
      writer: graph.writer({ origin: 'api.an1', host: 'an1' }),
      validators: { gremlin() {}, bpf() {} },
      captureRefusals: () => refusals,
    },
    importPcap: async (bytes) => {
      for await (const chunk of bytes) uploads.push(Buffer.from(chunk))
    },
    status: () => ({ Captures: { IsMaster: true } }),
    endpoints: [createPublisherEndpoint({ replica: (origin) => graph.replica(origin), graph })],
  })
  const { port } = await server.start()
  analyzer = `127.0.0.1:${port}`
  folder = mkdtempSync(join(tmpdir(), 'skydive-cli-'))
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

function wire(node: { id: string; metadata: object; host: string }) {
  return { ID: node.id, Metadata: node.metadata, Host: node.host }
}

const rawPacket = (LinkType: number) => ({ Timestamp: 1000, Index: 1, LinkType, Data: Uint8Array.of(1, 2) })

/** Runs one command line; `tty` as on a terminal. */
async function run(args: string[], options: { tty?: boolean; environment?: Record<string, string | undefined> } = {}) {
  const capture = () => {
    const stream = new PassThrough()
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
  }
  const [out, err] = [capture(), capture()]
  const stdout = Object.assign(out.stream, { isTTY: options.tty === true })
  const environment = { SKYDIVE_ANALYZER: analyzer, ...options.environment }
  const code = await runCli(args, { environment, stdout, stderr: err.stream, entry: import.meta.url })
  return { code, out: out.text(), err: err.text() }
}

describe('client', () => {
  it('query prints JSON with tabs when nobody looks, and a value on a terminal', async () => {
    expect(await run(['client', 'query', 'G.V().Count()'])).toEqual({ code: 0, out: '0\n', err: '' })
    expect(await run(['client', 'query', 'G.V().Count()'], { tty: true })).toEqual({ code: 0, out: '0\n', err: '' })
  })

  it.each<[args: string[], out: string]>([
    [['--explain'], 'answers nodes\n'],
    [['--profile'], 'answers nodes, in 1 ms\n'],
    [['--explain', '--profile'], 'answers nodes, in 1 ms\n'],
    [['--explain', '--json'], '{\n\t"query": "G.V()",\n\t"profile": false\n}\n'],
    [['--profile', '--format', 'json'], '{\n\t"query": "G.V()",\n\t"profile": true\n}\n'],
  ])('query %j tells how it is run', async (args, out) => {
    expect(await run(['client', 'query', 'G.V()', ...args])).toEqual({ code: 0, out, err: '' })
  })

  it.each([
    // Two bytes of the magic read as one character.
    ['pcap', 24 + 18 - 1, 'skydive: the answer lacks linktype.228=1; --format pcapng has packets of all link types\n'],
    ['pcapng', 28 + 2 * 20 + 2 * 36, ''],
  ])('query --format %s writes a file, and says what it lacks', async (format, characters, err) => {
    const answer = await run(['client', 'query', 'G.Flows().RawPackets()', '--format', format])
    expect({ ...answer, out: answer.out.length }).toEqual({ code: 0, out: characters, err })
  })

  it('query --explain deletes nothing', async () => {
    const { code, err } = await run(['client', 'query', 'G.V()', '--explain', '--delete'])
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('leave --delete out') })
  })

  it('node create, list, get, update, delete', async () => {
    const created = await run(['client', 'node', 'create', '--node-name', 'n1', '--node-type', 'fake', '--metadata', 'a=b,c=d'])
    const { ID, Metadata } = JSON.parse(created.out)
    expect(Metadata).toEqual({ Name: 'n1', Type: 'fake', a: 'b', c: 'd' })
    expect(JSON.parse((await run(['client', 'node', 'list'])).out)[ID].Metadata.Name).toBe('n1')
    expect((await run(['client', 'node', 'list'], { tty: true })).out).toMatch(/^NAME {2}TYPE[\s\S]*n1 {4}fake/)
    const updated = await run(['client', 'node', 'update', ID, '-a', 'e={"x":1}', '-a', 'f=text', '-r', 'a'])
    expect(JSON.parse(updated.out).Metadata).toEqual({ Name: 'n1', Type: 'fake', c: 'd', e: { x: 1 }, f: 'text' })
    expect((await run(['client', 'query', 'G.V()'], { tty: true })).out).toContain(ID)
    expect(await run(['client', 'node', 'delete', '--gremlin', 'G.V()'])).toEqual({ code: 0, out: '', err: '' })
    expect(await run(['client', 'node', 'get', ID])).toEqual({ code: 2, out: '', err: `skydive: Node '${ID}' not found\n` })
  })

  it('capture list tells on how many nodes a capture could not be started, and why on the first', async () => {
    const { UUID: id } = JSON.parse((await run(['client', 'capture', 'create', '--gremlin', 'G.V()', '--name', 'c'])).out)
    const list = async () => (await run(['client', 'capture', 'list'], { tty: true })).out
    expect(await list()).toBe(`NAME  QUERY  ACTIVE  ID\nc     G.V()       0  ${id}\n`)
    refusals = ['taken', 'gone'].map((reason) => ({ nodeId: 'n', host: 'h', reason: `port 6343 is ${reason}` }))
    expect(await list()).toBe(
      [
        'NAME  QUERY  ACTIVE  REFUSED  REASON              ID',
        `c     G.V()       0        2  port 6343 is taken  ${id}`,
        '',
      ].join('\n'),
    )
    expect(JSON.parse((await run(['client', 'capture', 'get', id])).out)).toMatchObject({
      UUID: id,
      Refusals: [{ NodeID: 'n', Host: 'h', Reason: 'port 6343 is taken' }, { Reason: 'port 6343 is gone' }],
    })
    refusals = []
    expect((await run(['client', 'capture', 'delete', id])).code).toBe(0)
  })

  it('capture create, list, get, delete', async () => {
    const created = await run([
      'client',
      'capture',
      'create',
      '--node',
      'tid-1',
      '--bpf',
      'icmp',
      '--name',
      'c',
      '--extra-layer',
      'DNS',
      '--extra-layer',
      'VRRP',
      '--ttl',
      '60000',
    ])
    const capture = JSON.parse(created.out)
    expect(capture).toMatchObject({
      GremlinQuery: "G.V().Has('TID', 'tid-1')",
      BPFFilter: 'icmp',
      Name: 'c',
      SamplingRate: 1,
      PollingInterval: 10,
      LayerKeyMode: 'L2',
      ExtraLayers: 3,
    })
    expect(JSON.parse((await run(['client', 'capture', 'list'])).out)).toEqual({ [capture.UUID]: capture })
    expect((await run(['client', 'capture', 'list'], { tty: true })).out).toMatch(/NAME {2}QUERY/)
    expect(JSON.parse((await run(['client', 'capture', 'list', '--json'], { tty: true })).out)).toEqual({
      [capture.UUID]: capture,
    })
    expect((await run(['client', 'capture', 'delete', capture.UUID])).code).toBe(0)
    expect((await run(['client', 'capture', 'list'], { tty: true })).out).toBe('no captures\n')
  })

  it('topology export and import', async () => {
    const file = join(folder, 'graph.json')
    const node = { ID: 's1', Metadata: { Name: 's1', Type: 'switch' }, Host: '' }
    writeFileSync(file, JSON.stringify([{ Nodes: [node], Edges: null }]))
    expect(await run(['client', 'topology', 'import', '--file', file])).toEqual({ code: 0, out: '', err: '' })
    expect(JSON.parse((await run(['client', 'topology', 'export'])).out)).toEqual([{ Nodes: [node], Edges: [] }])
  })

  it('pcap sends the file, status shows the analyzer', async () => {
    const file = join(folder, 'x.pcap')
    writeFileSync(file, Buffer.alloc(200_000, 7))
    expect((await run(['client', 'pcap', '-t', file])).code).toBe(0)
    expect(Buffer.concat(uploads)).toEqual(readFileSync(file))
    expect(JSON.parse((await run(['client', 'status'])).out)).toMatchObject({ Captures: { IsMaster: true } })
    expect((await run(['client', 'status'], { tty: true })).out).toContain('IsMaster: true')
  })
})

describe('bad input', () => {
  it.each([
    [['client', 'query', ''], 2, /gremlin.*the query is empty; write one such as "G.V\(\)"/],
    [['client', 'query', ' ', '--explain'], 2, /the query is empty/],
    [['client', 'topology', 'query', '--gremlin', ''], 2, /the query is empty/],
    [['client', 'query', 'G.V('], 2, 'skydive: Expected right parenthesis\n'],
    [['client', 'capture', 'create'], 2, "skydive: which nodes? give --gremlin \"G.V().Has('Name','eth0')\" or --node <tid>\n"],
    [
      ['client', 'capture', 'create', '--node', 'x', '--extra-layer', 'FOO'],
      2,
      'skydive: --extra-layer: "FOO" is none of VRRP, DNS, DHCPv4, ALL\n',
    ],
    [['client', 'topology', 'import', '--file', '/nonexistent'], 2, /^skydive: --file \/nonexistent: ENOENT/],
    [['client', 'pcap', '-t', '/nonexistent'], 2, /^skydive: --trace \/nonexistent: ENOENT/],
    [['client', 'pcap', '-t', '/proc'], 2, /^skydive: --trace \/proc: EISDIR/],
    [['client', 'qury', 'G'], 2, /unknown command 'qury'; did you mean query\?|unknown command 'qury'/],
    [['client', 'status', '--analyzr', 'x'], 2, /unknown option '--analyzr'/],
    [['client', '--analyzer', 'aaa', 'status'], 2, /^skydive: bad address "aaa": the port is missing/],
    [['client', '--analyzer', '127.0.0.1:1', 'status'], 1, /^skydive: cannot reach http:\/\/127.0.0.1:1: /],
    [['client', 'node', 'update', 'x'], 2, /^skydive: what shall change\?/],
    [['-c', '/nonexistent.yml', 'client', 'status'], 2, /^skydive: configuration file \/nonexistent.yml cannot be read/],
  ])('%j', async (args, code, message) => {
    const environment = args[0] === '-c' ? { SKYDIVE_ANALYZER: undefined } : {}
    const result = await run(args, { environment })
    expect({ code: result.code, out: result.out }).toEqual({ code, out: '' })
    if (typeof message === 'string') expect(result.err).toBe(message)
    else expect(result.err).toMatch(message)
  })
})
