import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SkydiveError } from '@skydive/contracts'
import { Errno, type Kernel, openKernel, readCapabilities } from '../src/index.ts'

const AF_PACKET = 17
const AF_NETLINK = 16
const SOCK_RAW = 3
const SOL_PACKET = 263
const PACKET_RX_RING = 5
const PACKET_VERSION = 10
const PAGE = 4096

const source = new URL('../src/index.ts', import.meta.url).href
const namespaceName = `c-kernel-${process.pid}`
const namespacePath = `/run/netns/${namespaceName}`
const ownNamespace = () => readlinkSync('/proc/thread-self/ns/net')

let kernel: Kernel
let scratch: string
beforeAll(() => {
  kernel = openKernel()
  scratch = mkdtempSync(join(tmpdir(), 'c-kernel-'))
  execFileSync('ip', ['netns', 'add', namespaceName])
})
afterAll(() => {
  execFileSync('ip', ['netns', 'del', namespaceName])
  rmSync(scratch, { recursive: true })
  kernel.dispose()
})

/** Runs a script in a process of its own, in which nothing has touched the pool or the namespace yet. */
function runScript(body: string): { status: number | null; output: string } {
  const file = join(scratch, 'script.mts')
  writeFileSync(file, body)
  const root = new URL('../../..', import.meta.url).pathname
  const result = spawnSync(process.execPath, ['--conditions=@skydive/source', '--import', 'tsx', file], {
    cwd: root,
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { status: result.status, output: `${result.stdout}${result.stderr}`.trim() }
}

describe('namespaces', () => {
  test('a socket opened inside lives there, the thread does not', () => {
    const before = ownNamespace()
    const fd = kernel.socket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0x0300, netns: namespacePath })
    try {
      expect(ownNamespace()).toBe(before)
      const inode = readlinkSync(`/proc/self/fd/${fd}`).replace(/\D/g, '')
      const inside = execFileSync('ip', ['netns', 'exec', namespaceName, 'cat', '/proc/net/packet'], { encoding: 'utf8' })
      expect(inside).toContain(inode)
      expect(readFileSync('/proc/thread-self/net/packet', 'utf8')).not.toContain(inode)
    } finally {
      kernel.close(fd)
    }
  })

  test('a body that throws leaves the thread at home and passes its error on', () => {
    const before = ownNamespace()
    expect(() =>
      kernel.inNamespace(namespacePath, () => {
        expect(ownNamespace()).not.toBe(before)
        throw new Error('inner')
      }),
    ).toThrow('inner')
    expect(ownNamespace()).toBe(before)
  })

  test('entering twice is refused, because the way back would be wrong', () => {
    expect(() => kernel.inNamespace(namespacePath, () => kernel.inNamespace(namespacePath, () => 1))).toThrow(
      `enter ${namespacePath}: already inside another namespace; leave it first`,
    )
  })

  test.each([
    ['/run/netns/no-such-namespace', 'ERR_NOT_FOUND', 'open namespace /run/netns/no-such-namespace: ENOENT'],
    ['/proc/self/status', 'ERR_SYSTEM_CALL', 'enter namespace /proc/self/status: EINVAL'],
    ['/proc/self/ns/mnt', 'ERR_SYSTEM_CALL', 'enter namespace /proc/self/ns/mnt: EINVAL'],
  ])('%s is %s', (path, code, message) => {
    const before = ownNamespace()
    try {
      kernel.inNamespace(path, () => 1)
      throw new Error('not refused')
    } catch (error) {
      expect({ code: SkydiveError.isInstance(error) && error.code, message: (error as Error).message }).toEqual({ code, message })
    }
    expect(ownNamespace()).toBe(before)
  })

  test('the threads of libuv never live in a foreign namespace', () => {
    const { output } = runScript(`
      import { readdirSync, readlinkSync } from 'node:fs'
      import { lookup } from 'node:dns'
      import { openKernel } from ${JSON.stringify(source)}
      const kernel = openKernel()
      const done = kernel.inNamespace('${namespacePath}', () => new Promise((resolve) => lookup('localhost', resolve)))
      await done
      const places = new Set(readdirSync('/proc/self/task').map((id) => readlinkSync('/proc/self/task/' + id + '/ns/net')))
      console.log(places.size, [...places][0] === readlinkSync('/proc/thread-self/ns/net'))`)
    expect(output).toBe('1 true')
  })
})

describe('mapped memory', () => {
  test('closing a ring ends the capture although its view is still held', () => {
    const fd = kernel.socket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0x0300, netns: namespacePath })
    const inode = readlinkSync(`/proc/self/fd/${fd}`).replace(/\D/g, '')
    const listed = () =>
      execFileSync('ip', ['netns', 'exec', namespaceName, 'cat', '/proc/net/packet'], { encoding: 'utf8' }).includes(inode)
    kernel.setSocketOption(fd, SOL_PACKET, PACKET_VERSION, 2)
    // struct tpacket_req3: block size, blocks, frame size, frames, timeout, private, features.
    const ring = Uint32Array.of(16 * PAGE, 4, 2048, 128, 10, 0, 0)
    kernel.setSocketOption(fd, SOL_PACKET, PACKET_RX_RING, ring)
    const memory = kernel.mapMemory({ fd, byteLength: 64 * PAGE, write: true, shared: true })
    const stale = new Uint8Array(memory.buffer)
    stale[100] = 7
    kernel.close(fd)
    expect(listed()).toBe(true)
    memory.close()
    expect({ listed: listed(), staleByte: stale[100] }).toEqual({ listed: false, staleByte: 0 })
    memory.close()
  })

  test('a file is read in place, from an offset', async () => {
    const file = join(scratch, 'mapped')
    writeFileSync(file, Buffer.alloc(2 * PAGE, 'ab'))
    const handle = await open(file)
    const memory = kernel.mapMemory({ fd: handle.fd, byteLength: PAGE, offset: PAGE, populate: true })
    await handle.close()
    expect(Buffer.from(memory.buffer, 0, 4).toString()).toBe('abab')
    memory.close()
  })

  test('memory without a file is zeroed, aligned to pages and writable', () => {
    const memory = kernel.mapMemory({ byteLength: 3 * PAGE })
    const bytes = new Uint8Array(memory.buffer)
    expect({ rest: memory.address % BigInt(PAGE), zero: bytes.every((byte) => byte === 0) }).toEqual({ rest: 0n, zero: true })
    bytes.fill(1)
    memory.close()
    expect(bytes[0]).toBe(0)
  })

  test.each([[0], [-1], [1.5], [Number.NaN]])('byteLength %p is refused', (byteLength) => {
    expect(() => kernel.mapMemory({ byteLength })).toThrow(`map memory: byteLength ${byteLength} is no length`)
  })

  test('a descriptor that is not open is told by its errno', () => {
    expect(() => kernel.mapMemory({ fd: 9999, byteLength: PAGE })).toThrow('map 4096 bytes: EBADF')
  })
})

describe('readiness', () => {
  test('a listener hears of what was there before and of everything after', async () => {
    const readiness = kernel.readiness()
    const fd = kernel.eventDescriptor()
    kernel.signal(fd)
    let wake: () => void = () => {}
    let heard = 0
    const next = () => new Promise<void>((resolve) => (wake = resolve))
    const first = next()
    const unwatch = readiness.watch(fd, () => {
      heard++
      kernel.clearSignal(fd)
      wake()
    })
    await first
    for (let round = 0; round < 50; round++) {
      const again = next()
      kernel.signal(fd)
      await again
    }
    expect(heard).toBe(51)
    unwatch()
    kernel.signal(fd)
    await readiness.close()
    expect(heard).toBe(51)
    kernel.close(fd)
  })

  test('slots are used again and a listener that is gone is not called', async () => {
    const readiness = kernel.readiness()
    const [a, b] = [kernel.eventDescriptor(), kernel.eventDescriptor()]
    const unwatch = readiness.watch(a, () => {
      throw new Error('called after unwatch')
    })
    kernel.signal(a)
    unwatch()
    await new Promise<void>((resolve) => {
      readiness.watch(b, resolve)
      kernel.signal(b)
    })
    await readiness.close()
    await readiness.close()
    kernel.close(a)
    kernel.close(b)
  })

  test('a descriptor that epoll refuses throws and leaves nothing behind', async () => {
    const readiness = kernel.readiness()
    expect(() => readiness.watch(9999, () => {})).toThrow('watch descriptor 9999: EBADF')
    await readiness.close()
  })

  test.each([
    ['process.exit', 'process.exit(3)', 3],
    ['an uncaught error', 'setTimeout(() => { throw new Error("x") })', 1],
    ['the end of all work', 'unwatch()', 0],
  ])('a process with a waiting worker ends by %s', (_, ending, status) => {
    const result = runScript(`
      import { openKernel } from ${JSON.stringify(source)}
      const kernel = openKernel()
      const fd = kernel.eventDescriptor()
      const readiness = kernel.readiness()
      const unwatch = readiness.watch(fd, () => { kernel.clearSignal(fd); ${ending} })
      kernel.signal(fd)`)
    expect(result.status).toBe(status)
  })

  test('a thread that blocks is woken by an event descriptor, or by the time', () => {
    const fd = kernel.eventDescriptor()
    expect(kernel.waitReadable([fd], 1)).toEqual([])
    kernel.signal(fd)
    expect(kernel.waitReadable([fd], 1000)).toEqual([fd])
    kernel.clearSignal(fd)
    expect(kernel.waitReadable([fd], 0)).toEqual([])
    kernel.close(fd)
  })

  test('a child that ends meanwhile, which is a signal, does not end the wait', async () => {
    const pipe = join(scratch, 'pipe')
    execFileSync('mkfifo', [pipe])
    const file = await open(pipe, 'r+')
    const ended = ['sleep 0.05', `sleep 0.3; echo x > ${pipe}`].map((script) => once(spawn('sh', ['-c', script]), 'exit'))
    expect(kernel.waitReadable([file.fd], 30_000)).toEqual([file.fd])
    await Promise.all(ended)
    await file.close()
  })
})

describe('sockets that others connect to, sets and timers', () => {
  const AF_INET = 2
  const SOCK_STREAM = 1
  /** `struct sockaddr_in` of 127.0.0.1, at a port that the system chooses. */
  const LOCAL = Uint8Array.of(AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
  const GETSOCKNAME = process.arch === 'arm64' ? 204 : 51
  const portOf = (fd: number) => {
    const address = new Uint8Array(LOCAL.length)
    expect(kernel.systemCall(GETSOCKNAME, fd, address, Uint32Array.of(address.length))).toBe(0)
    return new DataView(address.buffer).getUint16(2)
  }

  test('a set can be read while one of it can', async () => {
    const listener = kernel.socket({ domain: AF_INET, type: SOCK_STREAM, protocol: 0 })
    kernel.bind(listener, LOCAL)
    kernel.listen(listener, 1)
    expect(kernel.accept(listener)).toBe(-Errno.EAGAIN)
    const set = kernel.descriptorSet()
    set.add(listener)
    expect(kernel.waitReadable([set.fd], 0)).toEqual([])

    const client = connect(portOf(listener), '127.0.0.1')
    await once(client, 'connect')
    expect(kernel.waitReadable([set.fd], 1_000)).toEqual([set.fd])
    set.remove(listener)
    set.remove(listener)
    expect(kernel.waitReadable([set.fd], 0)).toEqual([])

    const accepted = kernel.accept(listener)
    expect(kernel.receive(accepted, new Uint8Array(8))).toBe(-Errno.EAGAIN)
    client.end('hello')
    set.add(accepted)
    expect(kernel.waitReadable([set.fd], 1_000)).toEqual([set.fd])
    const bytes = new Uint8Array(8)
    expect([kernel.receive(accepted, bytes), Buffer.from(bytes.subarray(0, 5)).toString()]).toEqual([5, 'hello'])
    for (const fd of [accepted, listener]) kernel.close(fd)
    set.close()
  })

  test('what can not be waited for is refused by a set', () => {
    const set = kernel.descriptorSet()
    expect(() => set.add(9999)).toThrow(expect.objectContaining({ code: 'ERR_SYSTEM_CALL' }))
    set.close()
  })

  test.each([0, 0.01, 20])('a timer of %d ms can be read when its time has come, until it is set anew', (delayMs) => {
    const timer = kernel.timerDescriptor()
    expect(kernel.waitReadable([timer.fd], 0)).toEqual([])
    timer.arm(delayMs)
    expect(kernel.waitReadable([timer.fd], 5_000)).toEqual([timer.fd])
    timer.arm(60_000)
    expect(kernel.waitReadable([timer.fd], 0)).toEqual([])
    timer.arm(delayMs)
    expect(kernel.waitReadable([timer.fd], 5_000)).toEqual([timer.fd])
    timer.disarm()
    expect(kernel.waitReadable([timer.fd], 0)).toEqual([])
    timer.close()
  })
})

describe('calls', () => {
  test('the hot kind answers -errno', () => {
    const fd = kernel.socket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: 0 })
    expect(kernel.receive(fd, new Uint8Array(8))).toBe(-Errno.EAGAIN)
    expect(kernel.receive(9999, new Uint8Array(8))).toBe(-9)
    kernel.close(fd)
  })

  test('a protocol that the kernel lacks is ERR_UNSUPPORTED', () => {
    expect(() => kernel.socket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: 31 })).toThrow('this kernel was built without it')
  })

  test('a system call by number takes numbers and memory', () => {
    const getrandom = process.arch === 'x64' ? 318 : 278
    const bytes = new Uint8Array(32)
    expect(kernel.systemCall(getrandom, bytes, bytes.byteLength, 0)).toBe(32)
    expect(bytes.some((byte) => byte !== 0)).toBe(true)
  })

  test('options go both ways', () => {
    const fd = kernel.socket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: 0 })
    const [SOL_SOCKET, SO_RCVBUF] = [1, 8]
    kernel.setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, 65_536)
    const value = new Int32Array(1)
    expect(kernel.getSocketOption(fd, SOL_SOCKET, SO_RCVBUF, value)).toBe(4)
    expect(value[0]).toBe(131_072)
    kernel.close(fd)
  })

  test('the capabilities of this process are those that the tests need', () => {
    expect([...readCapabilities()]).toEqual(expect.arrayContaining(['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_ADMIN']))
  })
})

describe('BPF', () => {
  test.each([
    [1, 'EN10MB'],
    [101, 'RAW'],
    [113, 'LINUX_SLL'],
    [228, 'IPV4'],
  ])('compiles for link type %d what libpcap compiles for %s', (linkType, name) => {
    const program = kernel.compileBpf('icmp', { linkType, snapLength: 96 })
    const listing = execFileSync('tcpdump', ['-ddd', '-s', '96', '-y', name, 'icmp'], { encoding: 'utf8' })
    const expected = listing.trim().split('\n').slice(1)
    const view = new DataView(program.buffer)
    const lines = Array.from({ length: program.byteLength / 8 }, (_, i) =>
      [view.getUint16(i * 8, true), view.getUint8(i * 8 + 2), view.getUint8(i * 8 + 3), view.getUint32(i * 8 + 4, true)].join(
        ' ',
      ),
    )
    expect(lines).toEqual(expected)
  })

  test.each([
    ['icmp and', 'BPF "icmp and": '],
    ['host 1.2.3.4.5', 'BPF "host 1.2.3.4.5": '],
    ['tcp port 99999', 'BPF "tcp port 99999": illegal port number 99999 > 65535'],
    ['icmp\0or tcp', 'a zero byte is not allowed'],
  ])('%j is refused with the reason', (expression, message) => {
    expect(() => kernel.compileBpf(expression, { linkType: 1, snapLength: 96 })).toThrow(message)
  })

  test('without libpcap the error names the package', () => {
    const bare = openKernel({ pcapLibraries: ['libno-such.so.1'] })
    try {
      bare.compileBpf('icmp', { linkType: 1, snapLength: 96 })
      throw new Error('not refused')
    } catch (error) {
      expect(SkydiveError.isInstance(error, 'ERR_UNSUPPORTED') && error.fields['requires']).toEqual({
        file: 'libno-such.so.1',
        package: 'libpcap0.8',
      })
    }
    bare.dispose()
  })
})
