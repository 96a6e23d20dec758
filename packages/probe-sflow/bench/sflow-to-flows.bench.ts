import { createFlowTable } from '@skydive/flow-table'
import { type Figure, median } from '../../../bench/figures.ts'
import { SAMPLE_FORMAT, SFlowCollector } from '../src/index.ts'
import { PlainCollector } from '../test/plain-collector.ts'
import { SAMPLES, switchDatagrams } from '../test/switch-datagrams.ts'

// Datagrams in memory to flows in memory, on one core, beside the same with an object for each sample and a map of flows by text.

const ROUNDS = 7
const SAMPLES_A_ROUND = 2_100_000
/** The peer gets fewer: it takes six times as long for each. */
const PEER_SHARE = 6
const NOW_MS = 1_700_000_000_000
/** Datagrams of one call of the kernel, and where they lie. */
const BATCH = 64
const SLOT_BYTES = 1536

/** Millions of samples a second, ours and those of the peer, in turn: medians of seven rounds. */
function measure(flows: number): Figure {
  const table = createFlowTable({ nodeTid: 'bench', exporterAddress: '10.0.0.1' })
  table.warmUp()
  const consume = table.consumer(SAMPLE_FORMAT)
  const collector = new SFlowCollector(undefined, 256)
  const plain = new PlainCollector()
  const sent = switchDatagrams(flows)
  const memory = new Uint8Array(BATCH * SLOT_BYTES)
  const view = new DataView(memory.buffer)
  let next = 0
  /**
   * A collector writes over what it reads: as the kernel does, each datagram is put into the receive buffer anew, a batch at a time. That is
   * not counted. What is counted is CPU time, because other programs may have the core for a while.
   */
  const rate = (samples: number, take: () => void): number => {
    let cpuMicroseconds = 0
    let taken = 0
    for (; taken < samples; taken += BATCH * SAMPLES) {
      for (let slot = 0; slot < BATCH; slot++, next++) memory.set(sent[next % sent.length]!, slot * SLOT_BYTES)
      const before = process.cpuUsage()
      take()
      const { user, system } = process.cpuUsage(before)
      cpuMicroseconds += user + system
    }
    return taken / cpuMicroseconds
  }
  const length = sent[0]!.length
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(
      rate(SAMPLES_A_ROUND, () => {
        for (let slot = 0; slot < BATCH; slot++) collector.gather(view, slot * SLOT_BYTES, length, NOW_MS, consume)
        collector.flush()
      }),
    )
    theirs.push(
      rate(SAMPLES_A_ROUND / PEER_SHARE, () => {
        for (let slot = 0; slot < BATCH; slot++) plain.consume(view, slot * SLOT_BYTES, NOW_MS)
      }),
    )
  }
  if (table.size < flows || plain.flows.size < flows) throw new Error(`${table.size} flows instead of ${flows}`)
  const [value, peerValue] = [median(ours), median(theirs)]
  const name = `samples to ${flows / 1000}k flows`
  return { name, value, unit: 'M/s', peer: 'objects and a Map', peerValue, ratio: value / peerValue }
}

export const bench = {
  name: 'sflow-to-flows',
  run: async (): Promise<readonly Figure[]> => [measure(7_000), measure(70_000)],
}
