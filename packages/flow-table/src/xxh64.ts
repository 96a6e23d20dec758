// XXH64 in 32-bit arithmetic: BigInt costs some µs a hash, this a few hundred ns, and every new flow needs four.
// Source: the xxHash specification, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH64 algorithm description".

const P1H = 0x9e3779b1
const P1L = 0x85ebca87
const P2H = 0xc2b2ae3d
const P2L = 0x27d4eb4f
const P3H = 0x165667b1
const P3L = 0x9e3779f9
const P4H = 0x85ebca77
const P4L = 0xc2b2ae63
const P5H = 0x27d4eb2f
const P5L = 0x165667c5

/** A 64-bit register of two halves, kept as signed 32-bit integers. */
class Register {
  high = 0
  low = 0

  set(high: number, low: number): void {
    this.high = high | 0
    this.low = low | 0
  }

  add(high: number, low: number): void {
    const sum = (this.low >>> 0) + (low >>> 0)
    this.low = sum | 0
    this.high = (this.high + high + (sum > 0xffffffff ? 1 : 0)) | 0
  }

  xor(high: number, low: number): void {
    this.high ^= high
    this.low ^= low
  }

  /** By 1 to 31 bits. */
  rotate(bits: number): void {
    const { high, low } = this
    this.high = (high << bits) | (low >>> (32 - bits))
    this.low = (low << bits) | (high >>> (32 - bits))
  }

  /** `this ^= this >>> bits`, by 32 or 33 or fewer than 32 bits. */
  xorShift(bits: number): void {
    const { high, low } = this
    if (bits >= 32) this.low = low ^ (bits === 32 ? high : high >>> (bits - 32))
    else {
      this.low = low ^ ((low >>> bits) | (high << (32 - bits)))
      this.high = high ^ (high >>> bits)
    }
  }

  multiply(high: number, low: number): void {
    const a0 = this.low & 0xffff
    const a1 = this.low >>> 16
    const b0 = low & 0xffff
    const b1 = low >>> 16
    const p01 = Math.imul(a0, b1)
    const p10 = Math.imul(a1, b0)
    const middle = (Math.imul(a0, b0) >>> 16) + (p01 & 0xffff) + (p10 & 0xffff)
    const carry = (Math.imul(a1, b1) + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16)) | 0
    this.high = (carry + Math.imul(this.high, low) + Math.imul(this.low, high)) | 0
    this.low = Math.imul(this.low, low)
  }
}

/** XXH64 over short byte strings. Reuse one: the result stands in `high` and `low` (unsigned halves) until the next call. */
export class Xxh64 {
  high = 0
  low = 0
  readonly #accumulator = new Register()
  readonly #lane = new Register()
  readonly #lanes = [new Register(), new Register(), new Register(), new Register()] as const

  /** Hashes `view[0, length)`. The seed is given by its halves. */
  hash(view: DataView, length: number, seedHigh = 0, seedLow = 0): void {
    const accumulator = this.#accumulator
    const lane = this.#lane
    let at = 0
    if (length >= 32) at = this.#stripes(view, length, seedHigh, seedLow)
    else {
      accumulator.set(seedHigh, seedLow)
      accumulator.add(P5H, P5L)
    }
    accumulator.add(0, length)
    for (; at + 8 <= length; at += 8) {
      lane.set(0, 0)
      this.#round(lane, view, at)
      accumulator.xor(lane.high, lane.low)
      accumulator.rotate(27)
      accumulator.multiply(P1H, P1L)
      accumulator.add(P4H, P4L)
    }
    if (at + 4 <= length) {
      lane.set(0, view.getUint32(at, true))
      lane.multiply(P1H, P1L)
      accumulator.xor(lane.high, lane.low)
      accumulator.rotate(23)
      accumulator.multiply(P2H, P2L)
      accumulator.add(P3H, P3L)
      at += 4
    }
    for (; at < length; at++) {
      lane.set(0, view.getUint8(at))
      lane.multiply(P5H, P5L)
      accumulator.xor(lane.high, lane.low)
      accumulator.rotate(11)
      accumulator.multiply(P1H, P1L)
    }
    accumulator.xorShift(33)
    accumulator.multiply(P2H, P2L)
    accumulator.xorShift(29)
    accumulator.multiply(P3H, P3L)
    accumulator.xorShift(32)
    this.high = accumulator.high >>> 0
    this.low = accumulator.low >>> 0
  }

  /** The last result as flows spell it: lower-case hexadecimal without leading zeros. */
  text(): string {
    return hexText(this.high, this.low)
  }

  /** Whole stripes of 32 bytes; answers how many bytes they take. */
  #stripes(view: DataView, length: number, seedHigh: number, seedLow: number): number {
    const [first, second, third, fourth] = this.#lanes
    for (const lane of this.#lanes) lane.set(seedHigh, seedLow)
    first.add(P1H, P1L)
    first.add(P2H, P2L)
    second.add(P2H, P2L)
    // Subtracting P1 is adding its two's complement.
    fourth.add(~P1H, -P1L)
    let at = 0
    for (; at + 32 <= length; at += 32) {
      this.#round(first, view, at)
      this.#round(second, view, at + 8)
      this.#round(third, view, at + 16)
      this.#round(fourth, view, at + 24)
    }
    const accumulator = this.#accumulator
    accumulator.set(0, 0)
    const lane = this.#lane
    for (let index = 0; index < 4; index++) {
      lane.set(this.#lanes[index]!.high, this.#lanes[index]!.low)
      lane.rotate(index === 0 ? 1 : index === 1 ? 7 : index === 2 ? 12 : 18)
      accumulator.add(lane.high, lane.low)
    }
    for (const source of this.#lanes) {
      lane.set(source.high, source.low)
      lane.multiply(P2H, P2L)
      lane.rotate(31)
      lane.multiply(P1H, P1L)
      accumulator.xor(lane.high, lane.low)
      accumulator.multiply(P1H, P1L)
      accumulator.add(P4H, P4L)
    }
    return at
  }

  #round(lane: Register, view: DataView, at: number): void {
    const input = this.#input
    input.set(view.getInt32(at + 4, true), view.getInt32(at, true))
    input.multiply(P2H, P2L)
    lane.add(input.high, input.low)
    lane.rotate(31)
    lane.multiply(P1H, P1L)
  }

  readonly #input = new Register()
}

/** The character code of a hexadecimal digit. */
function digit(nibble: number): number {
  return nibble < 10 ? 48 + nibble : 87 + nibble
}

/** A 64-bit number, given by its unsigned halves, in lower-case hexadecimal without leading zeros. */
export function hexText(high: number, low: number): string {
  if (high >>> 28 === 0) return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0')
  // Nearly all have 16 digits: one call makes the text in one piece.
  return String.fromCharCode(
    digit(high >>> 28),
    digit((high >>> 24) & 15),
    digit((high >>> 20) & 15),
    digit((high >>> 16) & 15),
    digit((high >>> 12) & 15),
    digit((high >>> 8) & 15),
    digit((high >>> 4) & 15),
    digit(high & 15),
    digit(low >>> 28),
    digit((low >>> 24) & 15),
    digit((low >>> 20) & 15),
    digit((low >>> 16) & 15),
    digit((low >>> 12) & 15),
    digit((low >>> 8) & 15),
    digit((low >>> 4) & 15),
    digit(low & 15),
  )
}
