import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { publishGraph } from '@skydive/client/node'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, startAllInOne } from '../e2e/all-in-one.ts'
import { type Figure, median } from './figures.ts'

// One host with the built allinone, in a network of its own: start, latency, load and rest. The peer's values are those that its own
// measurement recorded on the same kind of machine; it is no longer developed and is not run here.

const ORIGINAL = 'original (recorded)'
/** Starts of which the median is told. */
const STARTS = 5
const CLOCK_TICKS_PER_SECOND = 100

function lessIsBetter(name: string, value: number, unit: string, peerValue: number): Figure {
  return { name, value, unit, peer: ORIGINAL, peerValue, ratio: peerValue / value }
}

function moreIsBetter(name: string, value: number, unit: string, peerValue: number): Figure {
  return { name, value, unit, peer: ORIGINAL, peerValue, ratio: value / peerValue }
}

/** The port of each analyzer: its network is its own. */
const PORT = 8082

/** One kept connection; a client library would cost more than the server does. */
interface Connection {
  /** Asks one query; answers the body. One at a time. */
  ask(gremlin: string): Promise<string>
  close(): void
}

async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  let received = ''
  let answered: (body: string) => void = () => {}
  let failed: (error: Error) => void = () => {}
  socket.on('error', (error) => failed(error))
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    const head = received.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1])
    if (received.length < head + 4 + length) return
    const answer = received
    received = ''
    if (answer.startsWith('HTTP/1.1 200')) answered(answer.slice(head + 4))
    else failed(new Error(answer.slice(0, 300)))
  })
  return {
    ask(gremlin) {
      const body = JSON.stringify({ GremlinQuery: gremlin })
      return new Promise((resolve, reject) => {
        answered = resolve
        failed = reject
        socket.write(
          `POST /api/topology HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        )
      })
    },
    close: () => socket.destroy(),
  }
}

/** One connection that asks one query after the other; answers requests a second. */
async function requestRate(url: string, gremlin: (index: number) => string, seconds: number): Promise<number> {
  const connection = await openConnection(url)
  const startedAt = performance.now()
  for (let count = 1; ; count++) {
    await connection.ask(gremlin(count))
    const elapsed = performance.now() - startedAt
    if (elapsed < seconds * 1_000) continue
    connection.close()
    return (count / elapsed) * 1_000
  }
}

/** Asks without pause until the answer is the expected one. */
async function until(connection: Connection, gremlin: string, expected: (answer: number) => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const answer = await connection.ask(gremlin)
    if (expected(Number(answer))) return
    if (performance.now() > deadline) throw new Error(`${gremlin} still answers ${answer}`)
  }
}

/** How fast this machine answers anything: the requests of {@link requestRate} to a server of `node:http` that reads the body and answers one digit. */
async function bareRate(): Promise<number> {
  const server = spawn(process.execPath, ['-e', BARE_SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [port] = (await once(server.stdout, 'data')) as [Buffer]
    return await requestRate(`http://127.0.0.1:${port.toString().trim()}`, () => 'G.V().Count()', 4)
  } finally {
    server.kill()
    await once(server, 'exit')
  }
}

const BARE_SERVER = `
  const server = require('node:http').createServer((request, response) => {
    request.setEncoding('utf8').on('data', () => {}).on('end', () => response.end('1'))
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))`

/** ms from the start of `ip link add` until REST shows the interface, and until `ip` itself has ended: medians of `rounds`. */
async function linkLatency(
  network: PrivateNetwork,
  server: AllInOne,
  rounds: number,
): Promise<{ readonly shownMs: number; readonly commandMs: number }> {
  const took: number[] = []
  const commandTook: number[] = []
  const connection = await openConnection(server.url)
  for (let i = 0; i < rounds; i++) {
    const name = `lat${i}`
    const shown = `G.V().Has('Name', '${name}').Count()`
    const startedAt = performance.now()
    const ended = once(spawn('ip', ['link', 'add', name, 'type', 'bridge'], { stdio: 'ignore' }), 'exit').then(() =>
      commandTook.push(performance.now() - startedAt),
    )
    await until(connection, shown, (count) => count === 1)
    took.push(performance.now() - startedAt)
    await ended
    network.ip(`link del ${name}`)
    await until(connection, shown, (count) => count === 0)
  }
  connection.close()
  return { shownMs: median(took), commandMs: median(commandTook) }
}

/** A latency beside the original's, and how much of it is the command's own on this machine. */
async function latencyFigures(title: string, network: PrivateNetwork, server: AllInOne, peerMs: number): Promise<Figure[]> {
  const { shownMs, commandMs } = await linkLatency(network, server, 25)
  return [
    lessIsBetter(`${title}: ip link add until visible by REST, median`, shownMs, 'ms', peerMs),
    { name: `${title}: ip link add until it has ended, median`, value: commandMs, unit: 'ms' },
  ]
}

interface Usage {
  readonly cpuPercent: number
  readonly rssMiB: number
}

function childPids(command: string, dataDir: string): number | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')
      if (words.includes(command) && words.includes(dataDir)) return Number(entry)
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined
}

/** What a process used over some seconds of doing nothing but its periodic readings, every 30 s. */
async function idleUsage(pid: number, seconds: number): Promise<Usage> {
  const cpuTicks = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  const before = cpuTicks()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  const rssKiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
  return { cpuPercent: ((cpuTicks() - before) / CLOCK_TICKS_PER_SECOND / seconds) * 100, rssMiB: rssKiB / 1024 }
}

/** ms from the start of the process until REST shows `nodes` nodes, median of some starts on empty folders; the last one goes on running. */
async function startTime(nodes: number): Promise<{ tookMs: number; server: AllInOne }> {
  const took: number[] = []
  for (;;) {
    const startedAt = performance.now()
    const server = await startAllInOne({ port: PORT })
    const connection = await openConnection(server.url)
    await until(connection, 'G.V().Count()', (count) => count >= nodes)
    connection.close()
    took.push(performance.now() - startedAt)
    if (took.length === STARTS) return { tookMs: median(took), server }
    await server.dispose()
  }
}

async function small(network: PrivateNetwork): Promise<Figure[]> {
  network.ip(...Array.from({ length: 14 }, (_, i) => `link add n${i} type bridge`))
  const { tookMs, server } = await startTime(16)
  try {
    const latency = await latencyFigures('16 nodes', network, server, 6)
    const host = await requestRate(server.url, () => "G.V().Has('Type', 'host').Out('Type', 'netns')", 3)
    return [
      lessIsBetter('16 nodes: start to whole topology, median', tookMs, 'ms', 700),
      ...latency,
      moreIsBetter('16 nodes: host → netns by REST, one connection', host, '1/s', 4_679),
    ]
  } finally {
    await server.dispose()
  }
}

async function large(network: PrivateNetwork): Promise<Figure[]> {
  // 1,007 pairs with host, lo make the 2,016 nodes of the peer's measurement.
  network.ip(...Array.from({ length: 1_007 }, (_, i) => `link add va${i} type veth peer name vb${i}`))
  const { tookMs, server } = await startTime(2_016)
  try {
    const figures = [
      lessIsBetter('2,016 nodes: start to whole topology, median', tookMs, 'ms', 12_000),
      ...(await latencyFigures('2,016 nodes', network, server, 37)),
      moreIsBetter(
        '2,016 nodes: Count() by REST, one connection',
        await requestRate(server.url, () => 'G.V().Count()', 4),
        '1/s',
        3_384,
      ),
      moreIsBetter(
        "2,016 nodes: Has('Name', x) by REST, one connection",
        await requestRate(server.url, (i) => `G.V().Has('Name', 'va${i % 1_000}')`, 4),
        '1/s',
        1_245,
      ),
    ]
    for (const [command, peerCpu, peerRss] of [
      ['agent', 2.5, 137],
      ['analyzer', 0.6, 196],
    ] as const) {
      const { cpuPercent, rssMiB } = await idleUsage(childPids(command, server.dataDir)!, 60)
      figures.push(lessIsBetter(`2,016 nodes, idle: CPU of the ${command}`, cpuPercent, '%', peerCpu))
      figures.push(lessIsBetter(`2,016 nodes, idle: memory of the ${command}`, rssMiB, 'MiB', peerRss))
    }
    return figures
  } finally {
    await server.dispose()
  }
}

/** 100,000 nodes from a publisher, in a network that has nothing else. */
async function huge(): Promise<Figure[]> {
  const server = await startAllInOne({ port: PORT })
  try {
    const nodes = Array.from({ length: 100_000 }, (_, i) => ({
      ID: `bench-${i}`,
      Metadata: { Type: 'device', Name: `dev${i}`, MTU: 1_500, State: 'UP' },
    }))
    await publishGraph({ Nodes: nodes, Edges: [] }, { url: server.url, hostId: 'bench' })
    await server.until('G.V().Count()', (count) => count >= 100_000, 60_000)
    return [
      { name: 'node:http alone, one digit, one connection', value: await bareRate(), unit: '1/s' },
      {
        name: '100,000 nodes: Count() by REST, one connection',
        value: await requestRate(server.url, () => 'G.V().Count()', 4),
        unit: '1/s',
      },
      moreIsBetter(
        "100,000 nodes: Has('Name', x) by REST, one connection",
        await requestRate(server.url, (i) => `G.V().Has('Name', 'dev${(i * 7919) % 100_000}')`, 4),
        '1/s',
        1_000 / 98,
      ),
    ]
  } finally {
    await server.dispose()
  }
}

async function run(): Promise<Figure[]> {
  const kernel = openKernel()
  const figures: Figure[] = []
  try {
    for (const part of [small, large, huge]) {
      const network = enterPrivateNetwork(kernel.systemCall as never)
      try {
        figures.push(...(await part(network)))
      } finally {
        network.leave()
      }
    }
    return figures
  } finally {
    kernel.dispose()
  }
}

export const bench = { name: 'one-host', run }
