import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Kernel, openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, startAllInOne } from './all-in-one.ts'

// The data directory on a disk that fills up: the live graph goes on, /api/status says why, and history catches up.

let kernel: Kernel
let network: PrivateNetwork
let server: AllInOne
let disk: string

beforeAll(async () => {
  kernel = openKernel()
  network = enterPrivateNetwork(kernel.systemCall)
  disk = mkdtempSync(join(tmpdir(), 'skydive-disk-'))
  network.run('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'none', disk])
  server = await startAllInOne({ parentDir: disk })
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  network?.run('umount', ['-l', disk])
  network?.leave()
  rmSync(disk, { recursive: true, force: true })
  kernel.dispose()
}, 30_000)

function fill(): void {
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      for (let i = 0; ; i++) writeFileSync(join(disk, `ballast-${size}-${i}`), Buffer.alloc(size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

function makeRoom(): void {
  for (const file of readdirSync(disk)) if (file.startsWith('ballast')) rmSync(join(disk, file))
}

interface TopologyStatus {
  readonly state: string
  readonly reason?: string
}

async function topologyStatus(): Promise<TopologyStatus> {
  const response = await fetch(`${server.url}/api/status`)
  return ((await response.json()) as { Stores: { Topology: TopologyStatus } }).Stores.Topology
}

async function untilState(state: string): Promise<TopologyStatus> {
  for (const deadline = performance.now() + 60_000; ; ) {
    const status = await topologyStatus()
    if (status.state === state) return status
    if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(status)}\n${server.log()}`)
  }
}

test('a full disk is told in the status and does not stop the live graph', async () => {
  expect(await untilState('ok')).not.toHaveProperty('reason')
  fill()
  network.ip(...Array.from({ length: 200 }, (_, i) => `link add full${i} type bridge`))
  await server.until("G.V().Has('Name', 'full199').Count()", (count) => count === 1)
  expect(await untilState('degraded')).toMatchObject({ reason: expect.stringMatching(/full/) })

  network.ip('link add later type bridge')
  await server.until("G.V().Has('Name', 'later').Count()", (count) => count === 1)
  makeRoom()
  expect(await untilState('ok')).not.toHaveProperty('reason')
  await server.until("G.At('-0s').V().Has('Name', Regex('full.*|later')).Count()", (count) => count === 201)
}, 120_000)
