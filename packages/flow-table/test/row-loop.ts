import { Dissector, LINK_TYPE, TunnelPorts } from '@skydive/packet'
import { AddressPairs } from '../src/address-pairs.ts'
import { COLD_SERIAL, MAX_ROWS } from '../src/layout.ts'
import { PacketLoop } from '../src/packet-loop.ts'
import { RowKeys } from '../src/row-keys.ts'
import { SequenceRows } from '../src/sequence-rows.ts'
import { TableMemory } from '../src/table-memory.ts'
import { TPACKET3 } from '../src/tpacket.ts'

// A packet loop without its table, to look at the rows that it makes.

/** Blocks of a ring of Ethernet frames. */
export const RING = { layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET } as const
/** Of the flow that every row is counted in. */
export const SERIAL = 77
export const FACTORS = Int32Array.from([3, 5, 7, 11, 13, 17, 19, 23])
export const NO_TAG = -1

/** A block of one packet, with `slack` behind it that is none of it. */
export function blockOf(frame: Uint8Array, wireBytes: number, tag: number, slack: number): Uint8Array {
  const header: number = TPACKET3.BLOCK_HEADER_BYTES
  const block = new Uint8Array(header + TPACKET3.HEADER_BYTES + frame.length + 64).fill(slack)
  block.fill(0, 0, header + TPACKET3.HEADER_BYTES)
  const view = new DataView(block.buffer)
  view.setUint32(TPACKET3.BLOCK_PACKETS, 1, true)
  view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, header, true)
  view.setUint32(header + TPACKET3.SECONDS, 1_700_000_000, true)
  view.setUint32(header + TPACKET3.NANOSECONDS, 5, true)
  view.setUint32(header + TPACKET3.CAPTURED_BYTES, frame.length, true)
  view.setUint32(header + TPACKET3.WIRE_BYTES, wireBytes, true)
  view.setUint32(header + TPACKET3.STATUS, tag === NO_TAG ? 0 : TPACKET3.STATUS_VLAN_VALID, true)
  view.setUint16(header + TPACKET3.VLAN_TCI, tag === NO_TAG ? 0 : tag, true)
  view.setUint16(header + TPACKET3.MAC_OFFSET, TPACKET3.HEADER_BYTES, true)
  block.set(frame, header + TPACKET3.HEADER_BYTES)
  return block
}

/** A packet loop that is asked for nothing but what it can't do itself, and what is asked. */
export function loopOf(keysLink: boolean, mplsPorts: readonly number[]) {
  const memory = new TableMemory(1024, FACTORS)
  memory.cold[COLD_SERIAL] = SERIAL
  const tunnelPorts = new TunnelPorts(mplsPorts)
  const pairs = new AddressPairs()
  const sequences = new SequenceRows(new RowKeys(memory, pairs, FACTORS), new Dissector({ tunnelPorts }), keysLink, undefined)
  const asked = { dissections: 0 }
  const loop = new PacketLoop(memory, {
    ...{ keysLink, hasFilter: false, isFollowing: false, keepsFlagTimes: false, tunnelPorts },
    ...{ makeRoom: () => {}, room: () => MAX_ROWS, plainRoom: () => 0 },
    calls: {
      dissect: () => {
        asked.dissections++
        return 0
      },
      pair: (first, second) => pairs.number(memory.view, first, second),
      ...{ filter: () => 1, create: () => 0, lookCloser: () => {}, wrap: () => {}, follow: () => {} },
    },
  })
  return { memory, sequences, loop, asked }
}
