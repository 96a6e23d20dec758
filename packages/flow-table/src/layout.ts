// Where the members of rows, records and columns lie. A flow has one number (`id`, from 0) and:
//  - a record of 16 words (64 bytes, one cache line): its key and what every packet changes;
//  - a row in `cold` (32-bit) and `wide` (64-bit) for what changes rarely.
//
// Single constants, not objects of them: the build puts their values into the code, where the packet loop needs no load for them.

// Words of a key in a flow record.
/** High 4 bytes of the smaller MAC, both low halves, high 4 bytes of the greater one; 0 when the link is no part of the key. */
export const KEY_MAC_FIRST = 0
export const KEY_MAC_LOWS = 1
export const KEY_MAC_SECOND = 2
/** The two IPv4 addresses in key order, or the number of the IPv6 pair and 0. */
export const KEY_ADDRESS_FIRST = 3
export const KEY_ADDRESS_SECOND = 4
/** Ports in key order, or class, code and identifier of ICMP, or the VNI of VXLAN or Geneve. */
export const KEY_TRANSPORT = 5
/** KIND bits below the mask, state of the flow above it. */
export const KEY_KIND = 6
/** Serial number of the enclosing flow plus 1; 0 for an outermost flow. */
export const KEY_PARENT = 7

// Bits of the word KEY_KIND. The transport's end point type is in the low 4 bits.
export const KIND_TRANSPORT_MASK = 0x0f
export const KIND_TCP = 4
export const KIND_UDP = 5
/** No end point type but in its place: messages of ICMP. */
export const KIND_ICMP = 7
/** UDP that carries VXLAN or Geneve: its VNI and destination port are in the key, not its source port (spec flows 1.8). */
export const KIND_VNI = 8
export const KIND_LINK = 0x10
export const KIND_IPV4 = 0x20
export const KIND_IPV6 = 0x40
/** The destination port with {@link KIND_VNI}, 0 else. */
export const KIND_PORT_SHIFT = 12
export const KIND_PORT_MASK = 0xffff
/** The bits that belong to the key. */
export const KIND_KEY_MASK = 0x0ffff07f
/** The flow's first packet had an Ethernet header. */
export const KIND_HAS_LINK = 0x100
/** A slot in use. */
export const KIND_LIVE = 0x200
/** Of a flow that is gone: a type of end points that there is none of, so that no packet has its key. */
export const KIND_GONE = KIND_TRANSPORT_MASK
/** The first packet was swapped into key order: end A is the second of the key. */
export const KIND_FIRST_SWAPPED = 1 << 31

// Words of a record after the key.
export const RECORD_SHIFT = 4
export const RECORD_AB_PACKETS = 8
export const RECORD_BA_PACKETS = 9
/** Indices of the 64-bit view of a record. */
export const RECORD_AB_BYTES_WIDE = 5
export const RECORD_BA_BYTES_WIDE = 6
export const RECORD_LAST_SECONDS = 14
export const RECORD_LAST_NANOSECONDS = 15

// Columns of `cold`.
export const COLD_SHIFT = 4
export const COLD_PATH = 0
export const COLD_APPLICATION = 1
export const COLD_SOURCE_MAC_HIGH = 2
export const COLD_DESTINATION_MAC_HIGH = 3
/** Source in the upper, destination in the lower half. */
export const COLD_MAC_LOWS = 4
export const COLD_REQUEST_SECONDS = 5
export const COLD_REQUEST_NANOSECONDS = 6
export const COLD_REQUEST_PENDING = 7
export const COLD_RAW_PACKETS = 8
/** The finish type of the flow: one of those below, 1 after it was idle for long, 0 as long as it goes on. */
export const COLD_FINISH = 9
export const COLD_SERIAL = 10
/** Ports of the first packet, those of end A in the upper half, where the key does not hold them. */
export const COLD_PORTS = 11
/** `Network.ID`, as an unsigned word. */
export const COLD_TUNNEL_ID = 12
/** SHOWN bits: what the flow shows that is not in its key. */
export const COLD_SHOWN = 13
/** IPv4 addresses of the first packet. */
export const COLD_ADDRESS_A = 14
export const COLD_ADDRESS_B = 15

export const FINISH_FIN = 2
export const FINISH_RST = 3

// Bits of COLD_SHOWN.
/** The addresses of the flow are COLD_ADDRESS_A and B. */
export const SHOWN_ADDRESSES = 1
/** The ports of the flow are COLD_PORTS, of TCP with the second bit. */
export const SHOWN_PORTS = 2
export const SHOWN_TCP = 4
/** The flow has an `IPMetric`. */
export const SHOWN_IP_METRIC = 8
/** The flow has a `TCPMetric` although flag times are not asked for. */
export const SHOWN_TCP_METRIC = 16

// Columns of `wide`.
export const WIDE_SHIFT = 4
/** In rows that the encoder is handed; the table has it in a column of its own, `starts`. */
export const WIDE_START_MS = 0
export const WIDE_VLAN_ID = 1
/** As for {@link WIDE_START_MS}: `rtts`. */
export const WIDE_RTT_NS = 2
/** Totals at the last update: AB packets, BA packets, AB bytes, BA bytes. */
export const WIDE_REPORTED = 3
/** The difference that the last update made, in the same order, then its times and RTT. */
export const WIDE_UPDATE = 7
export const WIDE_UPDATE_START_MS = 11
export const WIDE_UPDATE_LAST_MS = 12
export const WIDE_UPDATE_RTT_NS = 13
/** The UUID of the enclosing flow as unsigned halves; 0 for an outermost flow. */
export const WIDE_PARENT_HIGH = 14
export const WIDE_PARENT_LOW = 15

// Columns of the flag times, only with `extraTcpMetric`. AB members are even, BA members odd.
export const TCP_SHIFT = 3
export const TCP_SYN_START = 0
export const TCP_SYN_TTL = 2
export const TCP_FIN_START = 4
export const TCP_RST_START = 6

// Columns of the exporter's interfaces, only with `exporterAddress`: ifIndex as an unsigned word.
export const INTERFACE_SHIFT = 1
export const INTERFACE_INPUT = 0
export const INTERFACE_OUTPUT = 1

// Words of a packet's row after the key, which has the places of KEY_*.
export const ROW_SHIFT = 4
/** Rows decoded and applied together: the memory answers for many flows at once, and the rows still fit the first cache. */
export const BATCH_ROWS = 256
/** Sequences of layers of one packet that make flows: more is an attack. The last packet of a batch may need so many rows beyond it. */
export const MAX_SEQUENCES = 16
/** Rows that there is memory for: those of a batch and what its last packet may need besides. */
export const MAX_ROWS = BATCH_ROWS + MAX_SEQUENCES
export const ROW_HASH = 8
/** FLAG bits. */
export const ROW_FLAGS = 9
/** Where the packet lies in the block. */
export const ROW_OFFSET = 10
/** The VLAN tag that the kernel took off, or -1. */
export const ROW_STRIPPED_TAG = 11
// The next four as a record of a pcap file has them.
/** Times are integers: a double handed to a function that is not inlined costs an allocation. */
export const ROW_SECONDS = 12
export const ROW_NANOSECONDS = 13
export const ROW_CAPTURED_BYTES = 14
export const ROW_COUNTED_BYTES = 15

// Bits of a packet's flags: TCP flags in the low byte, TTL in the second.
export const FLAG_TCP_FLAGS = 0xff
export const FLAG_TTL_SHIFT = 8
export const FLAG_TTL_MASK = 0xff00
/** A TCP segment with SYN, FIN or RST. */
export const FLAG_TCP_EVENT = 1 << 16
export const FLAG_ECHO_REQUEST = 1 << 17
export const FLAG_ECHO_REPLY = 1 << 18
export const FLAG_HAS_LINK = 1 << 19
/** Neither MAC nor IP addresses tell the ends apart. */
export const FLAG_SAME_ENDS = 1 << 20
/** Nothing to make a flow of. */
export const FLAG_IGNORED = 1 << 21
/** The next row is what this one carries in a tunnel. */
export const FLAG_CARRIES = 1 << 22
/** The packet completed a datagram, which the defragmenter holds. */
export const FLAG_REASSEMBLED = 1 << 23
/** Which sequence of its packet the row is, in four bits. */
export const FLAG_SEQUENCE_SHIFT = 24
export const FLAG_SEQUENCE_MASK = 0x0f
/** The packet loop knew all of it: Ethernet with at most one tag, IPv4 or IPv6, TCP or UDP. */
export const FLAG_PLAIN = 1 << 28
export const FLAG_SWAPPED = 1 << 31

// What the packet loop compares with: the first four bytes from the EtherType on, of a tag, and of IPv4 and IPv6.
export const TYPE_DOT1Q = 0x8100
export const TYPE_IPV6 = 0x86dd
/** EtherType IPv4, version 4, five words of header: the upper three bytes. */
export const TYPE_IPV4_PLAIN = 0x080045
export const PROTOCOL_ICMP = 1
export const PROTOCOL_TCP = 6
export const PROTOCOL_UDP = 17
/** The longest captured length of a pcap record: `MAX_CAPTURED_BYTES` of `@skydive/packet`. */
export const MAX_RECORD_BYTES = 262_144
