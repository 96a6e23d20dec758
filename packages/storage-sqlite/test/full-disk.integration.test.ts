import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Logger } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { type Kernel, openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { openSqliteStorage, type SqliteStorage, type SqliteStorageOptions } from '../src/index.ts'
import { openDatabase } from '../src/sqlite.ts'

// A medium that refuses: the live graph goes on, the status says why, and what was missed is made up for. The disk is a small one in memory.

const DISK_MIB = 64
const REFUSES = 'store refuses writes; they are kept and retried'
const ACCEPTS = 'store accepts writes again'

let kernel: Kernel
let network: PrivateNetwork
let disk: string
let storage: SqliteStorage
let graph: Graph
let told: string[]
let waiting: { readonly message: string; resolve(): void }[]

const hear = (message: string) => {
  told.push(message)
  for (const waiter of waiting) if (waiter.message === message) waiter.resolve()
}
const logger: Logger = {
  debug: () => {},
  info: (_fields, message) => hear(message),
  warn: (_fields, message) => hear(message),
  error: (_fields, message) => hear(message),
  child: () => logger,
}
const hears = (message: string) => new Promise<void>((resolve) => waiting.push({ message, resolve }))

async function open(options: Partial<SqliteStorageOptions> = {}): Promise<void> {
  const elements = () => {
    const nodes: ReturnType<Graph['view']['node']>[] = []
    graph.view.forEachNode((row) => void nodes.push(graph.view.node(row)))
    return { nodes, edges: [] }
  }
  storage = await openSqliteStorage({ dataDir: join(disk, 'data'), ...options }, { logger, snapshot: elements })
  graph.subscribe((batch) => storage.topology.append(batch))
}

/** Fills what is left of the disk, to the last byte. */
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

const write = (...ids: string[]) =>
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const id of ids) tx.putNode({ id, metadata: { Type: 'device', Name: id, Text: 'x'.repeat(100) } })
  })
/** Nodes that the store knows to live now. */
const stored = async () => {
  const nowMs = Date.now()
  return (await storage.topology.open({ startMs: nowMs, lastMs: nowMs })).nodeCount
}

beforeAll(() => {
  kernel = openKernel()
  network = enterPrivateNetwork(kernel.systemCall)
})

afterAll(() => {
  network?.leave()
  kernel?.dispose()
})

beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'skydive-disk-'))
  network.run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'none', disk])
  mkdirSync(join(disk, 'data'))
  graph = createGraph()
  told = []
  waiting = []
})

afterEach(async () => {
  await storage.close()
  network.run('umount', ['-l', disk])
  rmSync(disk, { recursive: true })
})

describe('a full disk', () => {
  test('the live graph goes on, the status says why, and nothing is missing afterwards', async () => {
    await open()
    write('before')
    await storage.topology.flush()
    expect(storage.topology.status()).toMatchObject({ state: 'ok', dropped: 0 })

    fill()
    const refused = hears(REFUSES)
    write(...Array.from({ length: 20_000 }, (_, i) => `during${i}`))
    await refused
    expect(graph.view.nodeCount).toBe(20_001)
    expect(storage.topology.status()).toMatchObject({ state: 'degraded', reason: expect.stringMatching(/full/), dropped: 0 })
    expect(await stored()).toBe(1)

    const accepted = hears(ACCEPTS)
    makeRoom()
    await accepted
    expect(storage.topology.status()).toMatchObject({ state: 'ok', queued: 0, dropped: 0 })
    expect(await stored()).toBe(20_001)
    expect(told).toEqual([REFUSES, ACCEPTS])
  }, 60_000)

  test('what no longer fitted into the queue is counted and read again from the live graph', async () => {
    await open()
    write('before')
    await storage.topology.flush()
    fill()
    const refused = hears(REFUSES)
    write(...Array.from({ length: 100_500 }, (_, i) => `n${i}`))
    await refused
    expect(storage.topology.status()).toMatchObject({ state: 'degraded', dropped: 500 })

    const accepted = hears(ACCEPTS)
    makeRoom()
    await accepted
    // Answers come in the order of the requests: the reconciliation was asked for before this.
    expect(await stored()).toBe(100_501)
  }, 60_000)

  test('a file that can not be begun leaves no hole in the history', async () => {
    await open({ topologyPartitionMs: 1 })
    write('before')
    await storage.topology.flush()
    fill()
    const refused = hears(REFUSES)
    write('during')
    await refused
    const accepted = hears(ACCEPTS)
    makeRoom()
    await accepted
    expect(await stored()).toBe(2)

    await storage.close()
    await open({ topologyPartitionMs: 1 })
    expect(await stored()).toBe(2)
  }, 60_000)
})

describe('a locked file', () => {
  test('the live graph goes on, the status says why, and nothing is missing afterwards', async () => {
    await open()
    write('before')
    await storage.topology.flush()
    const file = readdirSync(join(disk, 'data')).find((name) => /^topology-\d+\.db$/.test(name))!
    const other = openDatabase(join(disk, 'data', file))
    other.exec('BEGIN IMMEDIATE')

    const refused = hears(REFUSES)
    write('during')
    await refused
    expect(storage.topology.status()).toMatchObject({ state: 'degraded', reason: expect.stringMatching(/locked/), queued: 1 })

    const accepted = hears(ACCEPTS)
    other.exec('ROLLBACK')
    other.close()
    await accepted
    expect(await stored()).toBe(2)
  }, 60_000)
})

describe('a folder of the kernel', () => {
  test.each(['/proc/skydive/data', '/proc', '/sys/skydive', '/proc/../proc/x'])('%s is refused at once', async (dataDir) => {
    await open()
    await expect(openSqliteStorage({ dataDir })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringMatching(/^the data directory \/proc|^the data directory \/sys/),
    })
  })
})
