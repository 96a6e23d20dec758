import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readlinkSync } from 'node:fs'

/** Makes a system call: its number, its arguments; answers what is not negative, or -errno. `Kernel.systemCall` is one. */
export type SystemCall = (number: number, ...args: readonly number[]) => number

const NUMBERS = process.arch === 'x64' ? { unshare: 272, setns: 308 } : { unshare: 97, setns: 268 }
const CLONE_NEWNS = 0x20000
const CLONE_NEWNET = 0x40000000

const NET = '/proc/thread-self/ns/net'
const MOUNTS = '/proc/thread-self/ns/mnt'

/**
 * A network of its own: no interface but `lo`, no named namespace but those that are made here. Everything throws once the thread is
 * elsewhere, as it is for a test that runs on after its time is over: what it does would be done to the machine, or to another test.
 */
export interface PrivateNetwork {
  /** Runs lines of `ip -batch`, such as `netns add x` or `link add v0 type veth peer name v1`; throws with what `ip` said. */
  ip(...lines: readonly string[]): void
  /** What `ip -json` prints for these arguments, in the named namespace when one is given. */
  query(args: readonly string[], namespace?: string): unknown
  /** Runs a program, with the network of the named namespace when one is given; answers what it printed. */
  run(command: string, args: readonly string[], namespace?: string): string
  /** Takes the thread back to where it was; the kernel clears the network away. A second call does nothing. */
  leave(): void
}

/**
 * Puts the calling thread (and every program that it starts) into fresh network and mount namespaces with an empty `/run/netns`, so that
 * a test may do to the network what it wants. Takes CAP_SYS_ADMIN. Only this thread moves: asynchronous file operations still see the
 * outer mounts, synchronous ones and watches see these. When it throws, the thread is where it was.
 */
export function enterPrivateNetwork(systemCall: SystemCall): PrivateNetwork {
  const home = process.cwd()
  const net = openSync(NET, 'r')
  const mounts = openSync(MOUNTS, 'r')
  const check = (result: number, what: string) => {
    if (result < 0) throw new Error(`${what}: errno ${-result}; a private network takes CAP_SYS_ADMIN`)
  }
  let left = false
  const leave = () => {
    if (left) return
    left = true
    try {
      check(systemCall(NUMBERS.setns, mounts, CLONE_NEWNS), 'setns')
      process.chdir(home)
    } finally {
      const result = systemCall(NUMBERS.setns, net, CLONE_NEWNET)
      closeSync(net)
      closeSync(mounts)
      check(result, 'setns')
    }
  }
  const execute = (command: string, args: readonly string[], input = '') =>
    execFileSync(command, args, { encoding: 'utf8', input, maxBuffer: 256 << 20, stdio: ['pipe', 'pipe', 'pipe'] })

  const unshared = systemCall(NUMBERS.unshare, CLONE_NEWNS | CLONE_NEWNET)
  if (unshared < 0) {
    closeSync(net)
    closeSync(mounts)
    check(unshared, 'unshare')
  }
  try {
    execute('mount', ['--make-rprivate', '/'])
    execute('mkdir', ['-p', '/run/netns'])
    execute('mount', ['-t', 'tmpfs', 'none', '/run/netns'])
    execute('ip', ['link', 'set', 'lo', 'up'])
  } catch (error) {
    leave()
    throw error
  }
  const place = placeOfThread()
  const run: typeof execute = (command, args, input) => {
    if (left || placeOfThread() !== place) {
      throw new Error(
        `the private network was left; '${[command, ...args].join(' ')}' would change another: await all of the test`,
      )
    }
    return execute(command, args, input)
  }
  const within = (namespace: string | undefined) => (namespace === undefined ? [] : ['-netns', namespace])

  return {
    ip: (...lines) => void run('ip', ['-batch', '-'], `${lines.join('\n')}\n`),
    query: (args, namespace) => JSON.parse(run('ip', [...within(namespace), '-json', ...args]) || '[]'),
    run: (command, args, namespace) =>
      namespace === undefined ? run(command, args) : run('ip', ['netns', 'exec', namespace, command, ...args]),
    leave,
  }
}

/** Both namespaces in which the calling thread is now. */
function placeOfThread(): string {
  return `${readlinkSync(NET)} ${readlinkSync(MOUNTS)}`
}
