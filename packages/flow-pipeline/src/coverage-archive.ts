import { type Clock, FLOW_LOSS_CAUSES, type KeyValueStore, type Logger, type Service } from '@skydive/contracts'
import { z } from 'zod'
import type { CoverageLedger } from './coverage-ledger.ts'
import type { SpanRecord } from './ledger-records.ts'
import type { LossRecord } from './loss-book.ts'

const PREFIX = '/coverage/'
/** How often changed records are written, ms. A capture that receives packets changes every second. */
const WRITE_EVERY_MS = 30_000
/** What begins or ends is written so soon, ms. */
const WRITE_SOON_MS = 500
/** Every so many of these times also what runs without a packet. */
const CONFIRM_EVERY = 10
/** After a start agents have so long to show what they still capture, ms. */
const CONFIRM_AFTER_MS = 60_000
/** Objects written at a time: each is a write that must be durable. */
const WRITES_AT_ONCE = 16

const spanSchema = z.object({
  captureId: z.string(),
  captureName: z.string(),
  nodeId: z.string(),
  nodeTid: z.string(),
  nodeName: z.string(),
  host: z.string(),
  type: z.string(),
  filter: z.string(),
  samplingRate: z.number(),
  fromMs: z.number(),
  toMs: z.number().optional(),
  packetsReceived: z.number(),
  packetsDropped: z.number(),
  packetsIfDropped: z.number().optional(),
  error: z.string().optional(),
})
const lossSchema = z.object({
  cause: z.enum(FLOW_LOSS_CAUSES),
  host: z.string(),
  captureId: z.string().optional(),
  fromMs: z.number(),
  toMs: z.number(),
  packets: z.number(),
  flows: z.number(),
})
const recordSchema = z.union([
  z.object({ id: z.string(), span: spanSchema, seenMs: z.number() }),
  z.object({ id: z.string(), loss: lossSchema }),
])
const beginSchema = z.object({ knownFromMs: z.number() })

/** What an archive needs. */
export interface CoverageArchiveOptions {
  readonly ledger: CoverageLedger
  readonly store: KeyValueStore
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Keeps a ledger over restarts, as objects under `/coverage/`. Starting reads them. What begins or ends is written within half a second, counters every
 * 30 s and at the stop: a process that is killed forgets at most that. A store that refuses is logged once, and tried again.
 */
export function createCoverageArchive(options: CoverageArchiveOptions): Service {
  const { ledger, store, clock, logger } = options
  const dirty = new Map<string, SpanRecord | LossRecord>()
  const forgotten = new Set<string>()
  /** Ids of records that the store has in some state. */
  const written = new Set<string>()
  let timer: unknown
  let soonTimer: unknown
  let confirmTimer: unknown
  /** The end of the last write that was begun. */
  let writing: Promise<void> | undefined
  let isRefused = false
  /** Since when the ledger knows, until it is written. */
  let begin: string | undefined
  let stopListening: (() => void) | undefined

  const keyOf = (id: string): string => `${PREFIX}${id}`

  const writeOne = async (record: SpanRecord | LossRecord): Promise<void> => {
    await store.set(keyOf(record.id), JSON.stringify(record))
    written.add(record.id)
  }

  const writeAll = async (): Promise<void> => {
    const gone = [...forgotten]
    const records = [...dirty.values()]
    forgotten.clear()
    dirty.clear()
    try {
      if (begin !== undefined) await store.set(`${PREFIX}begin`, begin)
      begin = undefined
      for (let from = 0; from < gone.length; from += WRITES_AT_ONCE) {
        await Promise.all(gone.slice(from, from + WRITES_AT_ONCE).map((id) => store.delete(keyOf(id))))
      }
      for (let from = 0; from < records.length; from += WRITES_AT_ONCE) {
        await Promise.all(records.slice(from, from + WRITES_AT_ONCE).map(writeOne))
      }
      isRefused = false
    } catch (error) {
      for (const id of gone) forgotten.add(id)
      for (const record of records) if (!dirty.has(record.id) && !forgotten.has(record.id)) dirty.set(record.id, record)
      if (!isRefused)
        logger.warn({ reason: (error as Error).message }, 'the coverage ledger can not be written; it is tried again')
      isRefused = true
    }
  }

  const flush = (): Promise<void> => {
    writing = (writing ?? Promise.resolve()).then(writeAll)
    return writing
  }

  const writeSoon = (): void => {
    soonTimer ??= clock.setTimeout(() => {
      soonTimer = undefined
      void flush()
    }, WRITE_SOON_MS)
  }

  let rounds = 0
  const arm = (): void => {
    timer = clock.setTimeout(() => {
      if (++rounds % CONFIRM_EVERY === 0) ledger.confirmRunning()
      void flush().then(() => {
        if (timer !== undefined) arm()
      })
    }, WRITE_EVERY_MS)
  }

  return {
    async start() {
      const { records, knownFromMs } = await load(store, clock.now(), logger)
      for (const { id } of records) written.add(id)
      stopListening = ledger.listen({
        changed(record) {
          dirty.set(record.id, record)
          if (!written.has(record.id) || ('span' in record && record.span.toMs !== undefined)) writeSoon()
        },
        forgotten({ id }) {
          dirty.delete(id)
          written.delete(id)
          forgotten.add(id)
        },
      })
      ledger.restore(records, knownFromMs)
      begin = JSON.stringify({ knownFromMs })
      await flush()
      confirmTimer = clock.setTimeout(() => ledger.endUnconfirmed(), CONFIRM_AFTER_MS)
      arm()
    },
    async stop() {
      for (const each of [timer, soonTimer, confirmTimer]) clock.clearTimeout(each)
      timer = undefined
      ledger.confirmRunning()
      stopListening?.()
      await flush()
    },
  }
}

async function load(
  store: KeyValueStore,
  nowMs: number,
  logger: Logger,
): Promise<{ readonly records: (SpanRecord | LossRecord)[]; readonly knownFromMs: number }> {
  const records: (SpanRecord | LossRecord)[] = []
  let knownFromMs = nowMs
  for (const { key, value } of await store.list(PREFIX)) {
    const json = parse(value)
    const begin = beginSchema.safeParse(json)
    if (begin.success) knownFromMs = begin.data.knownFromMs
    const record = recordSchema.safeParse(json)
    if (record.success) records.push(record.data as SpanRecord | LossRecord)
    else if (!begin.success) logger.warn({ key }, 'a record of the coverage ledger makes no sense and is left out')
  }
  return { records, knownFromMs }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
