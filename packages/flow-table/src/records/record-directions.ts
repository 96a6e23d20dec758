import type { FlowFinishType } from '@skydive/contracts'
import type { DirectionSink } from '../directions/direction-sink.ts'
import { DirectionTeller, endReasonOf } from '../directions/direction-teller.ts'
import { icmpNumbers } from '../directions/icmp-numbers.ts'
import {
  coldOf,
  DESTINATION_MAC,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_TRANSPORT,
  LAST_MS,
  type RecordColumns,
  SOURCE_MAC,
  START_MS,
  STATE,
  STATE_FIRST_SWAPPED,
  TCP_FLAGS,
  UPDATE,
  UPDATE_START_MS,
  VLAN_ID,
  wideOf,
  wordOf,
} from './record-columns.ts'
import { finishOf, hasPorts, isIcmp } from './record-export.ts'

const VLAN_MASK = 0xfff
/** What records count begins with IP. */
const LINK_BYTES = 0

/** Tells of flows as records of each direction, straight from the rows: what routers told goes on to another collector. */
export class RecordDirections {
  readonly #columns: RecordColumns
  readonly #teller: DirectionTeller

  constructor(columns: RecordColumns, sink: DirectionSink) {
    this.#columns = columns
    this.#teller = new DirectionTeller(sink)
  }

  /**
   * Tells what the last measurement of a flow found. `finish` is how it ended when its flags do not tell; `endReason` is one of `FLOW_END`,
   * by default that of how it ended.
   */
  tell(id: number, finish: FlowFinishType = 0, endReason?: number): void {
    const { words, wide, cold } = this.#columns
    const { record } = this.#teller
    const kind = words[wordOf(id, KEY_KIND)]!
    const isSwapped = (words[wordOf(id, STATE)]! & STATE_FIRST_SWAPPED) !== 0
    const item = words[wordOf(id, KEY_TRANSPORT)]!
    record.ipVersion = kind >>> 8
    record.protocol = kind & 0xff
    this.#setAddresses(id, isSwapped)
    record.sourceMac = cold[coldOf(id, SOURCE_MAC)]!
    record.destinationMac = cold[coldOf(id, DESTINATION_MAC)]!
    record.vlanId = cold[coldOf(id, VLAN_ID)]! & VLAN_MASK
    record.endReason = endReason ?? endReasonOf(finishOf(words[wordOf(id, TCP_FLAGS)]!) || finish)
    this.#teller.setTimes(wide[wideOf(id, START_MS)]!, wide[wideOf(id, LAST_MS)]!, cold[coldOf(id, UPDATE_START_MS)]!)
    const ports = hasPorts(record.protocol) ? item : 0
    record.sourcePort = isSwapped ? ports & 0xffff : ports >>> 16
    record.destinationPort = isSwapped ? ports >>> 16 : ports & 0xffff
    const hasMessage = isIcmp(record.protocol)
    record.icmpCode = hasMessage ? (item >>> 16) & 0xff : 0
    const types = hasMessage ? icmpNumbers(record.ipVersion, item >>> 24) : undefined
    this.#teller.tell(cold, coldOf(id, UPDATE), LINK_BYTES, types)
  }

  #setAddresses(id: number, isSwapped: boolean): void {
    const { words } = this.#columns
    const { addresses } = this.#teller.record
    const first = wordOf(id, isSwapped ? KEY_ADDRESS_SECOND : KEY_ADDRESS_FIRST)
    const second = wordOf(id, isSwapped ? KEY_ADDRESS_FIRST : KEY_ADDRESS_SECOND)
    for (let word = 0; word < 4; word++) {
      addresses[word] = words[first + word]!
      addresses[4 + word] = words[second + word]!
    }
  }
}
