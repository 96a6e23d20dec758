import { execFileSync } from 'node:child_process'

export function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program])
    return true
  } catch {
    return false
  }
}

/** User and system seconds of a command, the shell's own accounting of the whole process. */
export function cpuSeconds(command: string): number {
  const script = `TIMEFORMAT='%U %S'; { time { ${command} ; } >/dev/null 2>&1 ; } 2>&1`
  const [user, system] = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(/\s+/).slice(-2).map(Number)
  return user! + system!
}
