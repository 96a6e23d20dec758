import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Clock, type Logger, type NodeIds, oidUuid, SILENT_LOGGER } from '@skydive/contracts'
import { z } from 'zod'

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id'
/** Changes are gathered for so long before the file is written: a burst of interfaces is one write. */
const WRITE_DELAY_MS = 1000
const VERSION = 1

const stateSchema = z.object({
  version: z.literal(VERSION),
  boot: z.string(),
  /** Milliseconds since the epoch at which a thing was first seen under the key that it had then, by its key of now. */
  firstSeen: z.record(z.string(), z.tuple([z.string(), z.int()])),
})

/** What {@link openNodeIds} needs. */
export interface NodeIdsOptions {
  readonly hostTid: string
  /** Where what was seen is kept; absent: nowhere, and ids differ after a restart. Its folder is made where only that is missing. */
  readonly stateFile?: string
  readonly clock: Clock
  readonly logger?: Logger
  /** Names this run of the operating system; what was seen in another is worth nothing. */
  readonly bootId?: string
}

/** {@link NodeIds} that survive a restart of the agent. */
export interface PersistentNodeIds extends NodeIds {
  /** Writes now what is still to be written, and stops. */
  close(): void
}

/**
 * Ids are `UUIDv5(OID, hostTid + key + first seen)`. A state file that is missing, foreign or of another boot is begun anew: ids then
 * differ from those before. A file that can't be written is logged once and does no harm until the next restart.
 */
export function openNodeIds(options: NodeIdsOptions): PersistentNodeIds {
  const { hostTid, stateFile, clock, logger = SILENT_LOGGER } = options
  const bootId = options.bootId ?? readFileSync(BOOT_ID_FILE, 'latin1').trim()
  const seen = new Map(stateFile === undefined ? [] : readState(stateFile, bootId, logger))
  let timer: unknown
  let refused = false

  const write = () => {
    timer = undefined
    if (stateFile === undefined) return
    const state: z.infer<typeof stateSchema> = { version: VERSION, boot: bootId, firstSeen: Object.fromEntries(seen) }
    try {
      makeFolder(dirname(stateFile))
      writeFileSync(`${stateFile}.new`, JSON.stringify(state), { mode: 0o600 })
      renameSync(`${stateFile}.new`, stateFile)
      refused = false
    } catch (error) {
      if (!refused) logger.warn({ file: stateFile, error: (error as Error).message }, 'node ids can not be kept')
      refused = true
    }
  }
  const changed = () => {
    if (stateFile !== undefined) timer ??= clock.setTimeout(write, WRITE_DELAY_MS)
  }

  return {
    idOf(key) {
      let entry = seen.get(key)
      if (!entry) {
        entry = [key, clock.now()]
        seen.set(key, entry)
        changed()
      }
      return oidUuid(`${hostTid}${entry[0]}${entry[1]}`)
    },
    rename(from, to) {
      const entry = seen.get(from)
      if (!entry) return
      seen.delete(from)
      seen.set(to, entry)
      changed()
    },
    forget(key) {
      if (seen.delete(key)) changed()
    },
    retain(prefix, keys) {
      for (const key of [...seen.keys()]) if (key.startsWith(prefix) && !keys.has(key) && seen.delete(key)) changed()
    },
    close() {
      if (timer === undefined) return
      clock.clearTimeout(timer)
      write()
    },
  }
}

/** Not recursively: Node's own way to do that does not end where the file system answers ENOENT, as that of /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function readState(file: string, bootId: string, logger: Logger): [string, [string, number]][] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      logger.warn({ file, error: (error as Error).message }, 'node ids can not be read; new ones are given')
    }
    return []
  }
  try {
    const state = stateSchema.parse(JSON.parse(text))
    return state.boot === bootId ? Object.entries(state.firstSeen) : []
  } catch (error) {
    logger.warn({ file, error: (error as Error).message }, 'node ids make no sense; new ones are given')
    return []
  }
}
