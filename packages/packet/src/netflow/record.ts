/**
 * Places in {@link NetflowRecord.values}. A field that the record does not have is 0.
 *
 * Single constants in one array of numbers, so that a template's fields are written in one loop without a test for each name.
 */
export const FIELD = {
  BYTES: 0,
  PACKETS: 1,
  /** Of the way back, where one record tells of both (RFC 5103, or Cisco's initiator and responder counts). */
  REVERSE_BYTES: 2,
  REVERSE_PACKETS: 3,
  /** Since the flow began, not since the last record of it. */
  TOTAL_BYTES: 4,
  TOTAL_PACKETS: 5,
  PROTOCOL: 6,
  SOURCE_PORT: 7,
  DESTINATION_PORT: 8,
  TCP_FLAGS: 9,
  REVERSE_TCP_FLAGS: 10,
  TYPE_OF_SERVICE: 11,
  /** ICMP of either version: `type << 8 | code`, or the two apart. */
  ICMP_TYPE_CODE: 12,
  ICMP_TYPE: 13,
  ICMP_CODE: 14,
  VLAN_ID: 15,
  INPUT_INDEX: 16,
  OUTPUT_INDEX: 17,
  /** 0 ingress, 1 egress. */
  DIRECTION: 18,
  /** 1 idle, 2 active timeout, 3 end of flow seen, 4 forced, 5 lack of resources (RFC 5102, chapter 5.11.3). */
  END_REASON: 19,
  /** MAC addresses as numbers of 48 bits. */
  SOURCE_MAC: 20,
  DESTINATION_MAC: 21,
  /** ms since the epoch. Always set in what a visitor gets. */
  START_MS: 22,
  END_MS: 23,
  DURATION_MS: 24,
  /** ms since the exporter started. */
  START_UPTIME_MS: 25,
  END_UPTIME_MS: 26,
  SYSTEM_INIT_MS: 27,
  /** What tells of sampling; the sum of it is {@link NetflowRecord.samplingRate}. */
  SAMPLING_INTERVAL: 28,
  SAMPLER_ID: 29,
  SAMPLING_PACKET_INTERVAL: 30,
  SAMPLING_PACKET_SPACE: 31,
  SAMPLING_SIZE: 32,
  SAMPLING_POPULATION: 33,
  SAMPLING_PROBABILITY: 34,
} as const

/** How many places there are. */
export const FIELD_COUNT = 35

/** Words of both addresses of a record. */
export const ADDRESS_WORDS = 8

/** Who sent a record, and what came from it so far. One object an exporter for as long as it is known. */
export interface NetflowExporter {
  /** As the caller of `decode` names it. */
  readonly name: string
  /** From 1, never used again. */
  readonly id: number
  datagrams: number
  records: number
  /** Records that its sequence numbers say were sent and that did not come (NetFlow 9: datagrams). */
  lost: number
  /** The sampling rate that it told last; 1 without sampling. */
  samplingRate: number
}

/**
 * One flow record. A decoder has a few such objects, which are filled anew for each set: copy what must stay.
 */
export class NetflowRecord {
  /** Fields by {@link FIELD}. */
  readonly values: Float64Array
  /** Source in the words 0 to 3, destination in 4 to 7, as the network writes them; IPv4 addresses in the words 0 and 4. */
  readonly addresses: Int32Array
  /** 4 or 6; 0 when the record has no addresses. */
  ipVersion = 0
  /** One packet in so many was looked at; the counts of the record are those of the sample. */
  samplingRate = 1
  /** 5, 9 or 10. */
  exportVersion = 0
  /** Observation domain, source id, or engine type and id. */
  domainId = 0
  exporter: NetflowExporter = { name: '', id: 0, datagrams: 0, records: 0, lost: 0, samplingRate: 1 }

  /** The arrays may be parts of greater ones, which hold many records. */
  constructor(values: Float64Array = new Float64Array(FIELD_COUNT), addresses: Int32Array = new Int32Array(ADDRESS_WORDS)) {
    this.values = values
    this.addresses = addresses
  }

  /** Makes everything of a record absent. */
  clear(): void {
    this.values.fill(0)
    this.addresses.fill(0)
    this.ipVersion = 0
    this.samplingRate = 1
  }
}
