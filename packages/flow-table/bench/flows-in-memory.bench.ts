import type { Figure } from '../../../bench/figures.ts'
import { createFlowTable } from '../src/index.ts'
import { packetBlocks } from './generate-pcap.ts'

const FLOWS = 1_000_000
const FORMAT = { layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: 1 } as const
const BEGIN_MS = 1_700_000_000_000

/** A million flows held by one process: its memory, what it grows by while packets of known flows come, and the longest slice of an expiry. */
export const bench = {
  name: 'flows-in-memory',
  run(): Figure[] {
    const table = createFlowTable({ maxFlows: FLOWS })
    const consume = table.consumer(FORMAT)
    // Drawn at random some flows never come up: fourteen draws a flow leave one in a million out.
    for (const block of packetBlocks(FLOWS, FLOWS * 14)) consume(block, 0, block.length)
    const heapBefore = heapUsed()
    for (const block of packetBlocks(FLOWS, 2_000_000)) consume(block, 0, block.length)
    const grownBytes = heapUsed() - heapBefore
    const rssBytes = process.memoryUsage.rss()
    const update = slices(table.update(BEGIN_MS + 20_000))
    const first = slices(table.expire(BEGIN_MS + 20_000))
    const last = slices(table.expire(BEGIN_MS + 600_000))
    return [
      { name: 'flows held', value: table.size + last.flows, unit: 'flows' },
      { name: 'memory of the whole process', value: rssBytes / 2 ** 20, unit: 'MiB' },
      { name: 'growth of the heap over 2 M packets of known flows', value: grownBytes / 1024, unit: 'KiB' },
      { name: 'update of all of them: longest slice', value: update.longestMs, unit: 'ms' },
      { name: 'expiry of none of them: longest slice', value: first.longestMs, unit: 'ms' },
      { name: 'expiry of all of them: longest slice', value: last.longestMs, unit: 'ms' },
    ]
  },
}

function heapUsed(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** Goes through batches as a capture does, between which packets may come. */
function slices(batches: Iterable<readonly unknown[]>): { readonly longestMs: number; readonly flows: number } {
  let longestMs = 0
  let flows = 0
  let before = performance.now()
  for (const batch of batches) {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - before)
    flows += batch.length
    before = performance.now()
  }
  return { longestMs: Math.max(longestMs, performance.now() - before), flows }
}
