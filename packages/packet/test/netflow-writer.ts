import { BytesWriter } from './bytes-writer.ts'

/** A field of a template as it is written: the number of an element, its length, and an enterprise for those that are not IANA's. */
export type WrittenField = readonly [element: number, bytes: number, enterprise?: number]

/** The length of a field whose records say it. */
export const VARIABLE = 65535

/** Fields as text, `element:bytes:enterprise` with `v` for a variable length: `'8:4 82:v 1:8:29305'`. */
export function fieldsOf(text: string): readonly WrittenField[] {
  return text.split(' ').map((word) => {
    const [element, bytes, enterprise] = word.split(':')
    const length = bytes === 'v' ? VARIABLE : Number(bytes)
    return enterprise === undefined ? [Number(element), length] : [Number(element), length, Number(enterprise)]
  })
}

/** A set with its head, padded to four bytes when asked. */
export function writeSet(id: number, body: Uint8Array, padded = true): Uint8Array {
  const writer = new BytesWriter().u16(id, 0).bytes(body)
  if (padded) writer.pad()
  const bytes = writer.take()
  new DataView(bytes.buffer).setUint16(2, bytes.length)
  return bytes
}

/** The definition of a template, of both versions. */
export function writeTemplate(id: number, fields: readonly WrittenField[]): Uint8Array {
  const writer = new BytesWriter().u16(id, fields.length)
  writeFields(writer, fields)
  return writer.take()
}

/** The definition of an options template of IPFIX, whose first fields are the scope. */
export function writeOptionsTemplate(id: number, scopes: number, fields: readonly WrittenField[]): Uint8Array {
  const writer = new BytesWriter().u16(id, fields.length, scopes)
  writeFields(writer, fields)
  return writer.take()
}

/** The definition of an options template of NetFlow 9. */
export function writeOptionsTemplate9(id: number, scopes: readonly WrittenField[], fields: readonly WrittenField[]): Uint8Array {
  const writer = new BytesWriter().u16(id, scopes.length * 4, fields.length * 4)
  writeFields(writer, [...scopes, ...fields])
  return writer.take()
}

/** One record: a number for a field of up to 8 bytes, bytes for a longer one or one of variable length. */
export function writeRecord(fields: readonly WrittenField[], values: readonly (number | Uint8Array)[]): Uint8Array {
  const writer = new BytesWriter()
  fields.forEach(([, bytes], i) => {
    const value = values[i]!
    if (typeof value === 'number') {
      if (bytes === VARIABLE) writer.u8(4).u32(value)
      else writer.unsigned(value, bytes)
      return
    }
    if (bytes === VARIABLE) {
      if (value.length < 255) writer.u8(value.length)
      else writer.u8(255).u16(value.length)
    }
    writer.bytes(value)
  })
  return writer.take()
}

/** A message of IPFIX. */
export function writeIpfix(
  head: { exportSeconds: number; sequence: number; domainId: number },
  sets: readonly Uint8Array[],
): Uint8Array {
  const writer = new BytesWriter().u16(10, 16 + sets.reduce((sum, { length }) => sum + length, 0))
  writer.u32(head.exportSeconds, head.sequence, head.domainId)
  for (const set of sets) writer.bytes(set)
  return writer.take()
}

/** A datagram of NetFlow 9. */
export function writeNetflow9(
  head: { count: number; uptimeMs: number; exportSeconds: number; sequence: number; sourceId: number },
  sets: readonly Uint8Array[],
): Uint8Array {
  const writer = new BytesWriter().u16(9, head.count).u32(head.uptimeMs, head.exportSeconds, head.sequence, head.sourceId)
  for (const set of sets) writer.bytes(set)
  return writer.take()
}

function writeFields(writer: BytesWriter, fields: readonly WrittenField[]): void {
  for (const [element, bytes, enterprise] of fields) {
    writer.u16(enterprise === undefined ? element : element | 0x8000, bytes)
    if (enterprise !== undefined) writer.u32(enterprise)
  }
}
