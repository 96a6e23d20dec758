import { execFileSync } from 'node:child_process'
import { type Figure, median } from '../../../bench/figures.ts'
import { openKernel } from '../src/index.ts'

// What a call costs, and how long it takes until a listener hears of a descriptor.

const CALLS = 200_000
const SOCKETS = 500
const SIGNALS = 500
const AF_NETLINK = 16
const SOCK_RAW = 3

export const bench = {
  name: 'kernel',
  async run(): Promise<Figure[]> {
    const kernel = openKernel()
    const getppid = process.arch === 'x64' ? 110 : 173
    for (let i = 0; i < CALLS; i++) kernel.systemCall(getppid)
    const startNs = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) kernel.systemCall(getppid)
    const callNs = Number(process.hrtime.bigint() - startNs) / CALLS

    const name = `bench-kernel-${process.pid}`
    execFileSync('ip', ['netns', 'add', name])
    const socketUs: number[] = []
    try {
      for (let i = 0; i < SOCKETS; i++) {
        const startMs = performance.now()
        const fd = kernel.socket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: 0, netns: `/run/netns/${name}` })
        kernel.close(fd)
        socketUs.push((performance.now() - startMs) * 1000)
      }
    } finally {
      execFileSync('ip', ['netns', 'del', name])
    }

    const readiness = kernel.readiness()
    const fd = kernel.eventDescriptor()
    let heard: (atMs: number) => void = () => {}
    const unwatch = readiness.watch(fd, () => {
      kernel.clearSignal(fd)
      heard(performance.now())
    })
    const readyUs: number[] = []
    for (let i = 0; i < SIGNALS; i++) {
      const next = new Promise<number>((resolve) => {
        heard = resolve
      })
      const startMs = performance.now()
      kernel.signal(fd)
      readyUs.push(((await next) - startMs) * 1000)
    }
    unwatch()
    await readiness.close()
    kernel.close(fd)
    kernel.dispose()
    return [
      { name: 'a system call', value: callNs, unit: 'ns' },
      { name: 'a socket opened inside a namespace and closed', value: median(socketUs), unit: 'µs' },
      { name: 'from a descriptor that can be read to its listener', value: median(readyUs), unit: 'µs' },
    ]
  },
}
