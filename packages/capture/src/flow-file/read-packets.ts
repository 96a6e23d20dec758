import { readSync } from 'node:fs'
import { SkydiveError } from '@skydive/contracts'
import type { FlowTable } from '@skydive/flow-table'
import {
  checkNextRecord,
  createCaptureFileReader,
  cutFile,
  PCAP_HEADER_BYTES,
  PCAP_RECORD_BYTES,
  type PcapFormat,
  readPcapFormat,
} from '@skydive/packet'
import type { CaptureInput } from './read-pieces.ts'

/** What of a file was read, and why that was not all of it. */
export interface ReadPackets {
  readonly bytesRead: number
  readonly damage?: SkydiveError
}

/** Told of the link type of the packets that are about to be counted: once, or before each change of it. */
export type LinkTypeListener = (linkType: number) => void

/**
 * Counts all packets of a capture file in a table: those of a regular pcap file straight from the kernel in the table's memory, all others by
 * way of pieces, with the same outcome.
 * @throws ERR_DECODE for what is damaged before the first packet. Damage after it is told in the answer.
 */
export async function readPackets(table: FlowTable, input: CaptureInput, onLinkType: LinkTypeListener): Promise<ReadPackets> {
  const format = input.fd === undefined ? undefined : formatOf(input.fd)
  return format && input.fd !== undefined
    ? readRecords(table, input.fd, format, onLinkType)
    : await readPieces(table, input, onLinkType)
}

/** Reads at the beginning, and leaves the descriptor's position there. */
function formatOf(fd: number): PcapFormat | undefined {
  const header = new Uint8Array(PCAP_HEADER_BYTES)
  return readPcapFormat(header.subarray(0, readSync(fd, header, 0, PCAP_HEADER_BYTES, 0)))
}

function readRecords(table: FlowTable, fd: number, format: PcapFormat, onLinkType: LinkTypeListener): ReadPackets {
  const intake = table.intake(format)
  let hasBegun = false
  let bytesRead = PCAP_HEADER_BYTES
  let nextRecord = PCAP_HEADER_BYTES
  try {
    for (;;) {
      const room = intake.room()
      const byteLength = readSync(fd, room, 0, room.length, bytesRead)
      bytesRead += byteLength
      // As in pieces, where nobody hears of a link type without packets.
      if (!hasBegun && bytesRead >= PCAP_HEADER_BYTES + PCAP_RECORD_BYTES) {
        onLinkType(format.linkType)
        hasBegun = true
      }
      nextRecord += intake.count(byteLength)
      const rest = intake.rest()
      checkNextRecord(rest, format.layout.littleEndian, nextRecord)
      if (byteLength > 0) continue
      if (rest.length > 0) throw cutFile(nextRecord, rest.length)
      return { bytesRead }
    }
  } catch (error) {
    return { bytesRead, damage: damageOf(table, error) }
  }
}

async function readPieces(table: FlowTable, input: CaptureInput, onLinkType: LinkTypeListener): Promise<ReadPackets> {
  let consume: ReturnType<FlowTable['consumer']> | undefined
  let current: unknown
  const reader = createCaptureFileReader((buffer, offset, byteLength, format) => {
    if (!consume || format !== current) {
      current = format
      onLinkType(format.linkType)
      consume = table.consumer(format)
    }
    return consume(buffer, offset, byteLength)
  })
  try {
    for await (const piece of input.pieces()) reader.push(piece)
    reader.end()
  } catch (error) {
    return { bytesRead: reader.bytesRead, damage: damageOf(table, error) }
  }
  return { bytesRead: reader.bytesRead }
}

/** Without a packet it is no capture file: nothing to tell but the error. */
function damageOf(table: FlowTable, error: unknown): SkydiveError {
  if (!SkydiveError.isInstance(error, 'ERR_DECODE') || table.stats().packets === 0) throw error
  return error
}
