import { DecodeError, randomId } from '@skydive/contracts'
import { z } from 'zod'
import { decodeBinaryEnvelope, encodeBinaryEnvelope } from './envelope-protobuf.ts'

/** How a peer frames its messages: JSON in text frames, or protobuf in binary frames (spec platform 2.3). */
export type Framing = 'json' | 'protobuf'

/**
 * One message as it came in. Shape: `{ namespace: 'Graph', type: 'NodeAdded', uuid: '0d9a…', status: 200, body: { ID: 'n1', … } }`.
 * A body is JSON (`body`) or protobuf (`bytes`), never both. `cursor` is the sender's place in its event log after this message.
 */
export interface Message {
  readonly namespace: string
  readonly type: string
  readonly uuid: string
  /** HTTP-like: 200 for spontaneous messages, the outcome in replies. */
  readonly status: number
  readonly body: unknown
  readonly bytes?: Uint8Array
  readonly cursor?: string
}

/** What to send. `json` is the body as JSON text when it is at hand already; absent fields: a new UUID, status 200, body `null`. */
export interface MessageInit {
  readonly namespace: string
  readonly type: string
  readonly uuid?: string
  readonly status?: number
  readonly body?: unknown
  readonly json?: string
  /** The protobuf form of the body; peers that frame in JSON get `body`/`json` instead. */
  readonly bytes?: Uint8Array
  readonly cursor?: string
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { fatal: true })

const envelopeSchema = z.object({
  Namespace: z.string(),
  Type: z.string(),
  UUID: z.string().default(''),
  Status: z.number().int().default(200),
  Obj: z.unknown().optional(),
  Cursor: z.string().optional(),
})

/** A message to send: each framing is encoded once, when first asked for, however many peers get it. */
export class OutgoingMessage {
  readonly namespace: string
  readonly type: string
  readonly uuid: string
  readonly #status: number
  readonly #json: string
  readonly #bytes: Uint8Array | undefined
  readonly #cursor: string | undefined
  #text: string | undefined
  #binary: Uint8Array | undefined

  constructor(init: MessageInit) {
    this.namespace = init.namespace
    this.type = init.type
    this.uuid = init.uuid ?? randomId()
    this.#status = init.status ?? 200
    this.#json = init.json ?? JSON.stringify(init.body ?? null)
    this.#bytes = init.bytes
    this.#cursor = init.cursor
  }

  /** The text frame. */
  text(): string {
    this.#text ??= `{"Namespace":${JSON.stringify(this.namespace)},"Type":${JSON.stringify(this.type)},"UUID":${JSON.stringify(this.uuid)},"Status":${this.#status},"Obj":${this.#json}${this.#cursor === undefined ? '' : `,"Cursor":${JSON.stringify(this.#cursor)}`}}`
    return this.#text
  }

  /** The binary frame: protobuf around the protobuf body, or around JSON where the body has no protobuf form. */
  binary(): Uint8Array {
    this.#binary ??= encodeBinaryEnvelope({
      namespace: this.namespace,
      type: this.type,
      uuid: this.uuid,
      status: this.#status,
      format: this.#bytes ? 'protobuf' : 'json',
      obj: this.#bytes ?? ENCODER.encode(this.#json),
      ...(this.#cursor !== undefined && { cursor: this.#cursor }),
    })
    return this.#binary
  }
}

/**
 * Reads a text frame (or JSON carried in a binary frame).
 *
 * @throws ERR_DECODE when it is no JSON or lacks `Namespace` or `Type`.
 */
export function decodeTextMessage(text: string): Message {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new DecodeError(`message is no JSON: ${(error as Error).message}`, 0)
  }
  const parsed = envelopeSchema.safeParse(value)
  if (!parsed.success) throw new DecodeError(`message envelope: ${z.prettifyError(parsed.error)}`, 0)
  const { Namespace, Type, UUID, Status, Obj, Cursor } = parsed.data
  const message = { namespace: Namespace, type: Type, uuid: UUID, status: Status, body: Obj ?? null }
  return Cursor === undefined ? message : { ...message, cursor: Cursor }
}

/**
 * Reads a binary frame. JSON in a binary frame is accepted too, because the original's replication client sends that.
 *
 * @throws ERR_DECODE with the offset of the byte that makes no sense.
 */
export function decodeBinaryMessage(frame: Uint8Array): Message {
  if (frame[0] === 0x7b) return decodeTextMessage(decodeUtf8(frame))
  const envelope = decodeBinaryEnvelope(frame)
  const head = { namespace: envelope.namespace, type: envelope.type, uuid: envelope.uuid, status: envelope.status }
  const cursor = envelope.cursor === undefined ? {} : { cursor: envelope.cursor }
  if (envelope.format === 'protobuf') return { ...head, body: undefined, bytes: envelope.obj, ...cursor }
  if (envelope.obj.length === 0) return { ...head, body: null, ...cursor }
  let body: unknown
  try {
    body = JSON.parse(decodeUtf8(envelope.obj))
  } catch (error) {
    throw new DecodeError(`message body is no JSON: ${(error as Error).message}`, 0)
  }
  return { ...head, body, ...cursor }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes)
  } catch {
    throw new DecodeError('message is not UTF-8', 0)
  }
}
