import { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'
import { SILENT_LOGGER } from '@skydive/contracts'
import { afterRest } from './after-rest.ts'
import { renderConfigurationPage } from './configuration-page.ts'
import { loadProbes } from './load-probes.ts'
import { createMetrics } from './metrics.ts'
import { runServices } from './run-services.ts'
import { formatServiceAddress, parseServiceAddress } from './service-address.ts'
import { suggest } from './suggestion.ts'

it('docs/50-configuration.md is what the schema says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/50-configuration.md'), 'utf8')
  expect(page).toBe(renderConfigurationPage())
})

describe('afterRest', () => {
  it.each([
    [0.25, 1],
    [25, 100],
    [60_000, 5_000],
  ])('rests after a run of %d ms for %d ms', (lastRunMs, restMs) => {
    jest.useFakeTimers()
    try {
      let runs = 0
      afterRest(() => runs++, lastRunMs)
      jest.advanceTimersByTime(restMs - 1)
      expect(runs).toBe(0)
      jest.advanceTimersByTime(1)
      expect(runs).toBe(1)
    } finally {
      jest.useRealTimers()
    }
  })
})

describe('parseServiceAddress', () => {
  it.each([
    ['8082', { host: 'localhost', port: 8082 }],
    [':8082', { host: 'localhost', port: 8082 }],
    ['0.0.0.0:8080', { host: '0.0.0.0', port: 8080 }],
    ['name:8080', { host: 'name', port: 8080 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['name:https', { host: 'name', port: 443 }],
  ])('%s', (text, expected) => {
    expect(parseServiceAddress(text)).toEqual(expected)
    expect(parseServiceAddress(formatServiceAddress(expected))).toEqual(expected)
  })

  it.each(['aaa', '', 'a:b:c', 'name:70000', 'name:nosuchservice', '::1:80', 'http://x:1'])('%j is refused', (text) => {
    expect(() => parseServiceAddress(text)).toThrow(`bad address ${JSON.stringify(text)}`)
  })
})

describe('suggest', () => {
  it.each([
    ['listn', ['listen', 'list'], 'listen'],
    ['docekr', ['docker', 'lldp'], 'docker'],
    ['zzzz', ['docker'], undefined],
  ])('%s among %j', (name, candidates, expected) => expect(suggest(name, candidates)).toBe(expected))
})

describe('runServices', () => {
  const signals = () => Object.assign(new EventEmitter(), { exit: () => undefined as never })
  const recorder = () => {
    const log: string[] = []
    const part = (name: string, failure?: Error) => ({
      name,
      service: {
        async start() {
          log.push(`+${name}`)
          if (failure) throw failure
        },
        async stop() {
          log.push(`-${name}`)
        },
      },
    })
    return { log, part }
  }

  it('starts in order and stops in reverse at a signal', async () => {
    const { log, part } = recorder()
    const process = signals()
    const run = runServices([part('a'), part('b')], {
      logger: SILENT_LOGGER,
      process: process as never,
      onReady: () => process.emit('SIGTERM'),
    })
    await run
    expect(log).toEqual(['+a', '+b', '-b', '-a'])
    expect(process.listenerCount('SIGTERM')).toBe(0)
  })

  it('stops what was started when a part fails', async () => {
    const { log, part } = recorder()
    const run = runServices([part('a'), part('b', new Error('no')), part('c')], {
      logger: SILENT_LOGGER,
      process: signals() as never,
    })
    await expect(run).rejects.toThrow('no')
    expect(log).toEqual(['+a', '+b', '-b', '-a'])
  })
})

it('metrics keep one instrument a name', async () => {
  const metrics = createMetrics()
  metrics.counter('skydive_x_total', 'x').add(2, { cause: 'a' })
  metrics.counter('skydive_x_total', 'x').add(3, { cause: 'a' })
  metrics.gauge('skydive_y', 'y').set(7)
  expect(await metrics.text()).toMatch(/skydive_x_total\{cause="a"\} 5[\s\S]*skydive_y 7/)
  metrics.gauge('skydive_z', 'z').set(1, { of: 'a' })
  metrics.gauge('skydive_z', 'z').set(2, { of: 'b' })
  metrics.gauge('skydive_z', 'z').remove({ of: 'a' })
  expect((await metrics.text()).match(/^skydive_z.*$/gm)).toEqual(['skydive_z{of="b"} 2'])
})

describe('loadProbes', () => {
  const factory = () => () => ({}) as never
  it('loads its own by name', async () => {
    const loaded = await loadProbes({ names: ['lldp'], builtIn: { lldp: async () => factory }, modules: [], folder: undefined })
    expect(loaded).toEqual([{ name: 'lldp', factory }])
  })
  it('an unknown one is told with what was meant', async () => {
    const load = loadProbes({ names: ['llpd'], builtIn: { lldp: async () => factory }, modules: [], folder: undefined })
    await expect(load).rejects.toThrow('there is no probe "llpd"; did you mean lldp?')
  })
  it('a package that is not installed is told with the command', async () => {
    const load = loadProbes({ names: [], builtIn: {}, modules: ['skydive-probe-nosuch'], folder: '/' })
    await expect(load).rejects.toThrow('run npm install skydive-probe-nosuch there')
  })
  it.each([
    ['main', '{"name":"skydive-probe-x","type":"module","main":"index.js"}'],
    ['exports', '{"name":"skydive-probe-x","type":"module","exports":"./index.js"}'],
    ['exports for import alone', '{"name":"skydive-probe-x","type":"module","exports":{"import":"./index.js"}}'],
  ])('a package is found from the folder of the configuration, by its %s', async (_title, manifest) => {
    const folder = mkdtempSync(join(tmpdir(), 'skydive-probe-'))
    try {
      const home = join(folder, 'node_modules/skydive-probe-x')
      mkdirSync(home, { recursive: true })
      writeFileSync(join(home, 'package.json'), manifest)
      writeFileSync(join(home, 'index.js'), 'export default () => () => ({})')
      const [probe] = await loadProbes({ names: [], builtIn: {}, modules: ['skydive-probe-x'], folder })
      expect(probe?.name).toBe('x')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
