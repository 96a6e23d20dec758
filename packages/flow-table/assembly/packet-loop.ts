// Packets to flow records, in AssemblyScript: the loop that everything is arranged around. A batch of packets becomes rows (key, hash, what
// is counted), then the memory that the rows will need is touched, then the rows are counted. It works in the memory of its table, whose
// layout is `src/loop-layout.ts`; `assemble.mjs` compiles it into src/packet-loop-program.ts.

import { MAX_ROWS } from '../src/layout'
import { AT_ROOM, LOOP_DONE, LOOP_FULL } from '../src/loop-layout'
import { apply, touch } from './flow-records'
import { fill } from './packet-rows'

export { enterAll } from './plain-flows'

/** Counts the packets in the window: those that are whole. Answers LOOP_DONE or LOOP_FULL. */
export function consume(): i32 {
  while (load<i32>(AT_ROOM) >= MAX_ROWS) {
    const count = fill()
    if (count === 0) return LOOP_DONE
    touch(count)
    apply(count)
  }
  return LOOP_FULL
}
