import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne
let folder: string

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  folder = mkdtempSync(join(tmpdir(), 'skydive-bad-'))
  writeFileSync(join(folder, 'bad.yml'), 'analyzer: [unclosed')
  writeFileSync(join(folder, 'wrong.yml'), 'analyzer:\n  listen: nowhere:port\n')
  writeFileSync(join(folder, 'unknown.yml'), 'analyser:\n  listen: 1.2.3.4:5\n')
  writeFileSync(join(folder, 'probe.yml'), 'agent:\n  topology:\n    modules: [skydive-probe-none]\n')
  mkdirSync(join(folder, 'node_modules', 'skydive-probe-none'), { recursive: true })
  writeFileSync(join(folder, 'node_modules', 'skydive-probe-none', 'index.mjs'), 'export const probe = 1\n')
  writeFileSync(
    join(folder, 'node_modules', 'skydive-probe-none', 'package.json'),
    '{"name":"skydive-probe-none","version":"1.0.0","exports":"./index.mjs"}',
  )
  writeFileSync(join(folder, 'plain'), 'not a folder')
  writeFileSync(join(folder, 'no.pcap'), 'this is no capture file at all')
  server = await startAllInOne()
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  rmSync(folder, { recursive: true, force: true })
  network?.leave()
  kernel.dispose()
}, 30_000)

/** One clear line: no stack, the offending value in it. */
function oneLine(stderr: string, words: RegExp): void {
  expect(stderr).toMatch(words)
  expect(stderr).not.toMatch(/\n\s+at /)
}

describe('the command line', () => {
  test.each<[string, () => string[], RegExp]>([
    ['an unknown option', () => ['analyzer', '--lisen', '1'], /unknown option '--lisen'/],
    ['an unknown command', () => ['analyser'], /did you mean analyzer/],
    ['a configuration that is no YAML', () => ['-c', join(folder, 'bad.yml'), 'analyzer', '--check'], /bad\.yml/],
    [
      'a value that makes no sense',
      () => ['-c', join(folder, 'wrong.yml'), 'analyzer', '--data-dir', join(folder, 'd')],
      /nowhere:port|"port"/,
    ],
    [
      'an unknown key with --check',
      () => ['-c', join(folder, 'unknown.yml'), 'analyzer', '--check'],
      /analyser.*did you mean analyzer|unknown configuration key analyser/,
    ],
    ['a configuration file that is not there', () => ['-c', join(folder, 'none.yml'), 'analyzer', '--check'], /none\.yml/],
    // Twice: the second time from compiled code that was kept.
    ...['a probe package without a factory', 'the same again'].map((title): [string, () => string[], RegExp] => [
      title,
      () => ['-c', join(folder, 'probe.yml'), 'agent', '--data-dir', join(folder, 'd'), '--listen', '127.0.0.1:0'],
      /skydive-probe-none exports no probe factory as default/,
    ]),
    [
      'a store path that is a file',
      () => ['analyzer', '--data-dir', join(folder, 'plain'), '--listen', '127.0.0.1:0'],
      /plain can't be used/,
    ],
    [
      'a folder that another process uses',
      () => ['analyzer', '--data-dir', server.dataDir, '--listen', '127.0.0.1:0'],
      /in use by another process/,
    ],
    [
      'a busy port',
      () => ['analyzer', '--data-dir', join(folder, 'd2'), '--listen', new URL(server.url).host],
      /another process listens there/,
    ],
    [
      'listening beyond loopback without authentication',
      () => ['analyzer', '--data-dir', join(folder, 'd3'), '--listen', '0.0.0.0:0'],
      /insecure.listen/,
    ],
    ['a capture file that is none', () => ['flows', join(folder, 'no.pcap')], /no\.pcap|capture file/],
    ['a capture file that is not there', () => ['flows', join(folder, 'none.pcap')], /none\.pcap/],
    ['a bad BPF expression', () => ['flows', '--bpf', 'port nowhere', join(folder, 'no.pcap')], /port nowhere|syntax|nowhere/],
    ['a bad Gremlin query', () => ['client', 'query', 'G.V().Hass()', '--analyzer', new URL(server.url).host], /Hass[\s\S]*\^/],
    ['an analyzer that is not there', () => ['client', 'status', '--analyzer', '127.0.0.1:1'], /127\.0\.0\.1:1/],
  ])(
    '%s',
    async (_title, args, words) => {
      const { code, stderr } = await skydive(args())
      oneLine(stderr, words)
      expect(code).toBeGreaterThan(0)
    },
    30_000,
  )

  test('nothing half-done is left of a refused start', () => {
    expect(readdirSync(folder).sort()).not.toContain('d3')
  })
})

describe('the API', () => {
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, { method: 'POST', body, headers })

  test.each<[string, () => Promise<Response>, number, RegExp]>([
    ['bad Gremlin', () => post('/api/topology', '{"GremlinQuery":"G.V(.Has("}'), 400, /\^/],
    ['bad JSON', () => post('/api/topology', '{"GremlinQuery":'), 400, /./],
    [
      'a foreign Origin',
      () => post('/api/topology', '{"GremlinQuery":"G"}', { Origin: 'http://evil.example' }),
      403,
      /evil\.example|[Oo]rigin/,
    ],
    [
      'a body of 100 MB',
      () => post('/api/capture', 'x'.repeat(100_000_000)).catch(() => new Response('cut off', { status: 413 })),
      413,
      /./,
    ],
    ['a bad BPF filter', () => post('/api/capture', '{"GremlinQuery":"G.V()","BPFFilter":"port nowhere"}'), 400, /BPF/],
    ['a truncated capture file', () => post('/api/pcap', '\xd4\xc3'), 400, /./],
    ['no such capture', () => fetch(`${server.url}/api/capture/nosuch`), 404, /./],
  ])(
    '%s',
    async (_title, request, status, words) => {
      const response = await request()
      expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(words)])
    },
    30_000,
  )

  test('nothing was created by what was refused', async () => {
    expect(await (await fetch(`${server.url}/api/capture`)).json()).toEqual({})
  })
})
