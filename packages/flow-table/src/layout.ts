// Where the members of rows, records and columns lie. A flow has one number (`id`, from 0) and:
//  - a record of 16 words (64 bytes, one cache line): its key and what every packet changes;
//  - a row in `cold` (32-bit) and `wide` (64-bit) for what changes rarely.

/** Words of a key, the same in packet rows and flow records. */
export const KEY = {
  /** High 4 bytes of the smaller MAC, both low halves, high 4 bytes of the greater one; 0 when the link is no part of the key. */
  MAC_FIRST: 0,
  MAC_LOWS: 1,
  MAC_SECOND: 2,
  /** The two IPv4 addresses in key order, or the number of the IPv6 pair and 0. */
  ADDRESS_FIRST: 3,
  ADDRESS_SECOND: 4,
  /** Ports in key order, or class, code and identifier of ICMP. */
  TRANSPORT: 5,
  /** {@link KIND} bits below the mask, state of the flow above it. */
  KIND: 6,
  /** Serial number of the enclosing flow plus 1; 0 for an outermost flow. */
  PARENT: 7,
} as const

/** Bits of the word {@link KEY.KIND}. The transport's end point type is in the low 4 bits. */
export const KIND = {
  TRANSPORT_MASK: 0x0f,
  LINK: 0x10,
  IPV4: 0x20,
  IPV6: 0x40,
  /** The bits that belong to the key. */
  KEY_MASK: 0x7f,
  /** The flow's first packet had an Ethernet header. */
  HAS_LINK: 0x100,
  /** A slot in use. */
  LIVE: 0x200,
  /** The first packet was swapped into key order: end A is the second of the key. */
  FIRST_SWAPPED: 1 << 31,
} as const

export const RECORD_SHIFT = 4
export const RECORD = {
  AB_PACKETS: 8,
  BA_PACKETS: 9,
  /** Indices of the 64-bit view of a record. */
  AB_BYTES_WIDE: 5,
  BA_BYTES_WIDE: 6,
  LAST_SECONDS: 14,
  LAST_NANOSECONDS: 15,
} as const

export const COLD_SHIFT = 4
export const COLD = {
  PATH: 0,
  APPLICATION: 1,
  SOURCE_MAC_HIGH: 2,
  DESTINATION_MAC_HIGH: 3,
  /** Source in the upper, destination in the lower half. */
  MAC_LOWS: 4,
  REQUEST_SECONDS: 5,
  REQUEST_NANOSECONDS: 6,
  REQUEST_PENDING: 7,
  RAW_PACKETS: 8,
  FINISH: 9,
  SERIAL: 10,
} as const

export const WIDE_SHIFT = 4
export const WIDE = {
  START_MS: 0,
  VLAN_ID: 1,
  RTT_NS: 2,
  /** Totals at the last update: AB packets, BA packets, AB bytes, BA bytes. */
  REPORTED: 3,
  /** The difference that the last update made, in the same order, then its times and RTT. */
  UPDATE: 7,
  UPDATE_START_MS: 11,
  UPDATE_LAST_MS: 12,
  UPDATE_RTT_NS: 13,
} as const

export const TCP_SHIFT = 3
/** Columns of the flag times, only with `extraTcpMetric`. AB members are even, BA members odd. */
export const TCP = { SYN_START: 0, SYN_TTL: 2, FIN_START: 4, RST_START: 6 } as const

/** A decoded packet: its key in words 0 to 7, then these. */
export const ROW_SHIFT = 4
export const ROW = {
  HASH: 8,
  /** {@link ROW_FLAG} bits, TCP flags in the low byte, TTL in the second. */
  FLAGS: 9,
  COUNTED_BYTES: 10,
  SECONDS: 11,
  NANOSECONDS: 12,
  OFFSET: 13,
  CAPTURED_BYTES: 14,
  STRIPPED_TAG: 15,
} as const

export const ROW_FLAG = {
  TCP_FLAGS: 0xff,
  TTL_SHIFT: 8,
  /** A TCP segment with SYN, FIN or RST. */
  TCP_EVENT: 1 << 16,
  ECHO_REQUEST: 1 << 17,
  ECHO_REPLY: 1 << 18,
  HAS_LINK: 1 << 19,
  /** Neither MAC nor IP addresses tell the ends apart. */
  SAME_ENDS: 1 << 20,
  /** Nothing to make a flow of. */
  IGNORED: 1 << 21,
  SWAPPED: 1 << 31,
} as const
