import type { PacketFormat } from '@skydive/contracts'
import { TPACKET3 } from './tpacket.ts'

/** A block of packets on its way through the decoder: what it is made of and how far it has been read. */
export class PacketBlock {
  readonly isRing: boolean
  readonly littleEndian: boolean
  /** Nanoseconds in the unit of a pcap time stamp's fraction. */
  readonly nanosecondsPerUnit: number
  readonly linkType: number
  /** Where the next packet's header begins. */
  position = 0
  end = 0
  /** Packets that a ring's block still has. */
  left = 0

  constructor({ layout, linkType }: PacketFormat) {
    this.isRing = layout.format === 'tpacket-v3'
    this.littleEndian = layout.format === 'tpacket-v3' || layout.littleEndian
    this.nanosecondsPerUnit = layout.format === 'pcap' && !layout.nanoseconds ? 1000 : 1
    this.linkType = linkType
  }

  start(view: DataView, offset: number, byteLength: number): void {
    this.position = offset
    this.end = offset + byteLength
    if (!this.isRing) return
    this.left = byteLength < TPACKET3.BLOCK_HEADER_BYTES ? 0 : view.getUint32(offset + TPACKET3.BLOCK_PACKETS, true)
    if (this.left > 0) this.position += view.getUint32(offset + TPACKET3.BLOCK_FIRST_PACKET, true)
  }
}
