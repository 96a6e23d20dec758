import { DecodeError } from '@skydive/contracts'

/** The protobuf message `StructMessage` (spec platform 2.3); field 7 is ours and unknown to the original, which skips it. */
export interface BinaryEnvelope {
  readonly namespace: string
  readonly type: string
  readonly uuid: string
  readonly status: number
  readonly format: 'json' | 'protobuf'
  readonly obj: Uint8Array
  readonly cursor?: string
}

const FIELD_NAMESPACE = 1
const FIELD_TYPE = 2
const FIELD_UUID = 3
const FIELD_STATUS = 4
const FIELD_FORMAT = 5
const FIELD_OBJ = 6
const FIELD_CURSOR = 7

const WIRE_VARINT = 0
const WIRE_FIXED64 = 1
const WIRE_BYTES = 2
const WIRE_FIXED32 = 5

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8')
const EMPTY = new Uint8Array(0)

/** Encodes an envelope; zero values are left out, as proto3 wants it. */
export function encodeBinaryEnvelope(envelope: BinaryEnvelope): Uint8Array {
  const fields: { tag: number; bytes: Uint8Array }[] = []
  const push = (field: number, bytes: Uint8Array) => {
    if (bytes.length > 0) fields.push({ tag: (field << 3) | WIRE_BYTES, bytes })
  }
  push(FIELD_NAMESPACE, ENCODER.encode(envelope.namespace))
  push(FIELD_TYPE, ENCODER.encode(envelope.type))
  push(FIELD_UUID, ENCODER.encode(envelope.uuid))
  const head = fields.splice(0)
  push(FIELD_OBJ, envelope.obj)
  if (envelope.cursor !== undefined) push(FIELD_CURSOR, ENCODER.encode(envelope.cursor))

  const status = envelope.status === 0 ? 0 : 1 + varintLength(envelope.status)
  const format = envelope.format === 'protobuf' ? 2 : 0
  let size = status + format
  for (const { bytes } of [...head, ...fields]) size += 1 + varintLength(bytes.length) + bytes.length

  const out = new Uint8Array(size)
  let at = 0
  const writeVarint = (value: number) => {
    let rest = value
    while (rest > 0x7f) {
      out[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    out[at++] = rest
  }
  const writeField = ({ tag, bytes }: { tag: number; bytes: Uint8Array }) => {
    out[at++] = tag
    writeVarint(bytes.length)
    out.set(bytes, at)
    at += bytes.length
  }
  for (const field of head) writeField(field)
  if (status > 0) {
    out[at++] = (FIELD_STATUS << 3) | WIRE_VARINT
    writeVarint(envelope.status)
  }
  if (format > 0) {
    out[at++] = (FIELD_FORMAT << 3) | WIRE_VARINT
    out[at++] = 1
  }
  for (const field of fields) writeField(field)
  return out
}

/**
 * Decodes an envelope. Unknown fields are skipped; `obj` shares the memory of `frame`.
 *
 * @throws ERR_DECODE with the offset of the first byte that was refused.
 */
export function decodeBinaryEnvelope(frame: Uint8Array): BinaryEnvelope {
  let at = 0
  const readVarint = (): number => {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = frame[at]
      if (byte === undefined) throw new DecodeError('envelope ends inside a number', at)
      at++
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
    throw new DecodeError('envelope has a number of more than 10 bytes', at)
  }
  const readBytes = (): Uint8Array => {
    const length = readVarint()
    if (length > frame.length - at) throw new DecodeError('envelope ends inside a field', at)
    at += length
    return frame.subarray(at - length, at)
  }

  const text: Record<number, string> = {}
  let status = 0
  let format: BinaryEnvelope['format'] = 'json'
  let obj: Uint8Array = EMPTY
  while (at < frame.length) {
    const start = at
    const tag = readVarint()
    const field = Math.floor(tag / 8)
    const wire = tag % 8
    if (field === 0) throw new DecodeError('envelope has a field without a number', start)
    if (wire === WIRE_VARINT) {
      const value = readVarint()
      if (field === FIELD_STATUS) status = value
      else if (field === FIELD_FORMAT) format = value === 1 ? 'protobuf' : 'json'
    } else if (wire === WIRE_BYTES) {
      const bytes = readBytes()
      if (field === FIELD_OBJ) obj = bytes
      else if (field <= FIELD_UUID || field === FIELD_CURSOR) text[field] = DECODER.decode(bytes)
    } else if (wire === WIRE_FIXED32 || wire === WIRE_FIXED64) {
      at += wire === WIRE_FIXED32 ? 4 : 8
      if (at > frame.length) throw new DecodeError('envelope ends inside a field', start)
    } else {
      throw new DecodeError(`envelope has the unknown wire type ${wire}`, start)
    }
  }
  const cursor = text[FIELD_CURSOR]
  return {
    namespace: text[FIELD_NAMESPACE] ?? '',
    type: text[FIELD_TYPE] ?? '',
    uuid: text[FIELD_UUID] ?? '',
    status,
    format,
    obj,
    ...(cursor !== undefined && { cursor }),
  }
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = Math.floor(value / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) length++
  return length
}
