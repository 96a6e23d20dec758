import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SILENT_LOGGER } from '@skydive/contracts'
import { loadConfig } from '@skydive/daemon'
import { createGraph } from '@skydive/graph'
import { foreignProbes, tolerated } from './foreign-probes.ts'

/** The example of the guide, as a reader would copy it. */
const EXAMPLE = /```js\n([\s\S]*?)```/.exec(
  readFileSync(join(import.meta.dirname, '../../../docs/60-write-a-probe.md'), 'utf8'),
)![1]!

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skydive-probe-'))
  const home = join(folder, 'node_modules', 'skydive-probe-rack')
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'skydive-probe-rack', type: 'module', exports: './index.js' }))
  // The guide's probe gets its name by option; the agent gives none, so the default stands for it here.
  writeFileSync(join(home, 'index.js'), EXAMPLE.replaceAll('options.name', "(options.name ?? 'r1')"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A configuration file in the folder, and components over a graph with a host. */
async function setUp(topology: string) {
  writeFileSync(join(folder, 'skydive.yml'), `agent:\n  topology:\n${topology}`)
  const config = await loadConfig({ files: [join(folder, 'skydive.yml')] })
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => tx.addNode({ id: 'h', metadata: { Type: 'host', Name: 'alpha' } }))
  return { config, graph, components: { graph: writer, hostNodeId: 'h', logger: SILENT_LOGGER } as never }
}

describe('foreignProbes', () => {
  test('the probe of the guide is found from the folder of the configuration file, and writes', async () => {
    const { config, graph, components } = await setUp('    modules: [skydive-probe-rack]\n')
    const [probe, ...others] = await foreignProbes(config, components, SILENT_LOGGER)
    await tolerated(probe!, SILENT_LOGGER).start()
    expect([others, probe!.status, graph.view.nodeOrdinal('rack-r1') >= 0, graph.view.edgeCount]).toEqual([
      [],
      { state: 'running' },
      true,
      1,
    ])
  })

  test('probes that always run or that came later are no error, unknown ones are', async () => {
    const known = await setUp('    probes: [netlink, ovsdb, docker]\n')
    expect(await foreignProbes(known.config, known.components, SILENT_LOGGER)).toEqual([])
    const unknown = await setUp('    probes: [netlnik]\n')
    await expect(foreignProbes(unknown.config, unknown.components, SILENT_LOGGER)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('a package that is not installed is named, with the command', async () => {
    const { config, components } = await setUp('    modules: [skydive-probe-nosuch]\n')
    await expect(foreignProbes(config, components, SILENT_LOGGER)).rejects.toThrow(/npm install skydive-probe-nosuch/)
  })

  test('a probe that can not start leaves the agent alone', async () => {
    const broken = { name: 'x', start: async () => Promise.reject(new Error('no such daemon')), stop: async () => {} }
    await expect(tolerated(broken as never, SILENT_LOGGER).start()).resolves.toBeUndefined()
  })
})
