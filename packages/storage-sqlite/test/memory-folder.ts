import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Files in memory, on Linux. */
const MEMORY = '/dev/shm'

/**
 * Makes a folder for a test to which it does not matter whether anything is durable: in memory where the system has such a place, because
 * hundreds of small stores wait minutes for a slow disk.
 */
export function memoryFolder(): string {
  return mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'skydive-store-'))
}
