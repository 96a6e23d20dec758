// Where things lie in the memory of the packet loop (`assembly/packet-loop.ts`). Both sides read it: numbers alone, no imports.

// What a call of the loop is given, and what it leaves behind, in words.
/** Where the next packet's header begins. */
export const AT_POSITION = 0
/** Where the bytes in the window end. */
export const AT_END = 4
/** Where the block ends that they are of: in the window or beyond it. */
export const AT_BLOCK_END = 8
/** Packets that a ring's block still has. */
export const AT_LEFT = 12
/** Packets that each packet stands for. */
export const AT_WEIGHT = 16
/** Flows for which there is room before the memory must grow. */
export const AT_ROOM = 20
/** LOOP bits. */
export const AT_MODE = 24
export const AT_NANOSECONDS_PER_UNIT = 28
/** Buckets of the index minus 1, and where the records begin. */
export const AT_MASK = 40
export const AT_RECORDS_BEGIN = 44
/** Packets seen, of those the filter's refusals, and those with nothing to make a flow of. They count up from 0 at each call. */
export const AT_PACKETS = 48
export const AT_FILTERED = 52
export const AT_IGNORED = 56
/** What the loop's touching of memory adds up to, so that it is not optimised away. */
export const AT_TOUCHED = 60
/** The eight multipliers of the hash. */
export const AT_FACTORS = 64

/** One more than the greatest number of a flow ever used, and the serial number of the flow that was made last. */
export const AT_LIMIT = 96
export const AT_SERIAL = 100
/** Flows of the common kind that may be made without asking. */
export const AT_PLAIN_LEFT = 104
/** Where `cold`, `starts` and `rtts` begin. */
export const AT_COLD_BEGIN = 108
export const AT_STARTS_BEGIN = 112
export const AT_RTTS_BEGIN = 116
/** The flow of the row that was counted last of those that carry the next one. */
export const AT_PARENT = 120
/** For packets in key order and for swapped ones: how bytes become the words of a key, 64 bytes each. See `KEY_ORDERS`. */
export const AT_ORDERS = 128
export const ORDERS_SHIFT = 6

/** The sequences of layers of plain flows, plus 1, or 0 until one was met: the sum of these says which. Tagged packets are not among them. */
export const AT_PLAIN_PATHS = 256
export const PLAIN_TCP = 1
export const PLAIN_IPV6 = 2

// Bits of AT_MODE.
/** Blocks of a ring (TPACKET_V3), not records of a pcap file. */
export const LOOP_RING = 1
export const LOOP_LITTLE_ENDIAN = 2
export const LOOP_ETHERNET = 4
/** Link addresses are part of the key. */
export const LOOP_LINK_KEY = 8
export const LOOP_FILTER = 16
/** Every packet is to be told of. */
export const LOOP_FOLLOW = 32
/** The times of SYN, FIN and RST are to be kept. */
export const LOOP_FLAG_TIMES = 64
/** The ports of VXLAN and Geneve mean these, and nothing that was registered. */
export const LOOP_OVERLAY_PORTS = 128

// What a call answers.
/** All whole packets are counted. */
export const LOOP_DONE = 0
/** No more until there is room for more flows. */
export const LOOP_FULL = 1

/** Of what `dissect` answers: the defragmenter holds a datagram, which is to be counted before the next packet comes. */
export const DISSECTED_DATAGRAM = 0x100

/** A bit for each port: those of tunnels. */
export const AT_TUNNEL_BITS = 4096
/** The rows of a batch, and those that its last packet may need beyond it, as `layout.ts` has them. */
export const AT_ROWS = 12288
/** What the index has for each row in the bucket where the search for its flow begins: an id + 1, or 0. */
export const AT_ENTRIES = 29696
/**
 * The beginning of a record whose end has not come yet lies before the window, so that what comes next is whole with it. As much as the
 * longest record there can be, in whole cache lines.
 */
export const HELD_BYTES = 262208
/** The packets that are looked at: copied here piece by piece, or read here at once. A page of the kernel begins here. */
export const AT_WINDOW = 294912
/** Read from a file at once: see `PacketIntake`. The longest record there can be has room in it. */
export const WINDOW_BYTES = 1048576
/** Pairs of IPv6 addresses met lately: their 32 bytes, then their number; four pad bytes. */
export const AT_PAIRS = 1343488
export const PAIR_BYTES = 40
export const PAIR_SLOTS = 4096
/** A bit for each port: those whose payload may be an application that a flow shows. */
export const AT_APPLICATION_BITS = 1507328
/** The index, in buckets of `BUCKET_WORDS`; records, `cold`, `starts` and `rtts` follow it. */
export const AT_INDEX = 1515520
/** A bucket of the index has so many entries: first the hashes of all of them, then as many ids + 1, 0 for an entry that is free. */
export const BUCKET_ENTRIES = 4
export const BUCKET_WORDS = 8
