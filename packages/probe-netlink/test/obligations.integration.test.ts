import { describe, expect, it } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork } from '@skydive/testkit'
import { describeProbe } from '@skydive/testkit/probe'
import { netlinkProbe } from '../src/index.ts'
import { memoryIds } from './host.ts'

describeProbe('netlink', {
  runner: { describe, it, expect },
  createGraph,
  timeoutMs: 20_000,
  createCase() {
    const outer = openKernel()
    const network = enterPrivateNetwork(outer.systemCall)
    const kernel = openKernel()
    const readiness = kernel.readiness()
    const nodeIds = memoryIds()
    return {
      create: (components) => netlinkProbe()({ ...components, kernel, readiness, nodeIds, hostTid: 'tid' }),
      change: () => network.ip('link add br0 type bridge'),
      async dispose() {
        await readiness.close()
        kernel.dispose()
        network.leave()
        outer.dispose()
      },
    }
  },
})
