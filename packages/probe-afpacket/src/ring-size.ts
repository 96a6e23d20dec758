import { InvalidArgumentError } from '@skydive/contracts'

const KIB = 1024
const MIB = 1024 * KIB
/** What a capture has when the host's memory allows. */
export const DEFAULT_RING_BYTES = 64 * MIB
/** What it has when other captures have taken their part of the memory. */
const MODEST_RING_BYTES = 16 * MIB
/** Below it nobody is asked for less. */
const LEAST_RING_BYTES = MIB
const MOST_RING_BYTES = 1024 * MIB
/** The part of the host's memory up to which rings are as great as is wanted, and that up to which they are modest: the kernel can't move them to disk. */
const PART_OF_HOST = 8
const MODEST_PART_OF_HOST = 4
/** Blocks wait for as many periods of `retireMs` as there are, whatever is in them. */
const BLOCKS = 64
const LEAST_BLOCK_BYTES = 128 * KIB
const MOST_BLOCK_BYTES = MIB

/** How the memory of a capture is laid out in each of its rings. */
export interface RingLayout {
  readonly blockBytes: number
  readonly blocks: number
}

/**
 * The sizes to ask the kernel for, one after the other until it has the memory, and why the first is less than `wanted`, if it is. `taken` is
 * what the rings that are open take.
 */
export function ringSizes(
  wanted: number,
  taken: number,
  hostBytes: number,
): { readonly sizes: readonly number[]; readonly modesty?: string } {
  let first = wanted
  let modesty: string | undefined
  const lower = (to: number, part: number, partName: string): void => {
    const limit = hostBytes / part
    if (first <= to || taken + first <= limit) return
    first = to
    modesty = `all rings together would take more than ${inMib(limit)}, ${partName} of the memory`
  }
  lower(MODEST_RING_BYTES, PART_OF_HOST, 'an eighth')
  lower(LEAST_RING_BYTES, MODEST_PART_OF_HOST, 'a quarter')
  const sizes = [first]
  while (sizes.at(-1)! / 2 >= LEAST_RING_BYTES) sizes.push(sizes.at(-1)! / 2)
  return { sizes, ...(modesty !== undefined && { modesty }) }
}

/**
 * Shares the memory among the rings of a capture. `blockBytes` is the wish of the user.
 * @throws ERR_INVALID_ARGUMENT for sizes that are none.
 */
export function ringLayout(ringBytes: number, rings: number, blockBytes?: number): RingLayout {
  const share = ringBytes / rings
  const fitting = 2 ** Math.floor(Math.log2(share / BLOCKS))
  const block = blockBytes ?? Math.min(MOST_BLOCK_BYTES, Math.max(LEAST_BLOCK_BYTES, fitting))
  return { blockBytes: block, blocks: Math.max(2, Math.floor(share / block)) }
}

/** @throws ERR_INVALID_ARGUMENT */
export function checkRing(ringBytes: number, blockBytes: number | undefined): void {
  if (!(Number.isSafeInteger(ringBytes) && ringBytes >= 4096 && ringBytes <= MOST_RING_BYTES)) {
    throw new InvalidArgumentError(`afpacket: ringBytes ${ringBytes} is not from 4 KiB to 1 GiB`, { ringBytes })
  }
  if (blockBytes !== undefined && !(Number.isInteger(Math.log2(blockBytes)) && blockBytes >= 4096)) {
    throw new InvalidArgumentError(`afpacket: blockBytes ${blockBytes} is no power of two from 4096`, { blockBytes })
  }
}

/** For people. */
export function inMib(bytes: number): string {
  return `${Math.round((bytes / MIB) * 10) / 10} MiB`
}
