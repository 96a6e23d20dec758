/** Puts big-endian numbers one after the other: what the tests and benches build datagrams with. */
export class BytesWriter {
  #bytes = new Uint8Array(2048)
  #view = new DataView(this.#bytes.buffer)
  length = 0

  u8(...values: readonly number[]): this {
    for (const value of values) this.#room(1, (view, at) => view.setUint8(at, value))
    return this
  }

  u16(...values: readonly number[]): this {
    for (const value of values) this.#room(2, (view, at) => view.setUint16(at, value))
    return this
  }

  u32(...values: readonly number[]): this {
    for (const value of values) this.#room(4, (view, at) => view.setUint32(at, value))
    return this
  }

  /** The low bytes of a whole number, as many as asked for. */
  unsigned(value: number, byteLength: number): this {
    let rest = BigInt(value)
    this.#room(byteLength, (view, at) => {
      for (let i = byteLength - 1; i >= 0; i--) {
        view.setUint8(at + i, Number(rest & 0xffn))
        rest >>= 8n
      }
    })
    return this
  }

  bytes(values: ArrayLike<number>): this {
    this.#room(values.length, (_, at) => this.#bytes.set(values, at))
    return this
  }

  /** Zeros up to the next multiple of four. */
  pad(): this {
    this.#room((4 - (this.length & 3)) & 3, () => {})
    return this
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }

  /** Makes the writer longer, then lets the new bytes be written: growing puts them into other memory. */
  #room(byteLength: number, write: (view: DataView, at: number) => void): void {
    const at = this.length
    this.length += byteLength
    while (this.length > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2)
      grown.set(this.#bytes)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    write(this.#view, at)
  }
}

export const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
