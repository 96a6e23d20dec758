import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ConfigSources, defaultDataFolder, loadConfig } from './config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skydive-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = (text: string, name = 'skydive.yml') => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const load = (sources: ConfigSources = {}) => loadConfig({ defaultFile: '/nonexistent', ...sources })

describe('precedence', () => {
  it('defaults are valid and complete', async () => {
    const { values, warnings } = await load()
    expect(warnings).toEqual([])
    expect({
      listen: values.analyzer.listen,
      backend: values.analyzer.topology.backend,
      expire: values.flow.expire,
      store: values.storage['elasticsearch'],
    }).toMatchObject({ listen: '127.0.0.1:8082', backend: 'sqlite', expire: 600, store: { hosts: ['http://127.0.0.1:9200'] } })
  })

  it('override beats environment beats later file beats earlier file', async () => {
    const files = [file('analyzer: {listen: a:1}\nflow: {update: 1}\n'), file('analyzer: {listen: b:1}\nhost_id: x\n', 'b.yml')]
    const environment = { SKYDIVE_ANALYZER_LISTEN: 'c:1', SKYDIVE_HOST_ID: 'y' }
    const steps = [
      await load({ files: files.slice(0, 1) }),
      await load({ files }),
      await load({ files, environment }),
      await load({ files, environment, overrides: { 'analyzer.listen': 'd:1' } }),
    ]
    expect(steps.map(({ values }) => values.analyzer.listen)).toEqual(['a:1', 'b:1', 'c:1', 'd:1'])
    expect(steps[3]?.values).toMatchObject({ host_id: 'y', flow: { update: 1 } })
  })
})

describe('environment', () => {
  it.each([
    ['SKYDIVE_ANALYZERS', '10.0.0.1:8082 10.0.0.2:8082', 'analyzers', ['10.0.0.1:8082', '10.0.0.2:8082']],
    ['SKYDIVE_AGENT_TOPOLOGY_PROBES', 'ovsdb docker', 'agent.topology.probes', ['ovsdb', 'docker']],
    ['SKYDIVE_UI', '{"theme":"light"}', 'ui', { theme: 'light' }],
    ['SKYDIVE_FLOW_EXPIRE', '30', 'flow.expire', 30],
    ['SKYDIVE_ETCD_EMBEDDED', 'false', 'etcd.embedded', false],
    ['SKYDIVE_STORAGE_ELASTICSEARCH_HOSTS', 'http://e:9200', 'storage.elasticsearch.hosts', ['http://e:9200']],
    ['SKYDIVE_STORAGE_SQLITE_RETENTION_AGE', '60', 'storage.sqlite.retention_age', 60],
    ['SKYDIVE_DATA_DIR', '/x', 'data_dir', '/x'],
  ])('%s=%s', async (name, value, key, expected) => {
    expect((await load({ environment: { [name]: value } })).get(key)).toEqual(expected)
  })

  it("the CLI's SKYDIVE_ANALYZER does not hide analyzer.*", async () => {
    const { values } = await load({ environment: { SKYDIVE_ANALYZER: 'host:8082', SKYDIVE_ANALYZER_LISTEN: 'z:1' } })
    expect(values.analyzer.listen).toBe('z:1')
  })

  it('a mistyped variable is told', async () => {
    const { warnings } = await load({ environment: { SKYDIVE_ANALYZER_LISTN: 'x' } })
    expect(warnings).toEqual([
      'environment variable SKYDIVE_ANALYZER_LISTN is no configuration key; did you mean SKYDIVE_ANALYZER_LISTEN?',
    ])
  })
})

describe('files', () => {
  it('keys are case-insensitive', async () => {
    expect((await load({ files: [file('Analyzer: {LISTEN: a:1}')] })).get('ANALYZER.listen')).toBe('a:1')
  })

  it('a declared store takes the defaults of its driver', async () => {
    const { values } = await load({ files: [file('storage: {myes: {driver: elasticsearch, index_prefix: x_}}')] })
    expect(values.storage['myes']).toMatchObject({ driver: 'elasticsearch', index_prefix: 'x_', bulk_maxdelay: 5 })
  })

  it('an unknown key is told with what was meant', async () => {
    const { warnings, unknownKeys } = await load({ files: [file('analyzer: {listn: a:1}\nnonsense: 1\n')] })
    expect(unknownKeys).toEqual(['analyzer.listn', 'nonsense'])
    expect(warnings).toEqual([
      'unknown configuration key analyzer.listn; did you mean analyzer.listen?',
      'unknown configuration key nonsense',
    ])
  })

  it('a deprecated key counts at its new place, with a warning', async () => {
    const { values, warnings } = await load({ files: [file('graph: {backend: memory}\ndocker: {url: unix:///x}\n')] })
    expect(values.analyzer.topology.backend).toBe('memory')
    expect(values.agent.topology.docker.url).toBe('unix:///x')
    expect(warnings).toEqual([
      'configuration key docker.url is deprecated: use agent.topology.docker.url',
      'configuration key graph.backend is deprecated: use analyzer.topology.backend',
    ])
  })

  it('the new place of a deprecated key wins', async () => {
    const { values } = await load({ files: [file('graph: {backend: a}\nanalyzer: {topology: {backend: b}}\n')] })
    expect(values.analyzer.topology.backend).toBe('b')
  })

  it('a key that does nothing here is told', async () => {
    const { warnings } = await load({ files: [file('analyzer: {topology: {k8s: {config_file: /x}}}')] })
    expect(warnings).toEqual(['configuration key analyzer.topology.k8s has no effect in this build'])
  })

  it('numbers and lists may be written as text', async () => {
    const { values } = await load({ files: [file('flow: {expire: "30"}\nanalyzers: a:1 b:1\nhost_id: 7\n')] })
    expect([values.flow.expire, values.analyzers, values.host_id]).toEqual([30, ['a:1', 'b:1'], '7'])
  })

  it.each([
    ['flow: {expire: 0}', 'flow.expire: 0 is refused: Too small: expected number to be >0'],
    ['flow: {update: soon}', 'flow.update: "soon" is refused: Invalid input: expected number, received string'],
    ['flow: {protocol: tcp}', 'flow.protocol: "tcp" is refused: Invalid option: expected one of "udp"|"websocket"'],
    ['etcd: {max_wal_files: -1}', 'etcd.max_wal_files: -1 is refused: Too small: expected number to be >=0'],
    ['analyzer: 7', 'analyzer: 7 is refused: Invalid input: expected object, received number'],
    ['storage: {x: {driver: nosuch}}', 'storage.x.driver: "nosuch" is refused'],
    ['- a', 'must be a map of keys, got ["a"]'],
    ['a: [', 'is no YAML: '],
  ])('%s is refused', async (text, message) => {
    await expect(load({ files: [file(text)] })).rejects.toThrow(message)
  })

  it('a file that is not there is named', async () => {
    await expect(load({ files: ['/nonexistent/x.yml'] })).rejects.toThrow('configuration file /nonexistent/x.yml cannot be read')
  })
})

describe('secrets', () => {
  const text = 'auth: {basic: {type: basic, users: {alice: s3}}}\nagent: {auth: {cluster: {username: u, password: p}}}\n'
  it('are masked in get and dump', async () => {
    const config = await load({ files: [file(text)] })
    expect(config.values.auth['basic']?.users).toEqual({ alice: 's3' })
    expect(config.get('auth.basic')).toMatchObject({ users: { alice: '***' } })
    expect(config.get('auth.basic.users.alice')).toBe('***')
    expect(config.get('agent.auth.cluster')).toEqual({ username: 'u', password: '***' })
    expect(config.dump()).not.toMatch(/s3|password: p/)
  })

  it('do not stand in the message of a fault', async () => {
    const bad = file('agent: {auth: {cluster: {password: [s3cret]}}}')
    await expect(load({ files: [bad] })).rejects.toThrow(
      expect.objectContaining({
        message: 'agent.auth.cluster.password: is refused: Invalid input: expected string, received array',
      }),
    )
  })
})

describe('defaultDataFolder', () => {
  it.each([
    [0, {}, '/var/lib/skydive'],
    [1000, { HOME: '/home/a' }, '/home/a/.local/state/skydive'],
    [1000, { HOME: '/home/a', XDG_STATE_HOME: '/s' }, '/s/skydive'],
  ])('uid %i %j', (userId, environment, expected) => expect(defaultDataFolder(environment, userId)).toBe(expected))
})
