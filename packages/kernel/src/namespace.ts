import { access } from 'node:fs'
import { InvariantError } from '@skydive/contracts'
import { systemError } from './errno.ts'
import { type Libc, lastErrno } from './libc.ts'

const O_RDONLY = 0
const O_CLOEXEC = 0o2000000
const CLONE_NEWNET = 0x40000000
/** `/proc/self` is the thread group's leader, whatever thread asks. */
const OWN_NAMESPACE = '/proc/thread-self/ns/net'

/** Runs something in a network namespace and comes back. */
export interface NamespaceGate {
  /** See `Kernel.inNamespace`. */
  run<T>(path: string, body: () => T): T
  close(): void
}

/** Remembers the namespace that the calling thread lives in, for the way back. */
export function openNamespaceGate(libc: Libc): NamespaceGate {
  // libuv starts its four pool threads with the first asynchronous call; started inside a foreign namespace they would live there for
  // ever. Submitting one call here starts them here.
  access('/', () => {})
  const home = libc.open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC)
  if (home < 0) throw systemError(`open ${OWN_NAMESPACE}`, lastErrno())
  let away = false

  return {
    run(path, body) {
      if (away) throw new InvariantError(`enter ${path}: already inside another namespace; leave it first`, { path })
      const target = libc.open(path, O_RDONLY | O_CLOEXEC)
      if (target < 0) throw systemError(`open namespace ${path}`, lastErrno(), { path }, 'CAP_SYS_PTRACE')
      try {
        if (libc.setns(target, CLONE_NEWNET) < 0) {
          throw systemError(`enter namespace ${path}`, lastErrno(), { path }, 'CAP_SYS_ADMIN')
        }
        away = true
        try {
          return body()
        } finally {
          // A thread that stays away would open every later socket in the wrong place, silently: better no process than that one.
          if (libc.setns(home, CLONE_NEWNET) < 0) process.abort()
          away = false
        }
      } finally {
        libc.close(target)
      }
    },
    close() {
      libc.close(home)
    },
  }
}
