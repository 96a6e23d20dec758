import { describe, expect, test } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { createManualClock, createMemoryLogger, createMemoryMetrics } from '@skydive/testkit'
import { hardwareProbe, putHostNode } from './index.ts'

describe('the host node', () => {
  test('has what the configuration and the system say, and its id does not depend on the run', async () => {
    const ids = []
    for (let run = 0; run < 2; run++) {
      const graph = createGraph()
      const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
      const host = putHostNode(writer, { hostId: 'alpha', hostname: 'vm', metadata: { rack: { row: 3 }, Type: 'ignored' } })
      ids.push(host.id)
      const node = graph.view.node(graph.view.nodeOrdinal(host.id))
      expect(node.metadata).toEqual({ rack: { row: 3 }, Name: 'alpha', Type: 'host', Hostname: 'vm', TID: host.tid })
      const probe = hardwareProbe()({
        graph: writer,
        hostNodeId: host.id,
        logger: createMemoryLogger(),
        clock: createManualClock(),
        metrics: createMemoryMetrics(),
      })
      await probe.start()
      expect(graph.view.nodeValue(graph.view.nodeOrdinal(host.id), 'OS')).toBe('linux')
      await probe.stop()
      expect(probe.status).toEqual({ state: 'stopped' })
    }
    expect(ids[0]).toBe(ids[1])
  })

  test.each([
    [{ configFiles: [{ path: '/x', type: 'xml', name: 'n', selector: 's' }] }, 'configFiles.0.type'],
    [{ configFiles: 'x' }, 'configFiles'],
    [{ files: [] }, '(all)'],
  ])('option %j is refused by name', (options, name) => {
    expect(() => hardwareProbe(options as never)).toThrow(`probe hardware: option ${name}: `)
  })
})
