import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Kernel, openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// What was recorded of the original and takes whole daemons to replay. And the list of all recordings: each is replayed somewhere, or stands
// here with the reason why not.

const SHARED = join(import.meta.dirname, '../../shared')
const GOLDEN = join(SHARED, 'golden')
const recorded = existsSync(GOLDEN)
if (!recorded && process.env['SKYDIVE_CI'] === '1') throw new Error(`the recorded answers are missing: ${GOLDEN}`)
const whenRecorded = recorded ? describe : describe.skip

interface Exchange {
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers?: Record<string, string>
    readonly body?: string | null
  }
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body_json?: unknown
}

const exchange = (name: string): Exchange => JSON.parse(readFileSync(join(GOLDEN, `${name}.json`), 'utf8'))

/** Replayed by others, by what they read. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^http\/q/, 'packages/api-server/test/gremlin-golden, packages/gremlin-dsl/test/golden'],
  [/^accept\/(dot|pcap|post|root)-/, 'packages/api-server/test/gremlin-golden'],
  [/^http\/(capture|node)-/, 'packages/api-server/test/rest-golden'],
  [
    /^http\/(agent-(404|api|config-.+|swagger)|analyzer-(404|api|config-(?!etcd).+|swagger|topology-get)|login-get|options-topology|put-topology|ui-nosuch)$/,
    'packages/api-server/test/rest-golden',
  ],
  [/^ws\/ws-subscriber-/, 'packages/api-server/test/websocket'],
  [/^flows\/f\d\d$/, 'packages/gremlin-dsl/test/golden'],
]

const HERE = [
  'http/agent-status',
  'http/analyzer-status',
  'http/analyzer-config-etcd',
  'http/ids',
  'http/pcap-upload',
  'accept/capture-yaml',
  'accept/capture-ttl',
  'accept/capture-list',
  'accept/capture-list-after-ttl',
  'accept/del-28d0',
  'accept/metrics-node',
  'ws/ws-publisher-handshake',
  'flows/capture-create',
  'flows/capture-get-active',
  'flows/node-veth1-captures-analyzer',
  'flows/node-veth1-captures-agent',
  'flows/capture-delete',
  'flows/f-after-delete',
]

/** What no test replays yet, and why. */
const PENDING: Readonly<Record<string, string>> = {}

test.each(
  recorded
    ? ['http', 'accept', 'flows', 'ws'].flatMap((folder) =>
        readdirSync(join(GOLDEN, folder)).map((file) => `${folder}/${file.replace(/\.json$/, '')}`),
      )
    : ['absent'],
)('%s is replayed or listed', (name) => {
  if (!recorded) return
  const places = [
    ...ELSEWHERE.filter(([pattern]) => pattern.test(name)).map(([, place]) => place),
    ...(HERE.includes(name) ? ['here'] : []),
    ...(PENDING[name] === undefined ? [] : ['pending']),
  ]
  expect(places).toHaveLength(1)
})

whenRecorded('recorded exchanges with whole daemons', () => {
  let kernel: Kernel
  let network: PrivateNetwork
  let server: AllInOne
  const agentUrl = 'http://127.0.0.1:18081'

  beforeAll(async () => {
    kernel = openKernel()
    network = enterPrivateNetwork(kernel.systemCall)
    network.run('bash', [join(GOLDEN, 'topology.sh')])
    server = await startAllInOne({
      hostId: 'refhost',
      env: {
        SKYDIVE_AGENT_LISTEN: '127.0.0.1:18081',
        SKYDIVE_AGENT_TOPOLOGY_NETLINK_METRICS_UPDATE: '1',
        SKYDIVE_ETCD_DATA_DIR: 'etcd',
        SKYDIVE_ETCD_SERVERS: 'http://127.0.0.1:12379',
      },
    })
    await server.until("G.V().Has('Type', 'netns', 'Name', 'ns2').Out('Name', 'eth0').Count()", (count) => count === 1)
  }, 60_000)

  afterAll(async () => {
    await server?.dispose()
    network?.leave()
    kernel?.dispose()
  }, 30_000)

  /** Sends what was sent then, with our ids; answers status, content type and body. */
  async function replay(name: string, { url = server.url, localise = (text: string) => text } = {}) {
    const { request } = exchange(name)
    const response = await fetch(`${url}${localise(request.path)}`, {
      method: request.method,
      headers: request.headers ?? {},
      ...(request.body && { body: localise(request.body) }),
    })
    const text = await response.text()
    return { status: response.status, type: response.headers.get('content-type'), body: parsed(text) }
  }

  /** Asks again until the answer satisfies. */
  async function replayUntil(name: string, satisfies: (body: unknown) => boolean, options = {}): Promise<unknown> {
    for (const deadline = performance.now() + 20_000; ; ) {
      const { body } = await replay(name, options)
      if (satisfies(body)) return body
      if (performance.now() > deadline) throw new Error(`${name} still answers ${JSON.stringify(body)}\n${server.log()}`)
    }
  }

  const connection = { Addr: '127.0.0.1', Port: 0, ConnectTime: '' }
  /** The parts of a status that vary: ports, times. */
  const steady = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (key, inner) => (key in connection ? connection[key as keyof typeof connection] : inner))

  test('http/analyzer-status', async () => {
    const {
      Alerts: _later,
      Probes: _ofItsBackends,
      ...expected
    } = exchange('http/analyzer-status').body_json as Record<string, object>
    const { status, body } = await replay('http/analyzer-status')
    expect({ status, body: steady(body) }).toMatchObject({ status: 200, body: steady(expected) as object })
  })

  test('http/agent-status', async () => {
    const told = exchange('http/agent-status').body_json as { TopologyProbes: object; FlowProbes: string[] }
    const { TopologyProbes, FlowProbes: _sources, ...expected } = told
    const { ovsdb: _later, ...probes } = TopologyProbes as Record<string, object>
    const { status, body } = await replay('http/agent-status', { url: agentUrl })
    expect({ status, body: steady(body) }).toMatchObject({
      status: 200,
      body: steady({ ...expected, TopologyProbes: probes }) as object,
    })
    expect((body as typeof told).FlowProbes).toContain('afpacket')
  })

  test('http/analyzer-config-etcd', async () => {
    const { status, headers, body_json } = exchange('http/analyzer-config-etcd')
    expect(await replay('http/analyzer-config-etcd')).toMatchObject({
      status,
      type: headers.find(([key]) => key === 'Content-Type')![1],
      body: body_json as object,
    })
  })

  test('http/ids', async () => {
    const names = (body: unknown) => (body as { Metadata: { Name: string; Type: string; TID: string } }[]).map(identity).sort()
    const identity = ({ Metadata: { Name, Type, TID } }: { Metadata: { Name: string; Type: string; TID: string } }) =>
      `${Name} ${Type} ${TID}`
    expect(names((await replay('http/ids')).body)).toEqual(names(exchange('http/ids').body_json))
  })

  test('http/pcap-upload, and the same by the command line', async () => {
    const { status } = exchange('http/pcap-upload')
    const trace = join(SHARED, 'traces/simple-tcpv4.pcap')
    const response = await fetch(`${server.url}/api/pcap`, { method: 'POST', body: readFileSync(trace) })
    expect([response.status, await response.text()]).toEqual([status, ''])
    expect(await skydive(['client', 'pcap', '--trace', trace], { env: server.env })).toEqual({ code: 0, stdout: '', stderr: '' })
    const { Flows } = (await (await fetch(`${server.url}/api/status`)).json()) as { Flows: { importedFlows: number } }
    expect(Flows.importedFlows).toBe(2)
    const flows = (await server.query(
      "G.At('Tue, 21 Mar 2017 10:00:00 GMT', 7200).Flows().Has('Application', 'TCP')",
    )) as object[]
    expect(flows).toMatchObject([{ TrackingID: '81789de63b9965cd', Start: 1490086703768 }])
    expect(flows[0]).not.toHaveProperty('NodeTID')
  })

  test('accept: a capture from YAML, one that goes by itself, and their lists', async () => {
    const ids = new Map<string, string>()
    const localise = (text: string) => [...ids].reduce((all, [theirs, ours]) => all.replaceAll(theirs, ours), text)
    for (const name of ['accept/capture-yaml', 'accept/capture-ttl']) {
      const { status, body_json: told } = exchange(name) as { status: number; body_json: { UUID: string } }
      const answer = await replay(name)
      const { UUID } = answer.body as { UUID: string }
      ids.set(told.UUID, UUID)
      expect(answer).toMatchObject({ status, body: { ...told, UUID } })
    }
    const list = (name: string) => uncounted(JSON.parse(localise(JSON.stringify(exchange(name).body_json))))
    expect(uncounted((await replay('accept/capture-list')).body)).toEqual(list('accept/capture-list'))
    const after = list('accept/capture-list-after-ttl')
    const left = (body: unknown) => Object.keys(body as object).length === Object.keys(after as object).length
    expect(uncounted(await replayUntil('accept/capture-list-after-ttl', left))).toEqual(after)
    const { status } = exchange('accept/del-28d0')
    expect(await replay('accept/del-28d0', { localise })).toMatchObject({ status, body: '' })
    expect((await replay('accept/capture-list')).body).toEqual({})
  })

  test('accept/metrics-node', async () => {
    const shape = (answer: unknown) =>
      Object.values((answer as Record<string, object[]>[])[0] ?? {}).map((list) => Object.keys(list[0]!).sort())
    const expected = JSON.stringify(shape(exchange('accept/metrics-node').body_json))
    // Counters that did not grow are left out: a reading that saw only one direction is not the recorded one.
    await replayUntil('accept/metrics-node', (answer) => {
      network.run('ping', ['-c', '1', '10.10.0.2'], 'ns1')
      return JSON.stringify(shape(answer)) === expected
    })
  })

  test('ws/ws-publisher-handshake', async () => {
    const { WebSocket } = createRequire(join(import.meta.dirname, '../packages/client/package.json'))('ws')
    const { handshake_request: handshake, frames } = exchange('ws/ws-publisher-handshake') as unknown as {
      handshake_request: string
      frames: { dir: string; op?: number; msg?: object }[]
    }
    const headers = Object.fromEntries([...handshake.matchAll(/^(X-[^:]+): (.*)\r$/gm)].map(([, key, value]) => [key, value]))
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/publisher`, { headers, perMessageDeflate: false })
    const answered = new Promise<Record<string, string>>((resolve) =>
      socket.on('upgrade', (response: { headers: Record<string, string> }) => resolve(response.headers)),
    )
    const pinged = new Promise<void>((resolve) => socket.on('ping', () => resolve()))
    await new Promise((resolve) => socket.on('open', resolve))
    expect(await answered).toMatchObject({ 'x-host-id': 'refhost', 'x-service-type': 'analyzer' })
    for (const { dir, msg } of frames) if (dir === 'send') socket.send(JSON.stringify(msg))
    await server.until("G.V('pub-1').Count()", (count) => count === 1)
    // A node without a type is refused; the line stays.
    await pinged
    expect(await server.query("G.V().Has('Name', 'notype').Count()")).toBe(0)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.close()
  })

  test('flows: a capture from its creation to its end', async () => {
    const created = exchange('flows/capture-create') as Exchange & { body_json: { UUID: string } }
    const answer = await replay('flows/capture-create')
    const { UUID } = answer.body as { UUID: string }
    expect(answer).toMatchObject({ status: created.status, body: { ...created.body_json, UUID } })
    const localise = (text: string) => text.replaceAll(created.body_json.UUID, UUID)

    const active = exchange('flows/capture-get-active').body_json as object
    const isActive = (body: unknown) => (body as { Count: number }).Count === 1
    expect(await replayUntil('flows/capture-get-active', isActive, { localise })).toEqual({ ...active, UUID })

    const [[told]] = exchange('flows/node-veth1-captures-analyzer').body_json as [[object]]
    const isRunning = (body: unknown) => JSON.stringify(body).includes('"State":"active"')
    for (const [name, url] of [
      ['flows/node-veth1-captures-analyzer', server.url],
      ['flows/node-veth1-captures-agent', agentUrl],
    ] as const) {
      const [[capture]] = (await replayUntil(name, isRunning, { url })) as [[object]]
      const counters = { PacketsReceived: expect.anything(), PacketsDropped: 0, PacketsIfDropped: 0 }
      expect(capture).toMatchObject({ ...told, ...counters, ID: UUID })
    }

    expect(await replay('flows/capture-delete', { localise })).toMatchObject({ status: 200, body: '' })
    expect(await replayUntil('flows/f-after-delete', (body) => body === exchange('flows/f-after-delete').body_json)).toBe(0)
  })
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** How many nodes a capture runs on is known a moment later. */
function uncounted(captures: unknown): unknown {
  return JSON.parse(JSON.stringify(captures), (key, value) => (key === 'Count' ? 0 : value))
}
