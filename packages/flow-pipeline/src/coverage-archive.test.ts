import { describe, expect, test } from '@jest/globals'
import type { KeyValueEntry, KeyValueStore, Logger, Metadata } from '@skydive/contracts'
import { SILENT_LOGGER, UnavailableError } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { CoverageLedger, createCoverageArchive } from './index.ts'

/** A clock whose timers fire when it is told the time. */
function handClock(nowMs: number) {
  const timers = new Map<number, { readonly dueMs: number; readonly callback: () => void }>()
  let ids = 0
  return {
    nowMs,
    now(): number {
      return this.nowMs
    },
    setTimeout(callback: () => void, delayMs: number): unknown {
      timers.set(++ids, { dueMs: this.nowMs + delayMs, callback })
      return ids
    },
    clearTimeout(id: unknown): void {
      timers.delete(id as number)
    },
    async advance(ms: number): Promise<void> {
      this.nowMs += ms
      for (const [id, { dueMs, callback }] of [...timers]) {
        if (dueMs > this.nowMs) continue
        timers.delete(id)
        callback()
      }
      for (let i = 0; i < 20; i++) await Promise.resolve()
    },
  }
}

function memoryStore(content = new Map<string, string>(), refuses = false) {
  const entry = (key: string): KeyValueEntry => ({ key, value: content.get(key)!, modified: 1 })
  const state = { content, refuses }
  const write = (key: string, value: string) => {
    if (state.refuses) throw new UnavailableError('disk full', { retryable: true })
    content.set(key, value)
    return entry(key)
  }
  const store: KeyValueStore = {
    get: async (key) => (content.has(key) ? entry(key) : undefined),
    list: async (prefix) =>
      [...content.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort()
        .map(entry),
    create: async (key, value) => write(key, value),
    set: async (key, value) => write(key, value),
    delete: async (key) => {
      if (state.refuses) throw new UnavailableError('disk full', { retryable: true })
      return content.delete(key)
    },
    watch: () => () => {},
    close: async () => {},
  }
  return { store, state }
}

/** One run of an analyzer on what an earlier one left. */
async function run(
  content: Map<string, string>,
  nowMs: number,
  logger: Logger = SILENT_LOGGER,
  { refuses = false, retentionMs = 1e9 } = {},
) {
  const clock = handClock(nowMs)
  const graph = createGraph({ clock })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  let ids = 0
  const ledger = new CoverageLedger({ clock, retentionMs, newId: () => `${nowMs}-${++ids}` })
  ledger.follow(graph)
  const { store, state } = memoryStore(content, refuses)
  const archive = createCoverageArchive({ ledger, store, clock, logger })
  await archive.start(new AbortController().signal)
  const show = (received: number | undefined, more: Metadata = {}) => {
    const captures: Metadata[] =
      received === undefined ? [] : [{ ID: 'c', State: 'active', PacketsReceived: received, PacketsDropped: 0, ...more }]
    writer.transaction((tx) => tx.putNode({ id: 'n', metadata: { Name: 'eth0', TID: 't', Captures: captures as never } }))
  }
  return { clock, ledger, archive, show, state }
}

const times = (ledger: CoverageLedger) => ledger.read(0, 1e9).spans.map(({ fromMs, toMs }) => [fromMs, toMs])

describe('over restarts', () => {
  test('a capture that went on meanwhile is one span', async () => {
    const content = new Map<string, string>()
    const first = await run(content, 1_000)
    first.show(5)
    await first.archive.stop()
    const second = await run(content, 50_000)
    second.show(9)
    expect([times(second.ledger), second.ledger.read(0, 1e9).knownFromMs]).toEqual([[[1_000, undefined]], 1_000])
    await second.archive.stop()
  })

  test('one that is shown before the ledger is read is the same', async () => {
    const content = new Map<string, string>()
    const first = await run(content, 1_000)
    first.show(5)
    await first.archive.stop()
    const clock = handClock(50_000)
    const graph = createGraph({ clock })
    const ledger = new CoverageLedger({ clock, retentionMs: 1e9, newId: () => 'second' })
    ledger.follow(graph)
    graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) =>
      tx.putNode({
        id: 'n',
        metadata: { Name: 'eth0', TID: 't', Captures: [{ ID: 'c', State: 'active', PacketsReceived: 9 }] },
      }),
    )
    const archive = createCoverageArchive({ ledger, store: memoryStore(content).store, clock, logger: SILENT_LOGGER })
    await archive.start(new AbortController().signal)
    expect(times(ledger)).toEqual([[1_000, undefined]])
    await archive.stop()
    expect([...content.keys()].sort()).toEqual(['/coverage/1000-1', '/coverage/begin'])
  })

  test.each<[string, number | undefined, [number, number | undefined][]]>([
    ['that did not come back ended when it was last seen', undefined, [[1_000, 31_000]]],
    [
      'that began anew is another span',
      2,
      [
        [1_000, 31_000],
        [80_000, undefined],
      ],
    ],
  ])('a capture %s', async (_title, received, expected) => {
    const content = new Map<string, string>()
    const first = await run(content, 1_000)
    first.show(5)
    await first.clock.advance(29_000)
    first.show(6)
    await first.clock.advance(1_000)
    first.ledger.confirmRunning()
    await first.clock.advance(30_000)
    // Killed: nothing of the last half minute was written.
    const second = await run(content, 80_000)
    if (received !== undefined) second.show(received)
    await second.clock.advance(60_000)
    expect(times(second.ledger)).toEqual(expected)
    await second.archive.stop()
  })

  test('losses and ended captures are there again; what makes no sense is left out and told', async () => {
    const content = new Map<string, string>()
    const first = await run(content, 1_000)
    first.show(5)
    await first.clock.advance(1_000)
    first.show(undefined)
    const loss = { cause: 'link', host: 'alpha', fromMs: 1_500, toMs: 1_900, packets: 0, flows: 7 } as const
    first.ledger.addLoss(loss)
    await first.archive.stop()
    content.set('/coverage/bad', '{"id":"bad","span":{}}')
    content.set('/coverage/worse', 'no JSON')
    const told: unknown[] = []
    const second = await run(content, 9_000, { ...SILENT_LOGGER, warn: (fields) => void told.push(fields) })
    expect(second.ledger.read(0, 9_000)).toMatchObject({ spans: [{ fromMs: 1_000, toMs: 2_000 }], losses: [loss] })
    expect(told).toEqual([{ key: '/coverage/bad' }, { key: '/coverage/worse' }])
    await second.archive.stop()
  })

  test('what interfaces dropped is there again, and counts on from there', async () => {
    const content = new Map<string, string>()
    const first = await run(content, 1_000)
    first.show(5, { PacketsIfDropped: 2 })
    await first.clock.advance(1_000)
    first.show(6, { PacketsIfDropped: 5 })
    await first.archive.stop()
    const second = await run(content, 50_000)
    second.show(9, { PacketsIfDropped: 6 })
    expect(second.ledger.read(0, 1e9)).toMatchObject({
      spans: [{ packetsReceived: 9, packetsDropped: 0, packetsIfDropped: 6 }],
      losses: [{ cause: 'interface', captureId: 'c', fromMs: 1_000, toMs: 50_000, packets: 4, flows: 0 }],
    })
    await second.archive.stop()
  })

  test('a ledger of a version that did not know of interfaces is read; when they dropped what they tell now nobody knows', async () => {
    const span = {
      ...{ captureId: 'c', captureName: '', nodeId: 'n', nodeTid: 't', nodeName: 'eth0', host: 'alpha', type: '', filter: '' },
      ...{ samplingRate: 1, fromMs: 1_000, packetsReceived: 5, packetsDropped: 1 },
    }
    const loss = { cause: 'kernel', host: 'alpha', captureId: 'c', fromMs: 1_500, toMs: 1_900, packets: 1, flows: 0 }
    const content = new Map([
      ['/coverage/begin', '{"knownFromMs":1000}'],
      ['/coverage/r1', JSON.stringify({ id: 'r1', span, seenMs: 2_000 })],
      ['/coverage/r2', JSON.stringify({ id: 'r2', loss })],
    ])
    const told: unknown[] = []
    const { ledger, archive, show } = await run(content, 9_000, { ...SILENT_LOGGER, warn: (fields) => void told.push(fields) })
    expect([ledger.read(1_000, 9_000).spans, ledger.read(1_000, 9_000).losses, told]).toEqual([
      [{ ...span, toMs: 2_000 }],
      [loss],
      [],
    ])
    show(7, { PacketsDropped: 1, PacketsIfDropped: 900 })
    show(8, { PacketsDropped: 1, PacketsIfDropped: 901 })
    expect([ledger.read(1_000, 9_000).spans, ledger.read(1_000, 9_000).losses]).toEqual([
      [{ ...span, packetsReceived: 8, packetsIfDropped: 901 }],
      [loss, { ...loss, cause: 'interface', fromMs: 9_000, toMs: 9_000 }],
    ])
    await archive.stop()
  })
})

test('what begins or ends is in the store within half a second', async () => {
  const { show, state, clock, archive } = await run(new Map(), 1_000)
  const spans = () => [...state.content].flatMap(([key, value]) => (key === '/coverage/begin' ? [] : [JSON.parse(value).span]))
  show(5)
  await clock.advance(500)
  expect(spans()).toMatchObject([{ fromMs: 1_000, packetsReceived: 5 }])
  show(6)
  await clock.advance(500)
  expect(spans()).toMatchObject([{ packetsReceived: 5 }])
  show(undefined)
  await clock.advance(500)
  expect(spans()).toMatchObject([{ packetsReceived: 6, toMs: 2_000 }])
  await archive.stop()
})

test('a store that refuses is told once and gets everything later', async () => {
  const told: unknown[] = []
  const { ledger, archive, show, state, clock } = await run(new Map(), 1_000, {
    ...SILENT_LOGGER,
    warn: (fields) => void told.push(fields),
  })
  state.refuses = true
  show(5)
  await clock.advance(30_000)
  await clock.advance(30_000)
  expect([told, [...state.content.keys()]]).toEqual([[{ reason: 'disk full' }], ['/coverage/begin']])
  state.refuses = false
  await clock.advance(30_000)
  expect([...state.content.keys()]).toEqual(['/coverage/begin', '/coverage/1000-1'])
  expect(times(ledger)).toEqual([[1_000, undefined]])
  await archive.stop()
})

test('a disk that is full when the analyzer starts keeps nobody from starting', async () => {
  const told: unknown[] = []
  const logger = { ...SILENT_LOGGER, warn: (fields: object) => void told.push(fields) }
  const { archive, show, state, clock } = await run(new Map(), 1_000, logger, { refuses: true })
  show(5)
  await clock.advance(30_000)
  expect([told, [...state.content.keys()]]).toEqual([[{ reason: 'disk full' }], []])
  state.refuses = false
  await clock.advance(30_000)
  expect([...state.content]).toEqual([
    ['/coverage/begin', '{"knownFromMs":1000}'],
    ['/coverage/1000-1', expect.stringContaining('"fromMs":1000')],
  ])
  await archive.stop()
})

test('what is forgotten while the store refuses goes when it takes again, and does not come back', async () => {
  const { ledger, archive, state, clock } = await run(new Map(), 1_000, SILENT_LOGGER, { retentionMs: 40_000 })
  const lose = (host: string) =>
    ledger.addLoss({ cause: 'link', host, fromMs: clock.nowMs, toMs: clock.nowMs, packets: 0, flows: 1 })
  lose('alpha')
  await clock.advance(500)
  expect([...state.content.keys()]).toEqual(['/coverage/begin', '/coverage/1000-1'])
  state.refuses = true
  lose('beta')
  await clock.advance(500)
  await clock.advance(50_000)
  // Both are too old now.
  lose('gamma')
  await clock.advance(30_000)
  state.refuses = false
  await clock.advance(30_000)
  expect([...state.content.keys()]).toEqual(['/coverage/begin', '/coverage/1000-3'])
  await archive.stop()
})
