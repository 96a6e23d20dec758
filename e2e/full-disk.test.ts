import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
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

let ballast = 0

function fill(): void {
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      for (;;) writeFileSync(join(disk, `ballast-${ballast++}`), Buffer.alloc(size))
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
  readonly queued: number
  readonly written: number
}

async function topologyStatus(): Promise<TopologyStatus> {
  const response = await fetch(`${server.url}/api/status`)
  return ((await response.json()) as { Stores: { Topology: TopologyStatus } }).Stores.Topology
}

/** Asks until the status satisfies, and does `meanwhile` each time. */
async function until(what: (status: TopologyStatus) => boolean, meanwhile: () => void = () => {}): Promise<TopologyStatus> {
  for (const deadline = performance.now() + 60_000; ; ) {
    meanwhile()
    const status = await topologyStatus()
    if (what(status)) return status
    if (performance.now() > deadline) {
      const { bavail, bsize } = statfsSync(disk)
      throw new Error(`still ${JSON.stringify(status)} with ${bavail * bsize} bytes free\n${server.log()}`)
    }
  }
}

const isQuiet = ({ state, queued, written }: TopologyStatus) => state === 'ok' && queued === 0 && written > 0
const isRefused = ({ state }: TopologyStatus) => state === 'degraded'

test('a full disk is told in the status and does not stop the live graph', async () => {
  // The file is begun and nothing is on its way into it: what is refused is what comes now.
  await until(isQuiet)
  fill()
  network.ip(...Array.from({ length: 200 }, (_, i) => `link add full${i} type bridge`))
  await server.until("G.V().Has('Name', 'full199').Count()", (count) => count === 1)
  // Other files of the folder are written again and then take less for a moment: the disk is kept full.
  const refused = await until(isRefused, fill)
  expect(refused.reason).toMatch(/full/)
  expect(refused.queued).toBeGreaterThan(0)

  network.ip('link add later type bridge')
  await server.until("G.V().Has('Name', 'later').Count()", (count) => count === 1)
  makeRoom()
  expect(await until(isQuiet)).not.toHaveProperty('reason')
  await server.until("G.At('-0s').V().Has('Name', Regex('full.*|later')).Count()", (count) => count === 201)
}, 120_000)
