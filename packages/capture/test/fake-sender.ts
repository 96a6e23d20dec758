import type { DatagramSender } from '@skydive/kernel'

/** A queue like that of a socket, for tests: the "kernel" takes datagrams while it has room. */
export class FakeSender implements DatagramSender {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What went out. */
  readonly sent: Uint8Array[] = []
  /** How many more the kernel takes. */
  room = Number.POSITIVE_INFINITY
  isClosed = false
  readonly #slots: number
  readonly #slotBytes: number
  readonly #waiting: { readonly bytes: Uint8Array; readonly units: number }[] = []
  #sentUnits = 0
  #dropped = 0

  constructor(slots = 4, slotBytes = 2048) {
    this.#slots = slots
    this.#slotBytes = slotBytes
    this.bytes = new Uint8Array(slotBytes)
    this.view = new DataView(this.bytes.buffer)
  }

  get queued(): number {
    return this.#waiting.length
  }

  reserve(): number {
    if (this.queued === this.#slots) this.flush()
    return this.queued === this.#slots ? -1 : 0
  }

  commit(byteLength: number, units = 1): void {
    if (byteLength > this.#slotBytes) throw new Error(`${byteLength} bytes do not fit`)
    this.#waiting.push({ bytes: this.bytes.slice(0, byteLength), units })
  }

  drop(units = 1): void {
    this.#dropped += units
  }

  flush(): number {
    while (this.#waiting.length > 0 && this.room > 0) {
      const { bytes, units } = this.#waiting.shift()!
      this.room--
      this.sent.push(bytes)
      this.#sentUnits += units
    }
    return this.queued
  }

  stats() {
    return { sent: this.#sentUnits, dropped: this.#dropped }
  }

  close(): void {
    for (const { units } of this.#waiting.splice(0)) this.#dropped += units
    this.isClosed = true
  }
}

/** A clock whose timers fire when it is told the time. */
export class HandClock {
  nowMs = 1_700_000_000_000
  readonly #timers = new Map<number, { readonly dueMs: number; readonly callback: () => void }>()
  #ids = 0

  now = (): number => this.nowMs

  setTimeout = (callback: () => void, delayMs: number): unknown => {
    this.#timers.set(++this.#ids, { dueMs: this.nowMs + delayMs, callback })
    return this.#ids
  }

  clearTimeout = (id: unknown): void => void this.#timers.delete(id as number)

  get timers(): number {
    return this.#timers.size
  }

  async advance(ms: number): Promise<void> {
    this.nowMs += ms
    for (const [id, { dueMs, callback }] of [...this.#timers]) {
      if (dueMs > this.nowMs) continue
      this.#timers.delete(id)
      callback()
    }
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
}
