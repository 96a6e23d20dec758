import type { Clock, PacketFormat } from '@skydive/contracts'
import type { DatagramSender } from '@skydive/kernel'
import { ERSPAN_OVERHEAD_BYTES, type ErspanSession, LINK_TYPE, type MirroredFrame, writeErspan } from '@skydive/packet'
import { walkFrames } from './block-frames.ts'
import { RetryingSender } from './retrying-sender.ts'
import type { TargetFigures, TargetOutput } from './target-figures.ts'

/** What a mirror needs of the queue for a frame of so many bytes. */
export function mirroredBytes(snapLength: number): number {
  return snapLength + ERSPAN_OVERHEAD_BYTES
}

const ETHERNET_BYTES = 14
/** Of ERSPAN: the original has it so, and a host mirrors one way only. */
const SESSION_ID = 1

/** Captured frames to another host, each in a packet of GRE and ERSPAN type II. A frame costs no memory. */
export class FrameMirror implements TargetOutput {
  readonly #format: PacketFormat
  readonly #out: RetryingSender
  readonly #sender: DatagramSender
  readonly #session: ErspanSession
  readonly #snapLength: number
  readonly #frame: MirroredFrame = { bytes: new Uint8Array(0), offset: 0, capturedBytes: 0, wireBytes: 0, strippedTag: -1 }
  #sequence = 0
  #skipped = 0

  /** `ifindex` is that of the interface whose frames they are; frames are cut to `snapLength`. */
  constructor(format: PacketFormat, ifindex: number, snapLength: number, sender: DatagramSender, clock: Clock) {
    this.#format = format
    this.#out = new RetryingSender(sender, clock)
    this.#sender = sender
    this.#session = { sessionId: SESSION_ID, index: ifindex }
    this.#snapLength = snapLength
  }

  /** Mirrors the frames of a block; the bytes may change afterwards. */
  consume(buffer: Uint8Array, offset: number, byteLength: number, linkType = this.#format.linkType): void {
    const isEthernet = linkType === LINK_TYPE.ETHERNET
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    this.#frame.bytes = buffer
    walkFrames(this.#format, view, offset, byteLength, (at, capturedBytes, wireBytes, strippedTag) => {
      if (isEthernet && capturedBytes >= ETHERNET_BYTES) this.#mirror(at, capturedBytes, wireBytes, strippedTag)
      else this.#skipped++
    })
  }

  /** Sends what is queued. */
  flush(): void {
    this.#out.flush()
  }

  stats(): TargetFigures {
    const { sent, dropped, refusal } = this.#sender.stats()
    return { sent, dropped, skipped: this.#skipped, ...(refusal !== undefined && { refusal }) }
  }

  async close(): Promise<void> {
    await this.#out.close()
  }

  #mirror(at: number, capturedBytes: number, wireBytes: number, strippedTag: number): void {
    // Also of a frame that is dropped: the receiver sees the gap.
    const sequence = this.#sequence++
    const sender = this.#sender
    const slot = sender.reserve()
    if (slot < 0) {
      sender.drop()
      return
    }
    const frame = this.#frame
    frame.offset = at
    frame.capturedBytes = Math.min(capturedBytes, this.#snapLength)
    frame.wireBytes = wireBytes
    frame.strippedTag = strippedTag
    sender.commit(writeErspan(sender.bytes, sender.view, slot, this.#session, sequence, frame))
  }
}
