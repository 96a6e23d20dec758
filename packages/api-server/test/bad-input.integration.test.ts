import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { hash } from 'bcryptjs'
import { WebSocket } from 'ws'
import { createApiServer, createBasicAuth } from '../src/index.ts'
import { exchange, startServer, stopServers } from './harness.ts'

afterEach(stopServers)

const upgradeStatus = (port: number, path: string, headers: Record<string, string>) =>
  new Promise<number>((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { 'X-Client-Type': 'x', ...headers } })
    socket.on('open', () => {
      resolve(101)
      socket.close()
    })
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('error', () => {})
  })

const TARGETS = 'give host:port, [IPv6]:port, :port, a port from 0 to 65535, or an IPv4 address'

describe('browsers and other local users', () => {
  it.each([
    ['no origin', {}, 200],
    ['the own origin', { Host: 'localhost:1', Origin: 'http://localhost:1' }, 200],
    ['a foreign origin', { Origin: 'http://evil.example' }, 403],
    ['another port is another origin', { Host: 'localhost:1', Origin: 'http://localhost:2' }, 403],
    ['no origin at all ("null")', { Origin: 'null' }, 403],
    ['a configured origin', { Origin: 'https://noc.example' }, 200],
    ['a name that somebody else resolves to us', { Host: 'evil.example' }, 403],
    ['an address', { Host: '192.0.2.1:8082' }, 200],
    ['an IPv6 address', { Host: '[::1]:8082' }, 200],
    ['the host id', { Host: 'refhost:8082' }, 200],
    ['a configured name', { Host: 'skydive.example' }, 200],
  ])('%s', async (_name, headers, status) => {
    const { port } = await startServer({ allowedOrigins: ['https://noc.example/'], allowedHosts: ['skydive.example'] })
    const rest = await exchange(port, 'GET', '/api', headers as Record<string, string>)
    expect(rest.status).toBe(status)
    expect(await upgradeStatus(port, '/ws/subscriber', headers as Record<string, string>)).toBe(status === 200 ? 101 : 403)
  })

  it('a configured origin may read and patch, credentials included', async () => {
    const { port } = await startServer({ allowedOrigins: ['https://noc.example'] })
    const preflight = await exchange(port, 'OPTIONS', '/api/node/x', {
      Origin: 'https://noc.example',
      'Access-Control-Request-Method': 'PATCH',
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://noc.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS',
    })
  })
})

describe('credentials', () => {
  const token = Buffer.from('alice:s3').toString('base64')
  const withAuth = async () => startServer({ auth: { api: await createBasicAuth({ users: { alice: 's3' } }) } })

  it.each([
    ['none', {}, 401],
    ['the header', { Authorization: `Basic ${token}` }, 200],
    ['the token header', { 'X-Auth-Token': token }, 200],
    ['the cookie', { Cookie: `a=b; authtoken=${token}` }, 200],
    ['a stale cookie beats a right header', { Cookie: 'authtoken=bm86bm8=', Authorization: `Basic ${token}` }, 401],
    ['a wrong password', { Authorization: `Basic ${Buffer.from('alice:x').toString('base64')}` }, 401],
    ['a scheme without a value', { Authorization: 'Basic' }, 401],
    ['garbage', { Authorization: 'Basic %%%' }, 401],
  ])('%s', async (_name, headers, status) => {
    const { port } = await withAuth()
    const rest = await exchange(port, 'GET', '/api', headers as Record<string, string>)
    expect(rest.status).toBe(status)
    expect(rest.headers['www-authenticate']).toBe(status === 401 ? 'Basic realm="Skydive Authentication"' : undefined)
    expect(await upgradeStatus(port, '/ws/subscriber', headers as Record<string, string>)).toBe(status === 200 ? 101 : 401)
  })

  it('login exchanges them for a cookie that pages cannot read', async () => {
    const { port } = await withAuth()
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const right = await exchange(port, 'POST', '/login', form, 'username=alice&password=s3')
    expect(JSON.parse(right.body)).toMatchObject({
      Token: token,
      Permissions: expect.arrayContaining([{ Object: 'capture', Action: 'write', Allowed: true }]),
    })
    expect(right.headers['set-cookie']?.[0]).toBe(`authtoken=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`)
    const wrong = await exchange(port, 'POST', '/login', form, 'username=alice&password=x')
    expect([wrong.status, wrong.body]).toEqual([401, 'Wrong credentials\n'])
    const none = await exchange(port, 'POST', '/login', form, '')
    expect([none.status, none.body]).toEqual([401, 'No credentials provided\n'])
  })

  it('an htpasswd file with every kind of hash', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skydive-htpasswd-'))
    try {
      const file = join(folder, 'users')
      // The first two are from openssl passwd -apr1 and openssl dgst -sha1; the password is "secret" everywhere.
      writeFileSync(
        file,
        [
          '# users',
          'apr:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/',
          'sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
          `bcr:${await hash('secret', 4)}`,
        ].join('\n'),
      )
      const auth = await createBasicAuth({ file, role: 'guest' })
      const outcomes = await Promise.all(['apr', 'sha', 'bcr'].map((user) => auth.authenticate(user, 'secret')))
      expect(outcomes).toEqual([
        { user: 'apr', role: 'guest' },
        { user: 'sha', role: 'guest' },
        { user: 'bcr', role: 'guest' },
      ])
      expect(await auth.authenticate('apr', 'Secret')).toBeUndefined()
      expect(await auth.authenticate('nobody', 'secret')).toBeUndefined()
      writeFileSync(file, 'x:plain\n')
      await expect(createBasicAuth({ file })).rejects.toThrow('line 1: expected user:hash with a bcrypt, apr1 or SHA hash')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('listening', () => {
  const base = {
    service: 'analyzer',
    hostId: 'h',
    version: '0',
    query: async () => ({ json: () => '' }),
    status: () => ({}),
  } as const

  it('beyond loopback without authentication is refused, and says how', async () => {
    const server = createApiServer({ ...base, graph: createGraph(), listen: { host: '0.0.0.0', port: 0 } })
    await expect(server.start()).rejects.toThrow('accept it with http.insecure_listen: true or --insecure-listen')
    await server.stop()
  })

  it('beyond loopback with the explicit word', async () => {
    const server = createApiServer({ ...base, graph: createGraph(), listen: { host: '0.0.0.0', port: 0 }, insecureListen: true })
    await expect(server.start()).resolves.toMatchObject({ host: '0.0.0.0' })
    await server.stop()
  })

  it('a busy port is told with its address', async () => {
    const { port } = await startServer()
    const server = createApiServer({ ...base, graph: createGraph(), listen: { host: '127.0.0.1', port } })
    await expect(server.start()).rejects.toThrow(
      `analyzer.listen: cannot listen on 127.0.0.1:${port}: another process listens there`,
    )
    await server.stop()
  })
})

describe('bodies', () => {
  it('a body of 100 MB is refused before it is read', async () => {
    const { port } = await startServer()
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `POST /api/topology HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n`,
        )
      })
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString()
        if (text.includes('bytes\n')) {
          resolve(text)
          socket.destroy()
        }
      })
    })
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
    expect(answer).toContain('the body is larger than 1048576 bytes')
  })

  it('a chunked body is counted', async () => {
    const { port } = await startServer({ limits: { bodyBytes: 1000 } })
    const answer = await exchange(port, 'POST', '/api/topology', { 'Transfer-Encoding': 'chunked' }, Buffer.alloc(2000, 32))
    expect([answer.status, answer.body]).toEqual([413, 'the body is larger than 1000 bytes\n'])
  })

  it('an upload that is too long is refused, and its reader stops', async () => {
    let read = 0
    const { port } = await startServer({
      limits: { pcapBytes: 1000 },
      importPcap: async (bytes) => {
        for await (const chunk of bytes) read += chunk.length
      },
    })
    const answer = await exchange(port, 'POST', '/api/pcap', { 'Transfer-Encoding': 'chunked' }, Buffer.alloc(100_000))
    expect(answer.status).toBe(422)
    expect(read).toBeLessThanOrEqual(100_000)
  })

  it.each([
    ['POST', '/api/topology', '[]', 400],
    ['POST', '/api/topology', '{"GremlinQuery":7}', 400],
    ['POST', '/api/topology', '{}', 204],
    ['POST', '/api/node', '{"ID":"x","Metadata":{"Name":"x"}}', 400],
    ['POST', '/api/edge', '{"ID":"x","Metadata":{"RelationType":"l"},"Parent":"a","Child":"b"}', 400],
    ['POST', '/api/capture', '{"GremlinQuery":"G.V()","SamplingRate":-1}', 400],
    ['PATCH', '/api/node/nosuch', '[]', 404],
    ['DELETE', '/api/edge/nosuch', '', 404],
    ['GET', '/api/node/%E0%A4%A', '', 400],
    ['GET', '/../etc/passwd', '', 404],
  ])('%s %s %s', async (method, path, body, status) => {
    const { port, graph } = await startServer()
    const answer = await exchange(port, method, path, { 'Content-Type': 'application/json' }, body || null)
    expect({ status: answer.status, lines: answer.body.split('\n').length <= 3 }).toEqual({ status, lines: true })
    expect(graph.view.nodeCount).toBe(0)
  })

  it.each([
    ['{"Target":"bad"}', `Target: Not a valid address\n"bad" is refused: ${TARGETS}`],
    [
      '{"Target":"10.0.0.9:70000","TargetType":"netflowv5"}',
      `Target: Not a valid address\n"10.0.0.9:70000" is refused: ${TARGETS}`,
    ],
    ['{"Target":7}', 'Target: Invalid input: expected string, received number'],
    [
      '{"Target":"10.0.0.9:1","TargetType":"netflowv9"}',
      'TargetType: Not a valid target type: netflowv9, available types: [netflowv5 erspanv1 ipfix]',
    ],
    ['{"TargetType":"netflowv5"}', 'Target: a target of type netflowv5 takes host:port, such as 10.0.0.9:2055'],
    ['{"Target":"10.0.0.9","TargetType":"ipfix"}', 'Target: a target of type ipfix takes host:port, such as 10.0.0.9:4739'],
    ['{"Target":"name:1","TargetType":"erspanv1"}', 'Target: an erspanv1 target takes an IPv4 address, such as 10.0.0.9'],
  ])('a capture with %s is refused, and nothing is stored', async (members, message) => {
    const { port } = await startServer()
    const body = JSON.stringify({ GremlinQuery: 'G.V()', ...JSON.parse(members) })
    const answer = await exchange(port, 'POST', '/api/capture', { 'Content-Type': 'application/json' }, body)
    expect([answer.status, answer.body]).toEqual([400, `${message}\n`])
    const stored = await exchange(port, 'GET', '/api/capture')
    expect([stored.status, stored.body.trim()]).toEqual([200, '{}'])
  })

  it('an error is an object for whom accepts JSON', async () => {
    const { port } = await startServer()
    const answer = await exchange(port, 'POST', '/api/topology', { Accept: 'application/json' }, '{"GremlinQuery":"G.V("}')
    expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8')
    expect(JSON.parse(answer.body)).toEqual({
      Code: 'ERR_INVALID_ARGUMENT',
      Message: 'Expected right parenthesis\n  G.V(\n      ^',
      Status: 400,
      Fields: { position: 4 },
    })
  })

  it('an element of an agent is not changed here', async () => {
    const { port, graph } = await startServer()
    graph
      .writer({ origin: 'agent.alpha', host: 'alpha' })
      .transaction((tx) => tx.addNode({ id: 'a', metadata: { Name: 'a', Type: 't' } }))
    const remove = await exchange(port, 'DELETE', '/api/node/a')
    expect([remove.status, remove.body]).toEqual([
      403,
      "node 'a' belongs to agent.alpha: only what was made through this API can be changed here\n",
    ])
    expect(graph.view.nodeCount).toBe(1)
  })
})

it('the description names every route of this service', async () => {
  const { port } = await startServer({ metricsText: async () => '# figures\n' })
  const { paths } = JSON.parse((await exchange(port, 'GET', '/api/openapi.json')).body)
  expect(Object.keys(paths).sort()).toEqual([
    '/api',
    '/api/capture',
    '/api/capture/{id}',
    '/api/config/{key}',
    '/api/edge',
    '/api/edge/{id}',
    '/api/node',
    '/api/node/{id}',
    '/api/status',
    '/api/topology',
    '/api/topology/diff',
    '/login',
    '/metrics',
  ])
  expect((await exchange(port, 'GET', '/metrics')).body).toBe('# figures\n')
})

it('the page is served with its type, compressed when asked, and nothing beside it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skydive-page-'))
  try {
    writeFileSync(join(folder, 'index.html'), '<!doctype html>')
    const { port } = await startServer({ staticFolder: folder })
    const page = await exchange(port, 'GET', '/')
    expect([page.status, page.body, page.headers['content-type'], page.headers['cache-control']]).toEqual([
      200,
      '<!doctype html>',
      'text/html; charset=utf-8',
      'no-cache',
    ])
    expect((await exchange(port, 'GET', '/', { 'Accept-Encoding': 'gzip' })).headers['content-encoding']).toBe('gzip')
    expect((await exchange(port, 'GET', '/ui/topology')).headers['location']).toBe('/')
    expect((await exchange(port, 'GET', '/..%2fetc/passwd')).status).toBe(404)
    expect((await exchange(port, 'GET', '/ui/nosuch.js')).status).toBe(404)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
