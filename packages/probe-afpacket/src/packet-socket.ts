/** Constants of linux/if_packet.h, linux/if_ether.h, asm-generic/socket.h and linux/sockios.h. */
export const AF_PACKET = 17
export const SOCK_RAW = 3
export const ETH_P_ALL = 0x0003
export const SOL_SOCKET = 1
export const SO_ERROR = 4
export const SO_ATTACH_FILTER = 26
export const SOL_PACKET = 263
export const PACKET_RX_RING = 5
export const PACKET_STATISTICS = 6
export const PACKET_VERSION = 10
export const PACKET_FANOUT = 18
export const PACKET_FANOUT_DATA = 22
/** A program says to which member of the group a packet goes (Linux 4.3); the kernel finds a number for the group (Linux 4.13). */
export const PACKET_FANOUT_CBPF = 6
export const PACKET_FANOUT_FLAG_UNIQUEID = 0x2000
export const TPACKET_V3 = 2
export const SIOCGIFHWADDR = 0x8927
export const BLOCK_STATUS_OFFSET = 8
export const BLOCK_PACKETS_OFFSET = 12
/** `blk_len`: how many bytes of the block are used, its header included. */
export const BLOCK_LENGTH_OFFSET = 20
export const TP_STATUS_KERNEL = 0
export const TP_STATUS_USER = 1

/** Ancillary loads of linux/filter.h. */
export const SKF_AD_OFF = 0xfffff000
/** Where the link header begins, wherever the packet stands on its way. */
export const SKF_LL_OFF = 0xffe00000
export const SKF_AD_PKTTYPE = 4
export const PACKET_OUTGOING = 4

/** Device types of linux/if_arp.h whose frames begin with an Ethernet header; on the others the packet is bare IP. */
export const ARPHRD_ETHER = 1
export const ARPHRD_LOOPBACK = 772

/** `struct sockaddr_ll`. */
export function packetAddress(ifindex: number, protocol: number): Uint8Array {
  const address = new Uint8Array(20)
  const view = new DataView(address.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, protocol)
  view.setInt32(4, ifindex, true)
  return address
}

/** `struct tpacket_req3`. */
export function ringRequest(blockBytes: number, blocks: number, frameBytes: number, retireMs: number): Uint8Array {
  const request = new Uint8Array(28)
  const view = new DataView(request.buffer)
  view.setUint32(0, blockBytes, true)
  view.setUint32(4, blocks, true)
  view.setUint32(8, frameBytes, true)
  view.setUint32(12, (blockBytes / frameBytes) * blocks, true)
  view.setUint32(16, retireMs, true)
  return request
}

/** `struct sock_fprog`: the number of instructions and where they are. */
export function filterProgram(instructions: number, address: bigint): Uint8Array {
  const program = new Uint8Array(16)
  const view = new DataView(program.buffer)
  view.setUint16(0, instructions, true)
  view.setBigUint64(8, address, true)
  return program
}

/** `struct ifreq` with a name; the device type is at 16 after SIOCGIFHWADDR. */
export function interfaceRequest(name: string): Uint8Array {
  const request = new Uint8Array(40)
  request.set(new TextEncoder().encode(name).subarray(0, 15))
  return request
}
