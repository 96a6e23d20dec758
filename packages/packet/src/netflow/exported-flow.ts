/** Why a record was written: numbers of the element flowEndReason (RFC 5102, chapter 5.11.3). */
export const FLOW_END = { IDLE: 1, ACTIVE: 2, END_SEEN: 3, FORCED: 4, RESOURCES: 5 } as const

/**
 * One direction of a flow, as encoders write it. Numbers only: one object is filled anew for each record, so that a record costs no memory.
 * Counters are those since the record of it before.
 */
export class ExportedFlow {
  /** 4 or 6. */
  ipVersion = 4
  /** Source in the words 0 to 3, destination in 4 to 7, as the network writes them; IPv4 addresses in the words 0 and 4. */
  readonly addresses: Int32Array = new Int32Array(8)
  /** Of the IP header: 6 TCP, 17 UDP. */
  protocol = 0
  sourcePort = 0
  destinationPort = 0
  /** Of ICMP of either version, as on the wire. */
  icmpType = 0
  icmpCode = 0
  /** FIN 1, SYN 2, RST 4; 0 when nothing is known. */
  tcpFlags = 0
  packets = 0
  /** Of layer 3: IP headers and what they carry. */
  bytes = 0
  /** First and last packet, ms since the epoch. */
  startMs = 0
  lastMs = 0
  /** One of {@link FLOW_END}. */
  endReason: number = FLOW_END.ACTIVE
  /** MAC addresses as numbers of 48 bits; 0 when there are none. */
  sourceMac = 0
  destinationMac = 0
  vlanId = 0
}
