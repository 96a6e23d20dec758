import { expect, test } from '@jest/globals'
import type { PacketSource } from '@skydive/contracts'
import type { Kernel } from '@skydive/kernel'
import { GroupOwner } from './fan-out.ts'
import { mapRing, Ring, setRing } from './ring.ts'

const FD = 7
const SOL_SOCKET = 1
const BLOCK_BYTES = 4096
const BLOCKS = 3
const SHAPE = { blockBytes: BLOCK_BYTES, blocks: BLOCKS, linkType: 101, retireMs: 30 }

/** A ring in memory of ours. `fill` makes a block one that user space may read; `counters` are what the kernel answers next. */
function ring({ warning = undefined as string | undefined } = {}) {
  const buffer = new ArrayBuffer(BLOCKS * BLOCK_BYTES)
  const view = new DataView(buffer)
  const done: unknown[] = []
  /** Sockets that were looked after because there was nothing to read. */
  const idle: number[] = []
  const counters: (readonly number[])[] = []
  const kernel = {
    getSocketOption: (fd: number, level: number, name: number, value: Uint32Array) => {
      if (level === SOL_SOCKET) {
        idle.push(fd)
        value[0] = 0
        return
      }
      done.push(['get', fd, level, name, value.length])
      value.set(counters.shift() ?? [0, 0, 0])
    },
    systemCall: () => 0,
    setSocketOption: (fd: number, level: number, name: number, value: Uint8Array | number) =>
      void done.push(['set', fd, level, name, typeof value === 'number' ? value : Buffer.from(value).toString('hex')]),
    mapMemory: (options: object) => {
      done.push(['map', options])
      return { buffer: new ArrayBuffer(8), address: 1n, close: () => {} }
    },
    close: (fd: number) => void done.push(['close', fd]),
    dispose: () => void done.push('dispose'),
  } as unknown as Kernel
  const memory = { buffer, address: 0n, close: () => void done.push('unmap') }
  const terms = { ...(warning !== undefined && { warning }), giveBack: () => void done.push('giveBack') }
  const source = new Ring(kernel, FD, memory as never, SHAPE, terms)
  // tpacket_block_desc: block_status, num_pkts, offset_to_first_pkt, blk_len.
  const fill = (block: number, packets: number, bytes: number, status = 1) => {
    view.setUint32(block * BLOCK_BYTES + 8, status, true)
    view.setUint32(block * BLOCK_BYTES + 12, packets, true)
    view.setUint32(block * BLOCK_BYTES + 20, bytes, true)
  }
  const statuses = () => Array.from({ length: BLOCKS }, (_, block) => view.getUint32(block * BLOCK_BYTES + 8, true))
  const poll = () => {
    const blocks: unknown[] = []
    const packets = source.poll((bytes, offset, byteLength) => {
      expect(bytes.buffer).toBe(buffer)
      blocks.push([offset, byteLength, statuses()[offset / BLOCK_BYTES]])
    })
    return [packets, blocks, statuses()]
  }
  return { source, kernel, fill, poll, done, idle, counters, statuses }
}

test('it is what it was made as', () => {
  const { source } = ring()
  expect([source.kind, source.readyFd, source.format, source.holdsBackMs, source.warning]).toEqual([
    'packets',
    FD,
    { layout: { format: 'tpacket-v3' }, linkType: 101 },
    40,
    undefined,
  ])
  expect(ring({ warning: 'small' }).source.warning).toBe('small')
})

test('blocks are read in turn, as far as they are filled, and given back after that', () => {
  const { fill, poll } = ring()
  expect(poll()).toEqual([0, [], [0, 0, 0]])
  // Not its turn.
  fill(1, 5, 100)
  expect(poll()).toEqual([0, [], [0, 1, 0]])
  // The kernel sets more bits than the one for user space.
  fill(0, 2, 60, 0x8001)
  expect(poll()).toEqual([
    7,
    [
      [0, 60, 0x8001],
      [BLOCK_BYTES, 100, 1],
    ],
    [0, 0, 0],
  ])
  fill(2, 1, 48)
  expect(poll()).toEqual([1, [[2 * BLOCK_BYTES, 48, 1]], [0, 0, 0]])
  // Of a length that is none no more than the block is handed over.
  fill(0, 1, BLOCK_BYTES + 1)
  expect(poll()).toEqual([1, [[0, BLOCK_BYTES, 1]], [0, 0, 0]])
  fill(1, 1, 80, 2)
  expect(poll()).toEqual([0, [], [0, 2, 0]])
})

test('the socket is looked after when there was nothing to read, and it is open', () => {
  const { source, fill, poll, idle } = ring()
  fill(0, 1, 100)
  poll()
  expect(idle).toEqual([])
  poll()
  expect(idle).toEqual([FD])
  source.close()
  poll()
  expect(idle).toEqual([FD])
})

test('a sender that is faster than the reader has it for one turn of the ring', () => {
  const { source, fill } = ring()
  for (let block = 0; block < BLOCKS; block++) fill(block, 1, 100)
  let blocks = 0
  const again = () => {
    // What was read before is full again.
    fill((blocks + BLOCKS - 1) % BLOCKS, 1, 100)
    blocks++
  }
  expect([source.poll(again), blocks]).toEqual([BLOCKS, BLOCKS])
})

test('counters are added up, what was dropped being of what was seen', () => {
  const { source, counters, done } = ring()
  counters.push([10, 3, 1], [5, 0, 0])
  const told = [source.stats(), source.stats()]
  expect(told).toEqual([
    { packetsReceived: 7, packetsDropped: 3, packetsIfDropped: 0 },
    { packetsReceived: 12, packetsDropped: 3, packetsIfDropped: 0 },
  ])
  expect(done).toEqual(Array(2).fill(['get', FD, 263, 6, 3]))
})

test('it is closed once: counters first, then the socket, the memory, the kernel, and the memory is given back', () => {
  const { source, counters, done, fill, poll } = ring()
  counters.push([4, 1, 0])
  source.close()
  source.close()
  const closed = [['get', FD, 263, 6, 3], ['close', FD], 'unmap', 'dispose', 'giveBack']
  expect(done).toEqual(closed)
  fill(0, 1, 100)
  expect([poll(), source.stats(), done]).toEqual([
    [0, [], [1, 0, 0]],
    { packetsReceived: 3, packetsDropped: 1, packetsIfDropped: 0 },
    closed,
  ])
})

test('one that is closed while it is read hands over nothing more', () => {
  const { source, fill } = ring()
  for (let block = 0; block < BLOCKS; block++) fill(block, 2, 100)
  let blocks = 0
  const packets = source.poll(() => {
    blocks++
    source.close()
  })
  expect([packets, blocks]).toEqual([2, 1])
})

test('a socket is made one with a ring: the version first', () => {
  const { kernel, done } = ring()
  setRing(kernel, 9, SHAPE)
  mapRing(kernel, 9, SHAPE)
  expect(done).toEqual([
    ['set', 9, 263, 10, 2],
    // struct tpacket_req3: 4096 times 3, frames of 2048, 6 of them, 30 ms.
    ['set', 9, 263, 5, '00100000030000000008000006000000' + '1e0000000000000000000000'],
    ['map', { fd: 9, byteLength: BLOCKS * BLOCK_BYTES, write: true, shared: true }],
  ])
})

test('the owner of a group halts all before it closes any, once', () => {
  const { source, kernel, done, fill, counters } = ring({ warning: 'small' })
  const owner: PacketSource = new GroupOwner(kernel, source, [8, 9], 5, SHAPE)
  expect([owner.kind, owner.readyFd, owner.format, owner.holdsBackMs, owner.warning, owner.members]).toEqual([
    'packets',
    FD,
    source.format,
    40,
    'small',
    [8, 9].map((descriptor) => ({ member: { descriptor, group: 5, shape: SHAPE } })),
  ])
  fill(0, 2, 100)
  counters.push([6, 1, 0])
  expect([owner.poll(() => {}), owner.stats()]).toEqual([2, { packetsReceived: 5, packetsDropped: 1, packetsIfDropped: 0 }])
  done.length = 0
  owner.close()
  owner.close()
  owner.halt!()
  // SO_ATTACH_FILTER of one instruction.
  const halted = [FD, 8, 9].flatMap((fd) => [
    ['map', { byteLength: 8 }],
    ['set', fd, 1, 26, `0100000000000000${'0100000000000000'}`],
  ])
  expect(done).toEqual([
    ...halted,
    ['close', 8],
    ['close', 9],
    ['get', FD, 263, 6, 3],
    ['close', FD],
    'unmap',
    'dispose',
    'giveBack',
  ])
  expect(new GroupOwner(kernel, ring().source, [], 5, SHAPE).warning).toBeUndefined()
})
