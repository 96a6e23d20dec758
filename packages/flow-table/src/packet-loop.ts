import type { PacketFormat } from '@skydive/contracts'
import { LINK_TYPE, type TunnelPorts } from '@skydive/packet'
import {
  AT_BLOCK_END,
  AT_END,
  AT_FILTERED,
  AT_IGNORED,
  AT_LEFT,
  AT_MODE,
  AT_NANOSECONDS_PER_UNIT,
  AT_PACKETS,
  AT_PLAIN_LEFT,
  AT_POSITION,
  AT_ROOM,
  AT_TUNNEL_BITS,
  AT_WEIGHT,
  AT_WINDOW,
  LOOP_ETHERNET,
  LOOP_FILTER,
  LOOP_FLAG_TIMES,
  LOOP_FOLLOW,
  LOOP_FULL,
  LOOP_LINK_KEY,
  LOOP_LITTLE_ENDIAN,
  LOOP_OVERLAY_PORTS,
  LOOP_RING,
  WINDOW_BYTES,
} from './loop-layout.ts'
import { PACKET_LOOP_PROGRAM } from './packet-loop-program.ts'
import type { TableMemory } from './table-memory.ts'
import { TPACKET3 } from './tpacket.ts'

/** Copied into the window at once: as much as the second cache keeps while it is counted. */
const PIECE_BYTES = 65_536
const NANOSECONDS_PER_MICROSECOND = 1000

/** What the loop calls for packets that are not the common case. A row is told by its first word in `TableMemory.rows`. */
export interface PacketLoopCalls {
  /** Fills the row from the packet it is of; answers how many rows it took besides plus 1, and `DISSECTED_DATAGRAM`. */
  dissect(row: number): number
  /** The number of the pair of IPv6 addresses at two places of the memory, in this order. */
  pair(first: number, second: number): number
  /** 0 for a packet that is not to be counted. */
  filter(offset: number, capturedBytes: number, wireBytes: number): number
  /** Makes the flow of a row that the loop can't make itself; answers its number. There is room for it. */
  create(row: number, flags: number): number
  /** What the flags of a few packets ask for. `direction` is 1 for a packet in the order of end B to end A. */
  lookCloser(id: number, row: number, flags: number, direction: number): void
  /** The packets of a flow in one direction have passed 2^32 - 1 and count from 0 again. */
  wrap(id: number, side: number): void
  follow(id: number, row: number, direction: number): void
}

/** What stays the same for all packets of a table. */
export interface PacketLoopOptions {
  readonly keysLink: boolean
  readonly hasFilter: boolean
  /** Every packet is told of by `follow`. */
  readonly isFollowing: boolean
  /** `lookCloser` is to hear of every SYN, FIN and RST. */
  readonly keepsFlagTimes: boolean
  readonly tunnelPorts: TunnelPorts
  readonly calls: PacketLoopCalls
  /** Makes room for more flows. Called between packets only. */
  readonly makeRoom: () => void
  /** Flows for which there is room now. */
  readonly room: () => number
  /** Flows of the common kind that may be made without `create`, see `NewFlows.plainRoom`. */
  readonly plainRoom: () => number
}

/** The exports of `assembly/packet-loop.ts`. */
interface PacketLoopExports {
  consume(): number
  enterAll(): void
}

/**
 * The loop over packets: a small WebAssembly program in the table's memory. It is quick from the first packet on, where JavaScript would
 * learn for a hundred thousand packets what it is about, and it has no check of ranges and types for each word.
 */
export class PacketLoop {
  /** Packets seen, those of them that the filter refused, and those with nothing to make a flow of. */
  packets = 0
  filteredPackets = 0
  ignoredPackets = 0
  readonly #memory: TableMemory
  readonly #options: PacketLoopOptions
  readonly #program: PacketLoopExports

  /** @throws WebAssembly.CompileError where code may not be made, such as in a page without `wasm-unsafe-eval`. */
  constructor(memory: TableMemory, options: PacketLoopOptions) {
    this.#memory = memory
    this.#options = options
    const code = Uint8Array.from(atob(PACKET_LOOP_PROGRAM), (character) => character.charCodeAt(0))
    const imports = { env: { memory: memory.memory }, table: { ...options.calls } }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), imports)
    this.#program = exports as unknown as PacketLoopExports
    for (const port of options.tunnelPorts.all) memory.bytes[AT_TUNNEL_BITS + (port >> 3)]! |= 1 << (port & 7)
  }

  /** Counts the packets of a block; answers how many bytes it took: whole packets only, or all of a ring's block. */
  consume(format: PacketFormat, buffer: Uint8Array, offset: number, byteLength: number, weight: number): number {
    const { layout } = format
    const isRing = layout.format === 'tpacket-v3'
    this.#prepare(format, weight)
    let done = 0
    if (isRing) {
      if (byteLength < TPACKET3.BLOCK_HEADER_BYTES) return byteLength
      done = word(buffer, offset + TPACKET3.BLOCK_FIRST_PACKET)
      this.#memory.words[AT_LEFT >> 2] = word(buffer, offset + TPACKET3.BLOCK_PACKETS)
    }
    let pieceBytes = PIECE_BYTES
    while (done < byteLength) {
      const left = byteLength - done
      const copied = Math.min(left, pieceBytes)
      const from = offset + done
      this.#memory.bytes.set(from === 0 && copied === buffer.length ? buffer : buffer.subarray(from, from + copied), AT_WINDOW)
      const taken = this.#count(AT_WINDOW, copied, left)
      done += taken
      if (taken > 0) pieceBytes = PIECE_BYTES
      // What is not whole in the greatest piece there is, is not whole at all.
      else if (copied === left || pieceBytes === WINDOW_BYTES) break
      else pieceBytes = WINDOW_BYTES
    }
    return isRing ? byteLength : done
  }

  /** Counts the records that lie at `at` in the memory already; answers how many bytes the whole ones take. */
  consumeInPlace(format: PacketFormat, at: number, byteLength: number): number {
    this.#prepare(format, 1)
    return this.#count(at, byteLength, byteLength)
  }

  /** Puts all flows into the index, which is empty. */
  enterAll(): void {
    this.#program.enterAll()
  }

  #prepare({ layout, linkType }: PacketFormat, weight: number): void {
    const { words } = this.#memory
    const { keysLink, hasFilter, isFollowing, keepsFlagTimes, tunnelPorts } = this.#options
    const isRing = layout.format === 'tpacket-v3'
    words[AT_MODE >> 2] =
      (isRing ? LOOP_RING : layout.littleEndian ? LOOP_LITTLE_ENDIAN : 0) |
      (linkType === LINK_TYPE.ETHERNET ? LOOP_ETHERNET : 0) |
      (keysLink ? LOOP_LINK_KEY : 0) |
      (hasFilter ? LOOP_FILTER : 0) |
      (isFollowing ? LOOP_FOLLOW : 0) |
      (keepsFlagTimes ? LOOP_FLAG_TIMES : 0) |
      (tunnelPorts.areUsual ? LOOP_OVERLAY_PORTS : 0)
    words[AT_NANOSECONDS_PER_UNIT >> 2] = isRing || layout.nanoseconds ? 1 : NANOSECONDS_PER_MICROSECOND
    words[AT_WEIGHT >> 2] = weight
  }

  /** Counts what is whole of the bytes at `at`, which lie `left` bytes before the end of their block; answers their number. */
  #count(at: number, byteLength: number, left: number): number {
    const { words } = this.#memory
    words[AT_POSITION >> 2] = at
    words[AT_END >> 2] = at + byteLength
    words[AT_BLOCK_END >> 2] = at + left
    for (;;) {
      // Growing takes other views.
      const state = this.#memory.words
      state[AT_ROOM >> 2] = this.#options.room()
      state[AT_PLAIN_LEFT >> 2] = this.#options.plainRoom()
      const outcome = this.#program.consume()
      this.packets += state[AT_PACKETS >> 2]!
      this.filteredPackets += state[AT_FILTERED >> 2]!
      this.ignoredPackets += state[AT_IGNORED >> 2]!
      state[AT_PACKETS >> 2] = 0
      state[AT_FILTERED >> 2] = 0
      state[AT_IGNORED >> 2] = 0
      if (outcome !== LOOP_FULL) return state[AT_POSITION >> 2]! - at
      this.#options.makeRoom()
    }
  }
}

/** A word of a block's header, in host order, which is little endian on all machines that Node runs on. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
