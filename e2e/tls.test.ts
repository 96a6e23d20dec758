import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createSecureFetch } from '@skydive/client/node'
import { openKernel } from '@skydive/kernel'
import {
  type CertificateFiles,
  createTestAuthority,
  enterPrivateNetwork,
  type PrivateNetwork,
  type TestAuthority,
} from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// Both daemons with certificates from the configuration, and the client with its flags (spec platform 6.5, 7.2).

const kernel = openKernel()
let network: PrivateNetwork
let folder: string
let authority: TestAuthority
let user: CertificateFiles
let server: AllInOne

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall)
  folder = mkdtempSync(join(tmpdir(), 'skydive-tls-'))
  authority = createTestAuthority(folder)
  user = authority.issue('user', ['user'])
  const daemon = authority.issue('daemon', ['127.0.0.1'])
  server = await startAllInOne({
    env: {
      SKYDIVE_TLS_CA_CERT: authority.cert,
      SKYDIVE_TLS_SERVER_CERT: daemon.cert,
      SKYDIVE_TLS_SERVER_KEY: daemon.key,
      SKYDIVE_TLS_CLIENT_CERT: daemon.cert,
      SKYDIVE_TLS_CLIENT_KEY: daemon.key,
      SKYDIVE_TLS_REQUIRE_CLIENT_CERT: 'true',
    },
    fetch: createSecureFetch({ ca: readFileSync(authority.cert, 'utf8'), ...read(user) }),
  })
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  rmSync(folder, { recursive: true, force: true })
  network?.leave()
  kernel.dispose()
}, 30_000)

const read = ({ cert, key }: CertificateFiles) => ({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') })
const count = ['query', "G.V().Has('Type', 'host').Count()", '--format', 'json']
const client = (flags: readonly string[], env: Record<string, string> = {}) =>
  skydive(['client', ...flags, ...count], { env: { ...server.env, ...env } })

describe('allinone with certificates', () => {
  test('the agent reaches the analyzer', async () => {
    expect(server.url).toMatch(/^https:/)
    await server.until("G.V().Has('Type', 'host').Count()", (hosts) => hosts === 1)
  })

  test('--cacert, --cert and --key', async () => {
    const flags = ['--cacert', authority.cert, '--cert', user.cert, '--key', user.key]
    expect(await client(flags)).toEqual({ code: 0, stdout: '1\n', stderr: '' })
  })

  test('--insecure asks for no authority', async () => {
    const flags = ['--insecure', '--cert', user.cert, '--key', user.key]
    expect(await client(flags)).toEqual({ code: 0, stdout: '1\n', stderr: '' })
  })

  test('the section tls of the configuration', async () => {
    const env = { SKYDIVE_TLS_CA_CERT: authority.cert, SKYDIVE_TLS_CLIENT_CERT: user.cert, SKYDIVE_TLS_CLIENT_KEY: user.key }
    expect(await client([], env)).toEqual({ code: 0, stdout: '1\n', stderr: '' })
  })

  test('without an authority the certificate is not trusted', async () => {
    const { code, stderr } = await client(['--cert', user.cert, '--key', user.key])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^skydive: cannot reach https:\/\/127\.0\.0\.1:\d+: the certificate of the server is not trusted/)
  })

  test('without a certificate the listener turns away', async () => {
    const { code, stderr } = await client(['--cacert', authority.cert])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^skydive: cannot reach https:/)
  })

  test('a certificate without its key is the fault of the caller', async () => {
    const expected = { code: 2, stdout: '', stderr: 'skydive: --cert needs --key, which is not set\n' }
    expect(await client(['--cert', user.cert])).toEqual(expected)
  })
})
