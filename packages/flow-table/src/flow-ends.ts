import { TRANSPORT } from '@skydive/packet'
import type { AddressPairs } from './address-pairs.ts'
import type { FlowColumns } from './flow-columns.ts'
import {
  COLD_ADDRESS_A,
  COLD_ADDRESS_B,
  COLD_PORTS,
  COLD_SHIFT,
  COLD_SHOWN,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_TRANSPORT,
  KIND_FIRST_SWAPPED,
  KIND_IPV4,
  KIND_IPV6,
  KIND_TRANSPORT_MASK,
  KIND_VNI,
  RECORD_SHIFT,
  SHOWN_ADDRESSES,
  SHOWN_PORTS,
  SHOWN_TCP,
} from './layout.ts'

const ADDRESS_WORDS = 4

/** Who a flow is between, as numbers: read from its key, or from what it shows instead (tunnels). End A sent the first packet. */
export class FlowEnds {
  readonly #columns: FlowColumns
  readonly #pairs: AddressPairs

  constructor(columns: FlowColumns, pairs: AddressPairs) {
    this.#columns = columns
    this.#pairs = pairs
  }

  /**
   * Writes the addresses, that of A in the words 0 to 3, that of B in 4 to 7, of IPv4 in the first of them alone; answers the version of IP, 0
   * without.
   */
  readAddresses(id: number, to: Int32Array): 0 | 4 | 6 {
    const { records, cold } = this.#columns
    const base = id << RECORD_SHIFT
    const kind = records[base + KEY_KIND]!
    if ((kind & (KIND_IPV4 | KIND_IPV6)) === 0) return 0
    const shown = id << COLD_SHIFT
    for (let word = 0; word < 2 * ADDRESS_WORDS; word++) to[word] = 0
    if ((cold[shown + COLD_SHOWN]! & SHOWN_ADDRESSES) !== 0) {
      to[0] = cold[shown + COLD_ADDRESS_A]!
      to[ADDRESS_WORDS] = cold[shown + COLD_ADDRESS_B]!
      return 4
    }
    const a = (kind & KIND_FIRST_SWAPPED) !== 0 ? ADDRESS_WORDS : 0
    const first = records[base + KEY_ADDRESS_FIRST]!
    if ((kind & KIND_IPV4) !== 0) {
      to[a] = first
      to[ADDRESS_WORDS - a] = records[base + KEY_ADDRESS_SECOND]!
      return 4
    }
    for (let word = 0; word < 2 * ADDRESS_WORDS; word++) to[word ^ a] = this.#pairs.word(first, word)
    return 6
  }

  /** The kind of transport (`TRANSPORT`), as the flow shows it. */
  transport(id: number): number {
    const kind = this.#columns.records[(id << RECORD_SHIFT) + KEY_KIND]! & KIND_TRANSPORT_MASK
    if ((this.#columns.cold[(id << COLD_SHIFT) + COLD_SHOWN]! & SHOWN_TCP) !== 0) return TRANSPORT.TCP
    return kind === KIND_VNI ? TRANSPORT.UDP : kind
  }

  /** The ports: that of A in the upper half. Means nothing without ports. */
  ports(id: number): number {
    const { records, cold } = this.#columns
    const shown = id << COLD_SHIFT
    if ((cold[shown + COLD_SHOWN]! & SHOWN_PORTS) !== 0) return cold[shown + COLD_PORTS]!
    const base = id << RECORD_SHIFT
    const ports = records[base + KEY_TRANSPORT]!
    return (records[base + KEY_KIND]! & KIND_FIRST_SWAPPED) !== 0 ? (ports << 16) | (ports >>> 16) : ports
  }
}
