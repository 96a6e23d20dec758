import { createRecordTable } from '@skydive/flow-table/records'
import { type Figure, median } from '../../../bench/figures.ts'
import { NetflowCollector } from '../src/index.ts'
import { PlainCollector } from '../test/plain-collector.ts'
import { NOW_MS, RECORDS, routerDatagrams } from '../test/router-datagrams.ts'

// Datagrams in memory to flows in memory, on one core, beside the same with an object for each record and a map of flows by text.

const ROUNDS = 7
const RECORDS_A_ROUND = 1_000_000
/** The peer gets fewer: it takes six times as long for each. */
const PEER_SHARE = 6
const FLOWS = 28_000

/** Millions of records a second, ours and those of the peer, in turn: medians of seven rounds. */
function measure(name: string, version: 9 | 10): Figure {
  const table = createRecordTable({ nodeTid: 'bench' })
  const collector = new NetflowCollector()
  const plain = new PlainCollector()
  const sent = routerDatagrams(version, FLOWS)
  // The sender's address, then the datagram, which is put there anew each time, as the kernel does. The copy is counted.
  const memory = new Uint8Array(32 + 65_536)
  const view = new DataView(memory.buffer)
  const sink = (record: Parameters<typeof table.consume>[0]) => table.consume(record, NOW_MS)
  const consume = (datagram: Uint8Array) => {
    memory.set(datagram, 32)
    collector.consume(view, 32, datagram.length, 4, 0, NOW_MS, sink)
  }
  const consumePlain = (datagram: Uint8Array) => {
    memory.set(datagram, 32)
    plain.consume(view, 32, datagram.length)
  }
  /** CPU time, because other programs may have the core for a while. */
  const rate = (records: number, take: (datagram: Uint8Array) => void): number => {
    const before = process.cpuUsage()
    for (let i = 0; i < records / RECORDS; i++) take(sent[1 + (i % (sent.length - 1))]!)
    const { user, system } = process.cpuUsage(before)
    return records / (user + system)
  }
  consume(sent[0]!)
  consumePlain(sent[0]!)
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(rate(RECORDS_A_ROUND, consume))
    theirs.push(rate(RECORDS_A_ROUND / PEER_SHARE, consumePlain))
  }
  if (table.size !== FLOWS || plain.flows.size !== FLOWS) throw new Error(`${table.size} flows instead of ${FLOWS}`)
  const [value, peerValue] = [median(ours), median(theirs)]
  return { name, value, unit: 'M/s', peer: 'objects and a Map', peerValue, ratio: value / peerValue }
}

export const bench = {
  name: 'records-to-flows',
  run: async (): Promise<readonly Figure[]> => [
    measure('NetFlow 9 records to 28k flows', 9),
    measure('IPFIX records to 28k flows', 10),
  ],
}
