import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'

// The two processes of allinone end together, and with it, however one of them goes.

const SKYDIVE = join(import.meta.dirname, '..', 'apps', 'skydive', 'bin', 'skydive.js')
const kernel = openKernel()
let network: PrivateNetwork
let dataDir: string
let parent: ChildProcess
/** Resolves when nobody writes any more: the children have the output of their parent. */
let allEnded: Promise<readonly [number | null, NodeJS.Signals | null]>
let output: string

beforeAll(() => {
  network = enterPrivateNetwork(kernel.systemCall as never)
})
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'skydive-parts-'))
  output = ''
  parent = spawn(process.execPath, [SKYDIVE, 'allinone', '--data-dir', dataDir, '--listen', '127.0.0.1:0'], {
    env: { ...process.env, SKYDIVE_AGENT_LISTEN: '127.0.0.1:0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  allEnded = once(parent, 'close') as unknown as typeof allEnded
  await new Promise<void>((resolve) => {
    for (const stream of [parent.stdout!, parent.stderr!]) {
      stream.on('data', (chunk) => {
        output += chunk
        if (output.includes('Skydive is running')) resolve()
      })
    }
  })
}, 30_000)
afterEach(async () => {
  parent.kill('SIGKILL')
  await allEnded
  rmSync(dataDir, { recursive: true, force: true })
})
afterAll(() => {
  network?.leave()
  kernel.dispose()
})

/** The numbers of the processes that allinone started, by what they are. */
function parts(): ReadonlyMap<string, number> {
  const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(' ').map(Number)
  return new Map(
    children.map((pid) => {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return [words.find((word) => word === 'agent' || word === 'analyzer') ?? '', pid]
    }),
  )
}

test('both end when allinone is killed', async () => {
  expect([...parts().keys()].sort()).toEqual(['agent', 'analyzer'])
  parent.kill('SIGKILL')
  expect(await allEnded).toEqual([null, 'SIGKILL'])
}, 30_000)

test.each(['agent', 'analyzer'])(
  'everything ends when the %s is killed, with 1 and the reason',
  async (part) => {
    process.kill(parts().get(part)!, 'SIGKILL')
    expect(await allEnded).toEqual([1, null])
    expect(output.split('\n').filter((line) => line.startsWith('skydive: '))).toEqual([
      `skydive: the ${part} ended by SIGKILL, so everything stops`,
    ])
  },
  30_000,
)
