import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/** Makes a system call: its number, its arguments; answers what is not negative, or -errno. `Kernel.systemCall` is one. */
export type SystemCall = (number: number, ...args: readonly number[]) => number

const NUMBERS = process.arch === 'x64' ? { unshare: 272, setns: 308 } : { unshare: 97, setns: 268 }
const CLONE_NEWNS = 0x20000
const CLONE_NEWNET = 0x40000000

/** A network of its own: no interface but `lo`, no named namespace but those that are made here. */
export interface PrivateNetwork {
  /** Runs lines of `ip -batch`, such as `netns add x` or `link add v0 type veth peer name v1`; throws with what `ip` said. */
  ip(...lines: readonly string[]): void
  /** What `ip -json` prints for these arguments, in the named namespace when one is given. */
  query(args: readonly string[], namespace?: string): unknown
  /** Runs a program, with the network of the named namespace when one is given; answers what it printed. */
  run(command: string, args: readonly string[], namespace?: string): string
  /** Takes the thread back to where it was; the kernel clears the network away. */
  leave(): void
}

/**
 * Puts the calling thread (and every program that it starts) into fresh network and mount namespaces with an empty `/run/netns`, so that
 * a test may do to the network what it wants. Takes CAP_SYS_ADMIN. Only this thread moves: asynchronous file operations still see the
 * outer mounts, synchronous ones and watches see these.
 */
export function enterPrivateNetwork(systemCall: SystemCall): PrivateNetwork {
  const home = process.cwd()
  const net = openSync('/proc/thread-self/ns/net', 'r')
  const mounts = openSync('/proc/thread-self/ns/mnt', 'r')
  const check = (result: number, what: string) => {
    if (result < 0) throw new Error(`${what}: errno ${-result}; a private network takes CAP_SYS_ADMIN`)
  }
  check(systemCall(NUMBERS.unshare, CLONE_NEWNS | CLONE_NEWNET), 'unshare')
  const run = (command: string, args: readonly string[], input = '') =>
    execFileSync(command, args, { encoding: 'utf8', input, maxBuffer: 256 << 20, stdio: ['pipe', 'pipe', 'pipe'] })
  run('mount', ['--make-rprivate', '/'])
  run('mkdir', ['-p', '/run/netns'])
  run('mount', ['-t', 'tmpfs', 'none', '/run/netns'])
  run('ip', ['link', 'set', 'lo', 'up'])
  const within = (namespace: string | undefined) => (namespace === undefined ? [] : ['-netns', namespace])

  return {
    ip: (...lines) => void run('ip', ['-batch', '-'], `${lines.join('\n')}\n`),
    query: (args, namespace) => JSON.parse(run('ip', [...within(namespace), '-json', ...args]) || '[]'),
    run: (command, args, namespace) =>
      namespace === undefined ? run(command, args) : run('ip', ['netns', 'exec', namespace, command, ...args]),
    leave() {
      check(systemCall(NUMBERS.setns, net, CLONE_NEWNET), 'setns')
      check(systemCall(NUMBERS.setns, mounts, CLONE_NEWNS), 'setns')
      process.chdir(home)
      closeSync(net)
      closeSync(mounts)
    },
  }
}
