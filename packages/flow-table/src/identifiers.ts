import { TRANSPORT } from '@skydive/packet'
import type { AddressPairs } from './address-pairs.ts'
import {
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_MAC_FIRST,
  KEY_MAC_LOWS,
  KEY_MAC_SECOND,
  KEY_TRANSPORT,
  KIND_IPV4,
  KIND_IPV6,
  KIND_LINK,
  KIND_PORT_MASK,
  KIND_PORT_SHIFT,
  KIND_TRANSPORT_MASK,
  KIND_VNI,
  RECORD_SHIFT,
} from './layout.ts'
import { Xxh64 } from './xxh64.ts'

/** End point types of spec flows 1.8 that are no transport. */
const END_POINT = { IPV4: 1, IPV6: 2, MAC: 3 } as const
const LONGEST_KEY_BYTES = 96

/** The identifiers of a flow as text. `TrackingID` names the conversation, `UUID` this record of it. */
export interface FlowIdentifiers {
  readonly uuid: string
  readonly trackingId: string
  readonly l3TrackingId: string
}

/**
 * Derives the identifiers of spec flows 1.8 from a record's key: the key already holds both ends in the order that the hash wants.
 */
export class IdentifierHasher {
  readonly #hash = new Xxh64()
  readonly #view = new DataView(new ArrayBuffer(LONGEST_KEY_BYTES))
  readonly #pairs: AddressPairs
  readonly #uuidView: DataView
  readonly #tidBytes: number

  constructor(pairs: AddressPairs, nodeTid: string) {
    this.#pairs = pairs
    const tid = new TextEncoder().encode(nodeTid)
    const uuidInput = new Uint8Array(8 + tid.length)
    uuidInput.set(tid, 8)
    this.#uuidView = new DataView(uuidInput.buffer)
    this.#tidBytes = tid.length
  }

  /** The halves of the UUID that was derived last, unsigned. */
  get uuidHigh(): number {
    return this.#hash.high
  }

  get uuidLow(): number {
    return this.#hash.low
  }

  /** `parentUuid` is the text of the enclosing flow's UUID, or empty. */
  identify(records: Int32Array, id: number, startMs: number, parentUuid: string): FlowIdentifiers {
    const base = id << RECORD_SHIFT
    const kind = records[base + KEY_KIND]!
    const hash = this.#hash
    let length = this.#transport(records, base, kind, this.#network(records, base, kind))
    hash.hash(this.#view, length)
    const l3TrackingId = hash.text()
    if ((kind & KIND_LINK) !== 0) {
      length = this.#link(records, base, length)
      hash.hash(this.#view, length)
    }
    const trackingId = hash.text()
    if (parentUuid !== '') {
      for (let i = 0; i < parentUuid.length; i++) this.#view.setUint8(length++, parentUuid.charCodeAt(i))
      hash.hash(this.#view, length)
    }
    // The seed is the table key, which is what the last hash left.
    this.#uuidView.setUint32(0, Math.floor(startMs / 0x100000000))
    this.#uuidView.setUint32(4, startMs >>> 0)
    hash.hash(this.#uuidView, 8 + this.#tidBytes, hash.high, hash.low)
    return { uuid: hash.text(), trackingId, l3TrackingId }
  }

  #network(records: Int32Array, base: number, kind: number): number {
    const view = this.#view
    if ((kind & KIND_IPV4) !== 0) {
      view.setInt32(0, records[base + KEY_ADDRESS_FIRST]!)
      view.setInt32(4, records[base + KEY_ADDRESS_SECOND]!)
      return this.#endPoint(8, END_POINT.IPV4)
    }
    if ((kind & KIND_IPV6) === 0) return 0
    const pair = records[base + KEY_ADDRESS_FIRST]!
    for (let word = 0; word < 8; word++) view.setInt32(word * 4, this.#pairs.word(pair, word))
    return this.#endPoint(32, END_POINT.IPV6)
  }

  #transport(records: Int32Array, base: number, kind: number, at: number): number {
    const transport = kind & KIND_TRANSPORT_MASK
    if (transport === TRANSPORT.NONE) return at
    this.#view.setInt32(at, records[base + KEY_TRANSPORT]!)
    if (transport === KIND_VNI) {
      this.#view.setUint16(at + 4, (kind >>> KIND_PORT_SHIFT) & KIND_PORT_MASK)
      return this.#endPoint(at + 6, 0)
    }
    return this.#endPoint(at + 4, transport === TRANSPORT.ICMP ? 0 : transport)
  }

  #link(records: Int32Array, base: number, at: number): number {
    const lows = records[base + KEY_MAC_LOWS]!
    this.#view.setInt32(at, records[base + KEY_MAC_FIRST]!)
    this.#view.setUint16(at + 4, lows >>> 16)
    this.#view.setInt32(at + 6, records[base + KEY_MAC_SECOND]!)
    this.#view.setUint16(at + 10, lows & 0xffff)
    return this.#endPoint(at + 12, END_POINT.MAC)
  }

  #endPoint(at: number, type: number): number {
    this.#view.setUint32(at, 0)
    this.#view.setUint32(at + 4, type)
    return at + 8
  }
}
