import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type DatagramSender, type Kernel, openDatagramSender, openKernel } from '../src/index.ts'

let kernel: Kernel
beforeAll(() => {
  kernel = openKernel()
})
afterAll(() => kernel.dispose())

async function listen(type: 'udp4' | 'udp6', address: string) {
  const socket: Socket = createSocket({ type, recvBufferSize: 1 << 20 })
  const texts: string[] = []
  socket.on('message', (bytes) => texts.push(String(bytes)))
  socket.bind(0, address)
  await once(socket, 'listening')
  return { socket, texts, port: socket.address().port }
}

/** Resolves when so many came. */
async function until(socket: Socket, holds: () => boolean): Promise<void> {
  while (!holds()) await once(socket, 'message')
}

function put(sender: DatagramSender, text: string, units?: number): boolean {
  const at = sender.reserve()
  if (at < 0) {
    sender.drop(units)
    return false
  }
  sender.bytes.set(new TextEncoder().encode(text), at)
  sender.commit(text.length, units)
  return true
}

describe('datagrams that are sent', () => {
  test.each([
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
  ] as const)('over %s arrive whole and in order, around the end of the queue', async (type, address) => {
    const { socket, texts, port } = await listen(type, address)
    const sender = openDatagramSender(kernel, { address, port, maxDatagramBytes: 100, maxQueued: 4 })
    const all = Array.from({ length: 11 }, (_, i) => `${i}:${'x'.repeat(i * 9)}`)
    for (const text of all.slice(0, 3)) put(sender, text, 2)
    expect([sender.queued, sender.flush(), sender.stats()]).toEqual([3, 0, { sent: 6, dropped: 0 }])
    // A full queue asks the kernel by itself.
    for (const text of all.slice(3)) expect(put(sender, text)).toBe(true)
    sender.flush()
    await until(socket, () => texts.length === all.length)
    expect(texts).toEqual(all)
    expect(sender.stats()).toEqual({ sent: 14, dropped: 0 })
    sender.close()
    socket.close()
    await once(socket, 'close')
  })

  test('what the network does not take is dropped and counted, with the reason', () => {
    // The broadcast address, which a socket must be told to use.
    const sender = openDatagramSender(kernel, { address: '255.255.255.255', port: 9, maxDatagramBytes: 10, maxQueued: 2 })
    put(sender, 'a', 3)
    put(sender, 'b', 4)
    expect([sender.flush(), sender.stats()]).toEqual([0, { sent: 0, dropped: 7, refusal: 'EACCES' }])
    put(sender, 'c')
    sender.close()
    sender.close()
    expect([sender.stats(), sender.reserve(), sender.flush()]).toEqual([{ sent: 0, dropped: 8, refusal: 'EACCES' }, -1, 0])
  })

  test('payloads of another protocol go in packets of IP', () => {
    // 253 is for experiments (RFC 3692).
    const sender = openDatagramSender(kernel, { address: '127.0.0.1', port: 0, protocol: 253, maxDatagramBytes: 10 })
    const receiver = kernel.socket({ domain: 2, type: 3, protocol: 253 })
    put(sender, 'payload')
    sender.flush()
    expect(kernel.waitReadable([receiver], 1000)).toEqual([receiver])
    const packet = new Uint8Array(100)
    const length = kernel.receive(receiver, packet)
    expect([packet[9], new TextDecoder().decode(packet.subarray(20, length))]).toEqual([253, 'payload'])
    // What comes back by the same protocol does not lie in the sender's socket: its inode shows no queue.
    const queues = readFileSync('/proc/self/net/raw', 'utf8')
      .split('\n')
      .filter((line) => line.includes(': 0100007F:00FD') || line.includes(':00FD'))
    expect(queues.map((line) => line.trim().split(/\s+/)[4])).toEqual(['00000000:00000000', '00000000:00000000'])
    kernel.close(receiver)
    sender.close()
  })

  test.each([
    [{ address: 'nosuch', port: 1 }, 'send datagrams: "nosuch" is no IP address; give one such as 0.0.0.0 or ::'],
    [{ address: '127.0.0.1', port: 0 }, 'send datagrams: port 0 is none; give 1 to 65535'],
    [{ address: '127.0.0.1', port: 65_536 }, 'send datagrams: port 65536 is none; give 1 to 65535'],
    [{ address: '127.0.0.1', port: 1, maxDatagramBytes: 0 }, 'send datagrams: 0 bytes are no length; give 1 to 65507'],
  ])('%j is refused and leaves nothing open', (options, message) => {
    const before = readdirSync('/proc/self/fd').length
    expect(() => openDatagramSender(kernel, { maxDatagramBytes: 10, ...options })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }),
    )
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })
})
