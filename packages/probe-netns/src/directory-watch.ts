import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import type { Clock } from '@skydive/contracts'

/** How often a missing folder is looked for, and a present one is checked to be the same still. */
const CHECK_INTERVAL_MS = 1000
/** Every so many checks the folder is listed, for what no event told (a handle mounted over an old file). */
const CHECKS_A_LISTING = 30

/** Tells of the entries of a folder as they come and go, also of those that are there; survives that the folder goes and comes again. */
export interface DirectoryWatch {
  close(): void
}

/**
 * Calls `changed` with the name of an entry that may have come, gone or been replaced, and `listed` with all names when the folder was
 * read as a whole: at once when it is there, and whenever it appears again. A folder that is gone is listed as empty.
 */
export function watchDirectory(
  path: string,
  clock: Clock,
  on: { changed(name: string): void; listed(names: readonly string[]): void },
): DirectoryWatch {
  let watcher: FSWatcher | undefined
  let inode = 0
  let checks = 0
  let timer: unknown
  let open = true

  const list = () => {
    try {
      on.listed(readdirSync(path))
    } catch {
      on.listed([])
    }
  }
  const disarm = () => {
    watcher?.close()
    watcher = undefined
    inode = 0
  }
  const arm = () => {
    try {
      const fresh = watch(path, { persistent: true }, (_, name) => {
        if (!open) return
        if (name === null) list()
        else on.changed(name)
        verify()
      })
      fresh.on('error', () => {
        if (watcher === fresh) disarm()
      })
      watcher = fresh
      inode = statSync(path).ino
    } catch {
      disarm()
    }
  }
  /** Watches belong to a folder, not to its path. */
  const verify = () => {
    let now = 0
    try {
      now = statSync(path).ino
    } catch {
      // Gone: 0 stands for that.
    }
    if (now === inode) return false
    disarm()
    if (now !== 0) arm()
    list()
    return true
  }
  const check = () => {
    if (!open) return
    if (!verify() && ++checks % CHECKS_A_LISTING === 0 && watcher) list()
    timer = clock.setTimeout(check, CHECK_INTERVAL_MS)
  }

  // Watch first, list then: what comes in between is told twice, not never.
  arm()
  list()
  timer = clock.setTimeout(check, CHECK_INTERVAL_MS)
  return {
    close() {
      open = false
      clock.clearTimeout(timer)
      disarm()
    },
  }
}
