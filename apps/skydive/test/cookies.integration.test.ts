import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { createAgentLink, createFlowLink } from '@skydive/sync'
import { runCli } from '../src/cli.ts'

// `http.cookie` is for a proxy before the analyzer: every request and every upgrade has to carry it.

let server: Server
let address: { host: string; port: number }
let seen: [string, string | undefined][]
let folder: string
let waiting: () => void

beforeEach(async () => {
  seen = []
  waiting = () => {}
  const note = ({ url, headers }: IncomingMessage) => {
    seen.push([url!, headers.cookie])
    waiting()
  }
  server = createServer((request, answer) => {
    note(request)
    answer.setHeader('Content-Type', 'application/json')
    answer.end('[]')
  })
  server.on('upgrade', (request, socket) => {
    note(request)
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  folder = mkdtempSync(join(tmpdir(), 'skydive-cookies-'))
})

afterEach(async () => {
  rmSync(folder, { recursive: true })
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const next = () => new Promise<void>((resolve) => (seen.length > 0 ? resolve() : void (waiting = resolve)))

const client = (environment: Record<string, string>, ...args: string[]) =>
  runCli(['client', '--analyzer', `127.0.0.1:${address.port}`, ...args], {
    environment,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    entry: import.meta.url,
  })

describe('http.cookie', () => {
  it.each([
    ['{"session":"s1"}', 'session=s1'],
    ['{"session":"s1","route":"r2"}', 'session=s1; route=r2'],
    ['{}', undefined],
  ])('%s: a request of the client', async (cookie, expected) => {
    expect(await client({ SKYDIVE_HTTP_COOKIE: cookie }, 'query', 'G.V()')).toBe(0)
    expect(seen).toEqual([['/api/topology', expected]])
  })

  it('a file of the configuration has it too, and the password goes beside it', async () => {
    const file = join(folder, 'skydive.yml')
    writeFileSync(file, 'http: {cookie: {session: s1}}\n')
    const streams = { environment: {}, stdout: new PassThrough(), stderr: new PassThrough(), entry: import.meta.url }
    const flags = ['--analyzer', `127.0.0.1:${address.port}`, '--username', 'u', '--password', 'p']
    expect(await runCli(['-c', file, 'client', ...flags, 'status'], streams)).toBe(0)
    expect(seen).toEqual([['/api/status', 'session=s1']])
  })

  it('publishing', async () => {
    const file = join(folder, 'graph.json')
    writeFileSync(file, '[{"Nodes":[],"Edges":[]}]')
    expect(await client({ SKYDIVE_HTTP_COOKIE: '{"session":"s1"}' }, 'topology', 'import', '--file', file)).toBe(1)
    expect(seen).toEqual([['/ws/publisher', 'session=s1']])
  })

  it('the line of an agent', async () => {
    const options = { hostId: 'alpha', cookies: { session: 's1' } }
    const link = createAgentLink({ ...options, analyzers: [address], graph: createGraph(), commands: {} as never })
    await link.start()
    await next()
    await link.stop()
    expect(seen[0]).toEqual(['/ws/agent/topology', 'session=s1'])
  })

  it('the line of flows', async () => {
    const link = createFlowLink({ hostId: 'alpha', cookies: { session: 's1' } })
    link.setAnalyzer(address)
    await link.start()
    await next()
    await link.stop()
    expect(seen[0]).toEqual(['/ws/agent/flow', 'session=s1'])
  })
})
