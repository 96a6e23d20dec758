/** Offsets of `struct tpacket_block_desc` (with `hdr.bh1`) and `struct tpacket3_hdr` of linux/if_packet.h, host byte order. */
export const TPACKET3 = {
  BLOCK_HEADER_BYTES: 48,
  BLOCK_PACKETS: 12,
  BLOCK_FIRST_PACKET: 16,
  HEADER_BYTES: 48,
  NEXT_OFFSET: 0,
  SECONDS: 4,
  NANOSECONDS: 8,
  CAPTURED_BYTES: 12,
  WIRE_BYTES: 16,
  STATUS: 20,
  MAC_OFFSET: 24,
  VLAN_TCI: 32,
  /** With `tellsInterfaces` of the layout: where the words lie, before the packet. */
  INPUT_BEFORE_PACKET: -8,
  OUTPUT_BEFORE_PACKET: -4,
  STATUS_VLAN_VALID: 0x10,
} as const
