import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type DatagramReceiver, type Kernel, openDatagramReceiver, openKernel } from '../src/index.ts'

let kernel: Kernel
beforeAll(() => {
  kernel = openKernel()
})
afterAll(() => kernel.dispose())

/** What came: the sender's address and the text, as long as the socket is readable within a second. */
function receive(receiver: DatagramReceiver): string[] {
  const seen: string[] = []
  kernel.waitReadable([receiver.fd], 1000)
  receiver.receive((view, offset, byteLength, version, senderOffset) => {
    const bytes = (at: number, length: number) => new Uint8Array(view.buffer, view.byteOffset + at, length)
    seen.push(`${bytes(senderOffset, version === 4 ? 4 : 16).join('.')} ${new TextDecoder().decode(bytes(offset, byteLength))}`)
  })
  return seen
}

async function send(socket: Socket, port: number, address: string, ...texts: readonly (string | Uint8Array)[]): Promise<void> {
  for (const text of texts) await new Promise((resolve) => socket.send(text, port, address, resolve))
}

describe('datagrams', () => {
  test('come with their sender, in batches, over both versions of IP', async () => {
    const receiver = openDatagramReceiver(kernel, { address: '::', port: 0 })
    const [four, six] = [createSocket('udp4'), createSocket('udp6')]
    await send(four, receiver.port, '127.0.0.1', 'a', 'bc')
    await send(six, receiver.port, '::1', '')
    expect(receive(receiver)).toEqual(['127.0.0.1 a', '127.0.0.1 bc', `${[...Array(15).fill(0), 1].join('.')} `])
    const many = Array.from({ length: 200 }, (_, i) => String(i))
    await send(four, receiver.port, '127.0.0.1', ...many)
    expect(receive(receiver)).toEqual(many.map((text) => `127.0.0.1 ${text}`))
    expect(receiver.stats()).toEqual({ received: 203, dropped: 0, truncated: 0 })
    for (const socket of [four, six]) {
      socket.close()
      await once(socket, 'close')
    }
    receiver.close()
  })

  test('of a batch stay as they are until it ends', async () => {
    const receiver = openDatagramReceiver(kernel, { address: '127.0.0.1', port: 0 })
    const socket = createSocket('udp4')
    const many = Array.from({ length: 150 }, (_, i) => String(i))
    await send(socket, receiver.port, '127.0.0.1', ...many)
    const held: { bytes: Uint8Array; offset: number }[] = []
    const batches: string[][] = []
    kernel.waitReadable([receiver.fd], 1000)
    receiver.receive(
      (view, offset, byteLength) => held.push({ bytes: new Uint8Array(view.buffer, offset, byteLength), offset }),
      () => {
        const offsets = held.map(({ offset }) => offset)
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
        batches.push(held.splice(0).map(({ bytes }) => new TextDecoder().decode(bytes)))
      },
    )
    expect(batches.map(({ length }) => length)).toEqual([64, 64, 22])
    expect(batches.flat()).toEqual(many)
    socket.close()
    receiver.close()
  })

  test.each([
    { maxDatagramBytes: undefined, lengths: [0, 1, 1535, 1536, 1537, 20, 9000, 16_384, 16_385, 3, 1537] },
    { maxDatagramBytes: 1600, lengths: [1536, 1600, 1601, 1, 1599] },
    { maxDatagramBytes: 1537, lengths: [1537, 1536, 1538, 2] },
    { maxDatagramBytes: 1536, lengths: [1536, 1537, 4] },
    { maxDatagramBytes: 1533, lengths: [1533, 1534, 1536, 1537, 4] },
  ])('come whole and in order, the usual ones densely: %j', async ({ maxDatagramBytes, lengths }) => {
    const receiver = openDatagramReceiver(kernel, {
      ...{ address: '127.0.0.1', port: 0 },
      ...(maxDatagramBytes !== undefined && { maxDatagramBytes }),
    })
    const socket = createSocket('udp4')
    const sent = lengths.map((length, i) => Uint8Array.from({ length }, (_, at) => (at * 7 + i) & 255))
    await send(socket, receiver.port, '127.0.0.1', ...sent)
    kernel.waitReadable([receiver.fd], 1000)
    const held: Uint8Array[] = []
    const offsets: number[] = []
    const came: Uint8Array[] = []
    const visit = (view: DataView, offset: number, byteLength: number) => {
      held.push(new Uint8Array(view.buffer, view.byteOffset + offset, byteLength))
      if (byteLength <= 1536) offsets.push(offset)
    }
    receiver.receive(visit, () => came.push(...held.splice(0).map((bytes) => bytes.slice())))
    const limit = maxDatagramBytes ?? 16_384
    expect(came).toEqual(sent.filter(({ length }) => length <= limit))
    expect(receiver.stats()).toEqual({ received: came.length, dropped: 0, truncated: sent.length - came.length })
    const slots = offsets.map((offset) => (offset - offsets[0]!) / Math.min(1536, (limit + 7) & ~7))
    const places = sent.flatMap(({ length }, i) => (length <= Math.min(limit, 1536) ? [i] : []))
    expect(slots).toEqual(places.map((place) => place - places[0]!))
    socket.close()
    receiver.close()
  })

  test('that do not fit are counted', async () => {
    const receiver = openDatagramReceiver(kernel, { address: '127.0.0.1', port: 0, maxDatagramBytes: 100, bufferBytes: 4096 })
    const socket = createSocket('udp4')
    await send(socket, receiver.port, '127.0.0.1', new Uint8Array(100).fill(65), new Uint8Array(101))
    expect(receive(receiver)).toEqual([`127.0.0.1 ${'A'.repeat(100)}`])
    expect(receiver.stats()).toEqual({ received: 1, dropped: 0, truncated: 1 })
    await send(socket, receiver.port, '127.0.0.1', ...Array.from({ length: 500 }, () => 'x'))
    const { dropped } = receiver.stats()
    expect(receive(receiver).length + dropped).toBe(500)
    expect(dropped).toBeGreaterThan(0)
    socket.close()
    receiver.close()
    receiver.close()
    expect(receiver.stats()).toEqual({ received: 501 - dropped, dropped, truncated: 1 })
    expect(receiver.receive(() => {})).toBe(0)
  })

  test.each([
    [{ address: 'nosuch', port: 0 }, { code: 'ERR_INVALID_ARGUMENT' }],
    [{ address: '1.2.3.256', port: 0 }, { code: 'ERR_INVALID_ARGUMENT' }],
    [{ address: '::1::', port: 0 }, { code: 'ERR_INVALID_ARGUMENT' }],
    [{ address: '1:2:3', port: 0 }, { code: 'ERR_INVALID_ARGUMENT' }],
    [{ address: '127.0.0.1', port: 65_536 }, { code: 'ERR_INVALID_ARGUMENT' }],
    [
      { address: '203.0.113.1', port: 0 },
      { code: 'ERR_SYSTEM_CALL', message: 'bind a socket: EADDRNOTAVAIL' },
    ],
    [{ address: '127.0.0.1', port: 0, netns: '/run/netns/nosuch' }, { code: 'ERR_NOT_FOUND' }],
  ])('%j is refused and leaves nothing behind', (options, error) => {
    const before = readdirSync('/proc/self/fd').length
    expect(() => openDatagramReceiver(kernel, options)).toThrow(expect.objectContaining(error))
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })

  test('a port that is taken is refused', () => {
    const receiver = openDatagramReceiver(kernel, { address: '127.0.0.1', port: 0 })
    expect(() => openDatagramReceiver(kernel, { address: '127.0.0.1', port: receiver.port })).toThrow(/EADDRINUSE/)
    receiver.close()
  })
})
