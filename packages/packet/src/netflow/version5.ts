// Source: "NetFlow Export Datagram Format", table B-4, of the Cisco NetFlow Collection Engine user guide.
import { FIELD, type NetflowRecord } from './record.ts'

/** Of a record of NetFlow 5. */
export const V5_RECORD_BYTES = 48

/** Reads a record of NetFlow 5 into a cleared one. Times are as long before `exportMs` as they are before `uptimeMs`, modulo 32 bits. */
export function readVersion5(view: DataView, at: number, exportMs: number, uptimeMs: number, record: NetflowRecord): void {
  const { values, addresses } = record
  addresses[0] = view.getInt32(at)
  addresses[4] = view.getInt32(at + 4)
  record.ipVersion = 4
  values[FIELD.INPUT_INDEX] = view.getUint16(at + 12)
  values[FIELD.OUTPUT_INDEX] = view.getUint16(at + 14)
  values[FIELD.PACKETS] = view.getUint32(at + 16)
  values[FIELD.BYTES] = view.getUint32(at + 20)
  values[FIELD.START_MS] = exportMs - ((uptimeMs - view.getUint32(at + 24)) | 0)
  values[FIELD.END_MS] = exportMs - ((uptimeMs - view.getUint32(at + 28)) | 0)
  values[FIELD.SOURCE_PORT] = view.getUint16(at + 32)
  values[FIELD.DESTINATION_PORT] = view.getUint16(at + 34)
  values[FIELD.TCP_FLAGS] = view.getUint8(at + 37)
  values[FIELD.PROTOCOL] = view.getUint8(at + 38)
  values[FIELD.TYPE_OF_SERVICE] = view.getUint8(at + 39)
}
