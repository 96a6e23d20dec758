/** What became of a fragment. */
export const FRAGMENT = {
  /** Kept, or refused: there is nothing to go on with. */
  SWALLOWED: 0,
  /** It was the last one that its datagram lacked. */
  COMPLETED: 1,
} as const

/** Counts since a {@link IpDefragmenter} was made. */
export interface IpDefragmenterStats {
  /** Datagrams put together. */
  readonly datagrams: number
  readonly fragments: number
  /** Fragments that contradict what was there before or that no datagram can hold. */
  readonly errors: number
  /** Datagrams given up because they were the oldest and the room was full. */
  readonly evicted: number
  /** Datagrams given up because no fragment of them came for 30 s. */
  readonly timedOut: number
}

/** Version, identification, protocol, then the addresses. */
const KEY_WORDS = 10
const LAST_SECONDS = 0
const FRAGMENTS = 1
const ERRORS = 2
const TOTAL_BYTES = 3
const UNITS = 4
const PROTOCOL = 5
const FIRST_MISSING = 6
const STATE_WORDS = 7
const UNKNOWN = -1
/** Fragments are placed in units of 8 bytes (RFC 791 section 3.1). */
const UNIT_SHIFT = 3
const MAX_DATAGRAM_BYTES = 65_535
const BITMAP_BYTES = 1024
const FIRST_BUFFER_BYTES = 4096
const TIMEOUT_SECONDS = 30
const DEFAULT_DATAGRAMS = 256

/**
 * Puts IP datagrams together from their fragments (RFC 791 section 3.2, RFC 8200 section 4.5). The number of incomplete datagrams and with it
 * the memory (some 64 KiB each at most) is bounded; what is given up is counted. Where fragments overlap the byte that came first stays, and
 * the later fragment counts as an error; one that only repeats what is there is none.
 */
export class IpDefragmenter {
  /** Capture time of the packet that is being looked at, in seconds. */
  nowSeconds = 0
  /** The payload of the datagram that was completed last; valid until the next fragment. */
  view: DataView = new DataView(new ArrayBuffer(0))
  /** Its length; beyond {@link IpDefragmenter.capturedBytes} it was not captured. */
  totalBytes = 0
  capturedBytes = 0
  /** What its first fragment says comes next. */
  protocol = 0
  /** Fragments that came before the completing one, and those that were in error. */
  fragments = 0
  fragmentErrors = 0

  readonly #slots: number
  readonly #keys: Int32Array
  readonly #state: Int32Array
  readonly #bitmaps: Uint8Array
  readonly #buffers: Uint8Array[] = []
  readonly #key = new Int32Array(KEY_WORDS)
  readonly #counts = { datagrams: 0, fragments: 0, errors: 0, evicted: 0, timedOut: 0 }

  /** `maxDatagrams` incomplete ones are held at once. */
  constructor(maxDatagrams = DEFAULT_DATAGRAMS) {
    this.#slots = maxDatagrams
    this.#keys = new Int32Array(maxDatagrams * KEY_WORDS)
    this.#state = new Int32Array(maxDatagrams * STATE_WORDS)
    this.#bitmaps = new Uint8Array(maxDatagrams * BITMAP_BYTES)
  }

  /** A copy of the counts. */
  stats(): IpDefragmenterStats {
    return { ...this.#counts }
  }

  /**
   * Takes a fragment of IPv4: `ip` is where its header begins, `payload` where that ends, `declaredEnd` where the datagram ends by its header
   * and `capturedEnd` where what was captured of it ends. Answers one of {@link FRAGMENT}.
   */
  addIpv4(view: DataView, ip: number, payload: number, declaredEnd: number, capturedEnd: number): number {
    const key = this.#key.fill(0)
    key[0] = 4
    key[1] = view.getUint16(ip + 4)
    key[2] = view.getUint8(ip + 9)
    key[3] = view.getInt32(ip + 12)
    key[4] = view.getInt32(ip + 16)
    const place = view.getUint16(ip + 6)
    return this.#add(view, payload, declaredEnd, capturedEnd, (place & 0x1fff) << UNIT_SHIFT, (place & 0x2000) !== 0, key[2]!)
  }

  /** The same of IPv6; `header` is where the fragment header of 8 bytes begins. */
  addIpv6(view: DataView, ip: number, header: number, declaredEnd: number, capturedEnd: number): number {
    const key = this.#key.fill(0)
    key[0] = 6
    key[1] = view.getInt32(header + 4)
    for (let word = 0; word < 8; word++) key[2 + word] = view.getInt32(ip + 8 + word * 4)
    const place = view.getUint16(header + 2)
    return this.#add(view, header + 8, declaredEnd, capturedEnd, place & 0xfff8, (place & 1) !== 0, view.getUint8(header))
  }

  #add(
    view: DataView,
    payload: number,
    declaredEnd: number,
    capturedEnd: number,
    offset: number,
    isMore: boolean,
    protocol: number,
  ): number {
    const slot = this.#slot()
    const at = slot * STATE_WORDS
    const state = this.#state
    const earlier = state[at + FRAGMENTS]!
    state[at + LAST_SECONDS] = this.nowSeconds
    this.#counts.fragments++
    const byteLength = declaredEnd - payload
    if (!this.#fits(at, offset, byteLength, isMore)) {
      // A datagram has to be known by a fragment that is right.
      if (earlier === 0 && state[at + ERRORS] === 0) this.#keys[slot * KEY_WORDS] = 0
      state[at + ERRORS]!++
      this.#counts.errors++
      return FRAGMENT.SWALLOWED
    }
    if (!isMore) state[at + TOTAL_BYTES] = offset + byteLength
    if (offset === 0) state[at + PROTOCOL] = protocol
    this.#copy(slot, view, payload, Math.max(0, Math.min(declaredEnd, capturedEnd) - payload), offset, byteLength)
    state[at + FRAGMENTS] = earlier + 1
    const total = state[at + TOTAL_BYTES]!
    if (total === UNKNOWN || state[at + UNITS]! << UNIT_SHIFT < total) return FRAGMENT.SWALLOWED
    this.#complete(slot, total, earlier)
    return FRAGMENT.COMPLETED
  }

  /** Whether a fragment agrees with what is known of its datagram. */
  #fits(at: number, offset: number, byteLength: number, isMore: boolean): boolean {
    const total = this.#state[at + TOTAL_BYTES]!
    if (byteLength <= 0 || offset + byteLength > MAX_DATAGRAM_BYTES) return false
    if (isMore) return (byteLength & 7) === 0 && (total === UNKNOWN || offset + byteLength <= total)
    // The end must be the same each time, and nothing may be there beyond it.
    return total === UNKNOWN ? this.#reach(at) <= offset + byteLength : total === offset + byteLength
  }

  /** Where the last unit that is there ends. */
  #reach(at: number): number {
    const from = (at / STATE_WORDS) * BITMAP_BYTES
    for (let byte = BITMAP_BYTES - 1; byte >= 0; byte--) {
      const bits = this.#bitmaps[from + byte]!
      if (bits !== 0) return (byte * 8 + 32 - Math.clz32(bits)) << UNIT_SHIFT
    }
    return 0
  }

  #copy(slot: number, view: DataView, payload: number, capturedBytes: number, offset: number, byteLength: number): void {
    const at = slot * STATE_WORDS
    const state = this.#state
    const buffer = this.#buffer(slot, offset + byteLength)
    const firstUnit = offset >>> UNIT_SHIFT
    const endUnit = (offset + byteLength + 7) >>> UNIT_SHIFT
    const bytes = new Uint8Array(view.buffer, view.byteOffset + payload, capturedBytes)
    let added = 0
    for (let unit = firstUnit; unit < endUnit; unit++) {
      const bit = slot * BITMAP_BYTES + (unit >>> 3)
      if ((this.#bitmaps[bit]! & (1 << (unit & 7))) !== 0) continue
      this.#bitmaps[bit]! |= 1 << (unit & 7)
      added++
      const from = (unit - firstUnit) << UNIT_SHIFT
      const until = Math.min(from + 8, capturedBytes)
      for (let byte = from; byte < until; byte++) buffer[offset + byte] = bytes[byte]!
    }
    state[at + UNITS] = state[at + UNITS]! + added
    if (capturedBytes < byteLength) state[at + FIRST_MISSING] = Math.min(state[at + FIRST_MISSING]!, offset + capturedBytes)
    if (added > 0 && added < endUnit - firstUnit) {
      state[at + ERRORS]!++
      this.#counts.errors++
    }
  }

  #buffer(slot: number, byteLength: number): Uint8Array {
    const known = this.#buffers[slot]
    if (known && known.length >= byteLength) return known
    const grown = new Uint8Array(Math.max(FIRST_BUFFER_BYTES, 2 ** Math.ceil(Math.log2(byteLength))))
    if (known) grown.set(known)
    this.#buffers[slot] = grown
    return grown
  }

  #complete(slot: number, total: number, earlier: number): void {
    const at = slot * STATE_WORDS
    const buffer = this.#buffer(slot, total)
    this.view = new DataView(buffer.buffer)
    this.totalBytes = total
    this.capturedBytes = Math.min(total, this.#state[at + FIRST_MISSING]!)
    this.protocol = this.#state[at + PROTOCOL]!
    this.fragments = earlier
    this.fragmentErrors = this.#state[at + ERRORS]!
    this.#keys[slot * KEY_WORDS] = 0
    this.#counts.datagrams++
  }

  /** The slot of the key: its own, or a free one, or that of the datagram that waits longest. */
  #slot(): number {
    const keys = this.#keys
    const key = this.#key
    let free = UNKNOWN
    let oldest = 0
    for (let slot = 0; slot < this.#slots; slot++) {
      const at = slot * KEY_WORDS
      const last = this.#state[slot * STATE_WORDS + LAST_SECONDS]!
      if (keys[at] !== 0 && this.nowSeconds - last > TIMEOUT_SECONDS) {
        keys[at] = 0
        this.#counts.timedOut++
      }
      if (keys[at] === 0) free = free === UNKNOWN ? slot : free
      else if (isEqual(keys, at, key)) return slot
      if (last < this.#state[oldest * STATE_WORDS + LAST_SECONDS]!) oldest = slot
    }
    if (free === UNKNOWN) this.#counts.evicted++
    return this.#open(free === UNKNOWN ? oldest : free)
  }

  #open(slot: number): number {
    this.#keys.set(this.#key, slot * KEY_WORDS)
    const at = slot * STATE_WORDS
    this.#state.fill(0, at, at + STATE_WORDS)
    this.#state[at + TOTAL_BYTES] = UNKNOWN
    this.#state[at + FIRST_MISSING] = MAX_DATAGRAM_BYTES
    this.#bitmaps.fill(0, slot * BITMAP_BYTES, (slot + 1) * BITMAP_BYTES)
    return slot
  }
}

function isEqual(keys: Int32Array, at: number, key: Int32Array): boolean {
  for (let word = 0; word < KEY_WORDS; word++) if (keys[at + word] !== key[word]) return false
  return true
}
